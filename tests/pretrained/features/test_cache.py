"""Features on the disk: fresh or not at all, gone on with after Ctrl-C, and flat in memory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

from course_utils import paths
from course_utils.errors import CourseError
from course_utils.pretrained import (
    Images,
    extract_features,
    fit,
    freeze,
    replace_head,
    unfreeze,
)
from course_utils.pretrained.features import cache as feature_cache
from course_utils.pretrained.features import reading
from course_utils.pretrained.features.cache import Rows, stored

SIZE, KEY = 64, "0123abcd"


@pytest.fixture
def model(lite0):
    return lite0


@pytest.fixture(scope="module")
def images() -> Images:
    """Twelve pictures in memory."""
    rng = np.random.default_rng(0)
    pictures = [Image.fromarray(rng.integers(0, 255, (9, 9, 3), dtype=np.uint8)).resize((70, 70))
                for _ in range(12)]
    return Images([f"picture {i}" for i in range(12)], [0, 1] * 6, ["a", "b"], pictures=pictures)


def files() -> list[str]:
    return sorted(file.name for file in (paths.cache() / "features").glob("*"))


def numbers(count=10, width=4, dtype=torch.float32):
    return torch.randn(count, width, generator=torch.Generator().manual_seed(0)).to(dtype)


def write(x, key=KEY, batch=3):
    with Rows(key) as rows:
        for part in x.split(batch):
            rows.append(part)
        return rows.finish()


# Rows in a file ------------------------------------------------------------------------------------

@pytest.mark.parametrize("small", [0, feature_cache.SMALL])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("shape", [(4,), (3, 2, 2)])
def test_what_is_written_is_read(dtype, shape, small, monkeypatch):
    monkeypatch.setattr(feature_cache, "SMALL", small)
    x = torch.randn(10, *shape).to(dtype)
    for found in (write(x), stored(KEY)):
        assert found.dtype == dtype and torch.equal(found, x)
    assert files() == [f"{KEY}.rows"]


@pytest.mark.parametrize("small", [0, feature_cache.SMALL])
def test_changing_the_rows_changes_no_file(small, monkeypatch):
    monkeypatch.setattr(feature_cache, "SMALL", small)
    x = numbers()
    write(x).zero_()
    found = stored(KEY)
    found += 1
    assert torch.equal(stored(KEY), x)


def test_without_a_key_nothing_is_left_and_the_rows_are_there(monkeypatch, tmp_path):
    monkeypatch.setattr(feature_cache, "SMALL", 0)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    x = numbers()
    found = write(x, key=None)
    assert torch.equal(found, x) and not list(tmp_path.iterdir())


def test_rows_of_another_shape_are_refused():
    with Rows(None) as rows:
        rows.append(torch.zeros(2, 3, 8, 8))
        with pytest.raises(CourseError, match=r"\(3, 8, 8\), others \(3, 9, 9\)"):
            rows.append(torch.zeros(2, 3, 9, 9))


@pytest.mark.parametrize("at", [0, 3, 100, 255, 256, 300, -1])
def test_one_wrong_bit_anywhere_is_found(at, capsys):
    write(numbers())
    [file] = (paths.cache() / "features").glob("*")
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)
    found = stored(KEY)
    if at in (100, 255):        # the padding between the text and the rows, which nothing is read from
        assert found is None or torch.equal(found, numbers())
    else:
        assert found is None and "damaged" in capsys.readouterr().out and not files()


@pytest.mark.parametrize("length", [0, 100, 256, 300])
def test_a_file_cut_off_anywhere_is_found(length, capsys):
    write(numbers())
    [file] = (paths.cache() / "features").glob("*")
    file.write_bytes(file.read_bytes()[:length])
    assert stored(KEY) is None and "damaged" in capsys.readouterr().out and not files()


def test_the_file_of_another_key_is_not_taken(capsys):
    write(numbers())
    folder = paths.cache() / "features"
    (folder / f"{KEY}.rows").rename(folder / "9999.rows")
    assert stored("9999") is None and "damaged" in capsys.readouterr().out


def test_an_error_keeps_nothing_and_ctrl_c_what_is_whole():
    x = numbers()
    for error, kept in [(ValueError, None), (KeyboardInterrupt, x[:6])]:
        with pytest.raises(error), Rows(KEY) as rows:
            rows.append(x[:3])
            rows.append(x[3:6])
            rows.file.write(b"part of a row")        # cut short in the middle of writing
            raise error
        found = stored(KEY)
        assert found is None if kept is None else torch.equal(found, kept)
        assert len(files()) == (kept is not None)


def test_a_killed_writers_file_is_swept_up_after_a_day():
    folder = paths.cache() / "features"
    folder.mkdir(parents=True)
    # Only its own kind: without a key, rows go to the system's temporary folder.
    old = 2 * feature_cache.DAY
    for name, age in [("course-features-old.part", old), ("course-features-young.part", 60),
                      ("another-programs.part", old)]:
        (folder / name).write_bytes(b"half")
        os.utime(folder / name, (time.time() - age,) * 2)
    write(numbers())
    assert files() == [f"{KEY}.rows", "another-programs.part", "course-features-young.part"]


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    """What a process of its own found, in which files could not grow beyond a limit, as on a full disk."""
    program = textwrap.dedent("""
        import json, psutil, resource, signal, torch
        from course_utils.pretrained.features.cache import Rows, stored

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)          # then writing fails with an OSError
        found = {}
        for megabytes in (0, 0.5, 0.999, 2):
            _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(megabytes * 2**20), hard))
            key, x = str(megabytes), torch.randn(256, 1024)    # 1 MiB
            with Rows(key) as rows:
                for part in x.split(32):
                    rows.append(part)
                same = torch.equal(rows.finish(), x)
            found[key] = same, stored(key) is not None
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

        block, process = torch.randn(1000, 1000), psutil.Process()         # 4 MB
        before = process.memory_info().rss
        with Rows("many") as rows:
            for _ in range(75):
                rows.append(block)
            x = rows.finish()
        found["grown"] = [process.memory_info().rss - before]
        assert torch.equal(stored("many")[-1000:], block) and len(x) == 75_000
        found["grown"].append(process.memory_info().rss - before)
        print(json.dumps(found))
    """)
    cache = tmp_path_factory.mktemp("limited")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True,
                          env={**os.environ, "COURSE_CACHE": str(cache)})
    *said, found = done.stdout.splitlines()
    return json.loads(found), said, sorted(file.name for file in (cache / "features").iterdir())


@pytest.mark.parametrize("megabytes", ["0", "0.5", "0.999"])
def test_a_full_disk_loses_no_rows(limited, megabytes):
    """0: not even the first bytes fit; 0.5: half of the rows; 0.999: all but the last."""
    found, said, files = limited
    same, kept = found[megabytes]
    assert same and not kept
    assert len(said) == 3 and all("could not be stored" in line for line in said)
    assert files == ["2.rows", "many.rows"], "nothing half written is left"


def test_with_room_enough_they_are_stored(limited):
    """The twin."""
    assert limited[0]["2"] == [True, True]


def test_memory_stays_flat_while_rows_are_written_and_read(limited):
    """300 MB of rows passed through."""
    assert max(limited[0]["grown"]) < 100 * 2**20


# What the network sees -----------------------------------------------------------------------------

def runs_of(model) -> list[int]:
    runs: list[int] = []
    model.conv_stem.register_forward_hook(lambda module, inputs, output: runs.append(len(output)))
    return runs


@pytest.mark.parametrize("views", [1, 2])
def test_after_ctrl_c_only_the_missing_pictures_are_read(model, images, views):
    def interrupt(module, inputs, output):
        runs.append(len(output))
        if sum(runs) > 14 * views - 6:
            raise KeyboardInterrupt

    runs: list[int] = []
    options = {"size": SIZE, "batch_size": 2, "views": views, "precision": "float32"}
    hook = model.conv_stem.register_forward_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        extract_features(model, images, **options)
    hook.remove()
    assert len(files()) == 1
    runs = runs_of(model)
    found = extract_features(model, images, **options)
    assert 1 < sum(runs) < 12 * views - 2, "the missing ones, and the first one to compare"
    whole = extract_features(model, images, cache=False, **options)
    torch.testing.assert_close(found.x, whole.x, atol=1e-3, rtol=1e-3)
    runs.clear()
    assert torch.equal(extract_features(model, images, **options).x, found.x) and runs == [1]


def test_ctrl_c_while_kept_rows_are_copied_shortens_nothing(model, images, monkeypatch):
    def interrupt_after(count):
        def append(self, rows):
            if len(copied) == count:
                raise KeyboardInterrupt
            copied.append(rows)
            plain(self, rows)

        copied, plain = [], Rows.append
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(Rows, "append", append)
            patch.setattr(reading, "CHUNK", 2)
            extract_features(model, images, size=SIZE, batch_size=2)
        [file] = (paths.cache() / "features").iterdir()
        return len(stored(file.stem))

    assert interrupt_after(4) == 8, "of twelve"
    assert interrupt_after(1) == 8, "two of them copied"
    assert interrupt_after(5) == 10, "the twin: all copied, and two more"


def test_ctrl_c_just_before_a_whole_file_gets_its_name_loses_nothing(monkeypatch):
    def interrupted(*names):
        monkeypatch.undo()
        monkeypatch.setenv("COURSE_CACHE", cache)
        raise KeyboardInterrupt

    cache = os.environ["COURSE_CACHE"]
    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(numbers())
    assert torch.equal(stored(KEY), numbers()) and files() == [f"{KEY}.rows"]


def test_the_key_names_the_library_that_builds_the_networks(lite0, monkeypatch):
    key = feature_cache.feature_key(lite0, [])
    assert feature_cache.feature_key(lite0, []) == key
    monkeypatch.setattr(feature_cache, "version", lambda package: f"{package} of tomorrow")
    assert feature_cache.feature_key(lite0, []) != key


def test_after_ctrl_c_a_changed_forward_begins_anew(model, images):
    """The key is the same; the first picture tells."""
    def interrupt(module, inputs, output):
        if len(output) == 2 and len(seen) > 3:
            raise KeyboardInterrupt
        seen.append(output)

    seen: list = []
    hook = model.conv_stem.register_forward_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        extract_features(model, images, size=SIZE, batch_size=2)
    hook.remove()
    plain = model.forward_features
    model.forward_features = lambda x: plain(x).square()
    found = extract_features(model, images, size=SIZE, batch_size=2)
    expected = extract_features(model, images, size=SIZE, batch_size=2, cache=False)
    torch.testing.assert_close(found.x, expected.x, atol=1e-3, rtol=1e-3)


def test_a_real_ctrl_c_keeps_what_is_done(model, images):
    def interrupt(module, inputs, output):
        runs.append(len(output))
        if len(runs) == 5:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.2)         # this is not the main thread, which the signal reaches

    runs: list[int] = []
    hook = model.conv_stem.register_forward_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        extract_features(model, images, size=SIZE, batch_size=1, precision="float32")
    hook.remove()
    runs = runs_of(model)
    assert len(extract_features(model, images, size=SIZE, batch_size=1, precision="float32")) == 12
    assert 1 < len(runs) < 12


def trained(model, images):
    """The model after an epoch in which its last block and a new head learned."""
    replace_head(freeze(model), 2, seed=0)
    unfreeze(model.blocks[6]), unfreeze(model.conv_head), unfreeze(model.classifier)
    batch = DataLoader(TensorDataset(torch.randn(8, 3, SIZE, SIZE), torch.arange(8) % 2), batch_size=4)
    fit(model, batch, batch, epochs=1)


def test_after_fine_tuning_features_are_fresh(model, images):
    old = extract_features(model, images, size=SIZE)
    trained(model, images)
    new = extract_features(model, images, size=SIZE)
    fresh = extract_features(model, images, size=SIZE, cache=False)
    torch.testing.assert_close(new.x, fresh.x, atol=1e-2, rtol=1e-2)
    assert (new.x - old.x).norm() > 0.1 * old.x.norm()


def test_features_kept_by_name_would_be_stale(model, images):
    """The twin: a cache that knows its models by name, as many notebooks have one."""
    by_name: dict[str, torch.Tensor] = {}

    def look_up(model):
        if model.course_weights.name not in by_name:
            by_name[model.course_weights.name] = extract_features(model, images, size=SIZE, cache=False).x
        return by_name[model.course_weights.name]

    look_up(model)
    trained(model, images)
    fresh = extract_features(model, images, size=SIZE, cache=False).x
    assert (look_up(model) - fresh).norm() > 0.1 * fresh.norm()


def test_the_number_of_threads_is_the_same_afterwards(model, images):
    before = torch.get_num_threads()
    extract_features(model, images, size=SIZE)
    assert torch.get_num_threads() == before


@pytest.mark.full
def test_100_000_pictures_take_less_than_2_gib(tmp_path):
    """Batches generated on the fly, at 64 pixels."""
    program = textwrap.dedent("""
        import psutil, torch
        from course_utils.pretrained import extract_features, load_model
        most, this = 0, psutil.Process()      # not ru_maxrss: Linux counts the parent's peak in that
        def batches(count):
            global most
            for start in range(0, count, 100):
                most = max(most, this.memory_info().rss)
                yield torch.full((100, 3, 64, 64), start / count), torch.zeros(100, dtype=torch.long)
        features = extract_features(load_model("efficientnet_lite0"), batches(100_000))
        assert len(features) == 100_000
        print(max(most, this.memory_info().rss) // 2**20)
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 2048

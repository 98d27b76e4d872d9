"""A run depends on its row alone, and one that cannot be done says why."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest
import torch
from PIL import Image

from course_utils.errors import CourseError
from course_utils.pretrained import load_dataset
from course_utils.pretrained.study.plan import RATES, Row
from course_utils.pretrained.study.records import Record
from course_utils.pretrained.study.running import Failure, attempt, digest, run_row
from course_utils.pretrained.study.strategies import drawn, passes

ROW = Row(0, 0.5, "faces", "efficientnet_lite0", "probe", 32, 1, 0.0, True)
ELSEWHERE = """
import sys
from course_utils.pretrained import load_dataset
from course_utils.pretrained.study.plan import Row
from course_utils.pretrained.study.running import digest, run_row
import json
for said in sys.argv[:0:-1]:
    row = Row.from_dict(json.loads(said))
    print(run_row(row, digest(load_dataset(row.dataset))).as_line(), flush=True)
"""


def found(record: Record) -> tuple:
    """What must not depend on the moment or the machine's load."""
    return record.row, record.n_train, record.n_test, record.accuracy, record.loss, record.low, record.high


@pytest.fixture(scope="module")
def faces():
    return digest(load_dataset("faces"))


def test_every_strategy_gives_the_same_in_another_process_in_another_order(faces, monkeypatch, tmp_path):
    rows = [replace(ROW, strategy=strategy, rate=rate) for strategy, rate in RATES.items()]
    here = {row: run_row(row, faces) for row in rows}
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "another"))
    said = subprocess.run([sys.executable, "-c", ELSEWHERE, *(row.key for row in rows)], capture_output=True,
                          text=True, check=True)
    lines = [line for line in said.stdout.splitlines() if line.startswith('{"run"')]
    there = [Record.from_dict(json.loads(line)["run"]) for line in lines]
    assert len(there) == len(rows)
    assert all(found(record) == found(here[record.row]) for record in there)
    assert all(r.low < r.accuracy <= r.high and r.seconds > 0 and r.peak_mib > 100 for r in here.values())


def test_a_run_leaves_threads_and_random_numbers_as_they_were(faces):
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    run_row(replace(ROW, strategy="scratch", rate=1e-3), faces)
    assert torch.get_num_threads() == threads and torch.equal(torch.random.get_rng_state(), state)


def test_another_seed_is_another_run(faces):
    assert found(run_row(replace(ROW, seed=1), faces)) != found(run_row(ROW, faces))


def test_a_larger_share_holds_the_smaller_one_and_every_class():
    images = load_dataset("digits").train
    few, many = set(drawn(images, 0.1, 3)), set(drawn(images, 0.5, 3))
    assert few < many and drawn(images, 1.0, 3) == list(range(len(images)))
    assert {images.labels[i] for i in drawn(images, 0.001, 3)} == set(range(10)), "at least one of each"
    assert few != set(drawn(images, 0.1, 4))


def test_a_worker_with_other_pictures_says_so():
    with pytest.raises(CourseError, match="other pictures"):
        run_row(ROW, "another digest")


def test_a_data_set_that_is_gone_is_a_failure_in_words(tmp_path):
    row = replace(ROW, dataset=f"folder:{tmp_path / 'gone'}")
    result = attempt(row, "")
    assert isinstance(result, Failure) and "does not exist" in result.reason


def folder_of(path, shade: int):
    for split in ("train", "val", "test"):
        for name in ("a", "b"):
            (path / split / name).mkdir(parents=True)
            Image.new("RGB", (40, 40), (shade, 0, 0)).save(path / split / name / "1.bmp")
    return load_dataset(f"folder:{path}")


def test_the_digest_knows_pictures_wherever_they_lie_and_others_by_name_or_size(tmp_path):
    here, copied = folder_of(tmp_path / "here", 10), folder_of(tmp_path / "copied", 10)
    assert digest(here) == digest(copied)
    Image.new("RGB", (41, 40)).save(tmp_path / "copied" / "val" / "a" / "1.bmp")
    assert digest(here) != digest(load_dataset(f"folder:{tmp_path / 'copied'}"))


@pytest.mark.parametrize("count", [1, 30, 109, 538, 1078])
def test_every_share_gets_the_steps_of_the_plan_each_picture_as_often_as_the_others(count):
    chosen = range(1000, 1000 + count)
    order = passes(chosen, 20, seed=0)
    times = Counter(order)
    assert len(order) == 20 * 32 and set(order) <= set(chosen)
    assert len(times) == min(count, 640) and max(times.values()) - min(times.values()) <= 1
    assert order == passes(chosen, 20, seed=0)
    assert count == 1 or order != passes(chosen, 20, seed=1)

"""A checkpoint is whole or not there, holds no code, serves a stranger, and says why it does not fit."""

from __future__ import annotations

import copy
import os
import pickle
import re
import resource
import signal
import subprocess
import sys
from functools import partial

import pytest
import safetensors.torch
import torch
import torchvision
from torch import nn

from course_utils import paths
from course_utils.errors import CourseError, DamagedFile
from course_utils.pretrained import (
    Epoch,
    History,
    find_head,
    freeze_report,
    load_checkpoint,
    load_model,
    preprocessing,
    replace_head,
    save_checkpoint,
    top_k,
)
from course_utils.pretrained.saving.checkpoints import _built

FLOWERS = ("daisy", "rose", "tulip")
SMALL = ["torchvision/resnet18", "timm/test_efficientnet", "timm/test_resnet", "timm/test_vit"]


@pytest.fixture
def resnet():
    return load_model("timm/test_resnet", FLOWERS, random_init=True)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.pt"


def same(one, other) -> bool:
    one, other = one.state_dict(), other.state_dict()
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


# For a stranger ------------------------------------------------------------------------------------

@pytest.mark.parametrize("file", ["run.pt", "run.safetensors"])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("name", SMALL)
def test_the_model_comes_back_from_the_file_alone(tmp_path, name, dropout, file):
    model = load_model(name, FLOWERS, dropout=dropout, random_init=True)
    save_checkpoint(tmp_path / file, model)
    found = load_checkpoint(tmp_path / file)
    assert same(found.model, model) and found.classes == FLOWERS and not found.model.training
    assert found.weights == model.course_weights == found.model.course_weights
    assert str(found.model) == str(model), "dropout is back too"
    size = preprocessing(model, size=64)
    assert preprocessing(found.model, size=64).key == size.key


def test_it_predicts_as_before_with_names(tmp_path, lite0, cat):
    replace_head(lite0, FLOWERS, dropout=0.2, seed=0)
    save_checkpoint(tmp_path / "run.pt", lite0)
    assert top_k(load_checkpoint(tmp_path / "run.pt").model, cat, size=64) == top_k(lite0, cat, size=64)


def test_a_model_with_the_head_it_came_with_keeps_its_names(path, lite0):
    save_checkpoint(path, lite0)
    found = load_checkpoint(path)
    assert found.classes == lite0.course_classes and len(found.classes) == 1000 and same(found.model, lite0)


def test_a_number_of_classes_without_names_is_kept(path):
    save_checkpoint(path, load_model("timm/test_resnet", 7, random_init=True))
    found = load_checkpoint(path)
    assert found.classes is None and found.model.fc.out_features == 7


@pytest.mark.full
def test_another_process_rebuilds_it(path, resnet):
    save_checkpoint(path, resnet)
    code = (f"from course_utils.pretrained import load_checkpoint\n"
            f"found = load_checkpoint({str(path)!r})\n"
            "print(*found.classes, found.weights.name, found.model.fc.weight.sum().item())")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": str(paths.repository())})
    assert done.stdout.split() == [*FLOWERS, "random/test_resnet", str(resnet.fc.weight.sum().item())]


def test_epoch_history_optimizer_and_versions_are_kept(path, resnet):
    optimizer = torch.optim.Adam(resnet.parameters(), lr=0.01)
    resnet(torch.randn(2, 3, 32, 32)).sum().backward()
    optimizer.step()
    history = History([Epoch(1, 0.5, 0.4, 0.9, 1.0, (0.01,)),
                       Epoch(2, 0.3, 0.2, 0.95, 1.0, (0.01, 1e-3), ("fc",))], stopped="patience")
    assert save_checkpoint(path, resnet, optimizer=optimizer, history=history) == path
    found = load_checkpoint(path)
    assert found.epoch == 2 and found.history == history and found.versions["torch"] in torch.__version__
    fresh = torch.optim.Adam(found.model.parameters())
    fresh.load_state_dict(found.optimizer)
    assert fresh.param_groups[0]["lr"] == 0.01 and len(fresh.state) == len(optimizer.state)
    assert save_checkpoint(path, resnet, epoch=7) and load_checkpoint(path).epoch == 7


def test_weights_go_into_a_model_that_is_there(path, resnet):
    save_checkpoint(path, resnet)
    other = load_model("timm/test_resnet", 3, random_init=True).train()
    assert load_checkpoint(path, other).model is other
    assert same(other, resnet) and other.course_classes == FLOWERS and not other.training


def test_a_loaded_model_has_not_drifted(path, resnet):
    resnet.train()(torch.randn(4, 3, 32, 32))
    save_checkpoint(path, resnet)
    assert (freeze_report(load_checkpoint(path).model).batchnorm_drift.dropna() == 0).all()


@pytest.mark.parametrize("head", [lambda n: nn.Linear(n, 5),
                                  lambda n: nn.Sequential(nn.Dropout(0.5), nn.Linear(n, 5))])
def test_a_head_put_on_by_hand_comes_back_without_names_of_others(path, head):
    model = load_model("torchvision/resnet18", random_init=True)
    model.course_classes = tuple(map(str, range(1000)))
    model.fc = head(512)
    save_checkpoint(path, model)
    back = load_checkpoint(path)
    assert back.classes is None and same(back.model, model)


def test_a_head_that_cannot_be_built_from_the_file_is_said_in_words(path, resnet):
    resnet.fc = nn.Sequential(nn.Linear(resnet.fc.in_features, 8), nn.ReLU(), nn.Linear(8, 5))
    save_checkpoint(path, resnet)
    with pytest.raises(CourseError, match=r"'fc\.2', put on by hand.*load_checkpoint"):
        load_checkpoint(path)
    other = copy.deepcopy(resnet)
    assert same(load_checkpoint(path, other).model, resnet)


@pytest.mark.parametrize("name", ["torchvision/inception_v3.IMAGENET1K_V1",
                                  "torchvision/vit_b_16.IMAGENET1K_SWAG_E2E_V1"])
def test_a_model_is_rebuilt_as_its_trained_weights_want_it(name):
    """Inception's change their pictures once more, these ViTs take pictures of 384 pixels."""
    about = {"architecture": name.partition(".")[0], "weights": {"name": name}, "head": None}
    with torch.device("meta"):
        built = _built(about, None, "run.pt")
        plain = torchvision.models.get_model(about["architecture"].removeprefix("torchvision/"), weights=None,
                                             **({"init_weights": False} if "inception" in name else {}))
    assert getattr(built, "transform_input", None) != getattr(plain, "transform_input", None) \
        or built.image_size == 384 != plain.image_size


def test_a_network_of_ones_own_needs_to_be_given(path):
    own = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    save_checkpoint(path, own)
    with pytest.raises(CourseError, match=r"does not say which architecture.*load_checkpoint\(path, model\)"):
        load_checkpoint(path)
    twin = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    assert same(load_checkpoint(path, twin).model, own)


def test_safetensors_holds_weights_that_other_programs_read(tmp_path, resnet):
    resnet.to(memory_format=torch.channels_last)
    save_checkpoint(tmp_path / "run.safetensors", resnet, epoch=3)
    state = safetensors.torch.load_file(tmp_path / "run.safetensors")
    assert state.keys() == resnet.state_dict().keys()
    assert all(torch.equal(state[name], value) for name, value in resnet.state_dict().items())
    assert load_checkpoint(tmp_path / "run.safetensors").epoch == 3


def test_safetensors_takes_no_optimizer(tmp_path, resnet):
    with pytest.raises(CourseError, match=r"weights alone.*run\.pt"):
        save_checkpoint(tmp_path / "run.safetensors", resnet, optimizer=torch.optim.SGD(resnet.parameters()))


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod."])
@pytest.mark.parametrize("legacy", [False, True])
def test_a_plain_state_dict_from_elsewhere_is_read_too(path, resnet, prefix, legacy):
    """Also one that DataParallel or torch.compile wrapped, or that an old version of torch wrote."""
    state = {prefix + name: value for name, value in resnet.state_dict().items()}
    torch.save(state, path, _use_new_zipfile_serialization=not legacy)
    model = load_model("timm/test_resnet", FLOWERS, random_init=True)
    found = load_checkpoint(path, model)
    assert same(found.model, resnet) and model.course_classes == FLOWERS and found.epoch is None
    with pytest.raises(CourseError, match="does not say which architecture"):
        load_checkpoint(path)


# What does not fit ---------------------------------------------------------------------------------

@pytest.mark.parametrize("name, bare, dropped", [
    ("torchvision/resnet18", "fc.bias", "fc.1.bias"),
    ("timm/test_efficientnet", "classifier.bias", "classifier.1.bias"),
    ("torchvision/efficientnet_b0", "classifier.1.bias", "classifier.1.1.bias")])
def test_a_head_with_dropout_against_a_bare_one_is_explained(path, name, bare, dropped):
    with_dropout = load_model(name, FLOWERS, dropout=0.3, random_init=True)
    without = load_model(name, FLOWERS, random_init=True)
    save_checkpoint(path, with_dropout)
    with pytest.raises(CourseError, match=rf"Sequential\(Dropout, Linear\), {dropped}; .* Linear, {bare}\. "
                                          r".*replace_head\(model, 3, dropout=0\.3\)"):
        load_checkpoint(path, without)
    save_checkpoint(path, without)
    with pytest.raises(CourseError, match=rf"a bare Linear, {bare}; .*{dropped}.*replace_head\(model, 3\)"):
        load_checkpoint(path, with_dropout)


def test_doing_what_the_message_says_mends_it(path, resnet):
    save_checkpoint(path, load_model("timm/test_resnet", 5, dropout=0.3, random_init=True))
    with pytest.raises(CourseError) as told:
        load_checkpoint(path, resnet)
    line = re.search(r"replace_head\(.*?\)", str(told.value))[0]
    exec(line, {"replace_head": replace_head, "model": resnet})
    assert load_checkpoint(path, resnet).model is resnet


def test_another_number_of_classes_is_explained(path, resnet):
    save_checkpoint(path, resnet)
    other = load_model("timm/test_resnet", 5, random_init=True)
    before = copy.deepcopy(other)
    with pytest.raises(CourseError, match=r"for 3 classes, daisy, .*has 5.*replace_head\(model, 3\)"):
        load_checkpoint(path, other)
    assert same(other, before), "nothing was changed"


def test_another_architecture_is_explained(path, resnet, lite0):
    save_checkpoint(path, resnet)
    with pytest.raises(CourseError, match=r"of timm/test_resnet and do not fit this EfficientNet: .* miss"):
        load_checkpoint(path, lite0)


# Files that are no good ----------------------------------------------------------------------------

class Evil:
    """Writes a file when it is unpickled."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


def by_torch(thing, path):
    torch.save(thing, path)


def by_old_torch(thing, path):
    torch.save(thing, path, _use_new_zipfile_serialization=False)


def by_pickle(thing, path, **options):
    path.write_bytes(pickle.dumps(thing, **options))


@pytest.mark.parametrize("write, what", [
    (by_torch, r"\w+\.mkdir"), (by_old_torch, r"\w+\.mkdir"), (by_pickle, "a pickle"),
    (partial(by_pickle, protocol=2), r"\w+\.mkdir")])
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_code_in_a_file_is_refused_and_does_not_run(tmp_path, path, write, what):
    write({"model": Evil(tmp_path / "trace"), "about": {}}, path)
    with pytest.raises(CourseError, match=rf"not opened: {what} in it is code.*state_dict"):
        load_checkpoint(path)
    assert not (tmp_path / "trace").exists()


def test_pythons_own_reader_would_have_run_it(tmp_path, path):
    """The twin: the code is real."""
    torch.save({"model": Evil(tmp_path / "trace")}, path)
    torch.load(path, weights_only=False)
    assert (tmp_path / "trace").exists()


def test_a_whole_model_by_pickle_is_refused_by_name(path, resnet):
    torch.save(resnet, path)
    with pytest.raises(CourseError, match=r"opened: timm\.\S*ResNet in it is code.*state_dict"):
        load_checkpoint(path)


@pytest.mark.parametrize("file", ["run.pt", "run.safetensors"])
@pytest.mark.parametrize("part", [0, 0.1, 0.5, 0.999])
def test_a_file_cut_short_is_noticed(tmp_path, resnet, file, part):
    save_checkpoint(tmp_path / file, resnet)
    whole = (tmp_path / file).read_bytes()
    (tmp_path / file).write_bytes(whole[:int(part * len(whole))])
    with pytest.raises(DamagedFile, match="damaged or cut short"):
        load_checkpoint(tmp_path / file, resnet)


def test_one_wrong_bit_in_the_weights_is_noticed(path, resnet):
    save_checkpoint(path, resnet)
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(DamagedFile):
        load_checkpoint(path)
    torch.load(path)        # torch itself does not look


@pytest.mark.parametrize("content", [b"", b"hello\n" * 100, bytes(range(256)) * 40, b"PK\x03\x04 no zip"])
def test_what_is_no_checkpoint_is_said_in_words(path, resnet, content):
    path.write_bytes(content)
    with pytest.raises(DamagedFile, match="is no checkpoint"):
        load_checkpoint(path, resnet)


@pytest.mark.parametrize("content", [[1, 2], {"epoch": 3}, {}, {"model": {"w": 1.0}}])
def test_data_without_weights_are_said_in_words(path, resnet, content):
    torch.save(content, path)
    with pytest.raises(CourseError, match="neither a checkpoint of the course nor a state dict"):
        load_checkpoint(path, resnet)


@pytest.mark.parametrize("name", ["model_state_dict", "state_dict", "model"])
def test_what_others_write_around_their_weights_is_named_and_doing_as_told_mends_it(tmp_path, path, resnet,
                                                                                    monkeypatch, name):
    torch.save({"epoch": 3, name: resnet.state_dict(), "loss": 0.5}, path)
    model = load_model("timm/test_resnet", FLOWERS, random_init=True)
    with pytest.raises(CourseError, match=rf"It holds 'epoch', '{name}', 'loss'\. The weights") as told:
        load_checkpoint(path, model)
    monkeypatch.chdir(tmp_path)
    first, then = re.search(r"Type: (.*), then (.*)$", str(told.value)).groups()
    exec(first, {"torch": torch})
    assert same(eval(then, {"load_checkpoint": load_checkpoint, "model": model}).model, resnet)


def test_where_there_are_no_weights_no_way_to_them_is_told(path, resnet):
    """The twin."""
    torch.save({"epoch": 3, "loss": 0.5}, path)
    with pytest.raises(CourseError, match=r"It holds 'epoch', 'loss'\. Write one with save_checkpoint"):
        load_checkpoint(path, resnet)


def test_a_newer_format_is_said_in_words(path, resnet):
    save_checkpoint(path, resnet)
    contents = torch.load(path)
    contents["about"]["format"] = 99
    torch.save(contents, path)
    with pytest.raises(CourseError, match="newer version of the course"):
        load_checkpoint(path)


def test_a_missing_file_names_the_nearest(tmp_path, resnet):
    save_checkpoint(tmp_path / "run_3.pt", resnet)
    with pytest.raises(CourseError, match=r"No such file.*there is run_3\.pt"):
        load_checkpoint(tmp_path / "run3.pt")
    with pytest.raises(CourseError, match="cannot be read: Is a directory"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("given", [None, "", 3])
def test_a_path_that_is_none_is_said_in_words(resnet, given):
    with pytest.raises(CourseError, match="needs the path of a file first, such as 'run"):
        save_checkpoint(given, resnet)


def test_a_model_that_is_none_is_said_in_words(path):
    with pytest.raises(CourseError, match="needs a model"):
        save_checkpoint(path, "lite0")


# Whole or not there --------------------------------------------------------------------------------

@pytest.fixture
def full_disk():
    """No file of this process may grow beyond 100 kB. (Python ignores the signal that would end it.)"""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, before)


@pytest.mark.parametrize("file", ["run.pt", "run.safetensors"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, resnet, file, request):
    save_checkpoint(tmp_path / file, resnet, epoch=1)
    request.getfixturevalue("full_disk")
    with pytest.raises(CourseError, match=r"could not be written: File too large\. What was there before"):
        save_checkpoint(tmp_path / file, resnet, epoch=2)
    assert load_checkpoint(tmp_path / file).epoch == 1 and [f.name for f in tmp_path.iterdir()] == [file]


def test_folders_are_made_and_a_folder_is_not_overwritten(tmp_path, resnet):
    save_checkpoint(tmp_path / "a/b/run.pt", resnet)
    with pytest.raises(CourseError, match="could not be written: Is a directory"):
        save_checkpoint(tmp_path / "a/b", resnet)
    with pytest.raises(CourseError, match="could not be written"):
        save_checkpoint(tmp_path / "a/b/run.pt/inside.pt", resnet)
    assert load_checkpoint(tmp_path / "a/b/run.pt")


def test_what_a_killed_process_left_half_written_is_removed_but_not_what_one_writes_now(tmp_path, resnet):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    orphan, busy = tmp_path / f"run.pt.{dead.pid}.part", tmp_path / f"run.pt.{os.getppid()}.part"
    orphan.touch()
    busy.touch()
    save_checkpoint(tmp_path / "run.pt", resnet)
    assert not orphan.exists() and busy.exists()


def test_the_head_is_found_where_the_file_says(path, resnet):
    save_checkpoint(path, resnet)
    about = torch.load(path)["about"]
    assert about["head"] == {"name": find_head(resnet), "classes": 3, "dropout": 0.0}
    assert about["architecture"] == "timm/test_resnet" and about["classes"] == FLOWERS

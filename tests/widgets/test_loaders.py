"""loader_switch: what is shown is run as it is shown; what needs a download says so, and nothing comes."""

from __future__ import annotations

import itertools
import os
import socket

import pytest
import torch

from course_utils.widgets import loader_switch
from course_utils.widgets.loader_code import LIBRARIES, LITE0, MODELS, STEPS, snippet
from course_utils.widgets.loaders import _environment

ALL = list(itertools.product(LIBRARIES, MODELS, (False, True), STEPS))
FAR = "They are not on this machine"


@pytest.fixture
def nothing_kept(tmp_path, monkeypatch):
    """Library caches of this test's own, empty, and no name that can be looked up."""
    import huggingface_hub

    def fail(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hf"))
    monkeypatch.setattr(socket, "getaddrinfo", fail)


@pytest.fixture
def switch():
    return loader_switch()


def said(switch, **values) -> str:
    return switch.set(**values).text()


@pytest.mark.parametrize("library, model, newer, step", ALL)
def test_every_wish_is_answered(nothing_kept, switch, library, model, newer, step):
    words = said(switch, library=library, model=model, newer=newer, step=step)
    wish = snippet(library, model, newer, step)
    assert all(f"`{line}`" in words for line in wish.code.splitlines()) and "SIZE" not in wish.code
    outcomes = ("It prints:" in words, FAR in words, "Not run here" in words)
    assert sum(outcomes) == 1 and outcomes[0] == wish.runs
    if wish.runs:
        assert words.split("It prints:")[1].strip()


@pytest.mark.parametrize("model, name", [("ResNet-50", "torchvision/resnet50.IMAGENET1K_V1"),
                                         ("ViT-B/16", "torchvision/vit_b_16.IMAGENET1K_V1")])
def test_weights_that_are_far_say_what_to_do(nothing_kept, switch, model, name):
    words = said(switch, library="torchvision", model=model, newer="the older", step=STEPS[-1])
    assert f'`load_model("{name}")` raises `WeightsUnavailable`' in words
    assert "With a network, run the same line again" in words and "load_model('efficientnet_lite2')" in words


def test_weights_that_are_here_are_not_called_far(switch, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    file = tmp_path / "hub/checkpoints/resnet50-11ad3fa6.pth"
    file.parent.mkdir(parents=True)
    file.touch()
    words = said(switch, library="torchvision", model="ResNet-50", step=STEPS[-1])
    assert FAR not in words and str(file) in words


def test_the_bundled_model_is_loaded_for_real_by_timm_and_by_torch_hub(nothing_kept, switch):
    for library in ("timm", "torch.hub"):
        assert "4,652,008 parameters, training: False" in said(switch, library=library, model=LITE0,
                                                               step=STEPS[-1])


def test_the_verbs_of_the_hub_run_on_this_course(nothing_kept, switch):
    assert "'efficientnet_lite2'" in said(switch, library="torch.hub", model=LITE0, step=STEPS[0])
    assert "EfficientNet-Lite0: 4.7 million" in said(switch, step=STEPS[1])


def test_newer_and_older_weights_are_told_apart(switch):
    chosen = {"library": "torchvision", "model": "ResNet-50", "step": STEPS[1]}
    assert "76.13" in said(switch, newer="the older", **chosen)
    assert "80.858" in said(switch, newer="the newer", **chosen)


def test_what_torchvision_lacks_is_seen_and_said(switch):
    words = said(switch, library="torchvision", model=LITE0)
    assert "`[]`" in words and "choose timm or torch.hub" in words


def test_looking_leaves_random_numbers_and_the_environment_as_they_were(nothing_kept, switch):
    state, environment = torch.get_rng_state(), dict(os.environ)
    said(switch, library="torch.hub", model=LITE0, step=STEPS[3])
    said(switch, library="torchvision", model="ResNet-50", step=STEPS[4])
    assert torch.equal(state, torch.get_rng_state()) and environment == dict(os.environ)


def test_an_error_inside_leaves_the_environment_too(monkeypatch):
    monkeypatch.setenv("A_VARIABLE", "as it was")
    with pytest.raises(KeyError), _environment(A_VARIABLE="other", ANOTHER="new"):
        assert os.environ["A_VARIABLE"] == "other"
        raise KeyError
    assert os.environ["A_VARIABLE"] == "as it was" and "ANOTHER" not in os.environ


def test_weights_that_load_all_the_same_are_not_called_far(nothing_kept, switch, monkeypatch):
    monkeypatch.setattr("course_utils.widgets.loaders.load_model", lambda name: None)
    words = said(switch, library="torchvision", model="ResNet-50", step=STEPS[-1])
    assert FAR not in words and "loads them" in words

"""torch.hub: a folder's models by name, a repository's at one commit and with trust, this project's own."""

import io
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from PIL import Image

from course_utils.errors import CourseError, DownloadFailed, UnknownName
from course_utils.pretrained import catalogue, load_model, preprocessing

ROOT = Path(__file__).resolve().parents[3]
TINY_HUBCONF = '''
dependencies = ["torch"]
from torch import nn

def tiny(pretrained=False):
    """A tiny model."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    nn.init.constant_(model[1].weight, 1.0 if pretrained else 0.0)
    return model

def by_timm(pretrained=False):
    import timm
    return timm.create_model("test_resnet.r160_in1k", pretrained=False)

def by_weights(weights=None):
    return nn.Linear(4, 2)

def broken(pretrained=False):
    raise KeyError("what the author forgot")

def tokenizer(pretrained=False):
    return {"a": 1}
'''
COMMIT = "0123456789abcdef0123456789abcdef01234567"
REMOTE = f"hub/someone/models:{COMMIT}/tiny"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo/hubconf.py").write_text(TINY_HUBCONF)
    return tmp_path / "repo"


def test_an_entry_point_of_a_folder_is_loaded_with_trained_weights(folder, no_network, monkeypatch):
    model = load_model(f"hub/{folder}/tiny")
    assert not model.training and model[1].weight.eq(1).all()
    assert load_model(f"hub/{folder}/tiny", random_init=True)[1].weight.eq(0).all()
    monkeypatch.chdir(folder.parent)
    assert load_model("hub/repo/tiny", 3)[1].out_features == 3


def test_a_model_that_tells_nothing_of_its_weights_is_asked_only_by_preprocessing(folder):
    model = load_model(f"hub/{folder}/tiny")
    assert not hasattr(model, "course_weights") and model.course_classes is None
    with pytest.raises(CourseError, match="Nothing is known about the weights"):
        preprocessing(model)


def test_a_timm_model_from_the_hub_tells_how_to_prepare_pictures(folder):
    model = load_model(f"hub/{folder}/by_timm")
    assert model.course_weights.name == f"hub/{folder}/by_timm" and model.course_weights.source == "hub"
    assert preprocessing(model)(Image.new("RGB", (200, 200))).shape == (3, 160, 160)


@pytest.mark.parametrize("entry, kind, said", [
    ("tiny2", UnknownName, "Did you mean 'tiny'"),
    ("broken", CourseError, "KeyError.*what the author forgot"),
    ("by_weights", CourseError, "unexpected keyword argument 'pretrained'"),
    ("tokenizer", CourseError, "no model but an object of type dict")])
def test_an_entry_point_that_gives_no_model_is_said_in_words(folder, entry, kind, said):
    with pytest.raises(kind, match=said):
        load_model(f"hub/{folder}/{entry}")


def test_a_folder_whose_needs_are_not_met_says_what_is_missing(folder):
    (folder / "hubconf.py").write_text(TINY_HUBCONF.replace('["torch"]', '["torch", "not_installed"]'))
    with pytest.raises(CourseError, match="Missing dependencies: not_installed"):
        load_model(f"hub/{folder}/tiny")


@pytest.mark.parametrize("revision", ["", ":main", ":v0.10", ":0123456", f":{COMMIT}0", f":{COMMIT.upper()}"])
def test_a_repository_that_is_not_pinned_to_a_commit_is_refused(caches, revision):
    with pytest.raises(CourseError, match=r"git ls-remote https://github\.com/pytorch/vision"):
        load_model(f"hub/pytorch/vision{revision}/resnet18", trust=True)


def test_a_repository_runs_nothing_without_trust(caches, folder):
    in_cache(caches, folder)
    with pytest.raises(CourseError, match=f"someone/models/tree/{COMMIT}.*trust=True"):
        load_model(REMOTE)
    assert load_model(REMOTE, trust=True)[1].weight.eq(1).all()


def in_cache(caches, folder):
    shutil.copytree(folder, caches / "torch/hub" / f"someone_models_{COMMIT}")


def test_a_repository_in_torch_hubs_cache_is_loaded_without_a_network(caches, folder, no_network):
    in_cache(caches, folder)
    assert load_model(REMOTE, trust=True)[1].weight.eq(1).all()
    assert torch.hub.load(f"someone/models:{COMMIT}", "tiny", trust_repo=True, pretrained=True)


def test_a_repository_out_of_reach_is_said_in_words(caches, no_network):
    with pytest.raises(DownloadFailed, match=r"github\.com: Name or service not known"):
        load_model(REMOTE, trust=True)


def test_a_repository_is_fetched_at_its_commit_and_kept_where_torch_hub_looks(caches, folder, github):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(folder / "hubconf.py", f"models-{COMMIT}/hubconf.py")
    github.files[f"/someone/models/archive/{COMMIT}.zip"] = packed.getvalue()
    assert load_model(REMOTE, trust=True)[1].weight.eq(1).all()
    assert torch.hub.load(f"someone/models:{COMMIT}", "tiny", trust_repo=True, pretrained=True)
    assert len(github.seen) == 1


@pytest.mark.parametrize("name", ["hub/x", "hub/", "hub//x", "hub/nowhere/x", "hub/a/b/c/d/x"])
def test_a_name_that_leads_to_no_hub_says_how_one_is_written(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CourseError, match=r"hub/FOLDER/ENTRY.*hub/OWNER/REPO:COMMIT/ENTRY|needs a commit"):
        load_model(name)


def test_what_a_hub_model_needs_is_not_known_by_its_name_alone():
    with pytest.raises(CourseError, match=r"load_model\('hub/a/b/c'\)"):
        preprocessing("hub/a/b/c")


# This project's own hubconf.py ------------------------------------------------------------------------

VERBS = """
import os, sys, torch
root, hub = sys.argv[1:]
os.symlink(root, os.path.join(hub, "this_course_here"))       # as if torch.hub had fetched it: no network
torch.hub.set_dir(hub)
print("list", *torch.hub.list("this/course:here", trust_repo=True, verbose=False))
print("help", torch.hub.help("this/course:here", "efficientnet_lite0", trust_repo=True).split(":")[0])
model = torch.hub.load(root, "efficientnet_lite0", source="local")
print("load", model.course_weights.name, sum(p.numel() for p in model.parameters()), model.training)
other = torch.hub.load(root, "efficientnet_lite1", source="local", pretrained=False, num_classes=3)
print("load", other.course_weights.name, other.num_classes)
"""


def test_list_help_and_load_work_on_this_project_from_anywhere_without_a_network(tmp_path):
    (tmp_path / "hub").mkdir()
    proxies = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
    environment = os.environ | {name: "http://127.0.0.1:9" for name in proxies}      # where nobody listens
    done = subprocess.run([sys.executable, "-c", VERBS, str(ROOT), str(tmp_path / "hub")], cwd=tmp_path,
                          env=environment, capture_output=True, text=True, timeout=120)
    assert [line for line in done.stdout.splitlines() if line.split()[0] in ("list", "help", "load")] == [
        "list efficientnet_lite0 efficientnet_lite1 efficientnet_lite2", "help EfficientNet-Lite0",
        "load efficientnet_lite0 4652008 False", "load random/tf_efficientnet_lite1 3"], done.stderr


@pytest.mark.parametrize("name", ["efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"])
def test_load_model_knows_this_projects_hub_too(name, no_network):
    model, bundled = load_model(f"hub/{ROOT}/{name}"), load_model(name)
    assert all(map(torch.equal, model.state_dict().values(), bundled.state_dict().values()))
    assert model.course_weights.source == "hub" and model.course_classes == bundled.course_classes


def test_what_help_says_is_what_the_catalogue_says():
    import hubconf

    for name in ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"):
        row = catalogue().set_index("name").loc[name]
        for fact in (f"{row.params_m:.1f} million", f"{row.top1:.1f} %", f"{row.input_size} pixels"):
            assert fact in getattr(hubconf, name).__doc__

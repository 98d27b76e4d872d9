"""course download: says what comes, how much and where to; what is here stays; trouble is told in words."""

from __future__ import annotations

import hashlib
import io
import zipfile

import pytest
import torch
import yaml
from click.testing import CliRunner
from PIL import Image

from course_utils import paths
from course_utils.cli import main

SMALL = "torchvision/shufflenet_v2_x0_5.IMAGENET1K_V1"


def course(*arguments: str):
    return CliRunner().invoke(main, arguments)


@pytest.fixture
def eurosat(server, tmp_path, monkeypatch, quick):
    """Where the set will be; it comes from this machine's own server, small, its table entry the real one."""
    with zipfile.ZipFile(packed := io.BytesIO(), "w") as archive:
        for name in ("Forest", "River"):
            for i in range(10):
                Image.new("RGB", (16, 16), (i, 0, 0)).save(picture := io.BytesIO(), "JPEG")
                archive.writestr(f"2750/{name}/{i}.jpg", picture.getvalue())
    server.files["/EuroSAT.zip"] = packed.getvalue()
    table = yaml.safe_load((paths.data() / "photo_sets.yaml").read_text(encoding="utf-8"))
    table["eurosat"] |= {"url": f"{server.url}/EuroSAT.zip", "pictures": 20,
                         "checksum": f"sha256:{hashlib.sha256(packed.getvalue()).hexdigest()}"}
    (tmp_path / "photo_sets.yaml").write_text(yaml.safe_dump(table))
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "datasets" / "eurosat"


def test_a_set_comes_with_its_size_and_place_said_before(eurosat):
    done = course("download", "eurosat")
    before, after = done.output.split("Unpacking")
    assert done.exit_code == 0 and f"eurosat: about 90 MB, to be kept in {eurosat}" in before
    assert f"eurosat is here now: {eurosat}" in after and len(list(eurosat.rglob("*.jpg"))) == 20


def test_a_set_that_is_here_is_not_fetched_again(eurosat, server):
    course("download", "eurosat")
    done = course("download", "eurosat")
    assert done.exit_code == 0 and done.output == f"eurosat is already here: {eurosat}\n"
    assert len(server.seen) == 1


def test_trouble_on_the_way_ends_with_an_error_in_words(eurosat, server):
    server.tricks = [lambda handler: handler.send_error(403)]
    done = course("download", "eurosat")
    assert done.exit_code == 1 and "the server answers 403 Forbidden" in done.output
    assert "Traceback" not in done.output and not eurosat.exists()


@pytest.mark.parametrize("name", ["flowers", "defects", "digits", "faces", "efficientnet_lite0"])
def test_what_came_with_the_installation_is_already_here(name):
    done = course("download", name)
    assert done.exit_code == 0 and f"{name} is already here" in done.output


@pytest.fixture
def checkpoints(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "torch" / "hub" / "checkpoints"


def test_weights_that_are_here_are_named_with_their_file(checkpoints):
    checkpoints.mkdir(parents=True)
    file = checkpoints / "shufflenetv2_x0.5-f707e7126e.pth"
    torch.save({}, file)
    assert course("download", SMALL).output == f"{SMALL} is already here: {file}\n"


def test_weights_come_with_their_size_and_place_said_before(registered, server):
    done = course("download", "torchvision/tiny.V1")
    before, after = done.stdout.splitlines()
    assert done.exit_code == 0 and before.endswith(f"about 5 MB, to be kept in {registered.file.parent}")
    assert after == f"torchvision/tiny.V1 is here now: {registered.file}" and len(server.seen) == 1


def test_weights_out_of_reach_are_said_with_size_and_place(checkpoints, monkeypatch):
    for variable in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")      # where nobody listens
    done = course("download", SMALL)
    assert done.exit_code == 1 and f"about 5 MB, to be kept in {checkpoints}" in done.output
    assert "load_model('efficientnet_lite0') serves" in done.output and "Traceback" not in done.output


@pytest.mark.parametrize("name, said", [
    ("flower_photo", "Did you mean 'flower_photos'"), ("resnet50", "torchvision/resnet50.IMAGENET1K_V2"),
    ("torchvision/resnet50", "Say which"), ("nothing like it", "There is no set of weights")])
def test_an_unknown_name_is_answered_with_the_nearest(name, said):
    done = course("download", name)
    assert done.exit_code == 1 and said in done.output and "Traceback" not in done.output

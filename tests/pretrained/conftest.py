"""Real models and pictures, a network that is not there, and library caches of one's own."""

import copy
import random
import socket

import huggingface_hub
import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from course_utils import paths
from course_utils.pretrained import load_model
from course_utils.pretrained.data.images import Images


@pytest.fixture(scope="session")
def _loaded_lite0():
    return load_model("efficientnet_lite0")


@pytest.fixture
def lite0(_loaded_lite0):
    """EfficientNet-Lite0 with its ImageNet weights, a copy for this test alone."""
    return copy.deepcopy(_loaded_lite0)


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    """Features are kept in the test's own folder."""
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def dark_and_light():
    """A function that makes Images in memory: squares of noise, dark and light ones in turn."""
    def make(count: int, side: int, apart: int = 150) -> Images:
        rng = np.random.default_rng(0)
        pictures = [Image.fromarray(rng.integers(0, 100, (side, side, 3), dtype=np.uint8)
                                    + np.uint8(apart * (i % 2))) for i in range(count)]
        return Images([f"picture {i}" for i in range(count)], [i % 2 for i in range(count)],
                      ("dark", "light"), pictures=pictures)
    return make


@pytest.fixture(scope="session")
def cat():
    return Image.fromarray(data.chelsea())          # 451 × 300


@pytest.fixture(scope="session")
def coffee():
    return Image.fromarray(data.coffee())           # 600 × 400


@pytest.fixture(scope="session")
def photos():
    """80 photographs of flowers, all classes mixed."""
    folder = paths.test_photos() / "flowers" / "train"
    if not folder.is_dir():
        pytest.skip(f"needs photographs in {folder}; COURSE_TEST_PHOTOS names another folder")
    files = random.Random(0).sample(sorted(folder.glob("*/*.jpg")), 80)
    return [Image.open(file).convert("RGB") for file in files]


@pytest.fixture
def caches(tmp_path, monkeypatch):
    """torch.hub's and Hugging Face's caches, empty, in the test's own folder."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hf"))
    (tmp_path / "torch/hub/checkpoints").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def no_network(monkeypatch):
    """No name can be looked up, as on a machine without a network."""
    def fail(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)


FAMILIES = {                                    # where each family keeps its head
    "torchvision/resnet18": "fc", "torchvision/vgg11_bn": "classifier.6",
    "torchvision/densenet121": "classifier",
    "torchvision/efficientnet_b0": "classifier.1", "torchvision/mobilenet_v2": "classifier.1",
    "torchvision/mobilenet_v3_small": "classifier.3", "torchvision/regnet_y_400mf": "fc",
    "torchvision/convnext_tiny": "classifier.2", "torchvision/vit_b_16": "heads.head",
    "torchvision/swin_t": "head",
    "torchvision/shufflenet_v2_x0_5": "fc", "torchvision/mnasnet0_5": "classifier.1",
    "efficientnet_lite0": "classifier",
    "timm/resnet18": "fc", "timm/vgg11": "head.fc",
    "timm/efficientnet_b0": "classifier", "timm/mobilenetv3_small_100": "classifier",
    "timm/regnety_004": "head.fc", "timm/convnext_atto": "head.fc", "timm/vit_tiny_patch16_224": "head",
    "timm/swin_tiny_patch4_window7_224": "head.fc",
}


def without_numbers(name):
    """A model of shapes only (on the meta device): it runs at once, whatever its size."""
    try:
        with torch.device("meta"):
            return load_model(name, random_init=True)
    except NotImplementedError:                 # RegNet computes its widths with tensors
        return load_model(name, random_init=True).to("meta")


@pytest.fixture(scope="session", params=FAMILIES, ids=lambda name: name.replace("/", "-"))
def family(request):
    """A model of each family, without numbers, in eval mode; whoever changes it works on a copy."""
    return without_numbers(request.param)


@pytest.fixture
def head_of_family(request):
    return FAMILIES[request.node.callspec.params["family"]]


@pytest.fixture
def resnet50():
    return without_numbers("torchvision/resnet50")

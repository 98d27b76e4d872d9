"""architecture: ResNet-18 shows its figures, any family can be read, models stay as they were."""

from __future__ import annotations

import io
import json
import re

import pytest
import torch
from PIL import Image
from torch import nn

from course_utils import paths
from course_utils.errors import CourseError
from course_utils.pretrained import count_parameters, load_model
from course_utils.widgets import Pictures, architecture
from course_utils.widgets.layer_tree import SIGNS, Layer, kind_of, read_layers, shapes_alone, what_is
from course_utils.widgets.layers import as_maps

GREY = Image.new("RGB", (300, 200), (90, 120, 30))
HALVES = Image.new("RGB", (300, 200), (250, 250, 250))
HALVES.paste((0, 0, 0), (150, 0, 300, 200))                     # black on the right


@pytest.fixture(scope="module")
def resnet18() -> dict[str, Layer]:
    return {layer.name: layer for layer in read_layers(shapes_alone("torchvision/resnet18"), 224)}


@pytest.fixture(scope="module")
def lite0() -> nn.Module:
    return load_model("efficientnet_lite0")


def table(panel) -> dict:
    return next(exhibit for exhibit in panel.view if exhibit["kind"] == "table")


def maps_of(panel) -> Pictures:
    return next(exhibit for exhibit in panel.seen if isinstance(exhibit, Pictures))


def colours(picture) -> list:
    return Image.open(io.BytesIO(picture.png)).getcolors()


def test_resnet18_shows_its_figures(resnet18):
    shown = [layer.cells() for layer in resnet18.values() if layer.depth == 1]
    assert [(name, kind, parameters, output) for name, kind, _, parameters, output in shown] == [
        ("conv1", "▦ conv", "9,408", "64×112×112"), ("bn1", "≈ norm", "128", "64×112×112"),
        ("relu", "ƒ activation", "0", "64×112×112"), ("maxpool", "▽ pool", "0", "64×56×56"),
        ("layer1", "▭ block", "148 K", "64×56×56"), ("layer2", "▭ block", "526 K", "128×28×28"),
        ("layer3", "▭ block", "2.1 M", "256×14×14"), ("layer4", "▭ block", "8.39 M", "512×7×7"),
        ("avgpool", "▽ pool", "0", "512×1×1"), ("fc", "▣ head", "513 K", "1000")]
    assert resnet18["conv1"].what.startswith("7×7, stride 2")
    assert resnet18["maxpool"].what == "MaxPool2d 3×3, stride 2"
    assert all(resnet18[f"layer{i}"].what == "2 × BasicBlock" for i in range(1, 5))


def test_resnet18_downsamples_from_layer2_on_and_normalises_after_each_convolution(resnet18):
    assert {name.split(".")[0] for name in resnet18 if name.endswith("downsample")} == {
        "layer2", "layer3", "layer4"}
    pairs = [layer for layer in resnet18.values() if layer.kind in ("conv", "norm")]
    assert [layer.kind for layer in pairs] == 20 * ["conv", "norm"]
    assert all(conv.shape == norm.shape for conv, norm in zip(pairs[::2], pairs[1::2], strict=True))


def test_the_introduction_names_family_year_idea_and_accuracy_by_weights():
    said = architecture("torchvision/resnet18").text()
    for words in ("ResNet, 2015", "F(x) + x", "69.8 % (torchvision/resnet18.IMAGENET1K_V1)",
                  "71.5 % (timm/resnet18.a1_in1k)", "3×224×224", "11,689,512 parameters",
                  "without weights"):
        assert words in said


def test_rows_are_drawn_as_a_tree_with_a_colour_for_each_kind():
    drawn = table(architecture("torchvision/resnet18").set(depth=3))
    assert [(row[0], *look) for row, look in zip(drawn["rows"], drawn["tree"], strict=True)][4:8] == [
        ("layer1", 0, "block"), ("layer1.0", 1, "block"), ("layer1.0.conv1", 2, "conv"),
        ("layer1.0.bn1", 2, "norm")]
    for row, (_, kind) in zip(drawn["rows"], drawn["tree"], strict=True):
        assert row[1].endswith(kind), "in words too"
    theme = (paths.repository() / "course_utils/widgets/theme.css").read_text(encoding="utf-8")
    colours = re.findall(r'data-kind="(\w+)"\] { --kind: (#\w+)', theme)
    assert set(SIGNS) - dict(colours).keys() == {"other"} and len(set(dict(colours).values())) == len(colours)


def test_depth_decides_what_is_shown():
    panel = architecture("torchvision/resnet18")
    assert len(table(panel)["rows"]) == 10
    assert len(table(panel.set(depth=2))["rows"]) == 18
    names = [row[0] for row in table(panel.set(depth=4))["rows"]]
    assert "layer2.0.downsample.0" in names
    assert "layer" not in panel.values, "without weights there is nothing to look at"


@pytest.mark.parametrize("name, head, kinds", [
    ("torchvision/vgg16", "classifier.6", {"conv", "pool", "activation", "linear", "head"}),
    ("torchvision/densenet121", "classifier", {"conv", "norm", "pool", "block", "head"}),
    ("torchvision/mobilenet_v3_small", "classifier.3", {"conv", "norm", "activation", "block", "head"}),
    ("torchvision/convnext_tiny", "classifier.2", {"conv", "norm", "activation", "block", "head"}),
    ("torchvision/vit_b_16", "heads.head", {"conv", "norm", "attention", "linear", "block", "head"}),
    ("torchvision/swin_t", "head", {"conv", "norm", "attention", "linear", "block", "head"}),
    ("torchvision/regnet_y_400mf", "fc", {"conv", "norm", "pool", "activation", "block", "head"}),
    ("timm/efficientnet_b0", "classifier", {"conv", "norm", "pool", "activation", "block", "head"}),
])
def test_any_family_can_be_read(name, head, kinds):
    layers = read_layers(shapes_alone(name), 224)
    assert kinds <= {layer.kind for layer in layers} <= set(SIGNS)
    assert [(layer.name, layer.shape) for layer in layers if layer.kind == "head"] == [(head, (1000,))]


def test_kinds_go_by_class_and_a_block_of_conv_and_norm_is_no_norm():
    from torchvision.ops import Conv2dNormActivation
    assert kind_of(Conv2dNormActivation(3, 8)) == "block"
    assert kind_of(nn.LayerNorm(4)) == "norm" and kind_of(nn.Dropout()) == "other"
    assert what_is(nn.Conv2d(8, 8, 5, stride=2, groups=8)) == "5×5, stride 2, 8 → 8 channels, depthwise"
    assert what_is(nn.Conv2d(8, 8, (1, 7), groups=2)) == "1×7, 8 → 8 channels, 2 groups"


def test_reading_leaves_the_model_as_it_was(lite0):
    lite0.train()
    before = {name: value.clone() for name, value in lite0.state_dict().items()}
    layers = read_layers(lite0, 64)
    assert lite0.training and not any(module._forward_hooks for module in lite0.modules())
    assert all(torch.equal(value, before[name]) for name, value in lite0.state_dict().items())
    assert sum(layer.parameters for layer in layers if layer.depth == 1) == count_parameters(lite0)
    lite0.eval()


def test_a_chosen_layer_shows_what_it_makes_of_the_chosen_picture(lite0):
    panel = architecture(lite0, {"grey": GREY, "half black": HALVES})
    assert panel.values["layer"] == "conv_stem" and table(panel)["marked"] == [0]
    halves = maps_of(panel.set(picture="half black", layer="blocks.1"))
    assert halves.title.startswith("blocks.1") and len(halves.pictures) == 7
    assert halves.pictures[1].png != maps_of(panel.set(picture="grey")).pictures[1].png


def test_the_head_gives_numbers_without_a_place(lite0):
    from skimage import data
    panel = architecture(lite0, Image.fromarray(data.chelsea())).set(layer="classifier")
    assert "tiger cat" in panel.text() and panel.view[-1]["kind"] == "bars"


def test_a_layer_that_is_overwritten_in_place_is_shown_as_it_was():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                            nn.Linear(2, 3))
    network.course_weights = load_model("efficientnet_lite0", random_init=True).course_weights
    with torch.no_grad():
        network[0].bias.fill_(-100.0)                           # ReLU leaves nothing of it
    convolution, cut = (maps_of(architecture(network, HALVES, size=32).set(layer=name)) for name in "01")
    assert len(colours(convolution.pictures[1])) > 1 and len(colours(cut.pictures[1])) == 1


def test_transformers_give_maps_too():
    assert as_maps(torch.zeros(197, 768)).shape == (768, 14, 14)
    assert as_maps(torch.zeros(196, 64)).shape == (64, 14, 14)
    assert as_maps(torch.zeros(7, 7, 768)).shape == (768, 7, 7)
    assert as_maps(torch.zeros(64, 56, 56)).shape == (64, 56, 56)
    for without_place in (torch.zeros(1000), torch.zeros(512, 1, 1), torch.zeros(7, 20)):
        assert as_maps(without_place) is None


def test_patches_keep_their_place():
    rows = torch.arange(4.0)[:, None].repeat(1, 3)              # patches 0 … 3, top left to bottom right
    assert as_maps(torch.cat([torch.full((1, 3), 9.0), rows]))[0].tolist() == [[0, 1], [2, 3]]


def test_without_a_picture_one_is_asked_for(lite0):
    panel = architecture(lite0)
    assert "Choose a picture" in panel.text() and "picture" not in panel.values
    assert "conv_stem: of 32 channels" in panel.set(own=GREY).text()


def test_random_numbers_are_not_taken_for_learned_ones():
    assert "nothing is learned yet" in architecture(load_model("efficientnet_lite0", random_init=True)).text()


def test_a_network_of_ones_own_needs_a_size():
    own = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 36, 2))
    assert "4×6×6" in architecture(own, size=8).text()
    with pytest.raises(CourseError):
        architecture(own)


def test_a_picture_with_a_name_is_refused_with_what_to_type():
    with pytest.raises(CourseError, match=r"architecture\(load_model\('torchvision/resnet18'\), picture\)"):
        architecture("torchvision/resnet18", GREY)


def test_what_is_sent_is_plain(lite0):
    panel = architecture(lite0)
    json.dumps([panel.controls, panel.view], allow_nan=False)

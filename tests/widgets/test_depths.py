"""layer_views: what is shown are the network's own filters and activations, said in words too."""

from __future__ import annotations

import pytest
import skimage.data
import torch
from PIL import Image

from course_utils.errors import CourseError
from course_utils.pretrained import layer_groups, load_model, preprocessing
from course_utils.widgets import layer_views
from course_utils.widgets.depths import largest_filters, maps_of_group, reacts_to


@pytest.fixture(scope="module")
def model():
    return load_model("efficientnet_lite0")


@pytest.fixture(scope="module")
def cat():
    return Image.fromarray(skimage.data.chelsea())


@pytest.fixture(scope="module")
def panel(model, cat):
    return layer_views(model, {"cat": cat, "coffee": Image.fromarray(skimage.data.coffee())})


def test_every_stage_before_the_head_can_be_chosen(panel, model):
    assert panel.controls[1]["texts"] == [group.name for group in layer_groups(model)][:-1]


def test_filters_are_shown_at_the_first_depth_only(panel):
    assert "Filters of the first convolution" in panel.set(stage="stem").text()
    assert "Filters of the first convolution" not in panel.set(stage="blocks.3").text()


def test_maps_are_those_of_the_chosen_stage_and_picture(panel, model, cat):
    prepared = preprocessing(model)(cat)
    with torch.inference_mode():
        out = model.blocks[:4](model.bn1(model.conv_stem(prepared[None])))[0]
    assert torch.allclose(maps_of_group(model, prepared, 4), out, atol=1e-4)
    order = out.std(dim=(1, 2)).argsort(descending=True)[:6].tolist()
    panel.set(picture="cat", stage="blocks.3")
    assert [p["caption"] for p in panel.view[0]["pictures"][1:]] == [f"channel {i}" for i in order]
    on_cat = panel.view[0]["pictures"][1]["png"]
    assert panel.set(picture="coffee").view[0]["pictures"][1]["png"] != on_cat


def test_shapes_are_said_and_shrink_with_depth(panel):
    assert "32 channels of 112 × 112" in panel.set(stage="stem").text()
    assert "320 channels of 7 × 7" in panel.set(stage="blocks.6").text()


def test_every_picture_has_words_of_its_own(panel):
    for stage in ("stem", "blocks.6"):
        shown = [picture for row in panel.set(stage=stage).view if row["kind"] == "pictures"
                 for picture in row["pictures"]]
        assert all(len(picture["alt"]) > len("channel 0") for picture in shown)
    assert "highest at the" in panel.text()


def filter_of(by_place: torch.Tensor, colours=(1.0, 1.0, 1.0)) -> torch.Tensor:
    return torch.tensor(colours)[:, None, None] * by_place


RISING = torch.tensor([-1.0, 0.0, 1.0])


@pytest.mark.parametrize("weights, words", [
    (filter_of(RISING.expand(3, 3)), "edge or line, upright"),
    (filter_of(RISING[:, None].expand(3, 3)), "edge or line, level"),
    (filter_of(RISING[:, None] + RISING), "edge or line, slanting"),
    (filter_of(torch.ones(3, 3)), "brightness"),
    (filter_of(torch.tensor([[-1.0, 2, -1]]).expand(3, 3)), "edge or line, upright"),
    (torch.tensor([1.0, -1, 0])[:, None, None] * RISING[:, None].expand(3, 3), "edge or line, level"),
    (filter_of(torch.tensor([[1.0, -1, 0], [-1, 1, 0], [0, 0, 0]])), "spots"),
    (filter_of(torch.ones(3, 3), (1.0, -1.0, 0.0)), "red against green"),
    (filter_of(torch.ones(3, 3), (-0.6, -0.4, 1.0)), "blue against red"),
])
def test_what_a_filter_reacts_to_is_read_from_its_numbers(weights, words):
    assert reacts_to(weights) == words


def test_learned_filters_react_to_edges_and_to_colours(model):
    said = {reacts_to(weights).split(",")[0].split()[0] for weights in largest_filters(model)}
    assert "edge" in said and said & {"red", "green", "blue"}


def test_a_network_without_maps_is_refused_in_words():
    panel = layer_views(load_model("torchvision/vit_b_32", random_init=True),
                        {"grey": Image.new("RGB", (64, 64))})
    with pytest.raises(CourseError, match="convolutional"):
        panel.set(stage=panel.controls[1]["texts"][3])

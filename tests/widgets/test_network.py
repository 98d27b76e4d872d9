"""The state of a model on the screen, read from real models."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from course_utils.pretrained import freeze, layer_groups, load_model, replace_head, train_mode, unfreeze
from course_utils.widgets import flow, freeze_map
from course_utils.widgets.words import count

CLASSES = ["daisy", "tulip"]


@pytest.fixture(scope="module")
def lite0():
    return load_model("efficientnet_lite0")


@pytest.fixture
def model(lite0):
    """Frozen with all three switches; a fresh copy."""
    import copy
    model = replace_head(copy.deepcopy(lite0), CLASSES, seed=0)
    freeze(model)
    unfreeze(model.classifier)
    return train_mode(model)


@pytest.fixture
def optimizer(model):
    return torch.optim.Adam(model.classifier.parameters(), lr=1e-3)


def column(panel, number):
    return [row["cells"][number]["words"] for row in panel.table]


def test_every_layer_group_has_its_row(model, optimizer):
    panel = freeze_map(model, optimizer)
    assert column(panel, 0) == [group.name for group in layer_groups(model)]


def test_three_switches_set_right_are_shown_without_a_warning(model, optimizer):
    panel = freeze_map(model, optimizer)
    assert column(panel, 2) == ["❄ frozen"] * 9 + ["✎ learning"]
    assert column(panel, 3) == ["eval"] * 9 + ["train"]
    assert column(panel, 4) == ["not held"] * 9 + ["held, lr 0.001"]
    assert column(panel, 5) == ["as loaded"] * 9 + ["–"]
    assert panel.notes == [] and "⚠" not in panel.text()


def test_plain_train_warns_of_drift_before_any_batch(model, optimizer):
    model.train()
    panel = freeze_map(model, optimizer)
    assert column(panel, 5) == ["⚠ as loaded"] * 9 + ["–"]
    assert [note.split(":")[0] for note in panel.notes] == ["stem … conv_head"] and "drift" in panel.notes[0]


def test_drift_that_happened_is_measured(model, optimizer):
    model.train()
    model(torch.randn(4, 3, 64, 64))
    assert all(words.startswith("⚠ moved by") for words in column(freeze_map(model, optimizer), 5)[:-1])


def test_what_learns_outside_the_optimizer_is_said(model, optimizer):
    unfreeze(model.blocks[6])
    train_mode(model)
    panel = freeze_map(model, optimizer)
    assert dict(zip(column(panel, 0), column(panel, 4), strict=True))["blocks.6"] == "⚠ not held"
    assert any(note.startswith("blocks.6: learning is on, but the optimizer") for note in panel.notes)


def test_without_an_optimizer_nothing_is_said_about_it(model):
    panel = freeze_map(model)
    assert set(column(panel, 4)) == {"none given"} and panel.notes == []


def test_an_optimizer_made_before_the_head_was_replaced_is_said(model, optimizer):
    replace_head(model, 5)
    assert any("not in this model" in note for note in freeze_map(model, optimizer).notes)


def test_everything_frozen_is_said(model):
    freeze(model)
    assert "Nothing learns: every parameter is frozen." in flow(model).notes


def test_neighbours_in_the_same_state_share_a_box_and_the_head_has_its_own(model, optimizer):
    first, head = flow(model, optimizer).boxes
    assert first["title"] == "stem … conv_head" and len(first["groups"]) == 9 and first["learning"] == "none"
    assert head["head"] and head["title"] == "head" and head["learning"] == "all"


def test_a_group_in_another_state_stands_apart(model, optimizer):
    unfreeze(model.blocks[6])
    titles = [box["title"] for box in flow(model, optimizer).boxes]
    assert titles == ["stem … blocks.5", "blocks.6", "conv_head", "head"]


def test_flow_names_pixels_features_classes_and_weights(model):
    panel = flow(model)
    assert panel.ends == {"weights": "efficientnet_lite0", "input": "224 × 224 pixels",
                          "features": "1,280 features", "output": "2 classes", "classes": "daisy, tulip"}
    assert panel.text().splitlines()[0] == "picture 224 × 224 pixels"


def test_flow_of_a_model_that_says_nothing_of_itself():
    backbone = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
    panel = flow(backbone)
    assert panel.ends["input"] == "" and panel.ends["output"] == "features"


def test_a_snapshot_stays_until_it_is_refreshed(model, press):
    panel = freeze_map(model)
    unfreeze(model)
    assert column(panel, 2)[0] == "❄ frozen"
    press(panel, "refresh")
    assert column(panel, 2)[0] == "✎ learning" and panel.replies == 1


def test_looking_changes_nothing(model, optimizer):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    flow(model, optimizer)
    freeze_map(model, optimizer)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert modes == [module.training for module in model.modules()]


@pytest.mark.parametrize("number, words", [(0, "0"), (6405, "6,405"), (14_000, "14 K"), (999_600, "1 M"),
                                           (3_371_024, "3.37 M")])
def test_counts_are_short(number, words):
    assert count(number) == words

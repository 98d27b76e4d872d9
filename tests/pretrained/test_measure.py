"""The cost of a training step: what it counts, and that it leaves the model as it was."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from course_utils.errors import CourseError
from course_utils.pretrained import freeze, step_cost, unfreeze


@pytest.fixture
def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 3))


IMAGES = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 2, 0])


def test_a_measured_model_is_as_it_was(network):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    step_cost(network, IMAGES, LABELS, repeats=1)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert all(p.grad is None for p in network.parameters()) and network.training


def test_a_frozen_backbone_keeps_fewer_activations_and_less_state(network):
    whole = step_cost(network, IMAGES, LABELS, repeats=1)
    unfreeze(freeze(network)[-1])
    head = step_cost(network, IMAGES, LABELS, repeats=1)
    assert head.learning == 8 * 36 * 3 + 3 < whole.learning
    assert head.kept_mib < whole.kept_mib and head.state_mib < whole.state_mib


def test_what_a_linear_layer_keeps_is_its_input():
    cost = step_cost(nn.Sequential(nn.Flatten(), nn.Linear(192, 3)), IMAGES, LABELS, repeats=1)
    assert cost.kept_mib * 2**20 == IMAGES.numel() * 4


def test_a_model_that_cannot_learn_is_refused_in_words(network):
    with pytest.raises(CourseError, match="every parameter is frozen"):
        step_cost(freeze(network), IMAGES, LABELS)

"""loss_path: real losses on the straight line between two networks, which stay as they are."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_utils.widgets import loss_path
from course_utils.widgets.loss_line import distance, losses_on_line


def network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
                          nn.Flatten(), nn.Linear(4, 3))
    model[1].running_mean.normal_(std=3)
    return model.eval()


@pytest.fixture
def start():
    return network(0)


@pytest.fixture
def end():
    return network(1)


@pytest.fixture
def images():
    return torch.randn(30, 3, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def labels():
    return torch.arange(30) % 3


def loss_of(model, images, labels) -> float:
    with torch.no_grad():
        return F.cross_entropy(model(images), labels).item()


def test_the_ends_of_the_line_are_the_two_networks(start, end, images, labels):
    found = losses_on_line(start, end, images, labels, [0, 1])
    assert found == pytest.approx([loss_of(start, images, labels), loss_of(end, images, labels)], abs=1e-5)


def test_half_way_parameters_and_statistics_are_the_mean_of_both(start, end, images, labels):
    half = copy.deepcopy(start)
    with torch.no_grad():
        for mine, theirs in zip(half.state_dict().values(), end.state_dict().values(), strict=True):
            if mine.is_floating_point():
                mine.add_(theirs).div_(2)
    [found] = losses_on_line(start, end, images, labels, [0.5])
    assert found == pytest.approx(loss_of(half, images, labels), abs=1e-5)


def test_parameters_alone_on_the_line_would_give_another_loss(start, end, images, labels):
    """The twin: that statistics lie on the line makes a difference here."""
    half = copy.deepcopy(start)
    with torch.no_grad():
        for mine, theirs in zip(half.parameters(), end.parameters(), strict=True):
            mine.add_(theirs).div_(2)
    [found] = losses_on_line(start, end, images, labels, [0.5])
    assert abs(found - loss_of(half, images, labels)) > 1e-3


def test_neither_network_is_changed_and_training_mode_does_not_matter(start, end, images, labels):
    before = [copy.deepcopy(model.state_dict()) for model in (start, end)]
    in_eval = losses_on_line(start, end, images, labels, [0.5])
    assert losses_on_line(start.train(), end.train(), images, labels, [0.5]) == in_eval
    for model, state in zip((start, end), before, strict=True):
        assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


def test_the_distance_is_the_norm_over_parameters_and_leaves_buffers_out(start):
    moved = copy.deepcopy(start)
    moved[1].running_mean.add_(100)
    assert distance(start, moved) == 0
    with torch.no_grad():
        moved[5].bias.add_(3)
        moved[0].bias.add_(4)
    assert distance(start, moved) == pytest.approx(math.sqrt(3 * 9 + 4 * 16), rel=1e-5)


def test_the_slider_walks_and_the_table_says_each_line_in_numbers(start, end, images, labels):
    panel = loss_path({"one": start, "itself": end}, end, images, labels, points=5)
    chart, table, words = panel.view
    assert [line["name"] for line in chart["lines"]] == ["one", "itself"] and chart["log_y"]
    assert chart["marks"] == [(0.5, "here")] and "50%" in words["said"]
    assert table["rows"][1][1] == "0.0" and len(set(table["rows"][1][2:])) <= 2
    panel.set(share="25%", log=False)
    assert panel.view[0]["marks"] == [(0.25, "here")] and not panel.view[0]["log_y"]
    expected = losses_on_line(start, end, images, labels, [0.25])[0]
    assert panel.view[1]["rows"][0][3] == f"{expected:.3g}" and "Share of the way: 25%" in panel.text()

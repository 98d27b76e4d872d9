"""Pictures where their features lie, and two tasks on one body."""

from __future__ import annotations

import io

import pytest
import torch
from PIL import Image

from course_utils.pretrained import Features
from course_utils.widgets import feature_map, similar_pictures, task_balance
from course_utils.widgets.feature_space import CANVAS, project, train_two_tasks

COLOURS = [(255, 0, 0), (0, 0, 255)]


@pytest.fixture(scope="module")
def features():
    """Forty pictures of two kinds whose features lie apart."""
    draws = torch.Generator().manual_seed(0)
    y = torch.arange(40) % 2
    x = torch.randn(40, 16, generator=draws) + 6 * y.unsqueeze(1)
    return Features(x + 8, y, (), ("red", "blue"))


@pytest.fixture(scope="module")
def images(features):
    return [(Image.new("RGB", (20, 20), COLOURS[label]), label) for label in features.y.tolist()]


def test_neighbours_leave_the_picture_itself_out_and_come_nearest_first(features, images):
    explorer = similar_pictures(features, images)
    first, others, words = explorer.view
    assert first["pictures"][0]["caption"] == "red" and len(others["pictures"]) == 6
    cosines = [float(picture["caption"].split()[-1]) for picture in others["pictures"]]
    assert cosines == sorted(cosines, reverse=True) and "of the 6 have the same label" in words["said"]
    explorer.set(picture=1)
    assert explorer.view[0]["pictures"][0]["caption"] == "blue"


@pytest.mark.parametrize("method", ["PCA", "t-SNE"])
def test_a_map_puts_alike_features_together(features, method):
    places = project(features.x, method)
    assert places.shape == (40, 2) and places.min() == 0 and places.max() == 1
    apart = (places[features.y == 0].mean(0) - places[features.y == 1].mean(0)).norm()
    within = (places[features.y == 0] - places[features.y == 0].mean(0)).norm(dim=1).mean()
    assert apart > 2 * within


def test_the_map_is_one_picture_with_words_for_it(features, images):
    explorer = feature_map(features, images)
    picture = explorer.view[0]["pictures"][0]
    drawn = Image.open(io.BytesIO(picture["png"]))
    assert drawn.width == CANVAS and {c[1] for c in drawn.getcolors(10**6)} >= set(COLOURS)
    assert "20 red, 20 blue" in picture["alt"] and "Distances are true" in explorer.text()
    assert "mean nothing" in explorer.set(method="t-SNE").text()


@pytest.fixture(scope="module")
def tasks():
    """Two tasks that need different features, more of them than eight shared numbers can hold well."""
    draws = torch.Generator().manual_seed(1)
    x = torch.randn(300, 12, generator=draws)
    return x, (x[:, 0] > 0).long(), (x[:, 1] > 0).long(), torch.arange(300) >= 200


def test_a_task_of_no_weight_is_not_learned_and_one_of_some_is(tasks):
    x, first, second, held_out = tasks
    _, ignored = train_two_tasks(x, (first, second), 0.0, held_out)
    alone, heard = train_two_tasks(x, (first, second), 1.0, held_out)
    assert ignored < 0.65 < 0.8 < heard and alone > 0.8


def test_what_was_tried_stays_in_the_chart(tasks):
    x, first, second, held_out = tasks
    explorer = task_balance(x, (first, second), ("one", "two"), held_out, seeds=(0,))
    explorer.set(weight=0.0)
    explorer.set(weight=10.0)
    for line in explorer.view[1]["lines"]:
        assert [point[0] for point in line["points"]] == [0.001, 0.5, 10.0]
    assert "Weight 1 : 10" in explorer.text()

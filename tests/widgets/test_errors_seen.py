"""Confusion with the pictures behind it, calibration, and a demo that keeps a picture to itself."""

from __future__ import annotations

import io

import pytest
import torch
from PIL import Image

from course_utils.pretrained import load_model
from course_utils.pretrained.inference.metrics import metrics_of
from course_utils.widgets import calibration_plot, confusion_explorer, upload_demo


class Pictures:
    """Three classes, four pictures each."""

    classes, labels = ("cat", "dog", "fox"), [i // 4 for i in range(12)]

    def __getitem__(self, i):
        return Image.new("RGB", (8, 8), (20 * i, 0, 0)), self.labels[i]


@pytest.fixture
def scores():
    """Everything right, but that two dogs are taken for foxes."""
    scores = torch.eye(3)[torch.tensor(Pictures.labels)] * 4
    scores[4], scores[5] = torch.tensor([0.0, 0, 5]), torch.tensor([0.0, 1, 2])
    return scores


def test_the_worst_confusion_is_shown_first_surest_picture_first(scores):
    explorer = confusion_explorer(scores, Pictures())
    table, behind = explorer.view
    assert table["rows"][1] == ["dog", "0", "2", "[2]", "50%"] and table["marked"] == [1]
    assert behind["title"].startswith("2 of dog, taken for fox") and len(behind["pictures"]) == 2
    sure = [int(picture["caption"].split("%")[0]) for picture in behind["pictures"]]
    assert sure == sorted(sure, reverse=True)


def test_any_cell_may_be_chosen_also_an_empty_one(scores):
    explorer = confusion_explorer(scores, Pictures()).set(true="cat", guess="fox")
    assert explorer.view[1]["title"] == "0 of cat, taken for fox" and explorer.view[1]["pictures"] == []


def test_the_table_agrees_with_the_metrics(scores):
    explorer = confusion_explorer(scores, Pictures())
    numbers = [[int(cell.strip("[]")) for cell in row[1:4]] for row in explorer.view[0]["rows"]]
    assert numbers == metrics_of(scores, torch.tensor(Pictures.labels), Pictures.classes).confusion.tolist()


def test_the_calibration_error_is_that_of_the_library():
    draws = torch.Generator().manual_seed(0)
    scores, labels = torch.randn(200, 3, generator=draws) * 2, torch.randint(3, (200,), generator=draws)
    explorer = calibration_plot(scores, labels.tolist()).set(bins=15)
    wanted = metrics_of(scores, labels, ("a", "b", "c")).calibration
    assert f"Calibration error with 15 bins: {wanted:.1%}" in explorer.text()


def test_a_model_that_means_what_it_says_lies_on_the_diagonal():
    scores = torch.tensor([[0.0, 0.0]] * 10)            # always half sure, half of the time right
    text = calibration_plot(scores, [0, 1] * 5).text()
    assert "(0.5, 50.0%)" in text and "error with 10 bins: 0.0%" in text


def test_the_demo_waits_for_a_picture_and_then_says_what_the_model_says():
    explorer = upload_demo(load_model("efficientnet_lite0"))
    assert "goes nowhere else" in explorer.text()
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "white").save(file, format="PNG")
    explorer._handle_custom_msg({"do": "upload", "name": "picture"}, [memoryview(file.getvalue())])
    pictures, bars, words = explorer.view
    assert pictures["pictures"][0]["caption"] == "64 × 64 pixels" and len(bars["bars"]) == 5
    assert "only among the classes" in words["said"]

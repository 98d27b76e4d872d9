"""The figures the lessons quote, as recorded, and again as they come out here."""

from __future__ import annotations

import json

import pytest
import torch
from syllabus_numbers import first_batchnorm_drift, first_predictions, resnet50_parameters
from torch import nn

from course_utils import paths
from course_utils.pretrained import train_mode

TOLERANCE = 0.01        # of a probability: other processors and library versions round differently


@pytest.fixture(scope="module")
def recorded() -> dict:
    return json.loads((paths.results() / "syllabus_numbers.json").read_text(encoding="utf-8"))["results"]


@pytest.fixture(scope="module")
def batches() -> torch.Tensor:
    """Five small batches of noise: what drifts, drifts on anything."""
    return torch.randn(5, 4, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def test_the_record_holds_what_the_syllabus_says(recorded):
    cat, coffee = recorded["top5"]["chelsea"], recorded["top5"]["coffee"]
    assert {label: round(cat[label], 2) for label in ("tiger cat", "Egyptian cat", "tabby")} == {
        "tiger cat": 0.39, "Egyptian cat": 0.36, "tabby": 0.17}
    assert round(coffee["espresso"], 2) == 0.95
    assert recorded["resnet50_ten_classes"] == {"learn": 20_490, "all": 23_528_522}


def test_the_first_predictions_come_out_again(recorded):
    again = first_predictions()
    for picture, expected in recorded["top5"].items():
        assert list(again[picture])[:3] == list(expected)[:3]
        assert again[picture] == pytest.approx(expected, abs=TOLERANCE)


def test_resnet50_with_ten_classes_has_the_parameters_recorded(recorded):
    assert resnet50_parameters() == recorded["resnet50_ten_classes"]


def test_on_photographs_plain_train_let_the_first_batchnorm_drift(recorded):
    assert 0.3 <= recorded["first_batchnorm_drift"]["train"] <= 0.75


def test_on_photographs_train_mode_kept_it_still(recorded):
    assert recorded["first_batchnorm_drift"]["train_mode"] == 0


def test_plain_train_lets_it_drift_here_too(batches):
    assert first_batchnorm_drift(nn.Module.train, batches) > 0.05


def test_train_mode_keeps_it_still_here_too(batches):
    assert first_batchnorm_drift(train_mode, batches) == 0

"""What lesson 06 says of each way of fine-tuning is what was measured.

Recorded by `tools/records/fine_tuning.py`, three deals of the rendered defects.
"""

from __future__ import annotations

import json
from statistics import mean

import pytest

from course_utils import paths


@pytest.fixture(scope="module")
def record() -> dict:
    return json.loads((paths.results() / "fine_tuning.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def recipes(record) -> dict[str, dict]:
    return {recipe["id"]: recipe for recipe in record["results"]["recipes"]}


def gains(recipes, one: str, other: str = "base") -> list[float]:
    """Differences of test accuracy, seed by seed."""
    return [a - b for a, b in zip(recipes[one]["accuracy"], recipes[other]["accuracy"], strict=True)]


def test_every_recipe_was_run_with_every_seed(record, recipes):
    assert record["seeds"] == [0, 1, 2] and len(recipes) == len(record["results"]["recipes"])
    for recipe in recipes.values():
        assert len(recipe["accuracy"]) == len(recipe["seconds"]) == 3
        assert all(0.2 <= accuracy <= 1 for accuracy in recipe["accuracy"])


TECHNIQUES = ("cosine", "one-cycle", "weight-decay", "smoothing", "mixup", "ema", "patience")


def test_of_the_techniques_early_stopping_alone_is_ahead_with_every_seed(recipes):
    assert [name for name in TECHNIQUES if min(gains(recipes, name)) > 0] == ["patience"]
    assert max(gains(recipes, "patience")) < 1.5 / 150 and min(recipes["patience"]["epochs"]) > 9


@pytest.mark.parametrize("name", ["cosine", "one-cycle", "smoothing", "mixup"])
def test_what_slows_learning_down_loses_two_to_five_points(recipes, name):
    assert all(-0.05 <= round(gain, 4) <= -0.02 for gain in gains(recipes, name))


def test_more_epochs_and_frozen_batchnorm_help_a_little(recipes):
    for name in ("long", "norms-rest"):
        assert all(0.005 < gain < 0.035 for gain in gains(recipes, name))


def test_one_recipe_alone_is_ahead_of_the_probe_with_every_seed(recipes):
    others = [name for name in recipes if name != "head"]
    assert [name for name in others if min(gains(recipes, name, "head")) > 0] == ["too-high"]


def test_one_rate_is_not_worse_than_graded_rates_in_the_mean(recipes):
    assert mean(gains(recipes, "one-rate")) > 0 and mean(gains(recipes, "all-one-rate", "all-graded")) > 0


def test_from_a_random_head_all_ends_below_the_probe_and_gradual_unfreezing_lowest(recipes):
    for name in ("random-head", "gradual"):
        assert max(gains(recipes, name, "head")) < 0
    assert max(gains(recipes, "gradual", "random-head")) < 0


def test_a_high_rate_forgets_and_a_low_one_does_not(record, recipes):
    before = record["results"]["elsewhere_before"]
    assert before == pytest.approx(0.70, abs=0.01)
    assert all(0.25 <= value <= 0.33 for value in recipes["too-high"]["elsewhere"])
    assert all(0.69 <= value <= 0.72 for value in recipes["base"]["elsewhere"])


def test_on_tiny_batches_frozen_batchnorm_is_better_with_every_seed(recipes):
    assert min(gains(recipes, "tiny-rests", "tiny-batches")) > 0
    said = {"tiny-batches": (67, 79), "tiny-rests": (80, 85)}           # per cent, lowest and highest
    for name, ends in said.items():
        found = recipes[name]["accuracy"]
        assert (round(100 * min(found)), round(100 * max(found))) == ends


def test_without_eval_mode_validation_depends_on_the_size_of_the_batch(recipes):
    for found, right in zip(recipes["base"]["train_mode"], recipes["base"]["val_accuracy"], strict=True):
        assert found["2"] < found["8"] < found["32"] < right


def test_one_recipe_comes_out_as_recorded(recipes):
    """The probe alone, one deal; within three points, as processors round otherwise."""
    from fine_tuning import DATASET, RECIPES, run, start
    from probe_study import together

    from course_utils.pretrained import load_dataset

    again = run(RECIPES[0], start(together(load_dataset(DATASET)), 0))
    assert again["accuracy"] == pytest.approx(recipes["head"]["accuracy"][0], abs=0.03)

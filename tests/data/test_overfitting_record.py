"""What the second conceptual exercise says of overfitting is what was measured.

Recorded by `tools/records/overfitting.py`, five deals of the digits with two labels in five wrong.
"""

from __future__ import annotations

import json
from statistics import mean, stdev

import pytest

from course_utils import paths


@pytest.fixture(scope="module")
def record() -> dict:
    return json.loads((paths.results() / "overfitting.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def recipes(record) -> dict[str, dict]:
    return {recipe["id"]: recipe for recipe in record["results"]["recipes"]}


def gains(recipes, one: str, other: str = "base") -> list[float]:
    """Differences of test accuracy, seed by seed."""
    return [a - b for a, b in zip(recipes[one]["test"], recipes[other]["test"], strict=True)]


def lost(recipe) -> list[float]:
    """From the best epoch to the last one, validation accuracy, seed by seed."""
    return [max(curve) - curve[-1] for curve in recipe["val_accuracy"]]


def test_every_recipe_was_run_with_every_seed(record, recipes):
    assert len(record["seeds"]) == 5
    for recipe in recipes.values():
        assert len(recipe["test"]) == len(recipe["val_accuracy"]) == 5
        stopped = "patience" in recipe["name"] or recipe["id"] == "both"
        lengths = {len(curve) for curve in recipe["val_accuracy"]}
        assert max(lengths) <= 14 and (stopped or lengths == {14})


def test_training_goes_on_improving_while_validation_falls(recipes):
    base = recipes["base"]
    best = [curve.index(max(curve)) + 1 for curve in base["val_accuracy"]]
    assert all(3 <= epoch <= 5 for epoch in best) and min(lost(base)) > 0.02 and mean(lost(base)) > 0.07
    for losses, epoch in zip(base["train_loss"], best, strict=True):
        assert losses[-1] < 0.3 * losses[epoch - 1]


def test_with_right_labels_validation_does_not_fall_so(recipes):
    """The twin: it is the wrong labels that are learned late, not the epochs that do harm."""
    assert mean(lost(recipes["right"])) < mean(lost(recipes["base"])) / 2


def test_right_labels_are_worth_more_than_every_remedy_with_every_seed(recipes):
    for other in recipes.keys() - {"right"}:
        assert min(gains(recipes, "right", other)) > 0.08
    assert all(0.20 < gain < 0.37 for gain in gains(recipes, "right"))


def test_early_stopping_is_ahead_of_the_base_with_every_seed(recipes):
    assert all(0.03 < gain < 0.13 for gain in gains(recipes, "stop"))


@pytest.mark.parametrize("name", ["augment", "lower", "freeze"])
def test_the_other_remedies_alone_go_both_ways(recipes, name):
    assert min(gains(recipes, name)) < 0 < max(gains(recipes, name))


def test_alone_early_stopping_is_best_in_the_mean(recipes):
    assert all(mean(recipes["stop"]["test"]) > mean(recipes[name]["test"])
               for name in ("augment", "lower", "freeze"))


def test_augmentation_raises_the_best_epoch_and_with_early_stopping_nothing_is_decided(recipes):
    def best(name):
        return mean(max(curve) for curve in recipes[name]["val_accuracy"])

    found = gains(recipes, "both", "stop")
    error = stdev(found) / len(found) ** 0.5
    assert best("augment") > best("base") + 0.02 and sum(gain > 0 for gain in found) == 4
    assert mean(found) == pytest.approx(0.029, abs=0.0005) and error == pytest.approx(0.026, abs=0.0005)


def test_one_recipe_comes_out_as_recorded(recipes):
    """The head alone, one deal; within six points, as processors round otherwise and wrong labels jump."""
    from overfitting import DATASET, RECIPES, run, split
    from why_pretrained import pool_of

    recipe = next(recipe for recipe in RECIPES if recipe.id == "freeze")
    again = run(recipe, split(pool_of(DATASET), 0), 0)
    assert again["test"] == pytest.approx(recipes["freeze"]["test"][0], abs=0.06)

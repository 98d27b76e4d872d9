"""What lesson 06 says of each way of fine-tuning is what was measured.

Recorded by `tools/records/fine_tuning.py`, three deals of the rendered defects.
"""

from __future__ import annotations

import json

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

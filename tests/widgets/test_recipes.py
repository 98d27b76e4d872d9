"""The table of recorded recipes says what the record says, whatever it is compared with."""

from __future__ import annotations

import json

import pytest

from course_utils import paths
from course_utils.errors import UnknownName
from course_utils.widgets import compare_recipes

THREE = [
    {"id": "base", "name": "the base", "accuracy": [0.8, 0.7, 0.9], "seconds": [10.0, 11.0, 12.0]},
    {"id": "better", "name": "always better", "accuracy": [0.9, 0.8, 1.0], "seconds": [20.0, 20.0, 20.0]},
    {"id": "mixed", "name": "now and then", "accuracy": [0.9, 0.6, 0.9], "seconds": [5.0, 5.0, 5.0]},
]


@pytest.fixture
def record(tmp_path, monkeypatch):
    """A record of three recipes, where the widget looks for its own."""
    results = {"base": "base", "pictures": {"test": 50}, "recipes": THREE}
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "fine_tuning.json").write_text(
        json.dumps({"command": "python record.py", "seeds": [0, 1, 2], "results": results}))
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))


def rows(panel) -> dict[str, list[str]]:
    return {row[0]: list(row[1:]) for row in panel.view[0]["rows"]}


def test_each_recipe_has_mean_spread_difference_and_seconds(record):
    assert rows(compare_recipes())["now and then"] == [
        "80.0%", "60.0% … 90.0%", "+0.0 points", "+ − =", "5"]


def test_what_is_better_with_every_seed_is_named_and_what_is_not_is_not(record):
    said = compare_recipes().text()
    assert "Above “the base” with every seed: always better." in said
    assert "Below it with every seed: none." in said and "once in 4 times" in said


def test_another_base_turns_the_differences_round(record):
    panel = compare_recipes().set(against="always better")
    assert panel.view[0]["marked"] == [1]
    assert rows(panel)["the base"][2:4] == ["-10.0 points", "− − −"]
    assert "Below it with every seed: the base." in panel.text()


def test_the_title_says_how_it_was_measured(record):
    assert "seeds 0, 1, 2, 50 test pictures each. Recorded by: python record.py" in compare_recipes().text()


def test_a_recipe_that_is_not_there_is_refused(record):
    with pytest.raises(UnknownName):
        compare_recipes().set(against="the best")


def test_the_record_that_ships_can_be_shown_against_each_of_its_recipes():
    panel = compare_recipes()
    record = json.loads((paths.results() / "fine_tuning.json").read_text(encoding="utf-8"))
    recipes = record["results"]["recipes"]
    for recipe in recipes:
        shown = rows(panel.set(against=recipe["name"]))
        assert list(shown) == [other["name"] for other in recipes]
        assert shown[recipe["name"]][2] == "+0.0 points"

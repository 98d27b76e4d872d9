"""bfloat16 is the default where a processor has it: this is what that rests on."""

from __future__ import annotations

import json

import pytest

from course_utils import paths


@pytest.fixture(scope="module")
def record():
    return json.loads((paths.results() / "precision.json").read_text(encoding="utf-8"))


SETS = ["flower photographs", "flowers", "defects"]


@pytest.mark.parametrize("name", SETS)
def test_features_point_the_same_way(record, name):
    found = record["results"][name]
    assert found["lowest_cosine"] >= 0.999


@pytest.mark.parametrize("name", SETS)
def test_probes_score_the_same_within_a_point(record, name):
    found = record["results"][name]
    assert len(found["probe"]["float32"]) == len(record["seeds"]) == 5
    assert abs(found["difference_in_points"]) <= 1


@pytest.mark.parametrize("name", SETS)
def test_the_two_precisions_are_not_the_same_numbers(record, name):
    """The twin: a record of one precision twice would pass the others."""
    assert record["results"][name]["mean_cosine"] < 0.999999

"""What README says of the course beside a textbook loop and fastai is what was measured."""

from __future__ import annotations

import json

import pytest

from course_utils import paths


@pytest.fixture(scope="module")
def record():
    return json.loads((paths.results() / "peers.json").read_text(encoding="utf-8"))


PAIRS = [("course, head", "textbook, head", 15), ("course, head", "fastai, frozen", 8),
         ("course, last two blocks, 6 epochs", "textbook, last two blocks, 6 epochs", 4),
         ("course, last two blocks, 12 epochs", "textbook, last two blocks, 12 epochs", 6),
         ("course, all layers, 3 epochs", "textbook, all layers, 3 epochs", 2.5)]


@pytest.mark.parametrize("course, peer, times", PAIRS)
def test_the_course_is_that_many_times_faster(record, course, peer, times):
    [pair] = [p for p in record["results"]["pairs"] if (p["course"], p["peer"]) == (course, peer)]
    assert pair["times_faster"] >= times
    assert pair["accuracy_points"] >= -1.5


@pytest.mark.parametrize("course, peer, times", PAIRS)
def test_what_is_said_of_a_pair_follows_from_the_programs_rows(record, course, peer, times):
    """A pair is compared seed by seed, so the ratio of the two medians is near, not equal."""
    [pair] = [p for p in record["results"]["pairs"] if (p["course"], p["peer"]) == (course, peer)]
    rows = record["results"]["programs"]
    assert pair["times_faster"] == pytest.approx(rows[peer]["seconds"] / rows[course]["seconds"], rel=0.15)

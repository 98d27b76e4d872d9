"""What the range test says of each rate that is chosen."""

from __future__ import annotations

import pytest

from course_utils.errors import UnknownName
from course_utils.pretrained import LRCurve
from course_utils.widgets import rate_plot

RATES = tuple(10.0 ** power for power in range(-7, 1))
FALLING = (2.0, 2.0, 1.99, 1.9, 1.2, 1.0, 3.0, 9.0)


def curve(losses=FALLING, suggestion=1e-4) -> LRCurve:
    return LRCurve(RATES, losses, losses, suggestion)


def chart(panel) -> dict:
    return panel.view[0]


def test_it_begins_at_the_suggestion_and_marks_it_once():
    panel = rate_plot(curve())
    assert chart(panel)["marks"] == [(1e-4, "your choice")] and chart(panel)["log_x"]
    assert "falls fast. It is 100 times below" in panel.text()


def test_another_rate_is_marked_beside_the_suggestion():
    panel = rate_plot(curve()).set(rate=RATES[0])
    assert chart(panel)["marks"] == [(RATES[0], "your choice"), (1e-4, "falls fastest")]


@pytest.mark.parametrize("position, words", [
    (0, "hardly moves"), (2, "not yet at its fastest"), (4, "falls fast"), (5, "too long"), (7, "too long")])
def test_each_part_of_the_curve_has_its_words(position, words):
    said = rate_plot(curve()).set(rate=RATES[position]).text()
    assert words in said
    assert sum(other in said for other in ("hardly moves", "at its fastest", "falls fast.", "too long")) == 1


def test_a_loss_that_never_falls_suggests_nothing():
    panel = rate_plot(curve(losses=(2.0,) * 8, suggestion=None))
    assert [words for _, words in chart(panel)["marks"]] == ["your choice"]
    assert "nothing to suggest" in panel.text()


def test_both_lines_have_every_rate_and_differ_in_form():
    smoothed, batches = chart(rate_plot(curve()))["lines"]
    assert [point[0] for point in smoothed["points"]] == list(RATES)
    assert smoothed["joined"] and not batches["joined"]


def test_a_rate_that_was_not_tried_is_refused_with_the_nearest():
    with pytest.raises(UnknownName):
        rate_plot(curve()).set(rate=0.5)

"""Curves of a study: in words, and growing while it runs without costing what the runs need."""

from __future__ import annotations

import pandas as pd
import pytest

from course_utils.widgets import study_curves, studying, watch_study


def results(count: int) -> pd.DataFrame:
    return pd.DataFrame([{
        "dataset": "digits", "backbone": "b", "strategy": "probe", "share": share, "seed": seed,
        "n_train": 1000 * share, "accuracy": 0.7 + share / 10, "low": 0.6, "high": 0.9, "loss": 0.3,
        "seconds": 2.0, "images_per_second": 10.0, "peak_mib": 500, "cost": 0.1}
        for seed in range(count) for share in (0.1, 1.0)])


class Place:
    """What IPython's display gives in a notebook: counts how often it is drawn anew."""

    drawn = 0

    def update(self, what) -> None:
        self.drawn += 1
        self.last = what


@pytest.fixture
def place(monkeypatch):
    made = Place()
    monkeypatch.setattr(studying, "display", lambda *given, **named: made)
    return made


def test_curves_say_in_words_what_they_draw():
    shown = study_curves(results(3))
    assert "probe from 71% with 100 pictures to 80% with 1000" in shown.text()
    assert "<svg role=" in shown._repr_html_() and "3 seeds" in shown._repr_html_()


def test_one_seed_is_called_one():
    assert "of one seed" in study_curves(results(1))._repr_html_()


def test_without_a_result_there_are_words():
    assert study_curves(results(1).iloc[:0]).text() == "There is no result yet."


def test_the_first_result_is_drawn_at_once_and_drawing_takes_a_small_part_of_the_time(place):
    watch, results_so_far = watch_study(), results(2)
    for _ in range(40):         # as quick as forty runs could ever come
        watch(results_so_far)
    assert 1 <= place.drawn <= 4 and "probe" in place.last.text()


def test_outside_a_notebook_nothing_is_drawn_and_nothing_breaks(monkeypatch):
    monkeypatch.setattr(studying, "display", lambda *given, **named: None)
    watch_study()(results(1))

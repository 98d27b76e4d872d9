"""Exhibits: every one has its words, and nothing a browser could not read."""

from __future__ import annotations

import io
import json
import math
from itertools import chain

import pytest
from PIL import Image

from course_utils.teaching import (
    Bars,
    Chart,
    Code,
    Exercise,
    Line,
    Picture,
    Pictures,
    Table,
    Words,
    expect,
)

RED = Image.new("RGBA", (800, 400), (255, 0, 0, 255))
EXHIBITS = [
    Words("As it is."),
    Table("What moved", ["layer", "moved"], [["stem", "0.3"], ["head", "0"]], marked=[0]),
    Bars("The model says", [("tiger cat", 0.39, "39.0%"), ("tabby", 0.17, "17.0%")]),
    Pictures("Side by side", [Picture.of(RED, "yours", "a red picture"), Picture.of(RED, "expected")]),
    Chart("Loss", "step", "loss", [Line("training", [(1, 2.5), (2, math.nan), (3, 0.5, "end")],
                                        band=[(1, 2, 3), (3, 0, 1)])], marks=[(2, "unfrozen")],
          levels=[(1.0, "chance")]),
    Code("Twice", ["def double(x):", "", "    return 2 * x"], lit=[2]),
]


@pytest.mark.parametrize("exhibit", EXHIBITS, ids=lambda exhibit: type(exhibit).__name__)
def test_the_words_hold_all_that_is_drawn(exhibit):
    said, drawn = exhibit.text(), exhibit.drawn()
    assert drawn["kind"] == type(exhibit).__name__.lower()
    shown = [drawn.get("title", ""), *drawn.get("columns", []), *chain(*drawn.get("rows", []))]
    shown += drawn["lines"] if drawn["kind"] == "code" else []
    assert all(text in said for text in shown)
    json.dumps(drawn, default=lambda found: len(found) if isinstance(found, bytes) else 1 / 0,
               allow_nan=False)


def test_a_marked_row_carries_a_sign_and_others_do_not():
    lines = EXHIBITS[1].text().splitlines()
    assert [line.startswith("▸") for line in lines] == [False, False, True, False]


def test_a_lit_line_carries_a_sign_and_others_do_not():
    lines = EXHIBITS[5].text().splitlines()
    assert [line.startswith("▸") for line in lines] == [False, False, False, True]


def test_a_picture_is_sent_small_and_says_what_it_shows():
    picture = EXHIBITS[3].pictures[0]
    assert Image.open(io.BytesIO(picture.png)).size == (320, 160)
    assert "yours: a red picture" in EXHIBITS[3].text() and "[picture] expected" in EXHIBITS[3].text()


def test_a_point_that_is_no_number_is_left_out_of_the_drawing_only():
    assert [point[0] for point in EXHIBITS[4].drawn()["lines"][0]["points"]] == [1, 3]
    assert "(2, nan)" in EXHIBITS[4].text() and "at 2: unfrozen" in EXHIBITS[4].text()


def test_a_long_line_is_thinned_in_print():
    chart = Chart("Long", "x", "y", [Line("all", [(x, x) for x in range(1000)])])
    assert chart.text().count("(") < 30


def double(built):
    """An exercise whose check shows a table, and notes whenever one is built."""
    exercise = Exercise("double", lesson="none", title="Twice", minutes=1, difficulty="easy",
                        objective="sums")

    @exercise.starter
    def twice(x):
        ...

    exercise.wrong("kept", says="It is unchanged.")(lambda x: x)

    @exercise.checks("twice two")
    def _(answer):
        got = answer(2)

        def show():
            built.append(got)
            return [Table("Twice 2", ["yours", "expected"], [[str(got), "4"]])]
        expect(got == 4, mistake="kept", show=show)

    return exercise


def test_a_failing_check_shows_what_it_saw():
    exercise = double([])
    verdict = exercise.grade(exercise.wrongs["kept"].function)
    assert [exhibit.title for exhibit in verdict.exhibits] == ["Twice 2"] and "Twice 2" in str(verdict)


def test_a_passing_one_builds_nothing():
    built = []
    assert double(built).grade(lambda x: 2 * x).exhibits == () and not built


def test_an_exhibit_that_breaks_is_our_fault():
    exercise = double([])

    @exercise.checks("broken show")
    def _(answer):
        expect(False, "Never mind.", show=lambda: [1 / 0])

    assert exercise.grade(lambda x: 2 * x).outcome == "our fault"

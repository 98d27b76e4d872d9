"""What the timeline says of each year; that the table behind it is whole."""

from __future__ import annotations

import csv

import pytest

from course_utils import paths
from course_utils.errors import UnknownName
from course_utils.widgets import imagenet_timeline

YEARS = range(2010, 2018)


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    with (paths.data() / "ilsvrc.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_year_has_one_winner_and_every_figure_a_source(rows):
    assert [int(row["year"]) for row in rows if row["place"] == "winner"] == list(YEARS)
    assert all(row["source"] and row["models"] and row["idea"] for row in rows)


def test_no_other_entry_on_the_supplied_pictures_alone_is_better_than_the_winner(rows):
    best = {row["year"]: float(row["top5_error"]) for row in rows if row["place"] == "winner"}
    rivals = [row for row in rows if row["place"] == "runner-up"]
    assert rivals and all(float(row["top5_error"]) > best[row["year"]] for row in rivals)


def test_the_winners_become_better_every_year_and_2015_is_the_first_below_the_person(rows):
    errors = [float(row["top5_error"]) for row in rows if row["place"] == "winner"]
    person = min(float(row["top5_error"]) for row in rows if row["place"] == "person")
    assert errors == sorted(errors, reverse=True)
    assert next(year for year, error in zip(YEARS, errors, strict=True) if error < person) == 2015


@pytest.mark.parametrize("year", YEARS)
def test_a_year_shows_its_winner_and_marks_it(rows, year):
    panel = imagenet_timeline().set(year=year)
    chart, table, _ = panel.view
    [winner] = [row for row in rows if row["place"] == "winner" and row["year"] == str(year)]
    assert chart["marks"] == [(year, str(year))]
    [marked] = [table["rows"][at] for at in table["marked"]]
    assert winner["team"] in marked[1] and marked[2] == f"{winner['top5_error']} %"


@pytest.mark.parametrize("year, side", [(2014, "above"), (2015, "below")])
def test_it_says_on_which_side_of_the_human_line_a_year_is(year, side):
    said = imagenet_timeline().set(year=year).text()
    assert f"That is {side} the 5.1 %" in said


def test_the_human_line_is_drawn_and_said():
    panel = imagenet_timeline()
    assert panel.view[0]["levels"] == [(0.051, "one trained annotator: 5.1%")]
    assert "level 5.1%: one trained annotator" in panel.text()


def test_entries_with_extra_pictures_are_not_on_the_winners_line():
    winners, others = imagenet_timeline().view[0]["lines"]
    assert [2012, 0.164] in winners["points"] and [2012, 0.153] in others["points"]
    assert winners["joined"] and not others["joined"]


def test_a_year_without_a_challenge_is_refused():
    with pytest.raises(UnknownName):
        imagenet_timeline().set(year=2018)

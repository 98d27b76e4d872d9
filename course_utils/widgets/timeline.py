"""imagenet_timeline: the best top-5 error of each ImageNet challenge, and what won in a chosen year."""

from __future__ import annotations

import csv

from course_utils import paths
from course_utils.teaching.exhibits import Chart, Exhibit, Line, Table, Words
from course_utils.widgets.explorer import Explorer, Slider, explore

COLUMNS = ("place", "who", "top-5 error", "what gave the answer", "idea", "source")


def imagenet_timeline() -> Explorer:
    """Winners from 2010 to 2017 beside the human line; figures and sources are those of data/ilsvrc.csv."""
    years = sorted({int(row["year"]) for row in _rows()})
    return explore("ImageNet challenge: the best top-5 error of each year", _look,
                   year=Slider("Year", years, 2012, form=str))


def _rows() -> list[dict[str, str]]:
    with (paths.data() / "ilsvrc.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _look(year: int) -> list[Exhibit]:
    rows = _rows()
    winners = [row for row in rows if row["place"] == "winner"]
    others = [row for row in rows if row["place"] in ("runner-up", "with extra pictures")]
    person = next(row for row in rows if row["place"] == "person")          # the better of the two
    chart = Chart("Lowest top-5 error", "year", "top-5 error",
                  [Line("winner, with the supplied pictures alone", _points(winners)),
                   Line("runner-up, or with extra pictures", _points(others), joined=False)],
                  percent=True, marks=[(year, str(year))],
                  levels=[(_error(person), f"{person['team']}: {_error(person):.1%}")])
    chosen = [row for row in rows if row["year"] == str(year)]
    table = Table(str(year), COLUMNS, [_cells(row) for row in chosen],
                  marked=[at for at, row in enumerate(chosen) if row["place"] == "winner"])
    return [chart, table, Words(_said(year, winners, person))]


def _points(rows: list[dict[str, str]]) -> list[tuple[int, float]]:
    return [(int(row["year"]), _error(row)) for row in rows]


def _error(row: dict[str, str]) -> float:
    """The share of pictures, 0 to 1, whose label is not among five guesses."""
    return round(float(row["top5_error"]) / 100, 6)


def _cells(row: dict[str, str]) -> list[str]:
    who = f"{row['entry']}, {row['team']}" if row["entry"] else row["team"]
    return [row["place"], who, f"{row['top5_error']} %", row["models"], row["idea"], row["source"]]


def _said(year: int, winners: list[dict[str, str]], person: dict[str, str]) -> str:
    """The winner beside the year before, and beside the human line."""
    written = {int(row["year"]): row["top5_error"] for row in winners}
    fell = f", after {written[year - 1]} % the year before" if year - 1 in written else ""
    side = "below" if float(written[year]) < float(person["top5_error"]) else "above"
    return (f"The winner of {year} was wrong on {written[year]} % of the pictures{fell}. That is {side} the "
            f"{person['top5_error']} % of {person['team']} on {person['models']}.")

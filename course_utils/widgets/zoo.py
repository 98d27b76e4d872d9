"""model_zoo: the catalogue to sort and filter, accuracy against cost, and a model measured here."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING

from course_utils.pretrained import Measurement, catalogue, measure, pareto
from course_utils.teaching.exhibits import Chart, Exhibit, Line, Table, Words
from course_utils.widgets.explorer import Choice, Explorer, Slider, Switch, explore

if TYPE_CHECKING:
    from pandas import DataFrame, Series

ANY = "any"
MOST_ROWS = 20
AT_MOST = (2, 5, 6, 10, 20, 30, 60, 100, 200, float("inf"))                # million parameters
ORDERS = {      # what is shown: (column, the least first)
    "top-1": ("top1", False), "top-1 per million parameters": ("efficiency", False),
    "parameters": ("params_m", True), "multiply–adds": ("gflops", True), "file size": ("size_mb", True),
    "year, newest first": ("year", False), "name": ("name", True),
}
COSTS = {"multiply–adds, in G": "gflops", "parameters, in M": "params_m", "file, in MiB": "size_mb"}
COLUMNS = ("weights", "year", "top-1, %", "parameters, M", "top-1 per M", "multiply–adds, G", "file, MiB",
           "picture, px")
LARGEST = {"gflops": 12.0, "params_m": 100.0}       # measured within seconds, on two cores


def model_zoo() -> Explorer:
    """Filter and sort the catalogue, see accuracy against cost with its Pareto front, measure a model here.

    Measuring runs only while its switch is on, and once for each model.
    """
    table = the_zoo()
    return explore(
        "The model zoo", partial(_look, table, cache(measured)),
        family=Choice("Family", [ANY, *sorted(table["family"].unique())]),
        source=Choice("Source", [ANY, *table["source"].unique()]),
        at_most=Slider("Million parameters at most", AT_MOST, AT_MOST[-1], form=_limit),
        sort=Choice("Sorted by", ORDERS),
        cost=Choice("Cost", COSTS),
        model=Choice("Model to measure", list(table["name"])),
        here=Switch("Measure it on this machine"))


def the_zoo() -> DataFrame:
    """The catalogue, with top-1 per million parameters. Work to three digits, as torchvision states it."""
    table = catalogue().round({"gflops": 3})
    return table.assign(efficiency=table["top1"] / table["params_m"])


def _limit(number: float) -> str:
    return ANY if number == float("inf") else f"{number:g}"


def measured(name: str) -> Measurement:
    """One picture at a time, on this machine; the architecture is built with random weights."""
    return measure(name, batch_sizes=1, repeats=7, warmup=1)


def _look(table: DataFrame, measuring: Callable[[str], Measurement], family: str, source: str, at_most: float,
          sort: tuple[str, bool], cost: str, model: str, here: bool) -> list[Exhibit]:
    fits = table[table["params_m"] <= at_most]
    for column, wanted in (("family", family), ("source", source)):
        fits = fits if wanted == ANY else fits[fits[column] == wanted]
    own = table[table["name"] == model].iloc[0]
    timed = [as_measured(own, measuring)] if here else []
    if not len(fits):
        return [Words("No set of weights is like that: allow more parameters, or any family."), *timed]
    front = pareto(fits, cost=cost)
    column, least_first = sort
    order = fits.sort_values([column, "name"], ascending=[least_first, True])
    return [_table(order, set(front["name"])), _chart(fits, front, cost), *timed]


def _table(order: DataFrame, front: set[str]) -> Table:
    shown = order.head(MOST_ROWS)
    rows = [(row.name, str(row.year), f"{row.top1:.1f}", f"{row.params_m:.1f}", f"{row.efficiency:.1f}",
             f"{row.gflops:,.4g}", f"{row.size_mb:.0f}", str(row.input_size))
            for row in shown.itertuples(index=False)]
    first = f", the first {MOST_ROWS}" if len(order) > MOST_ROWS else ""
    return Table(f"{len(order)} sets of weights{first}. ▸ is on the front: nothing cheaper is as accurate",
                 COLUMNS, rows, marked=[i for i, name in enumerate(shown["name"]) if name in front])


def _chart(fits: DataFrame, front: DataFrame, cost: str) -> Chart:
    def points(rows: DataFrame) -> list[tuple]:
        return list(zip(rows[cost], rows["top1"], rows["architecture"], strict=True))

    words = next(words for words, column in COSTS.items() if column == cost)
    others = fits[~fits["name"].isin(front["name"])]
    return Chart("Accuracy against cost", words, "top-1, %",
                 [Line("Pareto front", points(front)), Line("the others", points(others), joined=False)],
                 log_x=True)


def as_measured(row: Series, measuring: Callable[[str], Measurement]) -> Exhibit:
    """A model of the catalogue as it is measured here, beside what is published."""
    for column, most in LARGEST.items():
        if row[column] > most:
            return Words(f"{row['name']} is too large to be measured while you wait. In a cell, type: "
                         f"`measure({row['name']!r})`")
    found = measuring(row["name"])
    [time] = found.latencies
    rows = [("parameters, M", f"{found.parameters / 1e6:.2f}", f"{row['params_m']:.2f}"),
            ("multiply–adds, G", f"{found.multiply_adds / 1e9:.3f}", f"{row['gflops']:.3f}"),
            ("single operations, G: twice as many", f"{found.flops / 1e9:.3f}", "not stated"),
            ("ms for a picture, one at a time", f"{1e3 * time.median:.1f}", "a time is of one machine"),
            ("… the middle half of its runs", f"{1e3 * time.lower:.1f} to {1e3 * time.upper:.1f}", ""),
            ("pictures a second", f"{time.images_per_second:.0f}", "")]
    return Table(f"{row['name']}, on {found.machine}", ("", "counted or measured here", "published"), rows)

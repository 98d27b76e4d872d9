"""model_chooser: which weights serve a purpose, found in the catalogue by limits one can see and move."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING

from course_utils.pretrained import Measurement, pareto
from course_utils.teaching.exhibits import Exhibit, Table, Words
from course_utils.widgets.explorer import Choice, Explorer, Slider, Switch, explore
from course_utils.widgets.zoo import as_measured, measured, the_zoo

if TYPE_CHECKING:
    from pandas import DataFrame

SHOWN = 5
WORK = (None, 0.06, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 60)       # None is the purpose's own limit
SIZES = (None, 2, 6, 10, 20, 30, 60, 100)
WORDS = {"gflops": "multiply–adds at most {:g} G", "params_m": "parameters at most {:g} M",
         "year": "published {:g} or before"}
COLUMNS = ("weights", "year", "top-1, %", "parameters, M", "multiply–adds, G", "file, MiB", "licence")


@dataclass(frozen=True)
class Use:
    """What a purpose asks of a row of the catalogue. The limits are rules of thumb; a learner moves them."""

    wants: str                          # in words
    beyond: str                         # what the table cannot tell
    limits: Mapping[str, float]         # by column: at most
    family: str = ""                    # only this one
    order: Mapping[str, bool] = field(default_factory=lambda: {"top1": False})     # column: the least first
    on_front: bool = False              # only what no cheaper one reaches


USES = {
    "prototyping": Use(
        "Quick to run and easy to read: little work, and blocks as plain as ResNet's.",
        "Whether code is easy to read stands in no table: open it with `architecture`.",
        {"gflops": 4, "params_m": 30}, family="ResNet", order={"gflops": True, "top1": False}),
    "accuracy for its cost": Use(
        "The highest top-1 that a bounded amount of work buys, and nothing cheaper as good.",
        "Top-1 counts ImageNet's pictures. On yours the order may differ: compare two or three by a probe.",
        {"gflops": 10}, on_front=True),
    "phone or small device": Use(
        "A small file and little work.",
        "Multiply–adds are not seconds, and a phone is not this machine: measure there.",
        {"gflops": 0.25, "params_m": 6}),
    "feature extraction": Use(
        "Features that many have used and examined for years, at a bearable cost.",
        "How well features serve other pictures is not in the table, and top-1 does not settle it: compare "
        "linear probes.", {"gflops": 5, "year": 2015}),
    "real-time video": Use(
        "Each picture done before the next one comes. At 30 pictures a second that leaves 33 ms.",
        "Only your machine can tell whether it keeps up: switch measuring on.", {"gflops": 0.25}),
}


def model_chooser() -> Explorer:
    """Choose a purpose: which sets of weights meet its limits, which comes first, and why.

    The answer is looked up in `catalogue()` each time, by limits that you may move.
    """
    return explore(
        "Choosing a model", partial(_look, the_zoo(), cache(measured)),
        use=Choice("Purpose", list(USES)),
        work=Slider("G multiply–adds at most", WORK, form=_or_usual),
        size=Slider("Million parameters at most", SIZES, form=_or_usual),
        offline=Switch("Only what is on this machine"),
        here=Switch("Measure the first choice here"))


def _or_usual(limit: float | None) -> str:
    return "usual for this purpose" if limit is None else f"{limit:g}"


def _look(table: DataFrame, measuring: Callable[[str], Measurement], use: str, work: float | None,
          size: float | None, offline: bool, here: bool) -> list[Exhibit]:
    purpose = USES[use]
    moved = {column: limit for column, limit in (("gflops", work), ("params_m", size)) if limit is not None}
    tests = {WORDS[column].format(limit): table[column] <= limit
             for column, limit in (dict(purpose.limits) | moved).items()}
    tests |= {f"family {purpose.family}": table["family"] == purpose.family} if purpose.family else {}
    tests |= {"on this machine": table["available"]} if offline else {}
    fits = table[sum(tests.values()) == len(tests)]
    alone = ", ".join(f"{words} ({meets.sum()})" for words, meets in tests.items())
    steps = [Words(f"{purpose.wants} Of {len(table)} sets of weights, {len(fits)} meet all of: {alone}. In "
                   "brackets: how many meet each.")]
    if not len(fits):
        return [*steps, Words("None is left: raise a limit, or allow what is not on this machine.")]
    ranked = pareto(fits) if purpose.on_front else fits
    ranked = ranked.sort_values([*purpose.order, "name"], ascending=[*purpose.order.values(), True])
    timed = [as_measured(ranked.iloc[0], measuring)] if here else []
    return [*steps, _table(ranked), Words(_why(ranked, purpose)), *timed, Words(purpose.beyond)]


def _table(ranked: DataFrame) -> Table:
    rows = [(row.name, str(row.year), f"{row.top1:.1f}", f"{row.params_m:.1f}", f"{row.gflops:,.4g}",
             f"{row.size_mb:.0f}", row.licence) for row in ranked.head(SHOWN).itertuples(index=False)]
    return Table(f"Best first, {len(rows)} of {len(ranked)}", COLUMNS, rows, marked=[0])


def _why(ranked: DataFrame, purpose: Use) -> str:
    """What the first has over the second, in the table's own figures."""
    first = ranked.iloc[0]
    by = "the least work" if "gflops" in purpose.order else "the highest top-1"
    said = f"{first['name']} comes first: of those left it has {by}"
    said += ", and nothing cheaper is as accurate." if purpose.on_front else "."
    if len(ranked) == 1:
        return said
    second = ranked.iloc[1]
    ratios = [_times(second[column] / first[column]) for column in ("gflops", "params_m")]
    return (f"{said} {second['name']} comes next, with {second['top1'] - first['top1']:+.1f} points of top-1 "
            f"for {ratios[0]} work and {ratios[1]} parameters.")


def _times(ratio: float) -> str:
    return "the same" if abs(ratio - 1) < 0.005 else f"{ratio:.2g} times the"

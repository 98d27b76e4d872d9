"""strategy_chooser: advice with its reasons and its test. learning_curve_lab: what was measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from course_utils.pretrained import recommend_strategy
from course_utils.teaching.exhibits import Chart, Line, Table, Words
from course_utils.widgets.explorer import Choice, Explorer, Slider, Switch, explore

SIZES = (5, 20, 60, 150, 400, 1_000, 3_000, 10_000, 30_000)
SIMILARITY = {"similar: photographs of things and places": "similar",
              "different: seen from above, drawn, under a microscope": "different",
              "very different: X-rays, radar, spectrograms": "very different"}
BUDGETS = {"whatever is best": None, "low: minutes on a processor": "low", "medium: an hour": "medium",
           "high: hours, or a graphics card": "high"}

Run = Callable[..., tuple[float, float]]        # accuracy on validation and on test


def strategy_chooser(title: str = "What to try first") -> Explorer:
    """Advice by size, similarity and budget, why, and the experiment that would show it wrong."""
    def look(images: int, similarity: str, budget: str | None) -> list:
        advice = recommend_strategy(images, similarity, budget=budget)
        return [Words(f"Try {advice.strategy}."), *map(Words, advice.reasons),
                Words(f"To test it: {advice.experiment}")]

    return explore(title, look, images=Slider("Training pictures per class", SIZES, 60, form="{:,}".format),
                   similarity=Choice("Compared with ImageNet", SIMILARITY), budget=Choice("Budget", BUDGETS))


def learning_curve_lab(rows: Sequence[dict], title: str = "Learning curves, as recorded",
                       again: Run | None = None) -> Explorer:
    """Accuracy by pictures per class for each strategy, with the spread of the seeds, on a chosen data set.

    Args:
        rows: of {dataset, per_class, strategy, rate, accuracy (one for each seed), mean, spread}.
        again: does one run of the record, for "Run it again here", and gives its accuracy on validation and
            on test; None is what made the record.
    """
    run = cache(again or _as_recorded)
    datasets = list(dict.fromkeys(row["dataset"] for row in rows))
    strategies = list(dict.fromkeys(row["strategy"] for row in rows))

    def look(dataset: str, compare: str, per_class: int, seed: int, here: bool) -> list:
        chosen = [row for row in rows if row["dataset"] == dataset and compare in ("all", row["strategy"])]
        lines = []
        for strategy in dict.fromkeys(row["strategy"] for row in chosen):
            own = [row for row in chosen if row["strategy"] == strategy]
            own.sort(key=lambda row: row["per_class"])
            lines.append(Line(strategy, [(row["per_class"], row["mean"]) for row in own],
                              band=[(row["per_class"], min(row["accuracy"]), max(row["accuracy"]))
                                    for row in own]))
        return [Chart(f"{dataset}: test accuracy, mean and range of the seeds", "labelled pictures per class",
                      "test accuracy", lines, log_x=True, percent=True), best_table(rows, dataset),
                *([_again(chosen, per_class, seed, run)] if here else [])]

    return explore(title, look, dataset=Choice("Pictures", datasets),
                   compare=Choice("Strategies", ["all", *strategies]),
                   per_class=Choice("Pictures per class", sorted({row["per_class"] for row in rows})),
                   seed=Choice("Draw", range(len(rows[0]["accuracy"]))), here=Switch("Run it again here"))


def _as_recorded(*which: str | int | float | None) -> tuple[float, float]:
    from course_utils.lessons._strategies import run

    return run(*which)


def _again(chosen: Sequence[dict], per_class: int, seed: int, run: Run) -> Words:
    """One run of one strategy beside what the record says of it."""
    here = [row for row in chosen if row["per_class"] == per_class]
    if len(here) != 1:
        return Words("Choose one strategy to run. A probe takes seconds, every layer up to two minutes.")
    [row] = here
    _, found = run(row["dataset"], per_class, row["strategy"], seed, row["rate"])
    return Words(f"{row['strategy']} on {row['dataset']}, {per_class} per class, draw {seed}: recorded "
                 f"{row['accuracy'][seed]:.1%}, run again here {found:.1%}. Processors round differently.")


def best_table(rows: Sequence[dict], dataset: str) -> Table:
    """The best strategy at each size, and whether it is ahead of the next with every seed.

    Seed by seed, because a seed draws the same pictures for both: a hard draw lowers both.
    """
    table = []
    own = [row for row in rows if row["dataset"] == dataset]
    for per_class in sorted({row["per_class"] for row in own}):
        here = [row for row in own if row["per_class"] == per_class]
        first, second = sorted(here, key=lambda row: -row["mean"])[:2]
        clear = all(a > b for a, b in zip(first["accuracy"], second["accuracy"], strict=True))
        table.append([str(per_class), f"{first['strategy']}, {first['mean']:.1%}",
                      f"{second['strategy']}, {second['mean']:.1%}",
                      "ahead with every seed" if clear else "goes both ways"])
    return Table("Best by pictures per class", ["pictures", "best", "second", "better"], table)

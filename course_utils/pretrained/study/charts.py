"""The drawings of a study: learning curves, and accuracy against what it costs."""

from __future__ import annotations

import io

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

from course_utils.pretrained.study.comparing import by_strategy
from course_utils.pretrained.study.pages import Chart
from course_utils.pretrained.study.plan import RATES

# Okabe and Ito's colours, told apart with any colour vision; marks and lines differ as well.
LOOKS = dict(zip(RATES, [("#000000", "s", ":"), ("#0072B2", "o", "-"), ("#009E73", "^", "--"),
                         ("#D55E00", "D", "-."), ("#CC79A7", "v", (0, (5, 1)))], strict=True))


def charts(results: pd.DataFrame) -> list[Chart]:
    """For each data set and backbone: accuracy by pictures learned from, and by seconds."""
    return [draw(part, title) for part, title in _parts(results)
            for draw in (learning_curves, accuracy_by_time)]


def learning_charts(results: pd.DataFrame) -> list[Chart]:
    """For each data set and backbone: accuracy by pictures learned from."""
    return [learning_curves(part, title) for part, title in _parts(results)]


def _parts(results: pd.DataFrame) -> list[tuple[pd.DataFrame, str]]:
    return [(part, f"{dataset}, {backbone}") for (dataset, backbone), part
            in by_strategy(results).groupby(["dataset", "backbone"], sort=False)]


def learning_curves(means: pd.DataFrame, title: str) -> Chart:
    """Mean accuracy over the seeds by pictures learned from; the band is from the least to the most."""
    figure = Figure(figsize=(7.2, 4.2), layout="constrained")
    axes, said = figure.subplots(), []
    for strategy, part in means.groupby("strategy", sort=False):
        part, (colour, mark, line) = part.sort_values("n_train"), LOOKS[strategy]
        axes.plot(part["n_train"], 100 * part["accuracy"], color=colour, marker=mark, linestyle=line,
                  label=strategy)
        axes.fill_between(part["n_train"], 100 * part["least"], 100 * part["most"], color=colour, alpha=0.15)
        few, many = part.iloc[0], part.iloc[-1]
        said.append(f"{strategy} from {few['accuracy']:.0%} with {few['n_train']:.0f} pictures to "
                    f"{many['accuracy']:.0%} with {many['n_train']:.0f}")
    axes.set_xscale("log")
    ticks = sorted(set(means["n_train"]))
    axes.set_xticks(ticks, [f"{tick:.0f}" for tick in ticks])
    axes.set_xticks([], minor=True)
    _finish(axes, title, "pictures learned from")
    seeds = " to ".join(map(str, sorted({means["seeds"].min(), means["seeds"].max()})))
    over = "of one seed" if seeds == "1" else f"means over {seeds} seeds"
    return Chart(as_svg(figure), f"Learning curves on {title}. " + "; ".join(said),
                 f"Accuracy on test by pictures learned from: {title}. Lines are {over}, bands reach from "
                 "the least to the most.")


def accuracy_by_time(means: pd.DataFrame, title: str) -> Chart:
    """Mean accuracy by mean seconds of one core, and their cost; marks grow with the share of pictures."""
    figure = Figure(figsize=(7.2, 4.2), layout="constrained")
    axes, said = figure.subplots(), []
    for strategy, part in means.groupby("strategy", sort=False):
        part, (colour, mark, line) = part.sort_values("share"), LOOKS[strategy]
        axes.plot(part["seconds"], 100 * part["accuracy"], color=colour, linestyle=line, alpha=0.5)
        axes.scatter(part["seconds"], 100 * part["accuracy"], color=colour, marker=mark,
                     s=[30 + 60 * share for share in part["share"]], label=strategy)
        last = part.iloc[-1]
        said.append(f"{strategy} {last['accuracy']:.0%} in {last['seconds']:.1f} s")
    axes.set_xscale("log")
    _finish(axes, title, "seconds on one core")
    if price := (means["cost"] / means["seconds"]).max():       # of a second; the same for all
        axes.secondary_xaxis("top", functions=(lambda s: s * price, lambda cost: cost / price)).set_xlabel(
            "estimated cost of a run")
    return Chart(as_svg(figure), f"Accuracy against time on {title}, most pictures: " + "; ".join(said),
                 f"Accuracy on test against the seconds of a run on one core, and what these cost: {title}. "
                 "Larger marks learned from more pictures.")


def _finish(axes, title: str, below: str) -> None:
    axes.set(title=title, xlabel=below, ylabel="accuracy on test, %")
    axes.grid(alpha=0.3)
    axes.legend(title="strategy")


def as_svg(figure: Figure) -> str:
    """A figure as SVG with its words as text, the same every time."""
    text = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "study"}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()

"""What the results of a study say: means over seeds, and strategies in pairs on the same pictures."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import pandas as pd
from scipy import stats

if TYPE_CHECKING:
    from course_utils.pretrained.study.study import Study

BASELINE = "probe"      # the number that a strategy has to beat
FEWEST_SEEDS = 3
PLACE = ["dataset", "backbone", "share"]


@dataclass(frozen=True)
class Comparison:
    """A strategy against the baseline, seed by seed: the same pictures drawn for both."""

    dataset: str
    backbone: str
    share: float
    strategy: str
    baseline: str
    seeds: int
    points: float               # mean difference in accuracy, percentage points
    margin: float | None        # of its 95 % interval, points ± margin; None for one seed

    @property
    def verdict(self) -> str:
        if self.margin is None:
            return "one seed decides nothing"
        if abs(self.points) <= self.margin:
            return "not decided"
        return f"{self.strategy} ahead" if self.points > 0 else f"{self.baseline} ahead"

    def in_words(self) -> str:
        margin = "" if self.margin is None else f" ± {self.margin:.1f}"
        return f"{self.points:+.1f}{margin} points"


def by_strategy(results: pd.DataFrame) -> pd.DataFrame:
    """One line for each strategy, data set, backbone and share: mean, least and most over the seeds."""
    grouped = results.groupby([*PLACE, "strategy"], sort=False)
    found = grouped.agg(seeds=("seed", "count"), n_train=("n_train", "median"), accuracy=("accuracy", "mean"),
                        least=("accuracy", "min"), most=("accuracy", "max"), low=("low", "mean"),
                        high=("high", "mean"), loss=("loss", "mean"), seconds=("seconds", "mean"),
                        images_per_second=("images_per_second", "mean"), peak_mib=("peak_mib", "max"),
                        cost=("cost", "mean"))
    return found.reset_index()


def in_pairs(results: pd.DataFrame) -> list[Comparison]:
    """Every strategy against the probe, or where there is none against the first, on the seeds of both."""
    strategies = list(dict.fromkeys(results["strategy"]))
    baseline = BASELINE if BASELINE in strategies else strategies[0]
    found = []
    for place, runs in results.groupby(PLACE, sort=False):
        of = {name: part.set_index("seed")["accuracy"] for name, part in runs.groupby("strategy", sort=False)}
        for strategy in (name for name in strategies if name in of and name != baseline):
            points = 100 * (of[strategy] - of.get(baseline, pd.Series(dtype=float))).dropna()
            if len(points):
                found.append(Comparison(*place, strategy, baseline, len(points), float(points.mean()),
                                        _margin(points)))
    return found


def lacking(study: Study) -> list[str]:
    """What a reader would miss before believing a study; nothing is said of what came out."""
    rows, left = study.rows, len(study.missing())
    strategies, seeds = {row.strategy for row in rows}, {row.seed for row in rows}
    late = study.runs_before_hypothesis()
    return [words for words, is_lacking in [
        ("a question: Study(…, question=\"…?\")", not study.question.strip()),
        ("a hypothesis: Study(…, hypothesis=\"…\")", not study.hypothesis.strip()),
        (f"a hypothesis written before the runs: this one came after {late} of them",
         study.hypothesis.strip() and late),
        (f"{left} of {len(rows)} runs: study.run()", left),
        (f"seeds: {len(seeds)}, where {FEWEST_SEEDS} show how much results scatter",
         len(seeds) < FEWEST_SEEDS),
        (f"something to compare: there is one strategy, {', '.join(strategies)}", len(strategies) < 2),
        (f"the number to beat: the strategy {BASELINE!r}", BASELINE not in strategies),
    ] if is_lacking]


def _margin(points: pd.Series) -> float | None:
    """Half of Student's 95 % interval of the mean."""
    count = len(points)
    return float(stats.t.ppf(0.975, count - 1) * points.std() / sqrt(count)) if count > 1 else None

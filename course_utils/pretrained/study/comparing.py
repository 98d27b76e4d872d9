"""What the results of a study say: means over seeds, and strategies in pairs on the same pictures."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import pandas as pd
from scipy import stats

BASELINE = "probe"      # the number that a strategy has to beat
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


def _margin(points: pd.Series) -> float | None:
    """Half of Student's 95 % interval of the mean."""
    count = len(points)
    return float(stats.t.ppf(0.975, count - 1) * points.std() / sqrt(count)) if count > 1 else None

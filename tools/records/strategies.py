"""Which strategy wins with how many labels, on which pictures: `python tools/records/strategies.py`.

Three data sets (rendered flowers, rendered defects, scanned digits), three sizes, five strategies, three
seeds. For each seed the labelled pictures are drawn anew; test stays as it ships. Each strategy that trains
layers gets, for each data set, the rate that was better on validation with the first seed and the most
labels. A run that is done stands in .bench/strategies.jsonl, so an interrupted record goes on where it was.
"""

from __future__ import annotations

import argparse
import json
from statistics import mean, stdev

from _record import write_record

from course_utils import paths
from course_utils.lessons._strategies import MODEL, SIZE, STEPS, STRATEGIES, WITHOUT_RATE, Scores, run
from course_utils.pretrained import load_dataset, load_model, measure_similarity

DATASETS, PER_CLASS, SEEDS, RATES = ("flowers", "defects", "digits"), (5, 15, 45), (0, 1, 2), (1e-3, 3e-3)
KEPT = paths.repository() / ".bench" / "strategies.jsonl"


class Runs:
    """What was run, by (data set, pictures per class, strategy, seed, rate), in a file."""

    def __init__(self):
        lines = KEPT.read_text().splitlines() if KEPT.exists() else []
        self.done = {tuple(key): tuple(found) for key, found in map(json.loads, lines)}

    def __call__(self, *key: str | int | float | None) -> Scores:
        if key not in self.done:
            self.done[key] = tuple(round(share, 4) for share in run(*key))
            print(*key, self.done[key], flush=True)
            KEPT.parent.mkdir(exist_ok=True)
            with KEPT.open("a") as file:
                file.write(json.dumps([key, self.done[key]]) + "\n")
        return self.done[key]


def chosen_rate(runs: Runs, dataset: str, strategy: str) -> float | None:
    """The one with the higher validation accuracy; None for what has no rate."""
    if STRATEGIES[strategy] in WITHOUT_RATE:
        return None
    return max(RATES, key=lambda rate: runs(dataset, PER_CLASS[-1], strategy, SEEDS[0], rate)[0])


def measure(runs: Runs, names) -> list[dict]:
    rows = []
    for name in names:
        for strategy in STRATEGIES:
            rate = chosen_rate(runs, name, strategy)
            for per_class in PER_CLASS:
                found = [runs(name, per_class, strategy, seed, rate)[1] for seed in SEEDS]
                rows.append({"dataset": name, "per_class": per_class, "strategy": strategy,
                             "rate": rate, "accuracy": found, "mean": round(mean(found), 4),
                             "spread": round(stdev(found), 4)})
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=DATASETS, help="run one data set, and write no record")
    asked = parser.parse_args()
    rows = measure(Runs(), [asked.only] if asked.only else DATASETS)
    if not asked.only:
        model = load_model(MODEL)
        write_record(paths.results() / "strategies.json", command="python tools/records/strategies.py",
                     seeds=SEEDS, results={
                         "model": MODEL, "size": SIZE, "steps": STEPS, "rates": RATES, "rows": rows,
                         "similarity": {name: round(measure_similarity(model, load_dataset(name).train), 3)
                                        for name in DATASETS}})

"""Which strategy wins with how many labels, on which pictures: `python tools/records/strategies.py`.

Three data sets (rendered flowers, rendered defects, scanned digits), three sizes, five strategies, three
seeds. For each seed the labelled pictures are drawn anew; test stays as it ships. Pictures are 64 pixels and
steps few, so that all of it takes minutes: the order of strategies is what it is about, not the height.

So that none is a straw man, fine-tuning starts from a probe's head, and each strategy that trains layers
gets, for each data set, the rate that was better on validation with the first seed and the most labels. A
run that is done stands in .bench/strategies.jsonl, so an interrupted record goes on where it was.
"""

from __future__ import annotations

import argparse
import json
from statistics import mean, stdev

import torch
from _record import write_record
from torch import nn

from course_utils import paths
from course_utils.pretrained import (
    ImageData,
    Images,
    Probe,
    evaluate,
    extract_features,
    fit,
    fit_tail,
    freeze,
    layer_groups,
    linear_probe,
    load_dataset,
    load_model,
    measure_similarity,
    parameter_groups,
    replace_head,
    unfreeze,
)

DATASETS, PER_CLASS, SEEDS = ("flowers", "defects", "digits"), (5, 15, 45), (0, 1, 2)
MODEL, SIZE, STEPS, RATES = "efficientnet_lite0", 64, 60, (1e-3, 3e-3)
KEPT = paths.repository() / ".bench" / "strategies.jsonl"
Scores = tuple[float, float]        # accuracy on validation and on test


def draw(images: Images, per_class: int, seed: int) -> Images:
    """So many pictures of each class, drawn with the seed."""
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed)).tolist()
    taken = []
    for label in range(len(images.classes)):
        taken += [i for i in order if images.labels[i] == label][:per_class]
    return images.subset(sorted(taken))


def epochs_for(train: Images) -> int:
    """As many as make `STEPS` steps of 32 pictures, and not less than three."""
    return max(3, round(STEPS * 32 / len(train)))


def probed(data: ImageData, train: Images, views: int) -> Probe:
    val = extract_features(load_model(MODEL), data.val, size=SIZE)
    return linear_probe(extract_features(load_model(MODEL), train, size=SIZE, views=views), val)


def extraction(data: ImageData, train: Images, seed: int, rate: None, views: int = 1) -> Scores:
    probe = probed(data, train, views)
    return probe.accuracy, probe.score(extract_features(load_model(MODEL), data.test, size=SIZE))


def augmented(data: ImageData, train: Images, seed: int, rate: None) -> Scores:
    return extraction(data, train, seed, rate, views=4)


def from_a_probe(data: ImageData, train: Images, seed: int) -> nn.Module:
    """The pretrained network with the head that a probe found for these classes."""
    torch.manual_seed(seed)
    model = replace_head(load_model(MODEL), data.classes, seed=seed)
    model.classifier = probed(data, train, 1).as_head()
    return model


def partial(data: ImageData, train: Images, seed: int, rate: float) -> Scores:
    """The last two layer groups and the head."""
    model = freeze(from_a_probe(data, train, seed))
    for group in layer_groups(model)[-3:]:
        unfreeze(group)
    optimizer = torch.optim.Adam(parameter_groups(model, rate, factor=1))
    fit_tail(model, train, glance(data), epochs=epochs_for(train), views=2 if augments(data) else 1,
             size=SIZE, seed=seed, cache=False, optimizer=optimizer, schedule="cosine")
    return scores(model, data)


def full(data: ImageData, train: Images, seed: int, rate: float) -> Scores:
    """Every layer."""
    return trained(unfreeze(from_a_probe(data, train, seed)), data, train, seed, rate, epochs_for(train))


def scratch(data: ImageData, train: Images, seed: int, rate: float) -> Scores:
    """The same architecture from random numbers, for twice as many steps."""
    torch.manual_seed(seed)
    model = replace_head(load_model(MODEL, random_init=True), data.classes, seed=seed)
    return trained(model, data, train, seed, rate, 2 * epochs_for(train))


def trained(model: nn.Module, data: ImageData, train: Images, seed: int, rate: float, epochs: int) -> Scores:
    fit(model, train, glance(data), epochs=epochs, size=SIZE, augment=augments(data), seed=seed,
        optimizer=torch.optim.Adam(model.parameters(), lr=rate), schedule="cosine")
    return scores(model, data)


def augments(data: ImageData) -> bool:
    """A mirrored digit is no digit."""
    return data.card.name != "digits"


def glance(data: ImageData) -> Images:
    """What is looked at after each epoch: it decides nothing, so few pictures do."""
    return data.val.subset(range(0, len(data.val), 20))


def scores(model: nn.Module, data: ImageData) -> Scores:
    return evaluate(model, data.val, size=SIZE).accuracy, evaluate(model, data.test, size=SIZE).accuracy


STRATEGIES = {"feature extraction": extraction, "feature extraction, 4 views": augmented,
              "partial fine-tuning": partial, "full fine-tuning": full, "from scratch": scratch}
WITHOUT_RATE = (extraction, augmented)


class Runs:
    """What was run, by (data set, pictures per class, strategy, seed, rate), in a file."""

    def __init__(self):
        lines = KEPT.read_text().splitlines() if KEPT.exists() else []
        self.done = {tuple(key): tuple(found) for key, found in map(json.loads, lines)}

    def __call__(self, data: ImageData, per_class: int, strategy: str, seed: int,
                 rate: float | None) -> Scores:
        key = (data.card.name, per_class, strategy, seed, rate)
        if key not in self.done:
            found = STRATEGIES[strategy](data, draw(data.train, per_class, seed), seed, rate)
            self.done[key] = tuple(round(share, 4) for share in found)
            print(*key, self.done[key], flush=True)
            KEPT.parent.mkdir(exist_ok=True)
            with KEPT.open("a") as file:
                file.write(json.dumps([key, self.done[key]]) + "\n")
        return self.done[key]


def chosen_rate(runs: Runs, data: ImageData, strategy: str) -> float | None:
    """The one with the higher validation accuracy; None for what has no rate."""
    if STRATEGIES[strategy] in WITHOUT_RATE:
        return None
    return max(RATES, key=lambda rate: runs(data, PER_CLASS[-1], strategy, SEEDS[0], rate)[0])


def measure(runs: Runs, names) -> list[dict]:
    rows = []
    for data in map(load_dataset, names):
        for strategy in STRATEGIES:
            rate = chosen_rate(runs, data, strategy)
            for per_class in PER_CLASS:
                found = [runs(data, per_class, strategy, seed, rate)[1] for seed in SEEDS]
                rows.append({"dataset": data.card.name, "per_class": per_class, "strategy": strategy,
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

"""Which strategy wins with how many labels, on which pictures: `python tools/records/strategies.py`.

Three data sets (rendered flowers, rendered defects, scanned digits), three sizes, five strategies, three
seeds. For each seed the labelled pictures are drawn anew; test stays as it ships. Pictures are 64 pixels and
epochs few, so that all of it takes minutes: the order of strategies is what it is about, not the height.

A run that is done stands in .bench/strategies.jsonl, so an interrupted record goes on where it was.
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
MODEL, SIZE, STEPS = "efficientnet_lite0", 64, 40
KEPT = paths.repository() / ".bench" / "strategies.jsonl"


def draw(images: Images, per_class: int, seed: int) -> Images:
    """So many pictures of each class, drawn with the seed."""
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed)).tolist()
    taken = []
    for label in range(len(images.classes)):
        taken += [i for i in order if images.labels[i] == label][:per_class]
    return images.subset(sorted(taken))


def fresh(data: ImageData, seed: int, *, random_init: bool = False) -> nn.Module:
    torch.manual_seed(seed)
    return replace_head(load_model(MODEL, random_init=random_init), data.classes, seed=seed)


def epochs_for(train: Images) -> int:
    """As many as make `STEPS` steps of 32 pictures, and not less than three."""
    return max(3, round(STEPS * 32 / len(train)))


def extraction(data: ImageData, train: Images, seed: int, views: int = 1) -> float:
    model = load_model(MODEL)
    val, test = (extract_features(model, part, size=SIZE) for part in (data.val, data.test))
    return linear_probe(extract_features(model, train, size=SIZE, views=views), val).score(test)


def augmented(data: ImageData, train: Images, seed: int) -> float:
    return extraction(data, train, seed, views=4)


def partial(data: ImageData, train: Images, seed: int) -> float:
    """The last two layer groups and the head."""
    model = freeze(fresh(data, seed))
    for group in layer_groups(model)[-3:]:
        unfreeze(group)
    fit_tail(model, train, data.val, epochs=epochs_for(train), size=SIZE, views=2, seed=seed, cache=False,
             optimizer=torch.optim.Adam(parameter_groups(model, 1e-3)), schedule="cosine")
    return evaluate(model, data.test, size=SIZE).accuracy


def full(data: ImageData, train: Images, seed: int) -> float:
    """Every layer, with rates that fall towards the input."""
    model = unfreeze(fresh(data, seed))
    fit(model, train, data.val, epochs=epochs_for(train), size=SIZE, augment=data.card.name != "digits",
        seed=seed, optimizer=torch.optim.Adam(parameter_groups(model, 1e-3)), schedule="cosine")
    return evaluate(model, data.test, size=SIZE).accuracy


def scratch(data: ImageData, train: Images, seed: int) -> float:
    """The same architecture from random numbers, for twice as many steps."""
    model = unfreeze(fresh(data, seed, random_init=True))
    fit(model, train, data.val, epochs=2 * epochs_for(train), size=SIZE, augment=data.card.name != "digits",
        seed=seed, optimizer=torch.optim.Adam(model.parameters(), lr=2e-3), schedule="cosine")
    return evaluate(model, data.test, size=SIZE).accuracy


STRATEGIES = {"feature extraction": extraction, "feature extraction, 4 views": augmented,
              "partial fine-tuning": partial, "full fine-tuning": full, "from scratch": scratch}


def run_missing(seeds) -> dict[tuple, float]:
    """Test accuracy by (data set, pictures per class, strategy, seed)."""
    KEPT.parent.mkdir(exist_ok=True)
    lines = KEPT.read_text().splitlines() if KEPT.exists() else []
    done = {tuple(key): accuracy for key, accuracy in map(json.loads, lines)}
    for seed in seeds:
        for name in DATASETS:
            data = load_dataset(name)
            for per_class in PER_CLASS:
                train = draw(data.train, per_class, seed)
                for strategy, run in STRATEGIES.items():
                    key = (name, per_class, strategy, seed)
                    if key not in done:
                        done[key] = round(run(data, train, seed), 4)
                        print(*key, done[key], flush=True)
                        with KEPT.open("a") as file:
                            file.write(json.dumps([key, done[key]]) + "\n")
    return done


def summary(done: dict[tuple, float]) -> list[dict]:
    rows = []
    for name in DATASETS:
        for per_class in PER_CLASS:
            for strategy in STRATEGIES:
                found = [done[name, per_class, strategy, seed] for seed in SEEDS]
                rows.append({"dataset": name, "per_class": per_class, "strategy": strategy, "accuracy": found,
                             "mean": round(mean(found), 4), "spread": round(stdev(found), 4)})
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", type=int, help="run one seed, and write no record")
    asked = parser.parse_args()
    done = run_missing(SEEDS if asked.only is None else [asked.only])
    if asked.only is None:
        model = load_model(MODEL)
        write_record(paths.results() / "strategies.json", command="python tools/records/strategies.py",
                     seeds=SEEDS, results={
                         "model": MODEL, "size": SIZE, "steps": STEPS, "rows": summary(done),
                         "similarity": {name: round(measure_similarity(model, load_dataset(name).train), 3)
                                        for name in DATASETS}})

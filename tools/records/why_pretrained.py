"""What pretraining brings, by depth and by start: `python tools/records/why_pretrained.py`.

Three experiments, each with every seed, which deals the pictures into train, val and test anew:

    by depth    a linear probe on every group of layers of efficientnet_lite0, with its ImageNet weights and
                with random ones, on rendered flowers and on handwritten digits
    case study  400 training digits of 64 × 64 pixels: a probe; fine-tuning and training from scratch, for few
                epochs and for many, with one optimizer and schedule, each at a rate that validation chose
    line        distances from both starts to both ends of the case study's long runs, and the training loss
                on the straight lines between them

A random network gets its BatchNorm statistics from the training pictures first: that is the best it can do
without learning. What is done is kept in .bench/ and not repeated; `--anew` forgets it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence

import torch
from _record import write_record
from probe_study import MODEL, PARTS, Pool, chosen, deal
from torch import nn

from course_utils import paths
from course_utils.pretrained import (
    Features,
    Images,
    evaluate,
    extract_features,
    fit,
    linear_probe,
    load_dataset,
    load_model,
    preprocessing,
    replace_head,
)
from course_utils.widgets.loss_line import distance, losses_on_line

SEEDS = (0, 1, 2)
LAYERS = ("bn1", *(f"blocks.{i}" for i in range(7)), "pooled")     # the end of each group before the head
DOMAINS = {"flowers": 112, "digits": 96}                           # pixels
STRENGTHS = (1e-5, 1e-4, 1e-3, 0.01, 0.1, 1.0)                     # of probes; early layers are few numbers
DIGITS, SIZE = 400, 64                                             # of the case study; small, to take minutes
EPOCHS, MANY = 6, 30
STARTS = ("pretrained", "random")
RATES = (3e-4, 1e-3, 3e-3)
LINE = [share / 10 for share in range(11)]
ON_LINE = 200                                                      # training digits the loss is taken on
KEPT = paths.repository() / ".bench" / "why_pretrained.json"


class Steps:
    """What was measured, by name, in a file: an interrupted run goes on from there."""

    def __init__(self):
        anew = "--anew" in sys.argv or not KEPT.exists()
        self.done = {} if anew else json.loads(KEPT.read_text(encoding="utf-8"))

    def __call__(self, name: str, measure: Callable, *given: object) -> dict:
        if name not in self.done:
            start = time.perf_counter()
            self.done[name] = measure(*given)
            KEPT.parent.mkdir(exist_ok=True)
            KEPT.write_text(json.dumps(self.done, indent=1), encoding="utf-8")
            print(f"{name}: {time.perf_counter() - start:.0f} s {str(self.done[name])[:300]}", flush=True)
        return self.done[name]


def pool_of(dataset: str) -> Pool:
    """All pictures of a data set, in memory, and the split each one ships in."""
    data = load_dataset(dataset)
    splits = dict(zip(PARTS, (data.train, data.val, data.test), strict=True))
    pictures = Images([path for images in splits.values() for path in images.paths],
                      [label for images in splits.values() for label in images.labels], data.classes,
                      pictures=[picture for images in splits.values() for picture, _ in images])
    return Pool(pictures, tuple(part for part, images in splits.items() for _ in images.paths))


def parts_of(pool: Pool, seed: int) -> dict[str, Sequence[int]]:
    """Positions by split, as one seed deals them; of the digits, `DIGITS` to learn from, as many of each."""
    parts = deal(pool, seed)
    if len(pool.pictures.classes) == 10:
        labels, each = pool.pictures.labels, DIGITS // 10
        parts["train"] = [i for digit in range(10)
                          for i in [p for p in parts["train"] if labels[p] == digit][:each]]
    return parts


# By depth ------------------------------------------------------------------------------------------------

def network(start: str, seed: int, pictures: Images, size: int) -> nn.Module:
    """The pretrained network, or one of random numbers with BatchNorm statistics of these pictures."""
    torch.manual_seed(seed)
    model = load_model(MODEL, random_init=start == "random")
    if start == "random":
        prepare = preprocessing(model, size=size)
        norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
        for norm in norms:
            norm.momentum = None                     # the plain mean over what passes
        model.train()
        with torch.no_grad():
            order = torch.randperm(len(pictures))[:256]
            for batch in order.split(64):
                model(torch.stack([prepare(pictures[i][0]) for i in batch.tolist()]))
    return model.eval()


def by_depth(domain: str, start: str, seeds: Sequence[int]) -> dict:
    """Test accuracy of a probe by layer, for each seed. Pretrained features are read once for all seeds."""
    pool, size = pool_of(domain), DOMAINS[domain]
    rows, features = [], {}
    for seed in seeds:
        parts = parts_of(pool, seed)
        if not features or start == "random":
            model = network(start, seed, pool.pictures.subset(parts["train"]), size)
            features = {layer: extract_features(model, pool.pictures, layer=layer, size=size,
                                                precision="float32", cache=False) for layer in LAYERS}
        rows.append([probe_accuracy(features[layer], parts) for layer in LAYERS])
    return {"accuracy": rows, "widths": [features[layer].x.shape[1] for layer in LAYERS],
            "pictures": {part: len(positions) for part, positions in parts.items()}}


def probe_accuracy(features: Features, parts: dict[str, Sequence[int]]) -> float:
    train, val, test = (chosen(features, parts[part]) for part in PARTS)
    return round(linear_probe(train, val, strengths=STRENGTHS).score(test), 4)


# Case study and line -------------------------------------------------------------------------------------

def beginning(start: str, seed: int, images: Images) -> nn.Module:
    """The network before its first step; both starts have the same new head."""
    torch.manual_seed(seed)
    return replace_head(load_model(MODEL, random_init=start == "random"), images.classes, seed=seed)


def trained(start: str, seed: int, split: dict[str, Images], epochs: int, rate: float) -> tuple:
    """The network after its last step, and what happened on the way."""
    model = beginning(start, seed, split["train"])
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    history = fit(model, split["train"], split["val"], epochs=epochs, size=SIZE, augment=False,
                  optimizer=optimizer, schedule="cosine", seed=seed)
    return model, {"train_loss": [round(epoch.train_loss, 4) for epoch in history.epochs],
                   "val_accuracy": [round(epoch.val_accuracy, 4) for epoch in history.epochs],
                   "val_loss": [round(epoch.val_loss, 4) for epoch in history.epochs],
                   "test_accuracy": round(evaluate(model, split["test"], size=SIZE).accuracy, 4)}


def chosen_rate(start: str, split: dict[str, Images]) -> dict:
    """The rate with the highest validation accuracy after few epochs, with the first seed."""
    found = {rate: trained(start, SEEDS[0], split, EPOCHS, rate)[1]["val_accuracy"][-1] for rate in RATES}
    return {"rate": max(found, key=found.get), "tried": found}


def long_runs(seed: int, split: dict[str, Images], rates: dict[str, float]) -> dict:
    """Both starts trained for many epochs; then the distances and lines from each start to each end."""
    ends, found = {}, {"many": {}, "distances": {}, "losses": {}}
    for start in STARTS:
        ends[start], found["many"][start] = trained(start, seed, split, MANY, rates[start])
    prepare, some = preprocessing(MODEL, size=SIZE), range(0, DIGITS, DIGITS // ON_LINE)
    images = torch.stack([prepare(split["train"][i][0]) for i in some])       # (ON_LINE, 3, SIZE, SIZE)
    labels = torch.tensor([split["train"].labels[i] for i in some])
    for start in STARTS:
        begin = beginning(start, seed, split["train"])
        for name, end in ends.items():
            way = f"{start} start to the end of the {name} run"
            found["distances"][way] = round(distance(begin, end), 2)
            losses = losses_on_line(begin, end, images, labels, LINE)
            found["losses"][way] = [round(loss, 4) for loss in losses]
    return found


def case_study(steps: Steps) -> dict:
    pool, rows, rates = pool_of("digits"), [], {}
    for seed in SEEDS:
        split = {part: pool.pictures.subset(positions) for part, positions in parts_of(pool, seed).items()}
        if not rates:
            tried = {start: steps(f"rate, {start}", chosen_rate, start, split) for start in STARTS}
            rates = {start: found["rate"] for start, found in tried.items()}
        probe = steps(f"probe, {SIZE} pixels, seed {seed}", probed, split)
        few = {start: steps(f"{EPOCHS} epochs, {start}, seed {seed}", few_epochs, start, seed, split, rates)
               for start in STARTS}
        many = steps(f"{MANY} epochs and lines, seed {seed}", long_runs, seed, split, rates)
        rows.append({"seed": seed, "probe": probe, "few": few} | many)
    return {"pictures": {part: len(images) for part, images in split.items()}, "size": SIZE,
            "epochs": EPOCHS, "many_epochs": MANY, "rates": tried, "line": LINE, "per_seed": rows}


def probed(split: dict[str, Images]) -> float:
    """Test accuracy of a probe on the pretrained network's pooled features."""
    train, val, test = (extract_features(load_model(MODEL), split[part], size=SIZE) for part in PARTS)
    return round(linear_probe(train, val, strengths=STRENGTHS).score(test), 4)


def few_epochs(start: str, seed: int, split: dict[str, Images], rates: dict[str, float]) -> dict:
    return trained(start, seed, split, EPOCHS, rates[start])[1]


if __name__ == "__main__":
    steps = Steps()
    depth = {domain: {start: steps(f"by depth, {domain}, {start}", by_depth, domain, start, SEEDS)
                      for start in STARTS} for domain in DOMAINS}
    write_record(paths.results() / "why_pretrained.json", command="python tools/records/why_pretrained.py",
                 seeds=SEEDS, results={
                     "model": MODEL, "layers": ["stem", *LAYERS[1:]], "sizes": DOMAINS, "by_depth": depth,
                     "case_study": case_study(steps)})

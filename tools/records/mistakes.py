"""What mistakes of preparing and running cost on real photographs: `python tools/records/mistakes.py`.

Lite0 with its ImageNet weights looks at photographs of flowers, with one mistake at a time:

    named       the share of all daisies for which "daisy" is the likeliest of its own head's 1,000 classes
    deployed    test accuracy of a five-class linear probe trained without the mistake
    throughout  the same, trained with the mistake as well

For each seed the photographs for training and validation are dealt anew; the 200 test photographs stay. In
train mode the answer for a picture depends on its company: it is measured for pictures one by one, and for
shuffled batches of 25, in a new order for each seed. What the network said is kept in the course's cache, so
that an interrupted run goes on. Needs the photographs (`COURSE_TEST_PHOTOS`). About ten minutes.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from _record import write_record
from PIL import Image
from probe_study import MODEL, Pool, chosen, deal, probe_accuracy, together
from torch import Tensor

from course_utils import paths
from course_utils.pretrained import (
    Features,
    Weights,
    extract_features,
    linear_probe,
    load_dataset,
    load_model,
)
from course_utils.pretrained.inference.processor import one_thread
from course_utils.widgets.wrong_steps import MISTAKES, Mistake

SEEDS = (0, 1, 2, 3, 4)
BATCH = 25
NAME = "daisy"        # the one class of these flowers that ImageNet has too


def seen_with(mistake: Mistake, pool: Pool, *, batch: int = BATCH, order_seed: int | None = None) -> Features:
    """What goes into the head, (N, 1280), for every picture of the pool."""
    kept = paths.cache() / "records" / f"mistakes-{mistake.id}-{batch}-{order_seed}.pt"
    if kept.exists():
        x = torch.load(kept, weights_only=True)
    else:
        order = torch.arange(len(pool.pictures))
        if order_seed is not None:
            order = torch.randperm(len(order), generator=torch.Generator().manual_seed(order_seed))
        x = run(mistake, pool, order, batch)
        kept.parent.mkdir(parents=True, exist_ok=True)
        torch.save(x, kept)
    return Features(x, torch.tensor(pool.pictures.labels), pool.pictures.paths, pool.pictures.classes)


def run(mistake: Mistake, pool: Pool, order: Tensor, batch: int) -> Tensor:
    model = load_model(MODEL)

    def prepared(chunk: Tensor) -> Tensor:
        pictures = (pool.pictures[i][0] for i in chunk.tolist())
        return torch.stack([mistake.prepare(model.course_weights, picture) for picture in pictures])
    x = torch.empty(len(order), model.num_features)
    if not mistake.train_mode:
        x[order] = extract_features(model, ((prepared(chunk), chunk) for chunk in order.split(batch)),
                                    precision="float32").x
        return x
    model.train()
    with one_thread(), torch.inference_mode():
        for chunk in order.split(batch):
            x[chunk] = model.forward_head(model.forward_features(prepared(chunk)), pre_logits=True)
    return x


def named(features: Features) -> float:
    """The share of the daisies that the network's own head calls so."""
    model = load_model(MODEL)
    with torch.inference_mode():
        guesses = model.classifier(features.x).argmax(dim=1)                     # (N,)
    right = guesses == model.course_classes.index(NAME)
    return round(right[features.y == features.classes.index(NAME)].double().mean().item(), 4)


def costs(mistake: Mistake, seen: list[Features], right: Features, pool: Pool) -> dict:
    """The three figures by seed; `seen` is one for all seeds, or one for each."""
    seen = seen * len(SEEDS) if len(seen) == 1 else seen
    deployed, throughout = [], []
    for seed, found in zip(SEEDS, seen, strict=True):
        parts = deal(pool, seed, keep_test=True)
        probe = linear_probe(chosen(right, parts["train"]), chosen(right, parts["val"]))
        deployed.append(round(probe.score(chosen(found, parts["test"])), 4))
        throughout.append(probe_accuracy(found, parts))
    row = {"id": mistake.id, "name": mistake.name, "named": [named(found) for found in seen],
           "deployed": deployed, "throughout": throughout}
    print(row, flush=True)
    return row


def from_a_camera(mistake: Mistake) -> Mistake:
    """The same on files three times as large: of these, the shorter side has at most 256 pixels."""
    def prepare(weights: Weights, picture: Image.Image) -> Tensor:
        large = picture.resize((3 * picture.width, 3 * picture.height), Image.Resampling.BICUBIC)
        return mistake.prepare(weights, large)
    return replace(mistake, id=f"{mistake.id}-large", name=f"{mistake.name}, files three times as large",
                   prepare=prepare)


def measure() -> dict:
    data = load_dataset(f"folder:{paths.test_photos() / 'flowers'}")
    pool = together(data)
    right, rows = seen_with(MISTAKES[0], pool), []
    for mistake in MISTAKES:
        if not mistake.train_mode:
            rows.append(costs(mistake, [seen_with(mistake, pool)], right, pool))
            if mistake.id == "no-resize":
                large = from_a_camera(mistake)
                rows.append(costs(large, [seen_with(large, pool)], right, pool))
            continue
        alone = replace(mistake, name=f"{mistake.name}, one by one")
        rows.append(costs(alone, [seen_with(mistake, pool, batch=1)], right, pool))
        crowd = replace(mistake, id=f"{mistake.id}-batch", name=f"{mistake.name}, batches of {BATCH}")
        rows.append(costs(crowd, [seen_with(mistake, pool, order_seed=seed) for seed in SEEDS], right, pool))
    daisies = pool.pictures.labels.count(data.classes.index(NAME))
    return {"model": MODEL, "classes": list(data.classes), "pictures": data.card.counts, "daisies": daisies,
            "test": data.card.counts["test"], "mistakes": rows}


if __name__ == "__main__":
    write_record(paths.results() / "mistakes.json", command="python tools/records/mistakes.py", seeds=SEEDS,
                 results=measure())

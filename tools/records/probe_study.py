"""What pretraining is worth on one of the course's data sets: the experiment its record tells of.

For each seed the pictures are dealt anew into train, val and test, as many of each class as the data set
ships in each. Three learners see the same deal:

    probe       a linear probe on the features of pretrained efficientnet_lite0
    scratch     the same architecture from random numbers, every layer learning, with augmentation
    thumbnails  the same linear probe on colour histograms and 8 × 8 thumbnails: what a set gives away by
                colour and coarse layout alone
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

import numpy as np
import torch
from PIL import Image

from course_utils.pretrained import (
    Features,
    ImageData,
    Images,
    evaluate,
    extract_features,
    fit,
    linear_probe,
    load_dataset,
    load_model,
)

MODEL = "efficientnet_lite0"
EPOCHS, RATE = 30, 2e-3                 # of training from scratch
PARTS = ("train", "val", "test")
BINS = 4                                # of each colour in the histogram: 64 together


def probe_study(dataset_name: str, seeds: Sequence[int], *, scratch_size: int) -> dict:
    """Test accuracy of the three learners on the data set, for each seed and on average.

    Args:
        scratch_size: pixels of the pictures for training from scratch; small, so that it takes minutes.
    """
    pool = together(load_dataset(dataset_name))
    features = extract_features(load_model(MODEL), pool.pictures)
    thumbnails, shipped = describe_plainly(pool.pictures), as_shipped(pool)
    per_seed = []
    for seed in seeds:
        parts = deal(pool, seed)
        per_seed.append({"seed": seed,
                         "probe": probe_accuracy(features, parts),
                         "scratch": scratch_accuracy(pool.pictures, parts, seed, scratch_size),
                         "thumbnails": probe_accuracy(thumbnails, parts)})
        print(dataset_name, per_seed[-1], flush=True)
    learners = ("probe", "scratch", "thumbnails")
    return {"dataset": dataset_name, "model": MODEL, "scratch_epochs": EPOCHS, "scratch_size": scratch_size,
            "pictures": {part: len(positions) for part, positions in shipped.items()},
            "as_shipped": {"probe": probe_accuracy(features, shipped),
                           "thumbnails": probe_accuracy(thumbnails, shipped)},
            "per_seed": per_seed,
            "mean": {name: round(mean(row[name] for row in per_seed), 4) for name in learners}}


@dataclass(frozen=True)
class Pool:
    """All pictures of a data set, and the split each one ships in."""

    pictures: Images
    split: tuple[str, ...]


def together(data: ImageData) -> Pool:
    """The pictures of all three splits in one."""
    splits = dict(zip(PARTS, (data.train, data.val, data.test), strict=True))
    pictures = Images([path for images in splits.values() for path in images.paths],
                      [label for images in splits.values() for label in images.labels], data.classes)
    return Pool(pictures, tuple(part for part, images in splits.items() for _ in images.paths))


def as_shipped(pool: Pool) -> dict[str, list[int]]:
    """Positions in `pool.pictures` by split."""
    return {part: [i for i, split in enumerate(pool.split) if split == part] for part in PARTS}


def deal(pool: Pool, seed: int, *, keep_test: bool = False) -> dict[str, list[int]]:
    """Positions in `pool.pictures` for train, val and test, dealt anew within each class.

    Args:
        keep_test: deal train and val only; test stays the one that ships.
    """
    rng = np.random.default_rng(seed)
    split, labels = np.array(pool.split), np.array(pool.pictures.labels)
    for label in np.unique(labels):
        free = np.flatnonzero((labels == label) & ((split != "test") | (not keep_test)))
        split[free] = rng.permutation(split[free])
    return as_shipped(Pool(pool.pictures, tuple(split.tolist())))


def chosen(features: Features, positions: Sequence[int]) -> Features:
    """The rows of `features` at these positions."""
    return Features(x=features.x[positions], y=features.y[positions],
                    paths=tuple(features.paths[i] for i in positions), classes=features.classes)


def probe_accuracy(features: Features, parts: dict[str, list[int]]) -> float:
    """Test accuracy of a linear probe whose strength was chosen on val."""
    train, val, test = (chosen(features, parts[part]) for part in ("train", "val", "test"))
    return round(linear_probe(train, val).score(test), 4)


def scratch_accuracy(pictures: Images, parts: dict[str, list[int]], seed: int, size: int) -> float:
    """Test accuracy of the architecture trained from random numbers, at its best epoch on val."""
    torch.manual_seed(seed)
    train, val, test = (pictures.subset(parts[part]) for part in ("train", "val", "test"))
    model = load_model(MODEL, pictures.classes, random_init=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
    fit(model, train, val, epochs=EPOCHS, size=size, optimizer=optimizer, patience=EPOCHS, seed=seed,
        precision="float32")
    return round(evaluate(model, test, size=size).accuracy, 4)


def describe_plainly(pictures: Images) -> Features:
    """Colour histogram (64) and 8 × 8 thumbnail (192) of each picture: (N, 256)."""
    rows = [np.concatenate([_histogram(picture), _thumbnail(picture)]) for picture, _ in pictures]
    return Features(x=torch.tensor(np.stack(rows), dtype=torch.float32), y=torch.tensor(pictures.labels),
                    paths=pictures.paths, classes=pictures.classes)


def _histogram(picture: Image.Image) -> np.ndarray:
    pixels = np.asarray(picture).reshape(-1, 3)
    counts, _ = np.histogramdd(pixels, bins=BINS, range=[(0, 256)] * 3)
    return np.sqrt(counts.ravel() / len(pixels))    # square roots: rare colours count too


def _thumbnail(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.resize((8, 8), Image.Resampling.BOX), np.float32).ravel() / 255

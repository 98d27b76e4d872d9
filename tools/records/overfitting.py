"""What validation does as a network learns wrong labels by heart: `python tools/records/overfitting.py`.

For each seed the scanned digits are dealt anew, 300 of them are for training, and two labels in five of these
are wrong. The last layers of Lite0 learn from them, from a random head. Nothing in the base run holds against
overfitting; each other recipe changes one thing about it. Validation and test pictures keep their right
labels. A run that is done is kept in .bench/ and not repeated, so this may be interrupted; `--anew` forgets
what is kept. Some ten minutes on one core.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field

import torch
from _record import write_record
from probe_study import MODEL, Pool, deal
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2
from why_pretrained import pool_of

from course_utils import paths
from course_utils.pretrained import (
    History,
    Images,
    evaluate,
    fit,
    fit_tail,
    freeze,
    layer_groups,
    load_model,
    parameter_groups,
    preprocessing,
    replace_head,
    unfreeze,
)

SEEDS = (0, 1, 2, 3, 4)
DATASET, SIZE, EPOCHS, PER_CLASS = "digits", 64, 14, 30
WRONG = 0.4                                 # the share of training labels that are wrong
LAST = 4                                    # layer groups that learn: two blocks, a convolution, the head
RATE = 1e-3
KEPT = paths.repository() / ".bench" / "overfitting.json"
# What leaves a digit the digit it is: it may lean and move, but a mirrored digit is no digit.
JITTER = v2.RandomAffine(degrees=10, translate=(0.1, 0.1), scale=(0.9, 1.1))


@dataclass(frozen=True)
class Recipe:
    """One way to train. What is not said is as in the base run."""

    id: str
    name: str
    wrong: float = WRONG
    last: int = LAST
    factor: float = 1.0                     # by which the layers before the head learn more slowly
    augment: bool = False
    options: dict = field(default_factory=dict)      # of fit


RECIPES = (
    Recipe("base", "base: nothing against it"),
    Recipe("stop", "early stopping (patience 3)", options={"patience": 3}),
    Recipe("augment", "augmentation: turned and shifted", augment=True),
    Recipe("both", "augmentation and early stopping", augment=True, options={"patience": 3}),
    Recipe("lower", "a tenth of the rate before the head", factor=10.0),
    Recipe("freeze", "frozen again: the head alone", last=1),
    Recipe("right", "no wrong labels", wrong=0.0),
)


class Jittered(Dataset):
    """Training pictures, turned and shifted a little, and another way each time."""

    def __init__(self, images: Images, model: nn.Module):
        self.images, self.prepare = images, preprocessing(model, size=SIZE)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        picture, label = self.images[index]
        return self.prepare(JITTER(picture)), label


def with_wrong_labels(images: Images, share: float, seed: int) -> Images:
    """The same pictures; this share of the labels, drawn by the seed, names another class."""
    draw, labels = torch.Generator().manual_seed(seed), list(images.labels)
    for position in torch.randperm(len(labels), generator=draw)[:round(share * len(labels))].tolist():
        other = 1 + int(torch.randint(len(images.classes) - 1, (), generator=draw))
        labels[position] = (labels[position] + other) % len(images.classes)
    return Images(images.paths, labels, images.classes, pictures=[picture for picture, _ in images])


def split(pool: Pool, seed: int) -> dict[str, Images]:
    """Train, val and test as the seed deals them; of train, the first of each class."""
    parts = {name: pool.pictures.subset(part) for name, part in deal(pool, seed).items()}
    train = parts["train"]
    few = [i for label in range(len(train.classes))
           for i in [j for j, own in enumerate(train.labels) if own == label][:PER_CLASS]]
    return parts | {"train": train.subset(few)}


def run(recipe: Recipe, parts: dict[str, Images], seed: int) -> dict:
    """Train and test once."""
    model = freeze(replace_head(load_model(MODEL), parts["train"].classes, seed=seed))
    for group in layer_groups(model)[-recipe.last:]:
        unfreeze(group)
    optimizer = torch.optim.Adam(parameter_groups(
        model, RATE, factor=recipe.factor, groups=2 if recipe.last > 1 else None))
    history = trained(recipe, model, optimizer, with_wrong_labels(parts["train"], recipe.wrong, seed),
                      parts["val"], seed)
    return {"val_accuracy": [round(epoch.val_accuracy, 4) for epoch in history.epochs],
            "val_loss": [round(epoch.val_loss, 4) for epoch in history.epochs],
            "train_loss": [round(epoch.train_loss, 4) for epoch in history.epochs],
            "test": round(evaluate(model, parts["test"], size=SIZE).accuracy, 4)}


def trained(recipe: Recipe, model: nn.Module, optimizer, train: Images, val: Images, seed: int) -> History:
    """Augmented pictures need the whole network in every epoch; plain ones only what learns."""
    options = {"epochs": EPOCHS, "optimizer": optimizer, "seed": seed} | recipe.options
    if not recipe.augment:
        return fit_tail(model, train, val, size=SIZE, **options)
    plain = [(preprocessing(model, size=SIZE)(picture), label) for picture, label in val]
    return fit(model, DataLoader(Jittered(train, model), 32, shuffle=True), DataLoader(plain, 32), **options)


def measure() -> dict:
    """Every recipe with every seed; what was measured before is taken from the file."""
    torch.set_num_threads(1)
    runs = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() and "--anew" not in sys.argv else {}
    pool = pool_of(DATASET)
    for seed in SEEDS:
        parts = split(pool, seed)
        for recipe in RECIPES:
            if key(recipe, seed) not in runs:
                runs[key(recipe, seed)] = run(recipe, parts, seed)
                KEPT.parent.mkdir(exist_ok=True)
                KEPT.write_text(json.dumps(runs, indent=1), encoding="utf-8")
            print(seed, recipe.name, runs[key(recipe, seed)]["test"],
                  runs[key(recipe, seed)]["val_accuracy"], flush=True)
    recipes = []
    for recipe in RECIPES:
        found = [runs[key(recipe, seed)] for seed in SEEDS]
        recipes.append({"id": recipe.id, "name": recipe.name}
                       | {name: [one[name] for one in found] for name in found[0]})
    return {"dataset": DATASET, "model": MODEL, "size": SIZE, "epochs": EPOCHS, "wrong": WRONG,
            "pictures": {name: len(part) for name, part in parts.items()}, "recipes": recipes}


def key(recipe: Recipe, seed: int) -> str:
    return f"seed {seed}, {SIZE} pixels, {EPOCHS} epochs, {PER_CLASS} per class, rate {RATE}, {recipe}"


if __name__ == "__main__":
    write_record(paths.results() / "overfitting.json", command="python tools/records/overfitting.py",
                 seeds=SEEDS, results=measure())

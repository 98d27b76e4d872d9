"""What ways of fine-tuning are worth on the rendered surface defects: `python tools/records/fine_tuning.py`.

For each seed the pictures are dealt anew into train, val and test, and every recipe sees the same deal. The
base recipe starts from a probe's head and trains the last two blocks; most others change one thing about it.
Recipes that leave the first layers frozen learn from what enters the last two blocks, read once for several
augmented views. Seconds are those of one processor core, in training alone: whatever else runs on the machine
does not count. A run that is done is kept in .bench/ and not repeated, so this may be interrupted; `--anew`
forgets what is kept.
"""

from __future__ import annotations

import copy
import json
import sys
import time
from dataclasses import dataclass, field

import torch
from _record import write_record
from probe_study import MODEL, Pool, deal, together
from torch import nn

from course_utils import paths
from course_utils.pretrained import (
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
    parameter_groups,
    preprocessing,
    replace_head,
    unfreeze,
)

SEEDS = (0, 1, 2)
DATASET, OTHER = "defects", "flowers"       # learned from; what the backbone is still worth elsewhere
SIZE, VIEWS, EPOCHS, LONG = 96, 4, 9, 24
TAIL = ("blocks.5", "blocks.6", "conv_head", "head")
TRAIN_MODE_BATCHES = (2, 8, 32)
KEPT = paths.repository() / ".bench" / "fine_tuning.json"


@dataclass(frozen=True)
class Recipe:
    """One way to train. What is not said is as in the base recipe."""

    id: str
    name: str
    learns: tuple[str, ...] | None = TAIL       # None: every layer
    head: str = "probe"                         # or "random"
    rate: float = 1e-3                          # of the head
    factor: float = 10.0                        # by which layers nearer the input learn more slowly
    weight_decay: float | None = None           # None is Adam, a number AdamW
    batchnorm: bool = True                      # whether BatchNorm learns where its block does
    closer: bool = False                        # measure more than accuracy: see `closer`
    options: dict = field(default_factory=lambda: {"epochs": EPOCHS})      # of fit


def with_options(id: str, name: str, *, epochs: int = EPOCHS, weight_decay: float | None = None,
                 **options: object) -> Recipe:
    """The base recipe with one more option of `fit`."""
    return Recipe(id, name, weight_decay=weight_decay, options={"epochs": epochs, **options})


GRADUAL = {4: [("conv_head", 1e-4), ("blocks.6", 1e-4)], 7: ("blocks.5", 1e-5)}
RECIPES = (
    Recipe("head", "head only", learns=("head",), options={"epochs": 0}),
    Recipe("base", "base: probe's head, last two blocks", closer=True),
    Recipe("norms-rest", "with BatchNorm frozen", batchnorm=False, closer=True),
    Recipe("random-head", "from a random head, all at once", head="random"),
    Recipe("gradual", "from a random head, gradual unfreezing", learns=("head",), head="random",
           options={"epochs": EPOCHS, "unfreeze_at": GRADUAL}),
    Recipe("last-block", "last block only", learns=TAIL[1:]),
    Recipe("one-rate", "one rate of 1e-3 for all", factor=1.0, closer=True),
    Recipe("too-high", "one rate of 1e-2 for all", rate=1e-2, factor=1.0, closer=True),
    Recipe("norms-rest-fast", "one rate of 1e-3, BatchNorm frozen", factor=1.0, batchnorm=False, closer=True),
    Recipe("all-graded", "every layer, graded rates", learns=None, closer=True),
    Recipe("all-one-rate", "every layer, one rate of 1e-3", learns=None, factor=1.0, closer=True),
    with_options("cosine", "with warm-up and cosine", schedule="cosine"),
    with_options("one-cycle", "with one-cycle", schedule="one-cycle"),
    with_options("weight-decay", "with weight decay 0.05", weight_decay=0.05),
    with_options("smoothing", "with label smoothing 0.1", loss=nn.CrossEntropyLoss(label_smoothing=0.1)),
    with_options("mixup", "with mixup 0.2", mixup=0.2),
    with_options("ema", "with averaged weights (EMA 0.98)", ema=0.98),
    with_options("long", f"{LONG} epochs", epochs=LONG),
    with_options("patience", f"{LONG} epochs, early stopping (patience 3)", epochs=LONG, patience=3),
    with_options("tiny-batches", "3 epochs in batches of 2", epochs=3, batch_size=2),
    Recipe("tiny-rests", "3 epochs in batches of 2, BatchNorm frozen", batchnorm=False,
           options={"epochs": 3, "batch_size": 2}),
)


@dataclass(frozen=True)
class Start:
    """What every recipe of one seed begins with."""

    seed: int
    train: Images
    val: Images
    test: Images
    probe: Probe             # trained on the same augmented views
    seconds: float           # that took, features apart


def start(pool: Pool, seed: int) -> Start:
    """The pictures as one seed deals them, and a probe on them."""
    train, val, test = (pool.pictures.subset(part) for part in deal(pool, seed).values())
    model = load_model(MODEL)
    features = extract_features(model, train, views=VIEWS, size=SIZE), extract_features(model, val, size=SIZE)
    clock = time.process_time()
    probe = linear_probe(*features)
    return Start(seed, train, val, test, probe, time.process_time() - clock)


def prepared(recipe: Recipe, begin: Start) -> tuple[nn.Module, torch.optim.Optimizer]:
    """The model as the recipe wants it before its first step, and its optimizer."""
    model = replace_head(load_model(MODEL), begin.train.classes, seed=begin.seed)
    if recipe.head == "probe":
        model.classifier = begin.probe.as_head()
    freeze(model)
    for group in layer_groups(model):
        if recipe.learns is None or group.name in recipe.learns:
            unfreeze(group)
    if not recipe.batchnorm:
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                freeze(module)
    groups = parameter_groups(model, recipe.rate, factor=recipe.factor, groups=2 if recipe.learns else 3)
    if recipe.weight_decay is None:
        return model, torch.optim.Adam(groups)
    return model, torch.optim.AdamW(groups, weight_decay=recipe.weight_decay)


def run(recipe: Recipe, begin: Start) -> dict:
    """Train and test once."""
    model, optimizer = prepared(recipe, begin)
    clock, epochs, seconds = time.process_time(), 0, begin.seconds
    if recipe.options["epochs"]:
        train, views = (fit, {}) if recipe.learns is None else (fit_tail, {"views": VIEWS})
        history = train(model, begin.train, begin.val, size=SIZE, optimizer=optimizer, seed=begin.seed,
                        **views, **recipe.options)
        epochs, seconds = len(history.epochs), time.process_time() - clock
    found = {"accuracy": accuracy(model, begin.test), "val_accuracy": accuracy(model, begin.val),
             "epochs": epochs, "seconds": round(seconds, 1)}
    return found | (closer(model, begin) if recipe.closer else {})


def accuracy(model: nn.Module, images: Images) -> float:
    return round(evaluate(model, images, size=SIZE).accuracy, 4)


def closer(model: nn.Module, begin: Start) -> dict:
    """What the backbone is still worth for other pictures, and what validation in train mode would say."""
    return {"elsewhere": worth_elsewhere(model),
            "train_mode": {n: accuracy_in_train_mode(model, begin, n) for n in TRAIN_MODE_BATCHES}}


def worth_elsewhere(model: nn.Module) -> float:
    """Test accuracy of a probe on the features of pictures that this model never saw."""
    other = load_dataset(OTHER)
    train, val, test = (extract_features(model, part, size=SIZE, cache=False)
                        for part in (other.train, other.val, other.test))
    return round(linear_probe(train, val).score(test), 4)


@torch.no_grad()
def accuracy_in_train_mode(model: nn.Module, begin: Start, batch_size: int) -> float:
    """Validation accuracy where `eval()` was forgotten, on batches in random order."""
    trial, prepare = copy.deepcopy(model).train(), preprocessing(model, size=SIZE)
    order = torch.randperm(len(begin.val), generator=torch.Generator().manual_seed(begin.seed)).tolist()
    images = torch.stack([prepare(begin.val[i][0]) for i in order])                 # (N, 3, SIZE, SIZE)
    labels = torch.tensor([begin.val.labels[i] for i in order])
    guesses = torch.cat([trial(batch).argmax(dim=1) for batch in images.split(batch_size)])
    return round((guesses == labels).float().mean().item(), 4)


def measure() -> dict:
    """Every recipe with every seed; what was measured before is taken from the file."""
    torch.set_num_threads(1)
    runs = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() and "--anew" not in sys.argv else {}
    pool = together(load_dataset(DATASET))
    for seed in SEEDS:
        begin = start(pool, seed)
        for recipe in RECIPES:
            if key(recipe, seed) not in runs:
                runs[key(recipe, seed)] = run(recipe, begin)
                KEPT.parent.mkdir(exist_ok=True)
                KEPT.write_text(json.dumps(runs, indent=1), encoding="utf-8")
            print(seed, recipe.name, runs[key(recipe, seed)], flush=True)
    recipes = []
    for recipe in RECIPES:
        found = [runs[key(recipe, seed)] for seed in SEEDS]
        recipes.append({"id": recipe.id, "name": recipe.name}
                       | {name: [one[name] for one in found] for name in found[0]})
    return {"dataset": DATASET, "model": MODEL, "size": SIZE, "views": VIEWS, "epochs": EPOCHS,
            "pictures": {"train": len(begin.train), "val": len(begin.val), "test": len(begin.test)},
            "elsewhere": OTHER, "elsewhere_before": worth_elsewhere(load_model(MODEL)),
            "base": "base", "recipes": recipes}


def key(recipe: Recipe, seed: int) -> str:
    return f"seed {seed}, {SIZE} pixels, {VIEWS} views, {recipe}"


if __name__ == "__main__":
    write_record(paths.results() / "fine_tuning.json", command="python tools/records/fine_tuning.py",
                 seeds=SEEDS, results=measure())

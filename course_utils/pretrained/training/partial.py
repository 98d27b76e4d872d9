"""Partial fine-tuning with the frozen layers run once: what they give is kept, the rest learns from it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from inspect import signature

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from course_utils.errors import BadData, CourseError, unknown_name
from course_utils.pretrained.data.batches import batches_of
from course_utils.pretrained.data.images import Images
from course_utils.pretrained.data.preparing import preprocessing
from course_utils.pretrained.features.cache import feature_key
from course_utils.pretrained.features.reading import Reader
from course_utils.pretrained.inference.evaluation import check_scores
from course_utils.pretrained.models.groups import LayerGroup, layer_groups
from course_utils.pretrained.saving.history import History
from course_utils.pretrained.training.checks import (
    check_training,
    checked_optimizer,
    loss_with_inputs,
    take_names,
)
from course_utils.pretrained.training.cut import FromCut, replaced_forward
from course_utils.pretrained.training.loop import fit
from course_utils.pretrained.training.schedules import choose_schedule
from course_utils.pretrained.training.unfreezing import Due, due_by_epoch, parts_of


def fit_tail(model: nn.Module, train: Images | Iterable, val: Images | Iterable, *, epochs: int,
             views: int = 1, batch_size: int = 32, size: int | None = None, precision: str = "auto",
             cache: bool = True, **options: object) -> History:
    """`fit`, but the frozen layers run once for each picture, not once in every epoch.

    Freeze and unfreeze first: the cut lies before the first layer group in which anything learns, now or by
    `unfreeze_at`. What enters there is kept in files, as features are, and the tail, from there to the head,
    learns from it. That is the same training as through the whole network on unchanged pictures; in float32
    the weights agree to about 1e-4. Afterwards the model itself has the trained tail.

    Args:
        train, val: Images, prepared as the model's weights expect; or loaders of (inputs, labels), which are
            read once.
        views: 1 learns from the plain pictures. More are that many augmented ones of each, of which every
            epoch draws one. Each view takes one more run of the frozen layers.
        size: pixels of the prepared pictures; None is what the weights were trained for.
        precision: of the frozen layers, of what is kept, and of the training: "float32", "bfloat16", or
            "auto": bfloat16 where the device computes in it.
        cache: use the activations again next time. For Images only.
        options: optimizer, schedule, patience, checkpoint and whatever else `fit` takes. Mixup blends what
            enters the tail. A loss gets scores and labels alone: pictures are not at hand any more.
    Raises:
        UnknownName: there is no such option.
        CourseError: the first layers learn, so that nothing can be kept; or the tail needs more of the frozen
            layers than what enters at the cut; or what `fit` refuses.
    """
    check_training(model, train, val, "fit_tail", size=size, epochs=epochs, views=views,
                   batch_size=batch_size, **_checked(options))
    if "augment" in options or (views > 1 and not isinstance(train, Images)):
        raise CourseError("fit_tail augments Images before the frozen layers run: views=5 makes five views "
                          "of each. Leave augment out; a DataLoader brings its own pictures, read once.")
    take_names(model, train)
    checked_optimizer(model, options.get("optimizer"))
    tail = _tail(model, due_by_epoch(model, options.get("unfreeze_at"), epochs))
    sample, batches = _first_pictures(model, train, size)
    from_cut = FromCut(model, tail, sample)
    for data in (train, val):
        if isinstance(data, Images):
            check_scores(from_cut.scores[:1], torch.tensor(data.labels[:1]), model, data)
    read = Reader(model, from_cut.cut, "input", lambda seen, inputs: seen, precision)
    own = {module for group in tail for module in group.modules}
    names = [name for name, module in model.named_modules() if module in own]
    learn_from = DataLoader(_activations(read, train, batches, names, views, size, cache), int(batch_size),
                            shuffle=True)
    validate_with = DataLoader(_activations(read, val, val, names, 1, size, cache), int(batch_size))
    with replaced_forward(model, from_cut):
        return fit(model, learn_from, validate_with, epochs=epochs, precision=precision, **options)


def _checked(options: dict[str, object]) -> dict[str, object]:
    """Refuse what `fit` would, but only after the frozen layers saw all pictures; what is left to check."""
    known = [name for name, one in signature(fit).parameters.items() if one.kind is one.KEYWORD_ONLY]
    for name in options:
        if name not in known:
            raise unknown_name("option of fit_tail", name, [*known, "views", "cache"])
    choose_schedule(options.get("schedule"))
    loss_with_inputs(options.get("loss") or F.cross_entropy, cut=True)
    return {name: options[name] for name in ("patience", "mixup", "ema", "resume", "checkpoint")
            if name in options}


class Activations(Dataset):
    """What enters the tail for each picture, with its label; of several views one, drawn at random.

    Args:
        x: (views, rows, ...)
        rows: of each picture, for one that is repeated was run once.
        key: tells the pictures apart from others.
    """

    def __init__(self, x: Tensor, y: Tensor, rows: Sequence[int], classes: tuple[str, ...], key: str | None):
        self.x, self.y, self.rows, self.classes = x, y, rows, classes
        self.samples, self.tensors = key, () if key else (x, y)       # by these a checkpoint knows the data

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        view = int(torch.randint(len(self.x), ())) if len(self.x) > 1 else 0
        return self.x[view, self.rows[index]], self.y[index]


def _activations(read: Reader, data: Images | Iterable, batches: Iterable, tail: list[str], views: int,
                 size: int | None, cache: bool) -> Activations:
    if not isinstance(data, Images):
        x, y = read.batches(batches, "fit_tail")
        classes = tuple(getattr(getattr(data, "dataset", None), "classes", ()))
        return Activations(x[None], y, range(len(y)), classes, None)
    once, rows = data.once()
    prepare = preprocessing(read.model, augment=views > 1, size=size)
    of = (read.model, tail, "input of", tail[0], read.precision, prepare.key, views)
    x = read.images(once, prepare, views, None, feature_key(*of, once.fingerprint) if cache else None)
    return Activations(x.unflatten(0, (views, len(once))), torch.tensor(data.labels), rows, data.classes,
                       feature_key(*of, data.fingerprint))


def _tail(model: nn.Module, due: Due) -> list[LayerGroup]:
    """The layer groups from the first in which anything learns, now or later."""
    learning = {p for p in model.parameters() if p.requires_grad}
    learning.update(*(part.parameters() for part in parts_of(due)))
    groups = layer_groups(model)
    first = next(i for i, group in enumerate(groups) if not learning.isdisjoint(group.parameters()))
    if first == 0:
        raise CourseError("The first layers of the model learn, so none could be run once and kept. Freeze "
                          "them, freeze(layer_groups(model)[0]), or train with fit.")
    return groups[first:]


def _first_pictures(model: nn.Module, data: Images | Iterable, size: int | None) -> tuple[Tensor, Iterable]:
    """Two prepared pictures; and all batches of a loader, which may be read only once."""
    few = data.subset(range(min(2, len(data)))) if isinstance(data, Images) else data
    batches = batches_of(model, few, "fit_tail", 2, size=size)
    first = next(batches, None)
    if first is None:
        raise BadData("fit_tail got nothing to learn from: the loader gave no batch.")
    return first[0][:2], data if few is not data else itertools.chain([first], batches)

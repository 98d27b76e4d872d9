"""Training, as one visible loop."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.errors import BadData, CourseError
from course_utils.pretrained.batches import (
    Batch,
    check_count,
    check_data,
    checked_batches,
    image_batches,
    run,
)
from course_utils.pretrained.evaluation import check_scores, evaluate
from course_utils.pretrained.freezing import train_mode
from course_utils.pretrained.heads import need_module
from course_utils.pretrained.images import Images
from course_utils.pretrained.preparing import preprocessing
from course_utils.pretrained.randomness import seed_of, seeded

UNFREEZE = "unfreeze(model.get_submodule(find_head(model)))"


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training pictures did."""

    epoch: int                   # 1 is the first
    train_loss: float            # averaged over pictures, while the model was changing
    val_loss: float              # cross-entropy after the epoch, averaged over pictures
    val_accuracy: float          # 0 … 1
    seconds: float
    rates: tuple[float, ...]     # learning rate of each of the optimizer's groups


Loss = Callable[[Tensor, Tensor], Tensor]
OnEpoch = Callable[[Epoch], bool | None]


@dataclass(repr=False)
class History:
    """The epochs that were completed, and why no more followed."""

    epochs: list[Epoch] = field(default_factory=list)
    stopped: str = ""            # "": all were done; "patience", "interrupted", or "asked" by on_epoch

    @property
    def best(self) -> Epoch | None:
        """The first epoch with the lowest validation loss."""
        return min(self.epochs, key=lambda epoch: epoch.val_loss, default=None)

    def __repr__(self) -> str:
        lines = [f"epoch {e.epoch:>3}   train loss {e.train_loss:.3f}   val loss {e.val_loss:.3f}   "
                 f"val accuracy {e.val_accuracy:.1%}   {e.seconds:.1f} s" for e in self.epochs]
        return "\n".join([*lines, f"stopped: {self.stopped}"] if self.stopped else lines)


def fit(model: nn.Module, train: Images | Iterable, val: Images | Iterable, *, epochs: int,
        batch_size: int = 32, size: int | None = None, augment: bool = True,
        optimizer: torch.optim.Optimizer | None = None, loss: Loss | None = None, patience: int | None = None,
        on_epoch: OnEpoch | None = None, seed: int = 0) -> History:
    """Train what is not frozen. Afterwards the model is in eval mode, ready for use.

    What is frozen stays in eval mode (see `train_mode`). Interrupting the kernel ends training and keeps
    what is learned. The same seed gives the same result on the same machine; the caller's random numbers go
    on as if nothing had been drawn.

    Args:
        train, val: Images, prepared as the model's weights expect; or DataLoaders of (inputs, labels),
            untouched.
        size: pixels of the prepared pictures; None is what the weights were trained for.
        augment: crop, flip and colour the training pictures at random. DataLoaders bring their own.
        optimizer: None is Adam at 1e-3 on all that is not frozen.
        loss: of (scores, labels), a mean over the batch; None is cross-entropy.
        patience: stop after this many epochs without a lower validation loss. The weights of the epoch with
            the lowest are put back.
        on_epoch: called with each Epoch; returning False ends training.
    Raises:
        CourseError: nothing can learn, labels and head do not fit, or the loss is no longer a number.
    """
    _check(model, train, val, epochs=epochs, batch_size=batch_size, size=size, patience=patience)
    optimizer = _checked_optimizer(model, optimizer)
    loss, history, best = loss or F.cross_entropy, History(), None
    try:
        for epoch in range(1, epochs + 1):
            start, rates = time.perf_counter(), tuple(group["lr"] for group in optimizer.param_groups)
            batches = _train_batches(model, train, batch_size, size, augment, key=(seed, epoch))
            total = seen = 0
            train_mode(model)
            with seeded(seed, epoch), closing(batches):
                for step, (inputs, labels) in enumerate(batches, start=1):
                    if len(labels) == 1 and _batchnorm_learns(model):
                        continue            # one picture has no statistics; next time another is left over
                    scores = run(model, inputs)                              # (B, classes)
                    check_scores(scores, labels, model, train)
                    value = loss(scores, labels.to(scores.device))
                    _check_loss(value, f"step {step} of epoch {epoch}", rates)
                    optimizer.zero_grad()
                    value.backward()
                    optimizer.step()
                    total, seen = total + value.item() * len(labels), seen + len(labels)
            if not seen:
                raise _nothing_seen(epoch)
            found = evaluate(model, val, batch_size=batch_size,
                             size=size if isinstance(val, Images) else None)
            history.epochs.append(Epoch(epoch, total / seen, found.loss, found.accuracy,
                                        time.perf_counter() - start, rates))
            if patience and history.best is history.epochs[-1]:
                best = copy.deepcopy(model.state_dict())
            history.stopped = _reason_to_stop(history, patience, on_epoch)
            if history.stopped:
                break
    except KeyboardInterrupt:
        history.stopped = "interrupted"
    if best:
        model.load_state_dict(best)
    model.eval()
    return history


def _reason_to_stop(history: History, patience: int | None, on_epoch: OnEpoch | None) -> str:
    latest = history.epochs[-1]
    if on_epoch and on_epoch(latest) is False:
        return "asked"
    return "patience" if patience and latest.epoch - history.best.epoch >= patience else ""


def _train_batches(model: nn.Module, train: Images | Iterable, batch_size: int, size: int | None,
                   augment: bool, key: tuple) -> Iterator[Batch]:
    """Pictures in an order and with augmentation that follow from `key`; a loader's batches as they come."""
    if not isinstance(train, Images):
        return checked_batches(train, "fit")
    shuffle = torch.Generator().manual_seed(seed_of(*key, "order"))
    order = torch.randperm(len(train), generator=shuffle).tolist()
    prepare = preprocessing(model, augment=augment, size=size)
    return image_batches(train, prepare, batch_size, order=order, key=(*key, "augment") if augment else None)


def _check(model: nn.Module, train: object, val: object, *, size: int | None, patience: int | None,
           **counts: int) -> None:
    need_module(model, "fit")
    images = isinstance(train, Images) or isinstance(val, Images)
    for data in (train, val):
        check_data(data, "fit", size=None if images else size)
    for name, value in [*counts.items(), *([("patience", patience)] if patience is not None else [])]:
        check_count(name, value)


def _checked_optimizer(model: nn.Module, optimizer: torch.optim.Optimizer | None) -> torch.optim.Optimizer:
    learning = [p for p in model.parameters() if p.requires_grad]
    if not learning:
        raise CourseError("Nothing can learn: every parameter of the model is frozen. To train its head, "
                          "type: " + UNFREEZE)
    if optimizer is None:
        return torch.optim.Adam(learning, lr=1e-3)
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    if not any(id(p) in held for p in learning):
        raise CourseError("Nothing can learn: the optimizer holds none of the model's parameters that are "
                          "not frozen. It was made before the head was replaced, or for another model. Make "
                          "it last: torch.optim.Adam([p for p in model.parameters() if p.requires_grad])")
    return optimizer


def _batchnorm_learns(model: nn.Module) -> bool:
    return any(module.training for module in model.modules()
               if isinstance(module, nn.modules.batchnorm._BatchNorm))


def _check_loss(value: Tensor, when: str, rates: tuple[float, ...]) -> None:
    if not isinstance(value, Tensor) or value.ndim:
        came = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise CourseError(f"The loss must be one number, the mean over the batch, but it is {came}.")
    if not value.isfinite():
        raise CourseError(f"The loss is {value.item()} at {when}, learning rate {max(rates):g}: training has "
                          "blown up, and the weights with it. Load the model again and try a rate ten times "
                          "lower. If it happens at the first step, look for nan in the inputs.")
    if not value.requires_grad:
        raise CourseError("The loss depends on nothing that can learn: the parameters that are not frozen "
                          "take no part when the model runs. To train its head, type: " + UNFREEZE)


def _nothing_seen(epoch: int) -> BadData:
    return BadData(f"There was nothing to learn from in epoch {epoch}: no batch, or only batches of one "
                   "picture, of which BatchNorm can take no statistics. Give at least two pictures and "
                   "batch_size=2; a DataLoader rather than an iterator, which can be read only once; or "
                   "freeze the backbone.")

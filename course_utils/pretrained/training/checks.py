"""What `fit` refuses, in words, before it begins and while it runs."""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor, nn

from course_utils.errors import BadData, CourseError, TrainingDiverged, or_none
from course_utils.pretrained.data.batches import check_count, check_data
from course_utils.pretrained.data.images import Images
from course_utils.pretrained.data.randomness import generators_of, given_back, seeded
from course_utils.pretrained.inference.evaluation import evaluate, other_classes
from course_utils.pretrained.models.freezing import held_by
from course_utils.pretrained.models.groups import LayerGroup, layer_groups
from course_utils.pretrained.models.heads import find_head, need_module

UNFREEZE = "unfreeze(model.get_submodule(find_head(model)))"
DIVERGED = 1000     # times the first step's loss: no training comes back from there


def check_training(model: nn.Module, train: object, val: object, caller: str = "fit", *, size: int | None,
                   patience: int | None = None, mixup: float = 0.0, ema: float | None = None,
                   resume: bool = False, checkpoint: object = None, **counts: int) -> None:
    """Numbers and data that make no sense are refused; a class without pictures is told."""
    need_module(model, caller)
    images = isinstance(train, Images) or isinstance(val, Images)
    for role, data in [("learn from", train), ("validate with", val)]:
        check_data(data, caller, size=None if images else size)
        if isinstance(data, Images) and (empty := set(range(len(data.classes))) - set(data.labels)):
            print(f"There are no pictures of {', '.join(data.classes[i] for i in sorted(empty))} to {role}.")
    if isinstance(train, Images) and isinstance(val, Images) and train.classes != val.classes:
        raise CourseError(f"train and val have {other_classes(train.classes, val.classes)}. A label would "
                          "mean one class in learning and another one in validation. Take both from one data "
                          "set: data.train, data.val")
    for name, value in [*counts.items(), *([("patience", patience)] if patience is not None else [])]:
        check_count(name, value)
    if not isinstance(mixup, (int, float)) or not 0 <= mixup < math.inf:
        raise CourseError(f"mixup is a number from 0, such as 0.2, but got {mixup!r}.")
    if ema is not None and not (isinstance(ema, float) and 0 < ema < 1):
        raise CourseError(f"ema is a number between 0 and 1, such as 0.99, but got {ema!r}.")
    if resume and not checkpoint:
        raise CourseError("resume needs to know from where: give the path that was given as checkpoint.")


def check_validation(model: nn.Module, train: object, val: Images | Iterable, *, size: int | None,
                     precision: str) -> None:
    """Refuse at once what `evaluate` would refuse after an epoch, by its first batch.

    What is wrong with `train`, and with Images of the same classes, the first step says. An iterator would
    lack the batch; workers that outlive an epoch would go on with other random numbers.
    """
    if isinstance(val, Images) and not isinstance(train, Images):
        evaluate(model, val.subset([0]), size=size, precision=precision)
    if not isinstance(val, (Images, Iterator)) and not getattr(val, "persistent_workers", False):
        with seeded("evaluate"), given_back(generators_of(val)):
            evaluate(model, itertools.islice(val, 1), precision=precision)


def take_names(model: nn.Module, train: object) -> None:
    """A head that was made for a number of classes gets their names from the pictures it learns from."""
    head = or_none(find_head, model)
    if isinstance(train, Images) and head is not None and getattr(model, "course_classes", None) is None \
            and model.get_submodule(head).out_features == len(train.classes):
        model.course_classes = train.classes


def checked_optimizer(model: nn.Module, optimizer: torch.optim.Optimizer | None) -> torch.optim.Optimizer:
    """`optimizer`, if it can train the model; Adam at 1e-3 on what learns if there is none."""
    learning = [p for p in model.parameters() if p.requires_grad]
    if not learning:
        raise CourseError("Nothing can learn: every parameter of the model is frozen. To train its head, "
                          "type: " + UNFREEZE)
    if optimizer is None:
        return torch.optim.Adam(learning, lr=1e-3)
    if not isinstance(optimizer, torch.optim.Optimizer) or isinstance(optimizer, torch.optim.LBFGS):
        raise CourseError("fit needs a torch optimizer that makes one step a batch, such as "
                          "torch.optim.Adam(parameter_groups(model, 1e-3)), but got an object of type "
                          f"{type(optimizer).__name__}.")
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    if not any(id(p) in held for p in learning):
        raise CourseError("Nothing can learn: the optimizer holds none of the model's parameters that are "
                          "not frozen. It was made before the head was replaced, or for another model. Make "
                          "it last: torch.optim.Adam([p for p in model.parameters() if p.requires_grad])")
    return optimizer


def tell_left_out(model: nn.Module, optimizer: torch.optim.Optimizer, later: Iterable[LayerGroup]) -> None:
    """Print what gets gradients and will not move, as the optimizer does not hold it nor gets it later."""
    left = {p for p in model.parameters() if p.requires_grad} - held_by(optimizer)
    left.difference_update(*(part.parameters() for part in later))
    if left:
        names = [group.name for group in layer_groups(model) if not left.isdisjoint(group.parameters())]
        print(f"{sum(p.numel() for p in left):,} parameters get gradients, but the optimizer does not hold "
              f"them, so they do not learn. They are in {', '.join(names)}. To let a part of them learn, "
              "type: unfreeze(part, optimizer=optimizer)")


def loss_with_inputs(loss: Callable, *, cut: bool = False) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """`loss` as a function of (scores, labels, inputs), whether it asks for the inputs or not.

    Args:
        cut: the network is run from a cut on, so that what comes in are no pictures: asking is refused.
    """
    if not callable(loss):
        raise CourseError("loss is a function of (scores, labels), such as torch.nn.CrossEntropyLoss(), but "
                          f"got {loss!r}.")
    asked = inspect.signature(getattr(loss, "forward", loss)).parameters.get("inputs")
    wanted = asked is not None and asked.kind is asked.KEYWORD_ONLY
    if wanted and cut:
        raise CourseError("This loss asks for inputs, the pictures, but in fit_tail they end at the cut: it "
                          "would get activations. Train with fit, or give a loss of (scores, labels).")

    def loss_of(scores: Tensor, labels: Tensor, inputs: Tensor) -> Tensor:
        value = loss(scores, labels, inputs=inputs) if wanted else loss(scores, labels)
        if not isinstance(value, Tensor) or value.ndim:
            came = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise CourseError(f"The loss must be one number, the mean over the batch, but it is {came}.")
        return value

    return loss_of


def batchnorm_learns(model: nn.Module) -> bool:
    """Whether a batch's own statistics are used somewhere."""
    return any(module.training for module in model.modules()
               if isinstance(module, nn.modules.batchnorm._BatchNorm))


def check_loss(value: float, first: float, when: str, rates: tuple[float, ...], kept_epoch: int) -> None:
    """Refuse a loss that no step should follow, and no epoch end with.

    Args:
        first: the loss of the first step.
        kept_epoch: the epoch whose weights the model gets back; 0 is before training.
    """
    if not math.isfinite(value) or value > DIVERGED * max(1.0, abs(first)):
        whose = f"of the end of epoch {kept_epoch}" if kept_epoch else "from before training"
        raise TrainingDiverged(
            f"The loss is {value:.4g} at {when}, learning rate {max(rates):g}: training has blown up. "
            f"The model has the weights {whose} again. Try a rate ten times lower, with a new optimizer: "
            "what this one remembers is spoiled. If it happens at the first step, or in validation alone, "
            "look for nan in the inputs.")


def check_it_learns(value: Tensor) -> None:
    """Refuse a loss from which no gradient leads to a parameter."""
    if not value.requires_grad:
        raise CourseError("The loss depends on nothing that can learn: the parameters that are not frozen "
                          "take no part when the model runs. To train its head, type: " + UNFREEZE)


def nothing_seen(epoch: int) -> BadData:
    """The error for an epoch without a step."""
    return BadData(f"There was nothing to learn from in epoch {epoch}: no batch, or only batches of one "
                   "picture, of which BatchNorm can take no statistics. Give at least two pictures and "
                   "batch_size=2; a DataLoader rather than an iterator, which can be read only once; or "
                   "freeze the backbone.")

"""Freezing: which parts learn, and in which mode they run. `freeze` and `train_mode` are two of the three switches;
the third is the optimizer, which must hold what learns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from course_utils.errors import CourseError
from course_utils.pretrained.heads import need_module


def freeze(module: nn.Module) -> nn.Module:
    """Switch off the gradients of every parameter in `module`, and return it. Modes stay: see `train_mode`."""
    return _set_gradients(module, False, "freeze")


def unfreeze(module: nn.Module) -> nn.Module:
    """Switch on the gradients of every parameter in `module`, and return it."""
    return _set_gradients(module, True, "unfreeze")


def _set_gradients(module: nn.Module, on: bool, caller: str) -> nn.Module:
    parameters = list(need_module(module, caller).parameters())
    if not parameters:
        raise CourseError(f"There is nothing to {caller} in this {type(module).__name__}: it has no parameters.")
    for parameter in parameters:
        parameter.requires_grad = on
    return module


def train_mode(model: nn.Module) -> nn.Module:
    """`model.train()`, but what is frozen stays in eval mode: every part with parameters of which none learns.

    There BatchNorm uses and keeps the statistics it came with, and dropout rests. A plain `model.train()` afterwards
    undoes it, so call this before every epoch of training; `fit` does.
    """
    need_module(model, "train_mode").train()
    for module in model.modules():
        parameters = list(module.parameters())
        if parameters and not any(p.requires_grad for p in parameters):
            module.eval()
    return model


@contextmanager
def in_eval_mode(model: nn.Module) -> Iterator[nn.Module]:
    """`model.eval()` for a while; afterwards every part is in the mode it was in before."""
    modes = {module: module.training for module in model.modules()}
    try:
        yield model.eval()
    finally:
        for module, training in modes.items():
            module.training = training

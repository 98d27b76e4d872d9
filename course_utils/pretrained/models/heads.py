"""The head: the Linear that gives a classifier its scores, where it is, and how to put in another."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from contextlib import suppress

import torch
from torch import nn

from course_utils.errors import CourseError


class Head(nn.Sequential):
    """Dropout, then the Linear. A class of its own, so that the next `replace_head` replaces both."""


def count_parameters(module: nn.Module, *, trainable: bool | None = None) -> int:
    """How many numbers `module` learns from data: all, or only those that are, or are not, trainable now."""
    return sum(p.numel() for p in need_module(module, "count_parameters").parameters()
               if trainable is None or p.requires_grad == trainable)


def find_head(model: nn.Module) -> str:
    """Dotted name of the Linear that gives the scores: `model.get_submodule(find_head(model))`.

    timm writes it down for its models. Elsewhere it is the Linear registered last, which holds for every
    family of torchvision's (a test runs them all).

    Raises:
        CourseError: there is no Linear, several heads, or the model was built without one.
    """
    need_module(model, "find_head")
    stated = (getattr(model, "pretrained_cfg", None) or {}).get("classifier") or ""
    if not isinstance(stated, str):
        raise CourseError(f"This {type(model).__name__} has {len(stated)} heads, {', '.join(stated)}, and "
                          "averages their scores. The course replaces single heads: choose a model with one.")
    try:
        inside = model.get_submodule(stated)
    except AttributeError:                  # what timm wrote down has been taken away since
        stated, inside = "", model
    linears = [name for name, module in inside.named_modules() if isinstance(module, nn.Linear)]
    leaves = [module for module in inside.modules() if not any(True for _ in module.children())]
    if linears and isinstance(leaves[-1], nn.Identity):
        raise CourseError(f"This {type(model).__name__} ends in an Identity: its head was taken out, and "
                          "what is left ends in features. Put a head there: nn.Linear(number_of_features, 5)")
    if linears:
        return ".".join(filter(None, [stated, linears[-1]]))
    raise CourseError(
        f"This {type(model).__name__} has no Linear {f'at {stated!r} ' if stated else ''}to serve as a head. "
        "If it ends in features, put one behind it: nn.Sequential(model, nn.Linear(number_of_features, 5)). "
        "If it ends in a convolution, as SqueezeNet does, replace that convolution by hand.")


def replace_head(model: nn.Module, num_classes: int | Iterable[str], *, dropout: float = 0.0,
                 seed: int | None = None) -> nn.Module:
    """Put a new, untrained head in place of the old one; everything else stays. Changes and returns `model`.

    Args:
        num_classes: how many classes, or their names in the order of the labels.
        dropout: probability. Above 0 the head is `Sequential(Dropout, Linear)`, else a bare `Linear`.
            A dropout that the architecture itself has before its head stays.
        seed: for the same new head every time; otherwise torch's global random numbers are used.
    Returns:
        The same model, with `num_classes` and `course_classes` brought up to date.
    Raises:
        CourseError: there is no single head to replace (see `find_head`), or the classes, the dropout or the
            seed make no sense.
    """
    path = find_head(model)
    if not path:
        raise CourseError("This model is a single Linear, all head. Make a new nn.Linear instead.")
    names = _class_names(num_classes)
    width = whole_number(num_classes) if names is None else len(names)
    _check_dropout_and_seed(dropout, seed)
    old = model.get_submodule(path)
    linear = _new_linear(old, width, seed)
    above = path.rpartition(".")[0]
    if isinstance(model.get_submodule(above), Head):
        path = above
    new = Head(nn.Dropout(dropout), linear) if dropout else linear
    model.set_submodule(path, new.train(old.training))
    model.num_classes = width
    model.course_classes = names
    return model


def _new_linear(old: nn.Linear, width: int, seed: int | None) -> nn.Linear:
    """Drawn on the CPU, so that a seed gives the same head on every device."""
    with torch.random.fork_rng(range(torch.cuda.device_count()), enabled=seed is not None):
        if seed is not None:
            torch.manual_seed(seed)
        linear = nn.Linear(old.in_features, width, device="cpu")
    return linear.to(device=old.weight.device, dtype=old.weight.dtype)


def _class_names(given: int | Iterable[str]) -> tuple[str, ...] | None:
    """The names in `given`; None if it is a sensible number. All else is refused in words."""
    if (number := whole_number(given)) is not None:
        if number < 2:
            raise CourseError(f"A head needs at least 2 classes to choose between, but got {given}.")
        return None
    if isinstance(given, (str, bytes, bool)) or not isinstance(given, Iterable):
        raise CourseError("replace_head needs the number of classes, such as 5, or a list of names, such as "
                          f"['rose', 'tulip'], but got {given!r}.")
    names = tuple(given)
    if not all(isinstance(name, str) for name in names):
        raise CourseError(f"Class names must be texts, but got {names!r}. If you meant a number of classes, "
                          "give the number.")
    if len(names) < 2 or len(set(names)) < len(names):
        raise CourseError(f"A head needs at least 2 classes, each with its own name, but got {names!r}.")
    return names


def _check_dropout_and_seed(dropout: float, seed: int | None) -> None:
    if isinstance(dropout, bool) or not isinstance(dropout, (int, float)) or not 0 <= dropout < 1:
        raise CourseError(f"dropout is a probability, at least 0 and below 1, but got {dropout!r}.")
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        raise CourseError(f"seed must be a whole number or None, but got {seed!r}.")


def whole_number(value: object) -> int | None:
    """`value` as an int, if it is a whole number, Python's or NumPy's; a truth value is none."""
    with suppress(TypeError):
        return None if isinstance(value, bool) else operator.index(value)
    return None


def need_module(module: object, caller: str) -> nn.Module:
    """`module`, if it is one; otherwise an error that says what came instead."""
    if isinstance(module, nn.Module):
        return module
    came = f"an object of type {type(module).__name__}"
    if module is None or isinstance(module, str):
        came = repr(module)
    raise CourseError(f"{caller} needs a model or a part of one, such as model or model.layer1, not its name "
                      f"or its parameters, but got {came}.")

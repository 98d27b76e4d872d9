"""Freezing takes three switches: gradients (`freeze`), modes (`train_mode`), and an optimizer that holds what
learns (`parameter_groups`). `freeze_report` shows all three."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import nn

from course_utils.errors import CourseError
from course_utils.pretrained.models.groups import LayerGroup, layer_groups
from course_utils.pretrained.models.heads import need_module

if TYPE_CHECKING:
    from pandas import DataFrame

Part = TypeVar("Part", nn.Module, LayerGroup)


def freeze(part: Part) -> Part:
    """Switch off the gradients of everything in `part`, and return it. Modes stay: see `train_mode`.

    Args:
        part: a model, a module of it such as `model.layer1`, or one of its `layer_groups`.
    Raises:
        CourseError: it is none of those, or has no parameters.
    """
    for parameter in _parameters(part, "freeze"):
        parameter.requires_grad = False
    return part


def unfreeze(part: Part, *, optimizer: torch.optim.Optimizer | None = None, lr: float | None = None) -> Part:
    """Switch on the gradients of all in `part`, and return it.

    Args:
        optimizer: one that is at work already. What it lacks of `part` joins it as a group of its own;
            without that, the new parameters would get gradients and never move.
        lr: that group's learning rate; None is a tenth of the lowest in the optimizer, as suits layers
            nearer the input.
    Raises:
        CourseError: a rate is given, but the optimizer has all of `part` at a rate of its own.
    """
    parameters, name = _parameters(part, "unfreeze"), getattr(part, "name", type(part).__name__)
    lacking = lacked(part, held_by(optimizer), lr)
    for parameter in parameters:
        parameter.requires_grad = True
    if optimizer and lacking:
        lowest = min(base_rate(group) for group in optimizer.param_groups)
        add_group(optimizer, lacking, name=name, lr=lowest / 10 if lr is None else lr)
    return part


def held_by(optimizer: torch.optim.Optimizer | None) -> set[nn.Parameter]:
    """All that `optimizer` moves; nothing without one."""
    return {p for group in (optimizer.param_groups if optimizer else ()) for p in group["params"]}


def lacked(part: Part, held: set[nn.Parameter], lr: float | None) -> list[nn.Parameter]:
    """What of `part` is not among those an optimizer holds, to join it at `lr`.

    Raises:
        CourseError: there is a rate, and nothing that could get it.
    """
    lacking = [p for p in part.parameters() if p not in held]
    if lr is not None and not lacking:
        name = getattr(part, "name", type(part).__name__)
        raise CourseError(f"The optimizer holds {name} already, in a group with a rate of its own. Leave the "
                          "rate out; or make the optimizer of what learns at first: "
                          "parameter_groups(model, 1e-3)")
    return lacking


def add_group(optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter], **options: object) -> None:
    """One more group. An optimizer made of `named_parameters` wants names in every group."""
    if "param_names" in optimizer.param_groups[0]:
        parameters = [(f"{options.get('name')}.{i}", p) for i, p in enumerate(parameters)]
    optimizer.add_param_group({"params": parameters, **options})


def _parameters(part: Part, caller: str) -> list[nn.Parameter]:
    if not isinstance(part, LayerGroup):
        need_module(part, caller)
    parameters = list(part.parameters())
    if not parameters:
        raise CourseError(f"This {type(part).__name__} has no parameters, so there is nothing to {caller}.")
    return parameters


def base_rate(group: dict) -> float:
    """The rate a group of an optimizer has by itself, whatever a schedule makes of it at this step."""
    return group.get("base_lr", group["lr"])


def train_mode(model: nn.Module) -> nn.Module:
    """`model.train()`, but every part with parameters none of which learns stays in eval mode.

    So frozen BatchNorm uses and keeps the statistics it came with, and frozen dropout rests. A plain
    `model.train()` afterwards undoes it: call this before every epoch, as `fit` does.

    Raises:
        CourseError: `model` is no module.
    """
    need_module(model, "train_mode").train()
    for module in model.modules():
        parameters = list(module.parameters())
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            module.eval()
    return model


@contextmanager
def in_eval_mode(model: nn.Module) -> Iterator[nn.Module]:
    """`model.eval()` for a while; afterwards every part is in the mode it was in before."""
    modes = {module: module.training for module in need_module(model, "in_eval_mode").modules()}
    try:
        yield model.eval()
    finally:
        for module, training in modes.items():
            module.training = training


def parameter_groups(model: nn.Module, head_lr: float, *, factor: float = 10.0,
                     groups: int | None = None) -> list[dict]:
    """What learns, for any torch optimizer: one entry for each layer group with anything trainable in it.

    Args:
        head_lr: learning rate of the last such group, usually the head.
        factor: each group learns this many times more slowly than the next one. 10 suits two or three groups;
            with all of a deep network unfrozen, 2 or 3 keep the first layers learning at all.
        groups: 2 for "body" and "head"; 3 for "early" (half of the layer groups), "late" and "head"; None
            keeps each layer group apart.
    Returns:
        [{"name", "params", "lr"}, …], the head last, for `torch.optim.Adam(parameter_groups(model, 1e-3))`.
    Raises:
        CourseError: a number makes no sense, or every parameter is frozen.
    """
    for name, value, least in [("head_lr", head_lr, 0), ("factor", factor, 1)]:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value < math.inf:
            raise CourseError(f"{name} must be a number, at least {least}, such as "
                              f"{1e-3 if name == 'head_lr' else 10.0}, but got {value!r}.")
    layers = layer_groups(model)
    below = len(layers) - 1
    early = (below + 1) // 2
    names = {None: [layer.name for layer in layers[:-1]], 2: ["body"] * below,
             3: ["early"] * early + ["late"] * (below - early)}
    if groups not in names:
        raise CourseError(f"groups is 2, 3 or None, but got {groups!r}.")
    learning: dict[str, list[nn.Parameter]] = {}
    for layer, name in zip(layers, [*names[groups], layers[-1].name], strict=True):
        learning.setdefault(name, []).extend(p for p in layer.parameters() if p.requires_grad)
    learning = {name: parameters for name, parameters in learning.items() if parameters}
    if not learning:
        raise CourseError("Every parameter is frozen, so there is nothing for an optimizer to hold. Unfreeze "
                          "the head first: unfreeze(model.get_submodule(find_head(model)))")
    return [{"name": name, "params": params, "lr": head_lr / factor ** (len(learning) - 1 - i)}
            for i, (name, params) in enumerate(learning.items())]


def freeze_report(model: nn.Module, optimizer: torch.optim.Optimizer | None = None) -> DataFrame:
    """The three switches of each layer group as they are now, one row a group.

    Columns:
        group: its name. parameters, trainable: how many numbers it has; how many get gradients.
        in_optimizer: how many of them `optimizer` holds, 0 without one. A frozen parameter in it costs
            bookkeeping, but does not move while its gradient is None.
        lr: their learning rate, the highest if there are several, NaN if there is none.
        mode: "train", "eval" or "mixed".
        batchnorm_drift: largest change of a BatchNorm's running mean, over channels, since `load_model`; NaN
            without BatchNorm or where the means as loaded are not known.
    """
    from pandas import DataFrame

    groups = layer_groups(model)
    if optimizer is not None and not isinstance(optimizer, torch.optim.Optimizer):
        raise CourseError("freeze_report needs a torch optimizer or None, but got an object of type "
                          f"{type(optimizer).__name__}.")
    rates = {id(p): entry["lr"] for entry in (optimizer.param_groups if optimizer else ())
             for p in entry["params"]}
    drift = batchnorm_drift(model)
    return DataFrame([_report_row(group, rates, drift) for group in groups])


def _report_row(group: LayerGroup, rates: dict[int, float], drift: dict[nn.Module, float]) -> dict:
    parameters = list(group.parameters())
    held = [p for p in parameters if id(p) in rates]
    inside = [module for part in group.modules for module in part.modules()]
    modes = {module.training for module in inside}
    return {
        "group": group.name,
        "parameters": sum(p.numel() for p in parameters),
        "trainable": sum(p.numel() for p in parameters if p.requires_grad),
        "in_optimizer": sum(p.numel() for p in held),
        "lr": max((float(rates[id(p)]) for p in held), default=math.nan),
        "mode": "mixed" if len(modes) == 2 else "train" if True in modes else "eval",
        "batchnorm_drift": max((drift[module] for module in inside if module in drift), default=math.nan),
    }


def batchnorm_drift(model: nn.Module) -> dict[nn.Module, float]:
    """How far each BatchNorm's running mean is from where `load_model` left it, largest over channels."""
    loaded = getattr(model, "course_running_means", {})
    return {module: (module.running_mean - loaded[name].to(module.running_mean)).abs().max().item()
            for name, module in model.named_modules()
            if name in loaded and isinstance(getattr(module, "running_mean", None), torch.Tensor)
            and not module.running_mean.is_meta}

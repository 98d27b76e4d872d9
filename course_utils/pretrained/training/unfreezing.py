"""Gradual unfreezing: which layers begin to learn in which epoch."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from course_utils.errors import CourseError, unknown_name
from course_utils.pretrained.models.freezing import held_by, lacked
from course_utils.pretrained.models.groups import LayerGroup, layer_groups

Part = str | LayerGroup | tuple | list
Due = dict[int, list[tuple[LayerGroup, float | None]]]


def due_by_epoch(model: nn.Module, unfreeze_at: Mapping | None, epochs: int) -> Due:
    """What `fit` was asked to unfreeze, by epoch; each part with its rate, head first.

    Args:
        unfreeze_at: {epoch: part}, where a part is the name of a layer group or of a module, or a LayerGroup;
            or (part, rate); or a list of those.
    Raises:
        UnknownName: there is no such layer; the nearest are given.
        CourseError: there is no such epoch, or the part has no parameters.
    """
    if unfreeze_at is None:
        return {}
    if not isinstance(unfreeze_at, Mapping):
        raise CourseError("unfreeze_at says in which epoch what begins to learn, such as {4: 'layer4'}, but "
                          f"got {unfreeze_at!r}.")
    groups = {group.name: group for group in layer_groups(model)}
    place = {id(p): i for i, p in enumerate(p for group in groups.values() for p in group.parameters())}
    due: Due = {}
    for epoch, asked in unfreeze_at.items():
        if epoch not in range(1, epochs + 1):
            raise CourseError(f"unfreeze_at names epoch {epoch!r}, but epochs run from 1 to {epochs}.")
        parts = [_part(model, groups, one) for one in (asked if isinstance(asked, list) else [asked])]
        if any(id(p) not in place for part, _ in parts for p in part.parameters()):
            raise CourseError(f"What unfreeze_at names for epoch {epoch} is of another model. Take it from "
                              "this one: layer_groups(model)")
        due[epoch] = sorted(parts, key=lambda part: -min(place[id(p)] for p in part[0].parameters()))
    return due


def parts_of(due: Due) -> list[LayerGroup]:
    """All that begins to learn later, whenever it does."""
    return [part for parts in due.values() for part, _ in parts]


def check_rates(due: Due, epochs: range, optimizer: torch.optim.Optimizer) -> None:
    """Refuse, before training, a rate for what the optimizer will hold already by then.

    Raises:
        CourseError: with the name of the part.
    """
    held = held_by(optimizer)
    for epoch in epochs:
        for part, rate in due.get(epoch, []):
            held.update(lacked(part, held, rate))


def _part(model: nn.Module, groups: dict[str, LayerGroup], asked: object) -> tuple[LayerGroup, float | None]:
    named, rate = asked if isinstance(asked, tuple) and len(asked) == 2 else (asked, None)
    if rate is not None and not (isinstance(rate, (int, float)) and rate > 0):
        raise CourseError("In unfreeze_at, a part's rate is a number above 0, {4: ('layer4', 1e-4)}, but "
                          f"got {rate!r}. Several parts are a list: {{4: ['layer3', 'layer4']}}")
    if isinstance(named, LayerGroup):
        return named, rate
    if named in groups:
        return groups[named], rate
    modules = dict(model.named_modules())
    if named not in modules or not named:
        raise unknown_name("layer", named, dict.fromkeys([*groups, *modules]))
    if not any(True for _ in modules[named].parameters()):
        raise CourseError(f"{named!r} has no parameters, so it cannot learn.")
    return LayerGroup(named, (modules[named],)), rate

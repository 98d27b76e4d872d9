"""A network as a short row of layer groups, from the input to the head, whatever its family calls them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from torch import nn

from course_utils.errors import CourseError, or_none
from course_utils.pretrained.models.heads import Head, find_head, need_module

POOLING = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)


@dataclass(frozen=True, eq=False)
class LayerGroup:
    """Neighbouring layers that are frozen, unfrozen and given a learning rate together."""

    name: str                                # "stem", "head", or where its main layer stands: "layer1"
    modules: tuple[nn.Module, ...]
    loose: tuple[nn.Parameter, ...] = ()     # parameters outside any layer, as a ViT's class token

    def parameters(self) -> Iterator[nn.Parameter]:
        for module in self.modules:
            yield from module.parameters()
        yield from self.loose


@dataclass(frozen=True)
class _Part:
    """One module on the way from the input to the head."""

    name: str
    module: nn.Module

    @property
    def is_stage(self) -> bool:
        """Does it hold blocks, which hold layers? A convolution with its BatchNorm does not."""
        return any(True for child in _learned(self.module) for _ in _learned(child.module))


def layer_groups(model: nn.Module) -> list[LayerGroup]:
    """The groups of `model` from the input to the head; every parameter is in exactly one of them.

    A group is a stage (ResNet's `layer1`, EfficientNet's `blocks.0`) or a transformer's block. What comes
    before the first is the stem, so that no stem is forgotten; small layers between two stages go with the
    later one; those after the last form a group of their own.

    Raises:
        CourseError: `model` is not a module or has no parameters.
    """
    if not any(True for _ in need_module(model, "layer_groups").parameters()):
        raise CourseError(f"This {type(model).__name__} has no parameters, so there is nothing to group.")
    head = _head_of(model)
    if head == "":
        return [LayerGroup("head", (model,))]
    opened: list[nn.Module] = []
    return _with_stem(_grouped(_parts(_Part("", model), head, opened), head), opened)


def _grouped(parts: Iterable[_Part], head: str | None) -> list[LayerGroup]:
    """Stages with the small parts before them; what is small at the beginning and the end by itself."""
    groups: list[LayerGroup] = []
    waiting: list[_Part] = []

    def close(*stage: _Part) -> None:
        if members := (*waiting, *stage):
            name = (stage or members)[0].name
            groups.append(LayerGroup(name, tuple(part.module for part in members)))
            waiting.clear()

    for part in parts:
        if isinstance(part.module, POOLING):
            close()
        elif part.name == head:
            close()
            groups.append(LayerGroup("head", (part.module,)))
        elif part.is_stage:
            if not groups:
                close()
            close(part)
        else:
            waiting.append(part)
    close()
    return groups


def _parts(whole: _Part, head: str | None, opened: list[nn.Module]) -> Iterator[_Part]:
    """`whole` taken apart as far as needed, in order, pooling layers among them; notes what it opened."""
    opened.append(whole.module)
    inside = _learned(whole.module, whole.name)
    beside_head = [part for part in inside if not _holds(part, head) and part.name != head]
    stages = [part for part in beside_head if part.is_stage]
    for name, child in whole.module.named_children():
        part = _Part(f"{whole.name}.{name}".lstrip("."), child)
        if isinstance(child, POOLING):
            yield part
        elif part not in inside:
            continue
        elif part.name != head and (_holds(part, head) or [part] == stages or _is_row(child)):
            yield from _parts(part, head, opened)
        else:
            yield part


def _learned(module: nn.Module, name: str = "") -> list[_Part]:
    """The children of `module` that have parameters."""
    return [_Part(f"{name}.{child_name}".lstrip("."), child) for child_name, child in module.named_children()
            if any(True for _ in child.parameters())]


def _holds(part: _Part, head: str | None) -> bool:
    return head is not None and head.startswith(part.name + ".")


def _is_row(module: nn.Module) -> bool:
    """A list that never runs as a whole, or layers one by one with pooling between, as VGG's `features`."""
    pools = sum(isinstance(child, POOLING) for child in module.children())
    return isinstance(module, nn.ModuleList) or (pools >= 2 and not _Part("", module).is_stage)


def _head_of(model: nn.Module) -> str | None:
    """Where the head is, with the dropout that `replace_head` put before it; None in a model without one."""
    head = or_none(find_head, model)
    above = (head or "").rpartition(".")[0]
    return above if above and isinstance(model.get_submodule(above), Head) else head


def _with_stem(groups: list[LayerGroup], opened: list[nn.Module]) -> list[LayerGroup]:
    """The same groups; the first is the stem, and has the parameters that stand in no layer."""
    loose = tuple(parameter for module in opened for parameter in module.parameters(recurse=False))
    if not groups:
        return [LayerGroup("stem", (), loose)]
    first = groups[0]
    name = first.name if first.name == "head" else "stem"
    return [LayerGroup(name, first.modules, loose), *groups[1:]]

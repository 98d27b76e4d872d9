"""A model as a tree of layers: each with its kind, what it is, its parameters, and the shape it gives."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd
from torch.utils._pytree import tree_leaves

from course_utils.errors import or_none
from course_utils.pretrained import count_parameters, find_head, in_eval_mode, load_model
from course_utils.widgets.words import count

SIGNS = {"head": "▣", "conv": "▦", "pool": "▽", "norm": "≈", "activation": "ƒ", "attention": "◎",
         "linear": "╱", "block": "▭", "other": "·"}


@dataclass(frozen=True)
class Layer:
    """One module of a model, and what a forward pass of one picture showed of it."""

    name: str                           # dotted, as get_submodule takes it
    kind: str                           # a key of SIGNS
    what: str
    parameters: int
    shape: tuple[int, ...] | None       # of its output, without the batch; None where nothing calls it

    @property
    def depth(self) -> int:
        return self.name.count(".") + 1

    def cells(self) -> tuple[str, ...]:
        """A row of a table: name, kind, what it is, parameters, output."""
        shape = "×".join(map(str, self.shape)) if self.shape else "–"
        return self.name, f"{SIGNS[self.kind]} {self.kind}", self.what, count(self.parameters), shape


def shapes_alone(name: str) -> nn.Module:
    """The architecture of that name on torch's "meta" device: shapes without numbers, no download."""
    try:
        with torch.device("meta"):
            return load_model(name, random_init=True)
    except NotImplementedError:             # torchvision's RegNet computes its widths with tensors
        return load_model(name, random_init=True).to("meta")


def read_layers(model: nn.Module, size: int) -> list[Layer]:
    """Every module below `model`, in the order they are registered; shapes are those of a forward pass.

    Args:
        size: pixels of the picture, height == width. The model is left as it was found.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    calls: Counter = Counter()

    def noting(name: str):
        def note(module, inputs, output):
            calls[name] += 1
            if (tensor := first_tensor(output)) is not None:
                shapes[name] = tuple(tensor.shape[1:])
        return note

    named = [(name, module) for name, module in model.named_modules() if name]
    with ExitStack() as hooks, in_eval_mode(model), torch.inference_mode():
        for name, module in named:
            hooks.enter_context(module.register_forward_hook(noting(name)))
        model(torch.zeros(1, 3, size, size, device=next(model.parameters()).device))
    head = or_none(find_head, model)
    return [Layer(name, "head" if name == head else kind_of(module),
                  what_is(module) + (f", called {calls[name]} times" if calls[name] > 1 else ""),
                  count_parameters(module), shapes.get(name)) for name, module in named]


def first_tensor(output: object) -> Tensor | None:
    """Of what a layer put out, which may be a tuple, as that of attention."""
    return next((leaf for leaf in tree_leaves(output) if isinstance(leaf, Tensor)), None)


def kind_of(module: nn.Module) -> str:
    """A key of SIGNS: what sort of layer it is, by its class."""
    name = type(module).__name__
    if isinstance(module, _ConvNd):
        return "conv"
    if isinstance(module, (_NormBase, nn.LayerNorm, nn.GroupNorm)):
        return "norm"
    if isinstance(module, nn.Linear):
        return "linear"
    for word in ("Pool", "Attention"):
        if word in name:
            return word.lower()
    if any(True for _ in module.children()):
        return "block"
    return "activation" if "activation" in type(module).__module__ else "other"


def what_is(module: nn.Module) -> str:
    """Window, stride and widths of a layer; of a block, what is in it."""
    name = type(module).__name__
    if isinstance(module, _ConvNd):
        deep = module.groups == module.in_channels > 1
        groups = ", depthwise" if deep else f", {module.groups} groups" if module.groups > 1 else ""
        return f"{_window(module)}, {module.in_channels} → {module.out_channels} channels{groups}"
    if isinstance(module, nn.Linear):
        return f"Linear, {module.in_features:,} → {module.out_features:,}"
    if hasattr(module, "kernel_size"):
        return f"{name} {_window(module)}"
    inside = ", ".join(f"{number} × {kind}" for kind, number
                       in Counter(type(child).__name__ for child in module.children()).items())
    if not inside or isinstance(module, (nn.Sequential, nn.ModuleList, nn.ModuleDict)):
        return inside or name
    return f"{name}: {inside}"


def _window(module: nn.Module) -> str:
    height, width = _pair(module.kernel_size)
    stride = _pair(module.stride)[0]
    return f"{height}×{width}" + (f", stride {stride}" if stride != 1 else "")


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)

"""BatchNorm folded into the convolution before it: one step and one rounding less, when nothing learns."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_eval


def folded(model: nn.Module, run: Callable[[], object]) -> nn.Module:
    """A copy of `model` for eval mode, each BatchNorm worked into the convolution that feeds it.

    In eval mode a BatchNorm multiplies and adds fixed numbers, which the convolution can do at no cost. Which
    convolution feeds which BatchNorm is seen in one run; no family needs a rule of its own. A convolution
    whose output goes elsewhere too would now give something else there: compare before you trust the copy.

    Args:
        model: in eval mode.
        run: runs `model` on a small batch.
    Returns:
        The copy, in channels_last memory; `model` itself where there is nothing to fold.
    """
    pairs = _pairs(model, run)
    if not pairs:
        return model
    lighter = copy.deepcopy(model)
    for conv, norm in pairs:
        joined = fuse_conv_bn_eval(lighter.get_submodule(conv), lighter.get_submodule(norm))
        lighter.set_submodule(conv, joined.to(memory_format=torch.channels_last))
        left = lighter.get_submodule(norm)      # timm's BatchNorm has its activation inside
        left = nn.Sequential(left.drop, left.act) if hasattr(left, "act") else nn.Identity()
        lighter.set_submodule(norm, left)
    return lighter


def _pairs(model: nn.Module, run: Callable[[], object]) -> list[tuple[str, str]]:
    """Names of convolutions, and of the BatchNorms whose input is their output."""
    names = {module: name for name, module in model.named_modules()}
    given: dict[int, tuple[str, Tensor]] = {}       # the tensor is held so that its id stays its own
    fed: dict[str, list[str]] = {}

    def note(module: nn.Module, inputs: tuple, output: Tensor) -> None:
        given[id(output)] = names[module], output

    def look(module: nn.Module, inputs: tuple) -> None:
        if id(inputs[0]) in given:
            fed.setdefault(given[id(inputs[0])][0], []).append(names[module])

    with ExitStack() as hooks:
        for module in names:
            if isinstance(module, nn.Conv2d):
                hooks.enter_context(module.register_forward_hook(note))
            elif _foldable(module):
                hooks.enter_context(module.register_forward_pre_hook(look))
        run()
    by = Counter(norm for norms in fed.values() for norm in norms)      # shared ones stay
    return [(conv, norms[0]) for conv, norms in fed.items() if len(norms) == 1 == by[norms[0]]]


def _foldable(module: nn.Module) -> bool:
    return isinstance(module, _BatchNorm) and module.running_mean is not None \
        and (type(module) is nn.BatchNorm2d or hasattr(module, "act"))

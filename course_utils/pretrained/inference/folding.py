"""BatchNorm folded into the convolution before it: one step and one rounding less, when nothing learns."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_eval


def folded(model: nn.Module, run: Callable[[nn.Module], object]) -> nn.Module:
    """A copy of `model` for eval mode, each BatchNorm worked into the convolution that feeds it.

    In eval mode a BatchNorm multiplies and adds fixed numbers, which the convolution can do at no cost. Which
    convolution feeds which BatchNorm is seen in one run; no family needs a rule of its own. A convolution
    whose output goes elsewhere too would now give something else there: compare before you trust the copy.

    Args:
        model: in eval mode.
        run: runs the model it is given on a small batch.
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
        lighter.set_submodule(norm, _what_is_left(lighter.get_submodule(norm)))
    return lighter


def _pairs(model: nn.Module, run: Callable[[nn.Module], object]) -> list[tuple[str, str]]:
    """Names of convolutions, and of the BatchNorms whose input is their output."""
    given: dict[int, tuple[str, Tensor]] = {}       # the tensor is held so that its id stays its own
    fed: dict[str, list[str]] = {}

    def note(name: str) -> Callable:
        return lambda module, inputs, output: given.update({id(output): (name, output)})

    def look(name: str) -> Callable:
        def hook(module: nn.Module, inputs: tuple) -> None:
            if id(inputs[0]) in given:
                fed.setdefault(given[id(inputs[0])][0], []).append(name)
        return hook

    hooks = [module.register_forward_hook(note(name)) if isinstance(module, nn.Conv2d)
             else module.register_forward_pre_hook(look(name))
             for name, module in model.named_modules() if isinstance(module, nn.Conv2d) or _foldable(module)]
    try:
        run(model)
    finally:
        for hook in hooks:
            hook.remove()
    return [(conv, norms[0]) for conv, norms in fed.items() if len(norms) == 1]


def _foldable(module: nn.Module) -> bool:
    return isinstance(module, _BatchNorm) and module.running_mean is not None \
        and (type(module) is nn.BatchNorm2d or hasattr(module, "act"))


def _what_is_left(norm: nn.Module) -> nn.Module:
    """timm's BatchNorm has its activation inside."""
    return nn.Sequential(norm.drop, norm.act) if hasattr(norm, "act") else nn.Identity()

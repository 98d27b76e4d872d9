"""bfloat16 where a device computes in it, except where its rounding would show in the features."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import takewhile

import torch
from torch import Tensor, nn

from course_utils.errors import unknown_name

PRECISIONS = ("float32", "bfloat16")
FEW_PRODUCTS = 300


def choose_precision(asked: str, device: torch.device, model: nn.Module | None = None) -> str:
    """ "float32" or "bfloat16" for what was asked; for "auto", the faster one on this device.

    Args:
        model: one without a convolution, such as a head on stored features, has too little to do for bfloat16
            to pay, and stays in float32.
    """
    if asked in PRECISIONS:
        return asked
    if asked != "auto":
        raise unknown_name("precision", asked, ["auto", *PRECISIONS])
    if model is not None and not any(isinstance(module, nn.Conv2d) for module in model.modules()):
        return "float32"
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:       # elsewhere bfloat16 is emulated: right, and slower than float32
        native = device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()
    return "bfloat16" if native else "float32"


@contextmanager
def computing_in(precision: str, model: nn.Module, device: torch.device, *,
                 learning: bool = False) -> Iterator[None]:
    """Run `model` under autocast to bfloat16, or plainly in float32. The model is the same afterwards.

    The first convolutions stay in float32, up to the first that sums more than 300 products: where few are
    summed, rounding does not average out, and all later layers build on it. Of a model that is `learning`
    it is the depthwise ones, wherever they are: with theirs in bfloat16, the last two blocks of Lite0 took
    84 s to train instead of 50.
    """
    if precision == "float32":
        yield
        return

    def step_out(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        torch.set_autocast_enabled(device.type, False)
        return tuple(value.float() for value in inputs)

    def step_in(module: nn.Module, inputs: tuple, output: Tensor) -> None:
        torch.set_autocast_enabled(device.type, True)

    with ExitStack() as borrowed:
        for module in _exact_convolutions(model, learning):
            borrowed.enter_context(module.register_forward_pre_hook(step_out))
            borrowed.enter_context(module.register_forward_hook(step_in, prepend=True))
        borrowed.enter_context(torch.autocast(device.type, torch.bfloat16))
        yield


def _exact_convolutions(model: nn.Module, learning: bool) -> Iterator[nn.Conv2d]:
    """In the order of the model; the one that sees the pixels is always among them."""
    convs = (module for module in model.modules() if isinstance(module, nn.Conv2d))
    if learning:
        return filter(lambda conv: conv.groups > 1 or conv.in_channels <= 3, convs)
    return takewhile(lambda conv: conv.in_channels <= 3 or conv.weight[0].numel() <= FEW_PRODUCTS, convs)

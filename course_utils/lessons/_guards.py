"""What a check borrows from torch, and gives back: random numbers, gradient mode, precision, threads."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from numbers import Real

import torch
from PIL import Image
from torch import Tensor, nn

from course_utils.pretrained import load_model


@contextmanager
def torch_as_it_was() -> Iterator[None]:
    """Whatever an answer does to torch's global state is undone when its check ends.

    Inside, torch computes on one thread: checks use a few small pictures, and on a busy machine threads wait
    for each other longer than they compute.
    """
    grad, inference = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    device = torch.get_default_device()
    with torch.random.fork_rng(devices=[]), torch.inference_mode(inference), torch.set_grad_enabled(grad):
        torch.manual_seed(random.getrandbits(63))      # which the engine seeded
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_default_dtype(dtype)
            if torch.get_default_device() != device:        # "cpu" set by name costs a little in every call
                torch.set_default_device(None if device.type == "cpu" else device)
            torch.set_num_threads(threads)


@cache
def _lite0() -> nn.Module:
    return load_model("efficientnet_lite0")


def fresh_lite0() -> nn.Module:
    """The course's smallest bundled model with its ImageNet weights, new for each check."""
    return copy.deepcopy(_lite0())


def further_trained_lite0() -> nn.Module:
    """Lite0 with every parameter 1 % larger, as if trained on: whoever loads the weights anew loses that."""
    model = fresh_lite0()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.01)
    return model


def pictures(n: int, size: int = 64, seed: int = 0) -> Tensor:
    """A batch that has passed through some preprocessing: (n, 3, size, size), about zero mean."""
    return torch.randn(n, 3, size, size, generator=torch.Generator().manual_seed(seed))


def snapshot(model: nn.Module) -> dict[str, Tensor]:
    """A copy of every parameter and buffer, by name."""
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def changed(before: dict[str, Tensor], model: nn.Module) -> set[str]:
    """Names of the parameters and buffers that are no longer what they were."""
    now = model.state_dict()
    return {name for name, old in before.items() if name not in now or not same(old, now[name])}


def same(one: Tensor, other: Tensor) -> bool:
    """Equal, and of one dtype: to `torch.equal` alone 1.0 in float64 is 1.0 in float32."""
    return one.dtype == other.dtype and torch.equal(one, other)


def is_number(found: object) -> bool:
    """Whether it is one real number: Python's, NumPy's, or a tensor that holds one."""
    one = found.numel() if isinstance(found, Tensor) else getattr(found, "size", 0)
    return isinstance(found.item() if one == 1 else found, Real)


def as_list(found: object) -> list | None:
    """What it holds, in a list; None where it is no row of things: a number, a text, a 0-d tensor."""
    if isinstance(found, (str, bytes, Mapping)):
        return None
    try:
        return list(found)
    except TypeError:
        return None


def kind_of(found: object) -> str:
    """What an answer returned, in words."""
    return "nothing (is `return` missing?)" if found is None else type(found).__name__


@cache
def chelsea() -> Image.Image:
    """scikit-image's cat, 451 × 300 pixels: not square, so that squashing shows."""
    from skimage import data
    return Image.fromarray(data.chelsea())

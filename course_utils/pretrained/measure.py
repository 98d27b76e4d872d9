"""What a model costs on this machine: seconds and memory of one training step."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.errors import CourseError

MIB = 2**20


@dataclass(frozen=True)
class StepCost:
    """The price of one training step."""

    learning: int          # parameters that learn
    seconds: float         # median of the repeats: forward, backward, Adam's step
    kept_mib: float        # activations that autograd keeps from forward to backward
    state_mib: float       # gradients and Adam's two moments


def step_cost(model: nn.Module, images: Tensor, labels: Tensor, *, repeats: int = 3) -> StepCost:
    """Time one training step of `model` as it is frozen now, and count the memory it holds on to.

    The model's parameters, buffers and mode are the same afterwards; its gradients are cleared.

    Args:
        images: float32, (N, 3, H, W), prepared for the model.
        labels: int64, (N,).
        repeats: timed steps after one warm-up; the median is reported.
    Raises:
        CourseError: no parameter of the model learns.
    """
    learning = [p for p in model.parameters() if p.requires_grad]
    if not learning:
        raise CourseError("step_cost needs something that learns, but every parameter is frozen. "
                          "Type: unfreeze(model.get_submodule(find_head(model)))")
    state = {name: value.clone() for name, value in model.state_dict().items()}
    optimizer = torch.optim.Adam(learning)
    kept = _kept_bytes(model, images)
    seconds = [_one_step(model, optimizer, images, labels) for _ in range(repeats + 1)][1:]
    for parameter in learning:
        parameter.grad = None
    model.load_state_dict(state)
    bytes_learning = sum(p.numel() * p.element_size() for p in learning)
    return StepCost(learning=sum(p.numel() for p in learning), seconds=statistics.median(seconds),
                    kept_mib=kept / MIB, state_mib=3 * bytes_learning / MIB)


def _one_step(model: nn.Module, optimizer, images: Tensor, labels: Tensor) -> float:
    start = time.perf_counter()
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return time.perf_counter() - start


def _kept_bytes(model: nn.Module, images: Tensor) -> int:
    """Bytes of activations saved for backward; each storage once, the parameters themselves left out."""
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    sizes: dict[int, int] = {}

    def count(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        scores = model(images)          # held until counted, so that no storage is freed and used again
    total = sum(sizes.values())
    del scores
    return total

"""An average of the weights over the last steps: often better than where the last step ended."""

from __future__ import annotations

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


def averaged_copy(model: nn.Module, decay: float) -> AveragedModel:
    """A copy of `model` whose `update_parameters(model)` moves it towards the model by 1 − `decay`.

    Early on it moves faster, by 9 / (10 + steps), so that a short training is not outweighed by what the
    weights were before it. BatchNorm's statistics are averaged with the weights they belong to.
    """
    def move(averages: list[Tensor], values: list[Tensor], steps: Tensor) -> None:
        towards = max(1 - decay, 9 / (10 + steps.item()))
        for average, value in zip(averages, values, strict=True):
            if average.is_floating_point():
                average.lerp_(value, towards)
            else:                               # a count, such as BatchNorm's number of batches
                average.copy_(value)

    return AveragedModel(model, multi_avg_fn=move, use_buffers=True)

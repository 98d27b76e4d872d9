"""Mixup: train on blends of two pictures, with the blend of their labels (Zhang et al., 2018)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributions import Beta


def mix(inputs: Tensor, labels: Tensor, alpha: float) -> tuple[Tensor, list[tuple[float, Tensor]]]:
    """Blend each input with one from the other end of the batch.

    Labels stay whole: the loss is taken with each partner's labels and weighted. For cross-entropy that is
    the same, and any other loss of (scores, labels) can stay as it is.

    Args:
        inputs: (B, …), in random order. labels: (B,) int64.
        alpha: 0 blends nothing; 0.2 mostly a little; 1 by any share alike.
    Returns:
        (B, …) blended inputs, and for each partner its share with its labels: [(0.9, (B,)), (0.1, (B,))].
    """
    if not alpha:
        return inputs, [(1.0, labels)]
    share = Beta(alpha, alpha).sample().item()
    return torch.lerp(inputs.flip(0), inputs, share), [(share, labels), (1 - share, labels.flip(0))]

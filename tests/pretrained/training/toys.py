"""Data and networks small enough to train in a moment, and what to compare before and after."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def points(count: int = 40, width: int = 6, seed: int = 0, noise: float = 0.5) -> TensorDataset:
    """Features that a linear layer can tell apart."""
    y = torch.arange(count) % 2
    x = noise * torch.randn(count, width, generator=torch.Generator().manual_seed(seed))
    return TensorDataset(x + (2 * y - 1)[:, None], y)


def loader(dataset: TensorDataset, batch_size: int = 8, shuffle: bool = False) -> DataLoader:
    return DataLoader(dataset, batch_size=batch_size, shuffle=shuffle)


def small() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2))


def values(model) -> dict:
    return {name: value.clone() for name, value in model.state_dict().items()}


def changed(before: dict, model) -> set[str]:
    return {name for name, value in model.state_dict().items() if not torch.equal(before[name], value)}

"""A frozen backbone, a head that learns, and what an epoch does to them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIZES, RATE, CLASSES = (6, 6, 2), 0.5, 3


def softmax_twice(scores: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(scores.softmax(dim=1), labels)


class Toy(nn.Module):
    """A frozen backbone with BatchNorm and a head that learns; it notes the modes in which it is run."""

    def __init__(self, dropout: float = 0.0):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            self.backbone = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
            self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(8, CLASSES))
        self.backbone.requires_grad_(False)
        self.head[1].bias.requires_grad_(False)         # a part learns if any of its parameters does
        self.modes: list[tuple[bool, bool]] = []

    def forward(self, images: Tensor) -> Tensor:
        self.modes.append((any(part.training for part in self.backbone.modules()),
                           all(part.training for part in self.head.modules())))
        return self.head(self.backbone(images).mean(dim=(2, 3)))       # (N, CLASSES)


def some_batches() -> list[tuple[Tensor, Tensor]]:
    draw = torch.Generator().manual_seed(4)
    return [(3 * torch.randn(n, 3, 8, 8, generator=draw), torch.randint(CLASSES, (n,), generator=draw))
            for n in SIZES]


def done(loss_of=F.cross_entropy, mistake: str = "") -> tuple[nn.Module, list[float]]:
    """The model after a right epoch, or after one with that mistake, and the losses of the batches."""
    model, losses = Toy().eval(), []
    model.head[1].weight.grad = torch.ones_like(model.head[1].weight)
    for images, labels in some_batches():
        if mistake != "gradients-pile-up":
            model.zero_grad()
        loss = loss_of(model(images), labels)
        loss.backward()
        losses.append(loss.item())
        if mistake != "one-step-an-epoch":
            step(model)
    if mistake == "one-step-an-epoch":
        step(model)
    return model, losses


def step(model: nn.Module) -> None:
    with torch.no_grad():
        model.head[1].weight -= RATE * model.head[1].weight.grad


def alike(one: nn.Module, other: nn.Module) -> bool:
    return torch.allclose(one.head[1].weight, other.head[1].weight, atol=1e-6)

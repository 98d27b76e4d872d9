"""How good a classifier is: more than one number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

BINS = 15


@dataclass(frozen=True, eq=False, repr=False)
class Metrics:
    """What a model did on a set of pictures."""

    loss: float                    # cross-entropy, averaged over pictures
    accuracy: float                # 0 … 1
    per_class: dict[str, float]    # recall: the share of each class that was found; nan if it has no pictures
    confusion: Tensor              # (classes, classes) int64: rows are true classes, columns predicted ones
    calibration: float             # expected calibration error, 0 … 1; see `calibration_error`
    n: int                         # pictures

    def __repr__(self) -> str:
        recalls = ", ".join(f"{name} {recall:.0%}" for name, recall in self.per_class.items())
        return (f"Metrics: accuracy {self.accuracy:.1%} of {self.n}, loss {self.loss:.3f}, calibration error "
                f"{self.calibration:.1%}; found {recalls}")


def metrics_of(scores: Tensor, labels: Tensor, classes: Sequence[str]) -> Metrics:
    """Metrics from a model's scores.

    Args:
        scores: (N, classes), before softmax.
        labels: (N,) int64.
        classes: one name for each column of `scores`.
    """
    scores, count = scores.double(), len(classes)
    confidence, guess = scores.softmax(dim=1).max(dim=1)                     # (N,) each
    right = guess == labels
    confusion = torch.bincount(labels * count + guess, minlength=count * count).reshape(count, count)
    recalls = (confusion.diagonal() / confusion.sum(dim=1)).tolist()         # 0 / 0 is nan
    return Metrics(loss=F.cross_entropy(scores, labels).item(), accuracy=right.double().mean().item(),
                   per_class=dict(zip(classes, recalls, strict=True)), confusion=confusion,
                   calibration=calibration_error(confidence, right), n=len(labels))


def calibration_error(confidence: Tensor, right: Tensor, bins: int = BINS) -> float:
    """Expected calibration error (Guo et al., 2017): how far confidence and accuracy lie apart, 0 … 1.

    Pictures are binned by confidence; the gaps of the bins are averaged, each weighted by its pictures.

    Args:
        confidence: (N,) probability of the predicted class.
        right: (N,) bool: whether that class was the true one.
    """
    bin_of = (confidence * bins).ceil().long().clamp(1, bins) - 1            # bin k: (k/bins, (k+1)/bins]
    gaps = torch.zeros(bins, dtype=torch.float64)
    gaps.index_add_(0, bin_of, confidence.double() - right.double())         # a bin's gap times its pictures
    return (gaps.abs().sum() / len(confidence)).item()

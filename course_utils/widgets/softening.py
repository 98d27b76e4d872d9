"""temperature: softened probabilities of a real picture. trade_offs: what a small model costs and gives."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from course_utils.teaching.exhibits import Bars, Chart, Line, Words
from course_utils.widgets.explorer import Choice, Explorer, Slider, explore

TEMPERATURES = (0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 16)
SHOWN = 8       # classes; the others are counted together


def softened(scores: torch.Tensor, names, temperature: float) -> list:
    """Bars of the likeliest classes of one picture's scores (classes,), softened, and how even they are."""
    shares = (scores.double() / temperature).softmax(0)
    best = shares.topk(min(SHOWN, len(shares)))
    bars = [(names[i], share, f"{share:.1%}") for i, share in zip(best.indices.tolist(), best.values.tolist(),
                                                                  strict=True)]
    rest = 1 - best.values.sum().item()
    even = torch.special.entr(shares).sum().exp().item()
    return [Bars(f"Divided by T = {temperature:g} before softmax", bars),
            Words(f"The other {len(shares) - len(bars)} classes share {rest:.1%}. As uncertain as a choice "
                  f"among {even:.1f} equally likely classes.")]


def temperature(scores: torch.Tensor, names, title: str = "Temperature") -> Explorer:
    """A slider that softens the scores of one picture.

    Args:
        scores: (classes,), before softmax.
        names: one for each class.
        title: which picture it is.
    """
    return explore(title, lambda temperature: softened(scores, names, temperature),
                   temperature=Slider("T", TEMPERATURES, 1))


def trade_offs(accuracy: Mapping[str, float], costs: Mapping[str, Mapping[str, float]],
               title: str = "Accuracy for its cost") -> Explorer:
    """Accuracy of several models against their size or their time.

    Args:
        accuracy: share of right answers, by model.
        costs: {"parameters": …, "milliseconds": …} by model.
    """
    axes = {"parameters": "parameters", "milliseconds for one picture": "milliseconds"}

    def look(against: str) -> list:
        points = [(costs[name][against], accuracy[name], name) for name in accuracy]
        words = next(words for words, key in axes.items() if key == against)
        return [Chart(f"Test accuracy against {words}", words, "test accuracy",
                      [Line("models", points, joined=False)], log_x=True, percent=True)]

    return explore(title, look, against=Choice("Against", axes))

"""rate_plot: the range test as a curve, on which a learner moves the point they would choose."""

from __future__ import annotations

from functools import partial

import numpy as np

from course_utils.pretrained import LRCurve
from course_utils.teaching.exhibits import Chart, Exhibit, Line, Words
from course_utils.widgets.explorer import Explorer, Slider, explore

STEEP = 0.5         # of the fastest fall: from there on a rate is called fast
FLAT = 0.1          # of the same: below that, a rate hardly does anything


def rate_plot(curve: LRCurve) -> Explorer:
    """Draw a range test and say what the rate under the slider would do. It begins at the suggestion.

    Args:
        curve: of `find_learning_rate`.
    """
    begin = curve.suggestion or curve.rates[len(curve.rates) // 2]
    return explore("Range test: the loss while the learning rate rises", partial(_look, curve),
                   rate=Slider("Learning rate", curve.rates, begin, form="{:.1e}".format))


def _look(curve: LRCurve, rate: float) -> list[Exhibit]:
    found = [(curve.suggestion, "falls fastest")] if curve.suggestion not in (None, rate) else []
    lines = [Line("smoothed", list(zip(curve.rates, curve.smoothed, strict=True))),
             Line("one batch each", list(zip(curve.rates, curve.losses, strict=True)), joined=False)]
    return [Chart("Loss at each rate", "learning rate", "loss", lines, log_x=True,
                  marks=[(rate, "your choice"), *found]), Words(_said(curve, rate))]


def _said(curve: LRCurve, rate: float) -> str:
    """What a rate would do, read from the slope of the smoothed loss there."""
    slopes = np.gradient(curve.smoothed, np.log10(curve.rates))      # change of the loss for a tenfold rate
    here, lowest = curve.rates.index(rate), int(np.argmin(curve.smoothed))
    at = f"At {rate:.1e} the smoothed loss is {curve.smoothed[here]:.2f}"
    if curve.suggestion is None:
        return f"{at}. It does not fall anywhere, so this test has nothing to suggest."
    share = slopes[here] / slopes[:lowest + 1].min()                 # 1 is the fastest fall
    if here >= lowest:
        return (f"{at}, at or beyond its lowest point ({curve.rates[lowest]:.1e}): steps are too long here, "
                "and training would destroy more than it learns.")
    if share < FLAT:
        return f"{at} and hardly moves: training at this rate would be very slow."
    if share < STEEP:
        return f"{at} and falls, but {'not yet' if rate < curve.suggestion else 'no longer'} at its fastest."
    return (f"{at} and falls fast. It is {curve.rates[lowest] / rate:.0f} times below the rate where the loss"
            " is lowest: a usual choice.")

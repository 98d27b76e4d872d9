"""Exercise: rates in equal ratios, from far too low to far too high."""

from __future__ import annotations

import math
from itertools import pairwise

import torch

from course_utils.lessons._guards import as_list, is_number, kind_of, torch_as_it_was
from course_utils.teaching import Chart, Exercise, Line, expect

geometric_rates = Exercise(
    "geometric-rates", lesson="coding_4_range_test", title="Rates in equal ratios", see="#Rates", minutes=5,
    difficulty="easy", objective="curve", guard=torch_as_it_was)


@geometric_rates.starter
def rates_between(start, end, steps):
    """A list of `steps` learning rates, from `start` to `end`, both among them.

    Each is the same number of times the one before it.
    """
    ...


@geometric_rates.solved_by
def rates_between(start, end, steps):
    """`steps` rates have `steps - 1` ratios between them."""
    ratio = (end / start) ** (1 / (steps - 1))
    return [start * ratio ** step for step in range(steps)]


@geometric_rates.alternative("with-torch")
def rates_between(start, end, steps):
    return torch.logspace(math.log10(start), math.log10(end), steps, dtype=torch.float64).tolist()


@geometric_rates.alternative("with-numpy")
def rates_between(start, end, steps):
    import numpy as np
    return np.geomspace(start, end, steps)


@geometric_rates.alternative("by-logarithms")
def rates_between(start, end, steps):
    low, high = math.log(start), math.log(end)
    return [math.exp(low + (high - low) * i / (steps - 1)) for i in range(steps)]


@geometric_rates.wrong("equal-steps", says=(
    "Your rates grow by equal steps: the second is {second:.2g} already, and all orders of magnitude below "
    "it are left out. Rates differ by factors. Multiply by the same number each time."))
def rates_between(start, end, steps):
    return [start + (end - start) * step / (steps - 1) for step in range(steps)]


@geometric_rates.wrong("end-left-out", says=(
    "Your last rate is {last:.3g}, the one asked for {end:g}. Between {steps} rates there are {ratios} "
    "ratios: the root is that of {ratios}, not of {steps}."))
def rates_between(start, end, steps):
    ratio = (end / start) ** (1 / steps)
    return [start * ratio ** step for step in range(steps)]


@geometric_rates.wrong("start-left-out", says=(
    "Your first rate is {first:.3g}, the one asked for {start:g}: it was multiplied before it was noted."))
def rates_between(start, end, steps):
    ratio, rate, rates = (end / start) ** (1 / (steps - 1)), start, []
    for _ in range(steps):
        rate *= ratio
        rates.append(rate)
    return rates


@geometric_rates.wrong("one-too-many", says=(
    "You return {count} rates, {steps} were asked for."))
def rates_between(start, end, steps):
    ratio = (end / start) ** (1 / steps)
    return [start * ratio ** step for step in range(steps + 1)]


@geometric_rates.wrong("exponents", says=(
    "Your first rate is {first:.3g}: these are the logarithms of rates. `torch.logspace` takes exponents, "
    "and `linspace` between logarithms gives logarithms: raise 10 to them."))
def rates_between(start, end, steps):
    return torch.linspace(math.log10(start), math.log10(end), steps).tolist()


def close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-4)


@geometric_rates.checks("as many as asked for, both ends among them")
def _(answer):
    for start, end, steps in ((1e-7, 1.0, 50), (1e-3, 0.1, 3)):
        rates = given(answer, start, end, steps)
        expect(len(rates) == steps, mistake="one-too-many", count=len(rates), steps=steps)
        expect(rates[0] > 0, mistake="exponents", first=rates[0])
        expect(close(rates[0], start), mistake="start-left-out", first=rates[0], start=start)
        expect(close(rates[-1], end), mistake="end-left-out", last=rates[-1], end=end, steps=steps,
               ratios=steps - 1)


@geometric_rates.checks("the same ratio all along", points=2)
def _(answer):
    rates = given(answer, 1e-6, 1.0, 7)

    def show():
        return [Chart("Seven rates", "number", "learning rate", [
            Line("yours", list(enumerate(rates, start=1))),
            Line("expected", [(i + 1, 10.0 ** (i - 6)) for i in range(7)])], log_y=all(r > 0 for r in rates))]
    expect(len(rates) > 1 and not close(rates[1], 1e-6 + (1 - 1e-6) / 6), mistake="equal-steps",
           second=rates[1] if len(rates) > 1 else 0.0, show=show)
    ratios = [later / earlier for earlier, later in pairwise(rates) if earlier]
    expect(all(close(ratio, 10) for ratio in ratios[:5]), "From 1e-6 to 1 in seven rates, each is ten times "
           f"the one before; yours are {', '.join(f'{rate:.2g}' for rate in rates[:4])} …", show=show)


def given(answer, start: float, end: float, steps: int) -> list[float]:
    found = answer(start, end, steps)
    rates = as_list(found) if isinstance(found, (list, tuple)) or hasattr(found, "tolist") else None
    expect(rates is not None, f"`rates_between` must return a list, but it returned {kind_of(found)}.")
    expect(all(map(is_number, rates)), "Each rate in your list should be one number.")
    return [float(rate) for rate in rates]


geometric_rates.hints(
    "From the first rate to the last it is a factor of `end / start`, in `steps - 1` equal factors.",
    "One of them is `(end / start) ** (1 / (steps - 1))`; after `step` of them you are at `start * ratio ** "
    "step`.")

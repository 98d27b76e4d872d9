"""Exercise: the rate at which the loss falls fastest."""

from __future__ import annotations

import math

import numpy as np

from course_utils.lessons._guards import kind_of, torch_as_it_was
from course_utils.teaching import Chart, Exercise, Line, expect

choose_a_rate = Exercise(
    "choose-a-rate", lesson="coding_4_range_test", title="Choose a rate", see="#The-choice", minutes=8,
    difficulty="medium", objective="choice", guard=torch_as_it_was)


@choose_a_rate.starter
def choose(rates, curve):
    """The rate at which the smoothed loss `curve` falls fastest, before it is lowest; None if it never falls.

    Fastest means: by the most from one rate to the next. The rates are in equal ratios, so that is also the
    steepest place in a plot with a logarithmic axis. Return the earlier of the two rates.
    """
    ...


@choose_a_rate.solved_by
def choose(rates, curve):
    """Only what lies before the lowest point counts."""
    lowest = curve.index(min(curve))
    falls = [curve[i] - curve[i + 1] for i in range(lowest)]
    if not falls:
        return None
    return rates[falls.index(max(falls))]


@choose_a_rate.alternative("with-numpy")
def choose(rates, curve):
    until = np.array(curve)[:int(np.argmin(curve)) + 1]
    return rates[int(np.diff(until).argmin())] if len(until) > 1 else None


@choose_a_rate.alternative("gradient")
def choose(rates, curve):
    end = int(np.argmin(curve))
    if end == 0:
        return None
    slopes = np.gradient(np.array(curve), np.log10(rates))
    return float(rates[int(slopes[:end + 1].argmin())])


@choose_a_rate.wrong("the-lowest-point", says=(
    "You chose {got:.1e}, where the loss is lowest. Beyond it steps are too long, and a training takes "
    "hundreds of them where this test took one: choose where the loss *falls* fastest, {wanted:.1e}."))
def choose(rates, curve):
    lowest = curve.index(min(curve))
    return rates[lowest] if lowest else None


@choose_a_rate.wrong("the-fastest-rise", says=(
    "You chose {got:.1e}, where the loss *rises* fastest. A fall is a difference below 0: take the smallest "
    "of `later - earlier`, or the largest of `earlier - later`."))
def choose(rates, curve):
    rises = [curve[i + 1] - curve[i] for i in range(len(curve) - 1)]
    return rates[rises.index(max(rises))] if min(curve) < curve[0] else None


@choose_a_rate.wrong("a-fall-behind-the-lowest-point", says=(
    "You chose {got:.1e}. The loss does fall fastest there, but only from a height to which it had jumped "
    "before. What lies behind the lowest point does not count."))
def choose(rates, curve):
    falls = [curve[i] - curve[i + 1] for i in range(len(curve) - 1)]
    return rates[falls.index(max(falls))] if curve.index(min(curve)) else None


@choose_a_rate.wrong("slope-against-the-rate", says=(
    "You chose {got:.1e}: falls were divided by the distance between two rates, which is tiny for low ones, "
    "so a little noise there looks steep. Compare the falls themselves: the rates are in equal ratios."))
def choose(rates, curve):
    lowest = curve.index(min(curve))
    slopes = [(curve[i] - curve[i + 1]) / (rates[i + 1] - rates[i]) for i in range(lowest)]
    return rates[slopes.index(max(slopes))] if slopes else None


@choose_a_rate.wrong("always-an-answer", says=(
    "This curve never falls, and you chose {got:.1e} all the same. Say `None`: whoever asked must look for "
    "what is wrong with the model or the data."))
def choose(rates, curve):
    lowest = curve.index(min(curve))
    falls = [curve[i] - curve[i + 1] for i in range(max(lowest, 1))]
    return rates[falls.index(max(falls))]


@choose_a_rate.wrong("a-position", says=(
    "You return {got}, a position in the list. Return the rate there, `rates[{got}]`."))
def choose(rates, curve):
    lowest = curve.index(min(curve))
    falls = [curve[i] - curve[i + 1] for i in range(lowest)]
    return falls.index(max(falls)) if falls else None


# flat with a little noise, a fall, steepest from 4 to 5, the lowest point, then a jump and another fall
CURVE = [2.40, 2.38, 2.37, 2.30, 2.15, 1.75, 1.50, 1.40, 1.38, 1.60, 2.40, 3.80, 2.90, 4.50]
RATES = [10 ** (-6 + i / 2) for i in range(len(CURVE))]
STEEPEST, LOWEST = 4, 8


def given(answer, curve: list[float]) -> float | None:
    found = answer(list(RATES[:len(curve)]), list(curve))
    expect(found is None or isinstance(found, (int, float, np.number)),
           f"`choose` must return a rate or None, but it returned {kind_of(found)}.")
    return found


def near(one: float, other: float) -> bool:
    """The same rate, or its neighbour: a slope may be taken over one step or two."""
    return one > 0 and abs(math.log10(one) - math.log10(other)) < 0.55


@choose_a_rate.checks("where the loss falls fastest", points=3)
def _(answer):
    for curve in (CURVE, CURVE[:LOWEST + 1]):
        got, wanted = given(answer, curve), RATES[STEEPEST]

        def show(curve=curve, got=got, wanted=wanted):
            marks = [(wanted, "falls fastest")] + ([(got, "yours")] if got else [])
            return [Chart("A smoothed curve", "learning rate", "loss", [
                Line("loss", list(zip(RATES, curve, strict=False)))], log_x=True, marks=marks)]
        expect(got is not None, "This curve falls, but you found no rate.", show=show)
        expect(got not in (STEEPEST, STEEPEST + 1), mistake="a-position", got=got)
        said = {"got": got, "wanted": wanted, "show": show}
        expect(not math.isclose(got, RATES[LOWEST]), mistake="the-lowest-point", **said)
        expect(not math.isclose(got, RATES[11]), mistake="a-fall-behind-the-lowest-point", **said)
        expect(got not in (RATES[10], RATES[12]), mistake="the-fastest-rise", **said)
        expect(not math.isclose(got, RATES[0]), mistake="slope-against-the-rate", **said)
        expect(near(got, wanted), f"The loss falls fastest at {wanted:.1e}; you chose {got:.1e}.", show=show)


@choose_a_rate.checks("a curve that never falls")
def _(answer):
    got = given(answer, [1.0, 1.1, 1.3, 1.9, 3.0])
    expect(got is None, mistake="always-an-answer", got=got or 0.0)


choose_a_rate.hints(
    "First the place of the lowest point: `curve.index(min(curve))`.",
    "The falls before it: `[curve[i] - curve[i + 1] for i in range(lowest)]`. Where there are none, the "
    "answer is None.")

"""Exercise: the rate around which the loss falls fastest."""

from __future__ import annotations

import math
from numbers import Real

import numpy as np

from course_utils.lessons._guards import kind_of, torch_as_it_was
from course_utils.teaching import Chart, Exercise, Line, expect

choose_a_rate = Exercise(
    "choose-a-rate", lesson="coding_4_range_test", title="Choose a rate", see="#The-choice", minutes=10,
    difficulty="medium", objective="choice", guard=torch_as_it_was)


@choose_a_rate.starter
def choose(rates, curve, span):
    """The rate around which the smoothed loss `curve` falls fastest, before it is lowest.

    Fastest: by the most over `span` steps in a row. The rates are in equal ratios, so that is also the
    steepest piece of a plot with a logarithmic axis. Return the rate `span // 2` steps after its beginning;
    None where the curve is lowest before `span` steps are done.
    """
    ...


@choose_a_rate.solved_by
def choose(rates, curve, span):
    """Only pieces that end before the lowest point or at it count."""
    lowest = curve.index(min(curve))
    falls = [curve[i] - curve[i + span] for i in range(lowest - span + 1)]
    if not falls:
        return None
    return rates[falls.index(max(falls)) + span // 2]


@choose_a_rate.alternative("with-numpy")
def choose(rates, curve, span):
    until = np.array(curve)[:int(np.argmin(curve)) + 1]
    if len(until) <= span:
        return None
    return float(rates[int((until[span:] - until[:-span]).argmin()) + span // 2])


@choose_a_rate.alternative("a-loop")
def choose(rates, curve, span):
    best, chosen = -math.inf, None
    for end in range(span, curve.index(min(curve)) + 1):
        if curve[end - span] - curve[end] > best:
            best, chosen = curve[end - span] - curve[end], rates[end - span + span // 2]
    return chosen


def falls_of(curve, span, until=None):
    """By how much a curve falls over `span` steps, for each beginning."""
    return [curve[i] - curve[i + span] for i in range((until or len(curve) - 1) - span + 1)]


@choose_a_rate.wrong("the-lowest-point", says=(
    "You chose {got:.1e}, where the loss is lowest. Beyond it steps are too long, and a training takes "
    "hundreds of them where this test took one: choose where the loss *falls* fastest, {wanted:.1e}."))
def choose(rates, curve, span):
    lowest = curve.index(min(curve))
    return rates[lowest] if lowest >= span else None


@choose_a_rate.wrong("one-step-only", says=(
    "You chose {got:.1e}, where one step happened to fall far. At the beginning an average is one of few "
    "losses and still jumps. Compare values that are `span` steps apart."))
def choose(rates, curve, span):
    lowest = curve.index(min(curve))
    falls = falls_of(curve, 1, lowest)
    return rates[falls.index(max(falls))] if lowest >= span else None


@choose_a_rate.wrong("the-fastest-rise", says=(
    "You chose {got:.1e}, where the loss *rises* fastest. A fall is a difference below 0: take the smallest "
    "of `later - earlier`, or the largest of `earlier - later`."))
def choose(rates, curve, span):
    falls = falls_of(curve, span)
    return rates[falls.index(min(falls)) + span // 2] if curve.index(min(curve)) >= span else None


@choose_a_rate.wrong("a-fall-behind-the-lowest-point", says=(
    "You chose {got:.1e}. The loss does fall fastest there, but only from a height to which it had jumped "
    "before. What lies behind the lowest point does not count."))
def choose(rates, curve, span):
    falls = falls_of(curve, span)
    return rates[falls.index(max(falls)) + span // 2] if curve.index(min(curve)) >= span else None


@choose_a_rate.wrong("slope-against-the-rate", says=(
    "You chose {got:.1e}: falls were divided by the distance between two rates, which is tiny for low ones, "
    "so a little noise there looks steep. Compare the falls themselves: the rates are in equal ratios."))
def choose(rates, curve, span):
    lowest = curve.index(min(curve))
    slopes = [(curve[i] - curve[i + span]) / (rates[i + span] - rates[i]) for i in range(lowest - span + 1)]
    return rates[slopes.index(max(slopes)) + span // 2] if slopes else None


@choose_a_rate.wrong("where-the-fall-begins", says=(
    "You chose {got:.1e}, where the steepest piece begins. Its middle is `span // 2` steps later, "
    "{wanted:.1e}."))
def choose(rates, curve, span):
    lowest = curve.index(min(curve))
    falls = falls_of(curve, span, lowest)
    return rates[falls.index(max(falls))] if lowest >= span else None


@choose_a_rate.wrong("always-an-answer", says=(
    "This curve is lowest at its beginning, and you chose {got:.1e} all the same. Say `None`: whoever asked "
    "must look for what is wrong with the model or the data."))
def choose(rates, curve, span):
    lowest = max(curve.index(min(curve)), span)
    falls = falls_of(curve, span, lowest)
    return rates[falls.index(max(falls)) + span // 2]


@choose_a_rate.wrong("a-position", says=(
    "You return {got}, a position in the list. Return the rate there, `rates[{got}]`."))
def choose(rates, curve, span):
    lowest = curve.index(min(curve))
    falls = falls_of(curve, span, lowest)
    return falls.index(max(falls)) + span // 2 if lowest >= span else None


# begins with noise, falls, steepest from 6 to 10, is lowest at 12, jumps, and falls once more
CURVE = [2.10, 2.60, 2.05, 2.25, 2.20, 2.15, 1.95, 1.65, 1.30, 0.95, 0.70, 0.55, 0.50, 0.80, 2.60, 3.90, 2.90,
         1.60, 1.00, 4.50]
LATE = [2.0, 1.95, 1.9, 1.5, 1.9, 1.3, 0.9, 0.4, 0.45]       # steepest, until it is lowest, from 3 to 7
RATES = [10 ** (-6 + i / 3) for i in range(len(CURVE))]
SPAN = 4


def given(answer, curve: list[float]) -> float | None:
    found = answer(list(RATES[:len(curve)]), list(curve), SPAN)
    expect(found is None or isinstance(found, Real),
           f"`choose` must return a rate or None, but it returned {kind_of(found)}.")
    expect(found is None or math.isfinite(found), f"Your rate is {found}: no training can use that.")
    return found


@choose_a_rate.checks("where the loss falls fastest", points=3)
def _(answer):
    for curve, middle in ((CURVE, 8), (LATE, 5)):
        got, wanted = given(answer, curve), RATES[middle]

        def show(curve=curve, got=got, wanted=wanted):
            marks = [(wanted, "falls fastest")] + ([(got, "yours")] if got else [])
            return [Chart("A smoothed curve", "learning rate", "loss", [
                Line("loss", list(zip(RATES, curve, strict=False)))], log_x=True, marks=marks)]

        def at(*places, got=got):
            return any(math.isclose(got, RATES[place]) for place in places)
        expect(got is not None, "This curve falls, but you found no rate.", show=show)
        expect(got < 1 or got != int(got), mistake="a-position", got=int(got))
        said = {"got": got, "wanted": wanted, "show": show}
        first = curve is CURVE
        expect(not (first and at(12)), mistake="the-lowest-point", **said)
        expect(not (first and at(1, 2)), mistake="one-step-only", **said)
        expect(not (first and at(13)), mistake="the-fastest-rise", **said)
        expect(not (first and at(16)), mistake="a-fall-behind-the-lowest-point", **said)
        expect(not (first and at(3)), mistake="slope-against-the-rate", **said)
        expect(not (first and at(6)), mistake="where-the-fall-begins", **said)
        expect(at(middle), f"The loss falls fastest around {wanted:.1e}; you chose {got:.1e}.", show=show)


@choose_a_rate.checks("a curve that never falls")
def _(answer):
    for curve in ([1.0, 1.1, 1.3, 1.9, 2.2, 3.0, 3.1], [1.2, 1.1, 1.0, 1.3, 1.9, 2.2, 3.0]):
        got = given(answer, curve)
        expect(got is None, mistake="always-an-answer", got=got or 0.0)


choose_a_rate.hints(
    "First the place of the lowest point: `curve.index(min(curve))`.",
    "The falls before it: `curve[i] - curve[i + span]` for each i with `i + span` at most that place. Where "
    "there are none, the answer is None.")

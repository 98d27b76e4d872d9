"""Exercise: end the test when the loss blows up."""

from __future__ import annotations

import math

from course_utils.lessons._guards import as_list, is_number, kind_of, torch_as_it_was
from course_utils.teaching import Chart, Exercise, Line, expect

stop_in_time = Exercise(
    "stop-in-time", lesson="coding_4_range_test", title="Stop in time", see="#When-to-stop", minutes=10,
    difficulty="medium", objective="curve", guard=torch_as_it_was)


@stop_in_time.starter
def run_test(step, rates, smooth, factor):
    """Call `step(rate)` for one rate after another; it trains on a batch and returns the loss.

    `smooth(losses)` smooths a list of losses. Stop as soon as a loss is no finite number, or the last of the
    smoothed losses is more than `factor` times the lowest of them. Return (rates, losses) up to there: two
    lists, without the step at which you stopped.
    """
    ...


@stop_in_time.solved_by
def run_test(step, rates, smooth, factor):
    """Whether to go on is decided after each step, before it is noted."""
    used, losses = [], []
    for rate in rates:
        loss = step(rate)
        curve = smooth([*losses, loss])
        if not math.isfinite(loss) or curve[-1] > factor * min(curve):
            break
        used.append(rate)
        losses.append(loss)
    return used, losses


@stop_in_time.alternative("best-carried-along")
def run_test(step, rates, smooth, factor):
    losses, lowest = [], math.inf
    for rate in rates:
        losses.append(float(step(rate)))
        if losses[-1] in (math.inf, -math.inf) or losses[-1] != losses[-1]:
            losses.pop()
            break
        now = smooth(losses)[-1]
        lowest = min(lowest, now)
        if now > factor * lowest:
            losses.pop()
            break
    return list(rates)[:len(losses)], losses


@stop_in_time.alternative("pairs")
def run_test(step, rates, smooth, factor):
    found, waiting = [], list(rates)
    while waiting:
        found.append((waiting.pop(0), step(rates[len(found)])))
        curve = smooth([loss for _, loss in found])
        if not abs(found[-1][1]) < math.inf or curve[-1] > factor * min(curve):
            del found[-1]
            break
    return [rate for rate, _ in found], [loss for _, loss in found]


@stop_in_time.wrong("never-stops", says=(
    "All {count} rates were tried, although the loss had blown up at number {at}. Steps at such rates cost "
    "time and tell nothing; in the plot they flatten everything else. Look at each loss as it comes."))
def run_test(step, rates, smooth, factor):
    return list(rates), [step(rate) for rate in rates]


@stop_in_time.wrong("cut-afterwards", says=(
    "What you return ends in time, but all {count} rates were tried. The rest of the test is what stopping "
    "was to save: `break` in the loop."))
def run_test(step, rates, smooth, factor):
    losses = [step(rate) for rate in rates]
    for n in range(1, len(losses) + 1):
        curve = smooth(losses[:n])
        if not math.isfinite(losses[n - 1]) or curve[-1] > factor * min(curve):
            return list(rates)[:n - 1], losses[:n - 1]
    return list(rates), losses


@stop_in_time.wrong("one-odd-batch", says=(
    "You stopped at a single odd batch, at step {got}. That is what smoothing is for: compare the last of "
    "the *smoothed* losses with the lowest of them."))
def run_test(step, rates, smooth, factor):
    used, losses = [], []
    for rate in rates:
        loss = step(rate)
        if not math.isfinite(loss) or loss > factor * min([*losses, loss]):
            break
        used.append(rate)
        losses.append(loss)
    return used, losses


@stop_in_time.wrong("against-the-first-loss", says=(
    "You went on to step {got}, {wanted} was the place to stop: the loss was compared with the first one. It "
    "had fallen since, so {factor:g} times the *lowest* was reached long before."))
def run_test(step, rates, smooth, factor):
    used, losses = [], []
    for rate in rates:
        loss = step(rate)
        curve = smooth([*losses, loss])
        if not math.isfinite(loss) or curve[-1] > factor * curve[0]:
            break
        used.append(rate)
        losses.append(loss)
    return used, losses


@stop_in_time.wrong("nan-goes-through", says=(
    "A loss of {loss} was noted, and the test went on. `nan > x` is False for every x, and so no comparison "
    "stops it. Ask `math.isfinite(loss)`."))
def run_test(step, rates, smooth, factor):
    used, losses = [], []
    for rate in rates:
        loss = step(rate)
        curve = smooth([*losses, loss])
        if curve[-1] > factor * min(curve):
            break
        used.append(rate)
        losses.append(loss)
    return used, losses


@stop_in_time.wrong("blown-up-loss-kept", says=(
    "Your last loss is the one at which you stopped, {last:.3g}. It stretches the axis of the plot, and a "
    "slope computed with it is wrong. Decide first, then note."))
def run_test(step, rates, smooth, factor):
    used, losses = [], []
    for rate in rates:
        used.append(rate)
        losses.append(step(rate))
        curve = smooth(losses)
        if not math.isfinite(losses[-1]) or curve[-1] > factor * min(curve):
            break
    return used, losses


@stop_in_time.wrong("returns-only-when-stopped", says=(
    "Where no loss blew up, your function returned nothing: the `return` stands inside the `if`. Use `break` "
    "there, and return after the loop."))
def run_test(step, rates, smooth, factor):
    used, losses = [], []
    for rate in rates:
        loss = step(rate)
        curve = smooth([*losses, loss])
        if not math.isfinite(loss) or curve[-1] > factor * min(curve):
            return used, losses
        used.append(rate)
        losses.append(loss)


FACTOR = 3.0
#          falls, with one odd batch of 6.5 on the way, then blows up
LOSSES = [2.5, 2.4, 2.5, 2.2, 1.8, 6.5, 1.5, 1.2, 1.0, 0.9, 1.2, 1.9, 3.1, 4.5, 6.0, 9.0, 16.0, 30.0]


def smooth(losses: list[float]) -> list[float]:
    """The mean of the last three: enough for this."""
    return [sum(losses[max(0, i - 2):i + 1]) / len(losses[max(0, i - 2):i + 1]) for i in range(len(losses))]


def due(losses: list[float]) -> int:
    """How many steps are to be noted."""
    for n in range(1, len(losses) + 1):
        curve = smooth(losses[:n])
        if not math.isfinite(losses[n - 1]) or curve[-1] > FACTOR * min(curve):
            return n - 1
    return len(losses)


def played(answer, losses: list[float]) -> tuple[list[float], list[float], list[float]]:
    """The learner's rates and losses, and the rates that were tried, where the losses are known."""
    rates, tried = [1e-5 * 2 ** i for i in range(len(losses))], []

    def step(rate):
        expect(rate in rates, f"`step` was called with {rate!r}, which is none of the rates.")
        tried.append(rate)
        return losses[rates.index(rate)]

    found = answer(step, list(rates), smooth, FACTOR)
    lists = [as_list(one) for one in found] if isinstance(found, (tuple, list)) else []
    expect(len(lists) == 2 and None not in lists,
           f"`run_test` must return two lists, (rates, losses), but it returned {kind_of(found)}.")
    expect(all(is_number(one) for one in (*lists[0], *lists[1])), "Your two lists should hold numbers.")
    expect(tried == rates[:len(tried)], "The rates should be tried once each, in their order.")
    return lists[0], lists[1], tried


@stop_in_time.checks("it ends where the curve blows up", points=3)
def _(answer):
    rates, losses, tried = played(answer, LOSSES)
    wanted, got = due(LOSSES), len(losses)

    def show():
        return [Chart("The losses, and where to stop", "step", "loss", [
            Line("losses", list(enumerate(LOSSES, start=1)), joined=False),
            Line("smoothed", list(enumerate(smooth(LOSSES), start=1)))],
            marks=[(wanted + 1, "stop"), (len(tried), "your last step")])]
    expect(got < len(LOSSES), mistake="never-stops", count=got, at=wanted + 1, show=show)
    expect(len(tried) < len(LOSSES), mistake="cut-afterwards", count=len(tried), show=show)
    expect(got != LOSSES.index(6.5), mistake="one-odd-batch", got=got + 1, show=show)
    expect(got <= wanted + 1, mistake="against-the-first-loss", got=len(tried), wanted=wanted + 1,
           factor=FACTOR, show=show)
    expect(got != wanted + 1, mistake="blown-up-loss-kept", last=(losses or [0])[-1], show=show)
    expect(got == wanted, f"{wanted} losses were to be noted, you have {got}.", show=show)
    expect(losses == LOSSES[:wanted] and rates == tried[:wanted],
           "The rates and losses that you return are not those of the steps.", show=show)


@stop_in_time.checks("no number, no step further")
def _(answer):
    for bad in (math.nan, math.inf):
        losses = [2.0, 1.9, 1.8, bad, 1.7, 1.6]
        _, found, tried = played(answer, losses)
        expect(all(map(math.isfinite, found)), mistake="nan-goes-through", loss=bad)
        expect(len(tried) == 4 and found == losses[:3], f"At a loss of {bad} the test ends, with three "
               f"losses noted; {len(tried)} steps were done.")


@stop_in_time.checks("a curve that never blows up is kept whole")
def _(answer):
    expect(answer(lambda rate: 1.0, [1e-3, 1e-2], smooth, FACTOR) is not None,
           mistake="returns-only-when-stopped")
    losses = [1.0, 1.0, 1.0, 3.0, 3.0, 3.0]
    rates, found, _ = played(answer, losses)
    expect(found == losses and len(rates) == 6, f"No smoothed loss is more than {FACTOR:g} times the lowest, "
           f"but of six losses you return {len(found)}.")


stop_in_time.hints(
    "In the loop: call `step(rate)`, smooth the losses with this one among them, decide; only then append.",
    "`curve = smooth([*losses, loss])`; stop where `curve[-1] > factor * min(curve)`.",
    "`math.isfinite(loss)` is False for nan and for infinity.")

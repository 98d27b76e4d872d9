"""Exercise: an average that forgets, and does not begin at zero."""

from __future__ import annotations

import math

from course_utils.lessons._guards import as_list, is_number, kind_of, torch_as_it_was
from course_utils.teaching import Chart, Exercise, Line, expect

smooth_losses = Exercise(
    "smooth-losses", lesson="coding_4_range_test", title="Smooth the losses", see="#Smoothing", minutes=8,
    difficulty="medium", objective="curve", guard=torch_as_it_was)


@smooth_losses.starter
def smoothed(losses, beta):
    """The losses so far, averaged so that older ones count less: a list as long as `losses`.

    The average begins at 0 and becomes `beta * average + (1 - beta) * loss` with each loss. After n losses it
    still holds a share `beta ** n` of that 0, so what you return is the average divided by `1 - beta ** n`.
    """
    ...


@smooth_losses.solved_by
def smoothed(losses, beta):
    """The average goes on uncorrected; only what is returned is corrected."""
    average, found = 0.0, []
    for n, loss in enumerate(losses, start=1):
        average = beta * average + (1 - beta) * loss
        found.append(average / (1 - beta ** n))
    return found


@smooth_losses.alternative("weighted-means")
def smoothed(losses, beta):
    found = []
    for n in range(1, len(losses) + 1):
        weights = [beta ** (n - 1 - i) for i in range(n)]
        found.append(sum(w * loss for w, loss in zip(weights, losses, strict=False)) / sum(weights))
    return found


@smooth_losses.alternative("sum-and-weight")
def smoothed(losses, beta):
    total = weight = 0.0
    found = []
    for loss in losses:
        total, weight = beta * total + loss, beta * weight + 1
        found.append(total / weight)
    return found


@smooth_losses.wrong("not-corrected", says=(
    "Your first value is {got:.2f}, the first loss {wanted:.2f}: the average begins at 0 and pulls all early "
    "values down, as if the loss rose from nothing. Divide by `1 - beta ** n`."))
def smoothed(losses, beta):
    average, found = 0.0, []
    for loss in losses:
        average = beta * average + (1 - beta) * loss
        found.append(average)
    return found


@smooth_losses.wrong("begun-with-the-first-loss", says=(
    "Your average begins with the first loss instead of 0. So one batch, perhaps an odd one, weighs "
    "{times:.0f} times as much as the next for as long as the average remembers."))
def smoothed(losses, beta):
    average, found = losses[0], []
    for loss in losses:
        average = beta * average + (1 - beta) * loss
        found.append(average)
    return found


@smooth_losses.wrong("weights-swapped", says=(
    "With beta {beta} your values follow each single loss: `beta` weighs the new loss and `1 - beta` the "
    "average. It is the other way round."))
def smoothed(losses, beta):
    average, found = 0.0, []
    for n, loss in enumerate(losses, start=1):
        average = (1 - beta) * average + beta * loss
        found.append(average / (1 - (1 - beta) ** n))
    return found


@smooth_losses.wrong("corrected-and-fed-back", says=(
    "The corrected value went back into the average, and is corrected again with the next loss: after "
    "{count} equal losses of 2 you are at {got:.2f}. Keep the average and what you return apart."))
def smoothed(losses, beta):
    average, found = 0.0, []
    for n, loss in enumerate(losses, start=1):
        average = (beta * average + (1 - beta) * loss) / (1 - beta ** n)
        found.append(average)
    return found


@smooth_losses.wrong("one-power-for-all", says=(
    "You divide every value by the same number. The share of the 0 fades: after one loss it is beta, after n "
    "of them beta ** n. Count the losses as they come."))
def smoothed(losses, beta):
    average, found = 0.0, []
    for loss in losses:
        average = beta * average + (1 - beta) * loss
        found.append(average / (1 - beta))
    return found


@smooth_losses.wrong("counted-from-zero", says=(
    "At the first loss you divided by `1 - beta ** 0`, which is 0. The first loss is number 1: "
    "`enumerate(losses, start=1)`."))
def smoothed(losses, beta):
    average, found = 0.0, []
    for n, loss in enumerate(losses):
        average = beta * average + (1 - beta) * loss
        found.append(average / (1 - beta ** n))
    return found


BETA = 0.8
NOISY = [2.4, 2.1, 2.6, 2.2, 2.0, 2.5, 1.6, 1.9, 1.2, 1.4, 3.0, 5.2]


def given(answer, losses: list[float], beta: float = BETA) -> list[float]:
    try:
        found = answer(list(losses), beta)
    except ZeroDivisionError:
        expect(False, mistake="counted-from-zero")
    values = as_list(found) if isinstance(found, (list, tuple)) or hasattr(found, "tolist") else None
    expect(values is not None, f"`smoothed` must return a list, but it returned {kind_of(found)}.")
    expect(len(values) == len(losses), f"There should be a value for each of the {len(losses)} losses, but "
           f"you return {len(values)}.")
    expect(all(map(is_number, values)), "Each value in your list should be one number.")
    return [float(value) for value in values]


def plain_average(losses: list[float], beta: float, first: float = 0.0) -> list[float]:
    """The average as it is kept, not corrected."""
    found, average = [], first
    for loss in losses:
        average = beta * average + (1 - beta) * loss
        found.append(average)
    return found


def right(losses: list[float], beta: float = BETA) -> list[float]:
    return [average / (1 - beta ** n) for n, average in enumerate(plain_average(losses, beta), start=1)]


def alike(one: list[float], other: list[float]) -> bool:
    return all(math.isclose(a, b, rel_tol=1e-5) for a, b in zip(one, other, strict=True))


@smooth_losses.checks("equal losses stay what they are")
def _(answer):
    found = given(answer, [2.0] * 6)
    expect(not math.isclose(found[0], 2 * (1 - BETA), rel_tol=1e-6), mistake="not-corrected", got=found[0],
           wanted=2.0)
    grown = found[0] == 2 and found[1] > 2.01
    one_power = alike(found, [value / (1 - BETA) for value in plain_average([2.0] * 6, BETA)])
    expect(not one_power, mistake="one-power-for-all")
    expect(not grown, mistake="corrected-and-fed-back", count=len(found), got=found[-1])
    expect(alike(found, [2.0] * 6), f"Six losses of 2 became {', '.join(f'{v:.2f}' for v in found)}.")


@smooth_losses.checks("older losses count less", points=2)
def _(answer):
    for beta in (BETA, 0.95):
        found, wanted = given(answer, NOISY, beta), right(NOISY, beta)

        def show(found=found, wanted=wanted):
            return [Chart("Losses and their averages", "batch", "loss", [
                Line("losses", list(enumerate(NOISY, start=1)), joined=False),
                Line("expected", list(enumerate(wanted, start=1))),
                Line("yours", list(enumerate(found, start=1)))])]
        expect(not alike(found, right(NOISY, 1 - beta)), mistake="weights-swapped", beta=beta, show=show)
        expect(not alike(found, plain_average(NOISY, beta, NOISY[0])), mistake="begun-with-the-first-loss",
               times=1 / (1 - beta), show=show)
        expect(alike(found, wanted), "Your values are not these averages.", show=show)


smooth_losses.hints(
    "Two numbers go along: the average, and how many losses there were, from 1.",
    "Append `average / (1 - beta ** n)`, and leave `average` itself as it is.")

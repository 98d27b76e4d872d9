"""Exercise: which part begins to learn in which epoch, and at which rate."""

from __future__ import annotations

import math
from collections.abc import Mapping

from course_utils.lessons._guards import is_number, kind_of
from course_utils.teaching import Exercise, Table, expect

plan_the_steps = Exercise(
    "plan-the-steps", lesson="coding_3_gradual_unfreezing", title="Plan the steps", see="#The-plan",
    minutes=6, difficulty="easy", objective="plan")


@plan_the_steps.starter
def make_plan(parts, every, rate, factor):
    """Which part begins in which epoch, and at which rate: {epoch: (part, rate)}.

    `parts` are in order from the input to the head. The head begins in epoch 1, at `rate`. After `every`
    epochs the part before it begins too, at `rate / factor`; after as many again the one before that, at a
    rate divided once more; and so on, to the first.
    """
    ...


@plan_the_steps.solved_by
def make_plan(parts, every, rate, factor):
    """Counted from the head's end; epochs count from 1."""
    return {1 + step * every: (part, rate / factor ** step) for step, part in enumerate(reversed(parts))}


@plan_the_steps.alternative("step-by-step")
def make_plan(parts, every, rate, factor):
    plan, epoch, waiting = {}, 1, list(parts)
    while waiting:
        plan[epoch] = (waiting.pop(), rate)
        epoch, rate = epoch + every, rate / factor
    return plan


@plan_the_steps.alternative("by-index")
def make_plan(parts, every, rate, factor):
    plan = {}
    for i in range(len(parts)):
        steps = len(parts) - 1 - i
        plan[steps * every + 1] = [parts[i], rate * factor ** -steps]
    return plan


@plan_the_steps.wrong("an-epoch-too-early", says=(
    "The second part begins in epoch {got}. Epochs count from 1: *after* {every} epochs is epoch {wanted}."))
def make_plan(parts, every, rate, factor):
    return {max(1, step * every): (part, rate / factor ** step)
            for step, part in enumerate(reversed(parts))}


@plan_the_steps.wrong("from-the-input", says=(
    "Your plan begins with “{got}”, the part next to the pixels. The head is random and begins; then comes "
    "what is nearest to it: the last layers are the most special to the old task."))
def make_plan(parts, every, rate, factor):
    return {1 + step * every: (part, rate / factor ** step) for step, part in enumerate(parts)}


@plan_the_steps.wrong("one-rate-for-all", says=(
    "Every part begins at {rate:g}, the head's rate. Pretrained layers are good already: long steps destroy "
    "what is in them. Divide by `factor` for each part towards the input."))
def make_plan(parts, every, rate, factor):
    return {1 + step * every: (part, rate) for step, part in enumerate(reversed(parts))}


@plan_the_steps.wrong("rates-that-rise", says=(
    "Your rates rise towards the input: {first:g}, then {second:g}. What sees the pixels first changes "
    "least: divide by `factor`."))
def make_plan(parts, every, rate, factor):
    return {1 + step * every: (part, rate * factor ** step) for step, part in enumerate(reversed(parts))}


@plan_the_steps.wrong("divided-once", says=(
    "The third part begins at {got:g}, as the second does. Each part is divided once more than the one "
    "before it: `rate / factor ** step`."))
def make_plan(parts, every, rate, factor):
    return {1 + step * every: (part, rate / factor if step else rate)
            for step, part in enumerate(reversed(parts))}


@plan_the_steps.wrong("head-left-out", says=(
    "“{head}” is not in your plan: it is the new head, random, and what must learn before all else."))
def make_plan(parts, every, rate, factor):
    return {1 + step * every: (part, rate / factor ** step) for step, part in enumerate(reversed(parts[:-1]))}


PARTS = ["stem", "layer1", "layer2", "layer3", "layer4", "fc"]


def given(answer, every: int, rate: float, factor: float) -> dict:
    plan = answer(list(PARTS), every, rate, factor)
    expect(isinstance(plan, Mapping), f"`make_plan` must return a dict, but it returned {kind_of(plan)}.")
    for epoch, entry in plan.items():
        expect(isinstance(epoch, int) and isinstance(entry, (tuple, list))
               and [isinstance(entry[0], str), *map(is_number, entry[1:])] == [True, True],
               f"Each entry should be epoch: (part, rate), but one is {epoch!r}: {entry!r}.")
    return dict(plan)


def beside(plan: dict, every: int, rate: float, factor: float):
    """The learner's plan and the right one, made only where a check fails."""
    right = plan_the_steps.solution_function(PARTS, every, rate, factor)
    rows = [[str(epoch), *(f"{where[epoch][0]} at {where[epoch][1]:g}" if epoch in where else ""
                           for where in (plan, right))] for epoch in sorted({*plan, *right})]
    return lambda: [Table(f"A step every {every} epochs", ["epoch", "yours", "expected"], rows)]


@plan_the_steps.checks("who begins when", points=2)
def _(answer):
    for every in (3, 2):
        plan = given(answer, every, 1e-3, 10)
        show = beside(plan, every, 1e-3, 10)
        order = [part for _, (part, _) in sorted(plan.items())]
        expect("fc" in order, mistake="head-left-out", head="fc", show=show)
        expect(order[0] != "stem", mistake="from-the-input", got=order[0], show=show)
        got = next((epoch for epoch, (part, _) in plan.items() if part == "layer4"), 0)
        expect(got != every, mistake="an-epoch-too-early", got=got, every=every, wanted=every + 1, show=show)
        expect({epoch: part for epoch, (part, _) in plan.items()}
               == {1 + i * every: part for i, part in enumerate(reversed(PARTS))},
               "Some parts begin in other epochs than they should.", show=show)


@plan_the_steps.checks("at which rates", points=2)
def _(answer):
    for rate, factor in ((1e-3, 10), (0.02, 2.5)):
        plan = given(answer, 3, rate, factor)
        show = beside(plan, 3, rate, factor)
        rates = {part: rate for part, rate in plan.values()}
        expect(set(PARTS[1:5]) <= set(rates), "Some parts are missing in your plan.", show=show)
        late, before = rates["layer4"], rates["layer3"]
        expect(not late == before == rate, mistake="one-rate-for-all", rate=rate, show=show)
        expect(late <= rate or rates.get("stem", 0) < late, mistake="rates-that-rise", first=rate,
               second=late, show=show)
        expect(late != before, mistake="divided-once", got=before, show=show)
        wanted = {part: rate / factor ** i for i, part in enumerate(reversed(PARTS))}
        expect(all(math.isclose(rates.get(part, 0), wanted[part], rel_tol=1e-6) for part in PARTS),
               "Some rates are not the head's, divided once for each step towards the input.", show=show)


plan_the_steps.hints(
    "`enumerate(reversed(parts))` gives the head as step 0, the part before it as step 1.",
    "Step 0 is epoch 1, step 1 is epoch `1 + every`. The rate of a step is `rate / factor ** step`.")

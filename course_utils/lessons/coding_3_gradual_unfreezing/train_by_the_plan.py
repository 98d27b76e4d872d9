"""Exercise: a training in which parts begin to learn one after another."""

from __future__ import annotations

import math

import torch

from course_utils.lessons._guards import torch_as_it_was
from course_utils.pretrained import freeze, train_mode, unfreeze
from course_utils.teaching import Exercise, expect

from ._small_network import BEGINS, EPOCHS, RATES, STEPS, by_epoch, recorded, wanted, watched

train_by_the_plan = Exercise(
    "train-by-the-plan", lesson="coding_3_gradual_unfreezing", title="Train by the plan", see="#The-training",
    minutes=15, difficulty="hard", objective="training", seconds=30, guard=torch_as_it_was)


@train_by_the_plan.starter
def train_gradually(model, plan, one_pass, evaluate, epochs):
    """Train by `plan`, {epoch: (names, rate)}; return [(loss, names that learn), …], an entry an epoch.

    `names` is a tuple of modules of the model, for `model.get_submodule(name)`. Before their epoch they rest,
    BatchNorm included; from it on they learn, at their rate. One Adam throughout. One epoch of training is
    `one_pass(model, optimizer)`, in the modes that it finds. `evaluate(model)` gives the validation loss
    after it, and leaves the model in eval mode. The model comes with all gradients on; the plan has an epoch
    1.
    """
    ...


@train_by_the_plan.solved_by
def train_gradually(model, plan, one_pass, evaluate, epochs):
    """Gradients, optimizer and modes: three switches for each part, the third in every epoch."""
    model.requires_grad_(False)
    optimizer, learning, history = None, set(), []
    for epoch in range(1, epochs + 1):
        if epoch in plan:
            names, rate = plan[epoch]
            learning = learning | set(names)
            new = [p for name in names for p in model.get_submodule(name).requires_grad_(True).parameters()]
            if optimizer is None:
                optimizer = torch.optim.Adam(new, lr=rate)
            else:
                optimizer.add_param_group({"params": new, "lr": rate})
        model.eval()
        for name in learning:
            model.get_submodule(name).train()
        one_pass(model, optimizer)
        history.append((evaluate(model), learning))
    return history


@train_by_the_plan.alternative("with-the-course")
def train_gradually(model, plan, one_pass, evaluate, epochs):
    freeze(model)
    names, rate = plan[1]
    for name in names:
        unfreeze(model.get_submodule(name))
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=rate)
    learning, history = list(names), []
    for epoch in range(1, epochs + 1):
        if epoch > 1 and epoch in plan:
            for name in plan[epoch][0]:
                unfreeze(model.get_submodule(name), optimizer=optimizer, lr=plan[epoch][1])
                learning.append(name)
        train_mode(model)
        one_pass(model, optimizer)
        history.append((evaluate(model), tuple(learning)))
    return history


@train_by_the_plan.alternative("held-from-the-start")
def train_gradually(model, plan, one_pass, evaluate, epochs):
    def parameters_of(names):
        return [p for name in names for p in model.get_submodule(name).parameters()]
    optimizer = torch.optim.Adam([{"params": parameters_of(names), "lr": rate}
                                  for names, rate in plan.values()])
    history = []
    for epoch in range(1, epochs + 1):
        learning = [name for first in sorted(plan) if first <= epoch for name in plan[first][0]]
        model.requires_grad_(False)             # what has no gradient does not move
        model.train(False)
        for name in learning:
            model.get_submodule(name).train().requires_grad_(True)
        one_pass(model, optimizer)
        history += [(evaluate(model), learning)]
    return history


def begin(model, plan, epoch, learning, optimizer, *, hand_over=True, rate=None):
    """What is due in an epoch: the right steps that the wrong answers below have in common."""
    if epoch in plan:
        names, own = plan[epoch]
        learning += names
        new = [p for name in names for p in model.get_submodule(name).requires_grad_(True).parameters()]
        if optimizer is None:
            return torch.optim.Adam(new, lr=own)
        if hand_over:
            optimizer.add_param_group({"params": new, "lr": rate or own})
    return optimizer


def usual(model, plan, one_pass, evaluate, epochs, *, modes=train_mode, **how):
    """The right training, but for what is said."""
    model.requires_grad_(False)
    optimizer, learning, history = None, [], []
    for epoch in range(1, epochs + 1):
        optimizer = begin(model, plan, epoch, learning, optimizer, **how)
        modes(model)
        one_pass(model, optimizer)
        history.append((evaluate(model), list(learning)))
    return history


@train_by_the_plan.wrong("not-handed-to-the-optimizer", says=(
    "From epoch {epoch} on `{module}` has gradients and does not move: the optimizer does not hold it. "
    "`optimizer.add_param_group` belongs to every beginning."))
def train_gradually(model, plan, one_pass, evaluate, epochs):
    return usual(model, plan, one_pass, evaluate, epochs, hand_over=False)


@train_by_the_plan.wrong("all-from-the-start", says=(
    "`{module}` moves in epoch {epoch} already, and should begin in epoch {wanted}. The model comes with "
    "every gradient on, and the optimizer holds it all: freeze everything first."))
def train_gradually(model, plan, one_pass, evaluate, epochs):
    optimizer = torch.optim.Adam([{"params": [p for name in names for p in
                                              model.get_submodule(name).parameters()], "lr": rate}
                                  for names, rate in plan.values()])
    history = []
    for epoch in range(1, epochs + 1):
        learning = [name for first, (names, _) in plan.items() if first <= epoch for name in names]
        model.train()
        one_pass(model, optimizer)
        history.append((evaluate(model), learning))
    return history


@train_by_the_plan.wrong("an-epoch-late", says=(
    "`{module}` begins to move in epoch {epoch}, the plan says {wanted}: it was unfrozen after the epoch had "
    "been trained. What is due comes first in the loop."))
def train_gradually(model, plan, one_pass, evaluate, epochs):
    model.requires_grad_(False)
    learning, history = [], []
    optimizer = begin(model, plan, 1, learning, None)
    for epoch in range(1, epochs + 1):
        train_mode(model)
        one_pass(model, optimizer)
        if epoch > 1:
            begin(model, plan, epoch, learning, optimizer)
        history.append((evaluate(model), list(learning)))
    return history


@train_by_the_plan.wrong("handed-over-again", says=(
    "In epoch {epoch} torch refuses: the optimizer holds these parameters already. A part is handed over in "
    "the one epoch in which it begins."))
def train_gradually(model, plan, one_pass, evaluate, epochs):
    model.requires_grad_(False)
    learning, history = [], []
    optimizer = begin(model, plan, 1, learning, None)
    for epoch in range(1, epochs + 1):
        for first in plan:
            if 1 < first <= epoch:
                begin(model, plan, first, learning, optimizer)
        train_mode(model)
        one_pass(model, optimizer)
        history.append((evaluate(model), list(learning)))
    return history


@train_by_the_plan.wrong("at-the-heads-rate", says=(
    "`{module}` learns at {rate:g}, the plan says {wanted:g}. A group without a rate of its own gets the one "
    "that the optimizer was made with: write `\"lr\"` into `add_param_group`."))
def train_gradually(model, plan, one_pass, evaluate, epochs):
    return usual(model, plan, one_pass, evaluate, epochs, rate=plan[1][1])


@train_by_the_plan.wrong("gradients-for-nothing", says=(
    "In epoch {epoch} gradients are computed for `{module}`, which does not learn yet. Nothing moves, but "
    "each step pays for a backward pass through the whole network. First of all: "
    "`model.requires_grad_(False)`."))
def train_gradually(model, plan, one_pass, evaluate, epochs):
    optimizer, learning, history = None, [], []
    for epoch in range(1, epochs + 1):
        optimizer = begin(model, plan, epoch, learning, optimizer)
        model.eval()
        for name in learning:
            model.get_submodule(name).train()
        one_pass(model, optimizer)
        history.append((evaluate(model), list(learning)))
    return history


@train_by_the_plan.wrong("rebuilt-the-optimizer", says=(
    "A new optimizer in epoch {epoch} has forgotten the head: Adam's averages of {steps} steps are gone, and "
    "its first steps are long again. Keep one optimizer and give it a group more."))
def train_gradually(model, plan, one_pass, evaluate, epochs):
    model.requires_grad_(False)
    learning, history = [], []
    for epoch in range(1, epochs + 1):
        if epoch in plan:
            begin(model, plan, epoch, learning, None)
            optimizer = torch.optim.Adam([
                {"params": [p for name in names for p in model.get_submodule(name).parameters()], "lr": rate}
                for first, (names, rate) in plan.items() if first <= epoch])
        train_mode(model)
        one_pass(model, optimizer)
        history.append((evaluate(model), list(learning)))
    return history


@train_by_the_plan.wrong("frozen-batchnorm-drifts", says=(
    "In epoch {epoch} BatchNorm's statistics moved in `{modules}`, still frozen: `model.train()` wakes all "
    "of it. Frozen parts belong in eval mode."))
def train_gradually(model, plan, one_pass, evaluate, epochs):
    return usual(model, plan, one_pass, evaluate, epochs, modes=lambda net: net.train())


@train_by_the_plan.wrong("asleep-after-validation", says=(
    "In epoch {epoch} `{module}` learns, but is in eval mode, as `evaluate` left it. Modes are set before "
    "every epoch, not only when a part begins."))
def train_gradually(model, plan, one_pass, evaluate, epochs):
    model.requires_grad_(False)
    optimizer, learning, history = None, [], []
    for epoch in range(1, epochs + 1):
        optimizer = begin(model, plan, epoch, learning, optimizer)
        if epoch in plan:
            train_mode(model)
        one_pass(model, optimizer)
        history.append((evaluate(model), list(learning)))
    return history


@train_by_the_plan.wrong("one-list-in-all-entries", says=(
    "Your history says that in epoch 1 {count} modules learned. Every entry holds the *same* list, which "
    "grew later. Keep a copy: `list(learning)`."))
def train_gradually(model, plan, one_pass, evaluate, epochs):
    history = usual(model, plan, one_pass, evaluate, epochs)
    return [(loss, history[-1][1]) for loss, _ in history]


@train_by_the_plan.checks("each part begins in its epoch", points=3)
def _(answer):
    seen, _, _ = watched(answer)
    show = by_epoch(seen)
    for name, first in BEGINS.items():
        began = next((i for i, one in enumerate(seen, start=1) if name in one.weights), 99)
        said = {"module": name, "epoch": began, "wanted": first, "show": show}
        expect(began >= first, mistake="all-from-the-start", **said)
        expect(began == first or began == 99, mistake="an-epoch-late", **said)
        expect(began == first, mistake="not-handed-to-the-optimizer", module=name, epoch=first, show=show)
    off = next((i for i, one in enumerate(seen, start=1) if one.weights != wanted(i)), None)
    expect(off is None, f"In epoch {off} other modules move than should.", show=show)


@train_by_the_plan.checks("at its rate")
def _(answer):
    for one in watched(answer)[0]:
        for name in sorted(one.weights & set(RATES)):
            expect(math.isclose(one.rates[name], RATES[name], rel_tol=1e-3), mistake="at-the-heads-rate",
                   module=name, rate=one.rates[name], wanted=RATES[name])


@train_by_the_plan.checks("one optimizer throughout")
def _(answer):
    for epoch, one in enumerate(watched(answer)[0], start=1):
        steps = STEPS * (epoch - 1)
        expect(one.remembered == steps, mistake="rebuilt-the-optimizer", epoch=epoch, steps=steps)


@train_by_the_plan.checks("what is frozen rests, what learns is awake", points=2)
def _(answer):
    for epoch, one in enumerate(watched(answer)[0], start=1):
        idle = sorted(one.gradients - wanted(epoch))
        expect(not idle, mistake="gradients-for-nothing", epoch=epoch, module="".join(idle[:1]))
        drifts = "`, `".join(sorted(one.statistics - wanted(epoch)))
        expect(not drifts, mistake="frozen-batchnorm-drifts", epoch=epoch, modules=drifts)
        asleep = sorted(wanted(epoch) - one.awake)
        expect(not asleep, mistake="asleep-after-validation", epoch=epoch, module="".join(asleep[:1]))


@train_by_the_plan.checks("the history says so")
def _(answer):
    history, watch = recorded(answer)
    first = history[0][1]
    expect(first != history[-1][1], mistake="one-list-in-all-entries", count=len(first))
    expect(watch.validated == list(range(1, EPOCHS + 1)), "`evaluate` is called once after each epoch.")
    right = [(100.0 - epoch, wanted(epoch)) for epoch in range(1, EPOCHS + 1)]
    expect(history == right,
           "An entry should be (validation loss after the epoch, names of the modules that learned in it).")


train_by_the_plan.hints(
    "Before the loop: `model.requires_grad_(False)`. First thing in the loop: is `epoch in plan`?",
    "Then gradients on for these modules, and their parameters to the optimizer: in epoch 1 it is made, "
    "later `optimizer.add_param_group({\"params\": …, \"lr\": rate})`.",
    "Before each `one_pass`: `model.eval()`, then `.train()` for every module that learns by now.")

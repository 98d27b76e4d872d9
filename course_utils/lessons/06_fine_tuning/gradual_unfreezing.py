"""Exercise: unfreeze a network step by step, with one optimizer that learns of each step."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from course_utils.lessons._guards import changed, kind_of, pictures, snapshot, torch_as_it_was
from course_utils.pretrained import freeze, train_mode, unfreeze
from course_utils.teaching import Exercise, Table, expect

from ._small_resnet import SmallResNet

gradual_unfreezing = Exercise(
    "gradual-unfreezing", lesson="06_fine_tuning", title="Unfreeze step by step",
    see="#Unfreeze-step-by-step", minutes=10, difficulty="hard", objective="unfreezing",
    seconds=30, guard=torch_as_it_was)


@gradual_unfreezing.starter
def before_epoch(model, optimizer, epoch):
    """Make a small ResNet ready for `epoch` (1, 2, 3 …), and return the optimizer that is to train it.

    At first only `fc` learns, and `optimizer`, an Adam at 1e-3, holds nothing else. After 3 epochs `layer4`
    begins to learn too, at 1e-4; after 6 also `layer3`, at 1e-5. The rest stays frozen. `model` comes in eval
    mode, from validation: what learns belongs in train mode, what is frozen in eval mode.
    """
    ...


@gradual_unfreezing.solved_by
def before_epoch(model, optimizer, epoch):
    """The same optimizer throughout; it gets a new group when a block begins to learn."""
    begins = {4: (model.layer4, 1e-4), 7: (model.layer3, 1e-5)}
    if epoch in begins:
        block, rate = begins[epoch]
        block.requires_grad_(True)
        optimizer.add_param_group({"params": block.parameters(), "lr": rate})
    model.fc.train()
    model.layer4.train(epoch >= 4)
    model.layer3.train(epoch >= 7)
    return optimizer


@gradual_unfreezing.alternative("with-the-course")
def before_epoch(model, optimizer, epoch):
    if epoch == 4:
        unfreeze(model.layer4, optimizer=optimizer, lr=1e-4)
    if epoch == 7:
        unfreeze(model.layer3, optimizer=optimizer, lr=1e-5)
    train_mode(model)
    return optimizer


@gradual_unfreezing.alternative("held-from-the-start")
def before_epoch(model, optimizer, epoch):
    if epoch == 1:                      # what has no gradient does not move
        optimizer.add_param_group({"params": model.layer4.parameters(), "lr": 1e-4})
        optimizer.add_param_group({"params": model.layer3.parameters(), "lr": 1e-5})
    model.layer4.requires_grad_(epoch > 3)
    model.layer3.requires_grad_(epoch > 6)
    model.train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d) and not module.weight.requires_grad:
            module.eval()
    return optimizer


@gradual_unfreezing.alternative("memory-carried-over")
def before_epoch(model, optimizer, epoch):
    train_mode(model)
    if epoch not in (4, 7):
        return optimizer
    block, rate = (model.layer4, 1e-4) if epoch == 4 else (model.layer3, 1e-5)
    block.requires_grad_(True)
    groups = [{"params": group["params"], "lr": group["lr"]} for group in optimizer.param_groups]
    another = torch.optim.Adam([*groups, {"params": block.parameters(), "lr": rate}])
    another.state.update(optimizer.state)
    train_mode(model)
    return another


@gradual_unfreezing.wrong("not-handed-to-the-optimizer", says=(
    "From epoch {epoch} on `{block}` gets gradients, but does not move: the optimizer does not hold it. "
    "Unfreezing is not enough, call `optimizer.add_param_group` as well."))
def before_epoch(model, optimizer, epoch):
    model.layer4.requires_grad_(epoch > 3)
    model.layer3.requires_grad_(epoch > 6)
    train_mode(model)
    return optimizer


@gradual_unfreezing.wrong("an-epoch-too-early", says=(
    "`{block}` learns in epoch {found} already. Epochs count from 1 and this is called before each: after "
    "{done} epochs means from epoch {epoch} on."))
def before_epoch(model, optimizer, epoch):
    if epoch == 3:
        unfreeze(model.layer4, optimizer=optimizer, lr=1e-4)
    if epoch == 6:
        unfreeze(model.layer3, optimizer=optimizer, lr=1e-5)
    train_mode(model)
    return optimizer


@gradual_unfreezing.wrong("from-the-wrong-end", says=(
    "`{found}` began to learn first. Begin at the head's end: the last layers are the most special to the "
    "old task. `layer4` comes after 3 epochs, `layer3` after 6."))
def before_epoch(model, optimizer, epoch):
    if epoch == 4:
        unfreeze(model.layer1, optimizer=optimizer, lr=1e-4)
    if epoch == 7:
        unfreeze(model.layer2, optimizer=optimizer, lr=1e-5)
    train_mode(model)
    return optimizer


@gradual_unfreezing.wrong("handed-over-again", says=(
    "In epoch {epoch} torch refuses: the optimizer holds these parameters already. `add_param_group` belongs "
    "to the one epoch in which a block begins to learn: `==`, not `>=`."))
def before_epoch(model, optimizer, epoch):
    for first, block, rate in [(4, model.layer4, 1e-4), (7, model.layer3, 1e-5)]:
        if epoch >= first:
            block.requires_grad_(True)
            optimizer.add_param_group({"params": block.parameters(), "lr": rate})
    train_mode(model)
    return optimizer


@gradual_unfreezing.wrong("at-the-heads-rate", says=(
    "`{block}` learns at {rate:g}, not at {wanted:g}. A group without its own \"lr\" gets the one the "
    "optimizer was made with, the head's: say it in `add_param_group`."))
def before_epoch(model, optimizer, epoch):
    for first, block in [(4, model.layer4), (7, model.layer3)]:
        if epoch == first:
            block.requires_grad_(True)
            optimizer.add_param_group({"params": block.parameters()})
    train_mode(model)
    return optimizer


@gradual_unfreezing.wrong("rebuilt-the-optimizer", says=(
    "A new optimizer in epoch {epoch} has forgotten the head: Adam's averages of its gradients, {steps} "
    "steps old, are gone. Keep the optimizer and give it a group more."))
def before_epoch(model, optimizer, epoch):
    model.layer4.requires_grad_(epoch > 3)
    model.layer3.requires_grad_(epoch > 6)
    train_mode(model)
    if epoch not in (4, 7):
        return optimizer
    rates = [(model.fc, 1e-3), (model.layer4, 1e-4), (model.layer3, 1e-5)][:2 if epoch == 4 else 3]
    return torch.optim.Adam([{"params": part.parameters(), "lr": rate} for part, rate in rates])


@gradual_unfreezing.wrong("frozen-batchnorm-drifts", says=(
    "In epoch {epoch} BatchNorm's statistics moved in `{parts}`, still frozen. `model.train()` wakes the "
    "whole network: put what is frozen back into eval mode."))
def before_epoch(model, optimizer, epoch):
    if epoch == 4:
        unfreeze(model.layer4, optimizer=optimizer, lr=1e-4)
    if epoch == 7:
        unfreeze(model.layer3, optimizer=optimizer, lr=1e-5)
    model.train()
    return optimizer


@gradual_unfreezing.wrong("still-in-eval-mode", says=(
    "In epoch {epoch} `{part}` learns, but is in eval mode, as validation left it. Wake what learns before "
    "every epoch."))
def before_epoch(model, optimizer, epoch):
    if epoch == 4:
        unfreeze(model.layer4, optimizer=optimizer, lr=1e-4)
    if epoch == 7:
        unfreeze(model.layer3, optimizer=optimizer, lr=1e-5)
    return optimizer


BEGINS = {"fc": 1, "layer4": 4, "layer3": 7}
RATES = {"fc": 1e-3, "layer4": 1e-4, "layer3": 1e-5}
EPOCHS, NEVER = 8, 99


@dataclass
class Seen:
    """One epoch of a single step: what moved, and how things stood for it."""

    epoch: int
    weights: set[str]               # the parts whose parameters moved
    statistics: set[str]            # the parts whose BatchNorm statistics moved
    awake: set[str]                 # the parts that are in train mode altogether
    rates: dict[str, float]         # of each part the optimizer holds
    steps: int                      # how many steps Adam remembers of the head, before this one

    @property
    def wanted(self) -> set[str]:
        return {part for part, first in BEGINS.items() if self.epoch >= first}


def watched(answer) -> list[Seen]:
    """Train with the learner's preparation, one step an epoch."""
    torch.manual_seed(0)
    model = freeze(SmallResNet())
    unfreeze(model.fc)
    optimizer, seen = torch.optim.Adam(model.fc.parameters(), lr=1e-3), []
    for epoch in range(1, EPOCHS + 1):
        model.eval()
        try:
            optimizer = answer(model, optimizer, epoch)
        except ValueError as error:
            expect("more than one parameter group" not in str(error), mistake="handed-over-again",
                   epoch=epoch)
            raise
        expect(isinstance(optimizer, torch.optim.Optimizer),
               f"`before_epoch` must return the optimizer, but in epoch {epoch} it returned "
               f"{kind_of(optimizer)}.")
        expect(all(p.dtype == torch.float32 for p in model.parameters()),
               f"In epoch {epoch} you turned the model's float32 numbers into others. Leave them.")
        seen.append(one_step(model, optimizer, epoch))
    return seen


def one_step(model: nn.Module, optimizer: torch.optim.Optimizer, epoch: int) -> Seen:
    named = dict(model.named_parameters())
    place = {id(p): part_of(name) for name, p in named.items()}
    rates = {place[id(p)]: float(group["lr"]) for group in optimizer.param_groups for p in group["params"]
             if id(p) in place}
    steps = int(optimizer.state.get(model.fc.weight, {}).get("step", 0))
    awake = {name for name, part in model.named_children() if all(m.training for m in part.modules())}
    before = snapshot(model)
    loss = F.cross_entropy(model(pictures(4, size=32, seed=epoch)), torch.arange(4))
    if loss.requires_grad:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    moved = changed(before, model)
    return Seen(epoch, {part_of(name) for name in moved & set(named)},
                {part_of(name) for name in moved - set(named)}, awake, rates, steps)


def part_of(name: str) -> str:
    return name.split(".")[0]


def by_epoch(seen: list[Seen]):
    """What moved in each epoch beside what should have; made only where a check fails."""
    rows = [(str(one.epoch), ", ".join(sorted(one.weights)) or "nothing", ", ".join(sorted(one.wanted)))
            for one in seen]
    wrong = [i for i, one in enumerate(seen) if one.weights != one.wanted]
    return lambda: [Table("What moved in each epoch", ["epoch", "moved", "expected"], rows, marked=wrong)]


@gradual_unfreezing.checks("each block begins to learn in its epoch", points=3)
def _(answer):
    seen = watched(answer)
    show = by_epoch(seen)
    first = dict.fromkeys(BEGINS, NEVER) | {part: one.epoch for one in reversed(seen) for part in one.weights}
    strangers = sorted(set(first) - set(BEGINS)) + ["layer3"] * (first["layer3"] < first["layer4"])
    expect(not strangers, mistake="from-the-wrong-end", found="".join(strangers[:1]), show=show)
    for block, epoch in BEGINS.items():
        expect(first[block] >= epoch, mistake="an-epoch-too-early", block=block, found=first[block],
               done=epoch - 1, epoch=epoch, show=show)
        expect(first[block] < NEVER, mistake="not-handed-to-the-optimizer", block=block, epoch=epoch,
               show=show)
    off = next((one.epoch for one in seen if one.weights != one.wanted), None)
    expect(off is None, f"In epoch {off} other parts move than should.", show=show)


@gradual_unfreezing.checks("at the rates asked for")
def _(answer):
    for one in watched(answer):
        for part in one.weights & set(RATES):
            rate, wanted = one.rates[part], RATES[part]
            expect(math.isclose(rate, wanted, rel_tol=1e-3), mistake="at-the-heads-rate", block=part,
                   rate=rate, wanted=wanted)


@gradual_unfreezing.checks("the head's memory is kept")
def _(answer):
    for one in watched(answer):
        before = one.epoch - 1
        expect(one.steps == before, mistake="rebuilt-the-optimizer", epoch=one.epoch, steps=before)


@gradual_unfreezing.checks("what is frozen rests, what learns is awake", points=2)
def _(answer):
    for one in watched(answer):
        drifts = "`, `".join(sorted(one.statistics - one.weights))
        expect(not drifts, mistake="frozen-batchnorm-drifts", epoch=one.epoch, parts=drifts)
        asleep = sorted(one.weights - one.awake)
        expect(not asleep, mistake="still-in-eval-mode", epoch=one.epoch, part="".join(asleep[:1]))


gradual_unfreezing.hints(
    "Three things happen in the epoch in which a block begins: gradients on, a new group in the optimizer, "
    "and from then on train mode.",
    '`optimizer.add_param_group({"params": model.layer4.parameters(), "lr": 1e-4})`, once: in epoch 4.',
    "Modes are set before every epoch: `model.fc.train()`, and `.train()` for each block that learns by now.")

"""Exercise: parameter groups that forget nothing, slower towards the input."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from functools import cache

import torch
from torch import nn

from course_utils.lessons._guards import kind_of, torch_as_it_was
from course_utils.pretrained import freeze, load_model, parameter_groups, replace_head, unfreeze
from course_utils.teaching import Exercise, Table, expect

rates_by_depth = Exercise(
    "rates-by-depth", lesson="06_fine_tuning", title="A rate for each depth",
    see="#A-rate-for-each-depth", minutes=8, difficulty="medium", objective="groups",
    seconds=20, guard=torch_as_it_was)


@rates_by_depth.starter
def groups_for(model, head_lr):
    """Make all of a ResNet-18 learn, and return parameter groups for an optimizer.

    The head, `fc`, learns at `head_lr`; `layer3` and `layer4` at a tenth of it; all that comes before them at
    a hundredth. The model comes from feature extraction: everything but its head is frozen.
    """
    ...


@rates_by_depth.solved_by
def groups_for(model, head_lr):
    """By name, and whatever no name claims is early: so nothing can be forgotten."""
    groups = {"early": {"params": [], "lr": head_lr / 100},
              "late": {"params": [], "lr": head_lr / 10},
              "head": {"params": [], "lr": head_lr}}
    parts = {"layer3": "late", "layer4": "late", "fc": "head"}
    for name, parameter in model.named_parameters():
        parameter.requires_grad = True
        groups[parts.get(name.split(".")[0], "early")]["params"].append(parameter)
    return list(groups.values())


@rates_by_depth.alternative("with-the-course")
def groups_for(model, head_lr):
    unfreeze(model)
    return parameter_groups(model, head_lr, groups=3)


@rates_by_depth.alternative("module-by-module")
def groups_for(model, head_lr):
    model.requires_grad_(True)
    hundredth = [model.conv1, model.bn1, model.layer1, model.layer2]
    groups = [{"params": part.parameters(), "lr": head_lr / 100} for part in hundredth]
    groups += [{"params": part.parameters(), "lr": head_lr / 10} for part in (model.layer3, model.layer4)]
    return [*groups, {"params": model.fc.parameters(), "lr": head_lr}]


@rates_by_depth.alternative("what-is-left-over")
def groups_for(model, head_lr):
    model.requires_grad_(True)
    late = [*model.layer3.parameters(), *model.layer4.parameters()]
    taken = {id(p) for p in [*late, *model.fc.parameters()]}
    return [{"params": [p for p in model.parameters() if id(p) not in taken], "lr": head_lr / 100},
            {"params": late, "lr": head_lr / 10}, {"params": model.fc.parameters(), "lr": head_lr}]


@rates_by_depth.wrong("stem-forgotten", says=(
    "`{names}` are in no group: {count:,} parameters that will never move. `layer1` to `layer4` and `fc` are "
    "not the whole network: before them comes the stem. Let one group take all that no other claims."))
def groups_for(model, head_lr):
    model.requires_grad_(True)
    return [{"params": [*model.layer1.parameters(), *model.layer2.parameters()], "lr": head_lr / 100},
            {"params": [*model.layer3.parameters(), *model.layer4.parameters()], "lr": head_lr / 10},
            {"params": model.fc.parameters(), "lr": head_lr}]


@rates_by_depth.wrong("in-two-groups", says=(
    "`{first}` and {more} other parameters are in more than one group, and torch refuses that: which rate "
    "should they have? Take what the other groups hold out of the large one."))
def groups_for(model, head_lr):
    model.requires_grad_(True)
    return [{"params": model.parameters(), "lr": head_lr / 100},
            {"params": [*model.layer3.parameters(), *model.layer4.parameters()], "lr": head_lr / 10},
            {"params": model.fc.parameters(), "lr": head_lr}]


@rates_by_depth.wrong("the-names-were-used-up", says=(
    "Group {number} of your groups is empty. `model.named_parameters()` gives each parameter once: a second "
    "loop over the same one finds nothing. Make a list of it, or call it again."))
def groups_for(model, head_lr):
    model.requires_grad_(True)
    named, late = model.named_parameters(), ("layer3.", "layer4.")
    return [{"params": [p for name, p in named if name.startswith("fc.")], "lr": head_lr},
            {"params": [p for name, p in named if name.startswith(late)], "lr": head_lr / 10},
            {"params": [p for name, p in named if not name.startswith(("fc.", *late))], "lr": head_lr / 100}]


@rates_by_depth.wrong("still-frozen", says=(
    "Every parameter is in a group, but {count} of {all} are still frozen, so they get no gradient and do "
    "not move. A rate does not unfreeze: set `requires_grad` to True as well."))
def groups_for(model, head_lr):
    early = [model.conv1, model.bn1, model.layer1, model.layer2]
    return [{"params": [p for part in early for p in part.parameters()], "lr": head_lr / 100},
            {"params": [*model.layer3.parameters(), *model.layer4.parameters()], "lr": head_lr / 10},
            {"params": model.fc.parameters(), "lr": head_lr}]


@rates_by_depth.wrong("head-at-the-backbones-rate", says=(
    "The head learns at {rate:g}, a rate for pretrained layers. It has the longest way to go: give it "
    "{wanted:g}, in a group of its own."))
def groups_for(model, head_lr):
    model.requires_grad_(True)
    late = [p for name, p in model.named_parameters() if name.startswith(("layer3.", "layer4.", "fc."))]
    early = [p for name, p in model.named_parameters() if not name.startswith(("layer3.", "layer4.", "fc."))]
    return [{"params": early, "lr": head_lr / 100}, {"params": late, "lr": head_lr / 10}]


@rates_by_depth.wrong("one-rate-for-all", says=(
    "The whole network learns at {rate:g}, the head's rate. That is far too much for layers that are good "
    "already. Give each depth a group with its own \"lr\"."))
def groups_for(model, head_lr):
    model.requires_grad_(True)
    return [{"params": model.parameters(), "lr": head_lr}]


@rates_by_depth.wrong("upside-down", says=(
    "The early layers learn faster than the late ones. Edges and textures are common to all pictures and "
    "need the least change: a tenth for `layer3` and `layer4`, a hundredth before them."))
def groups_for(model, head_lr):
    model.requires_grad_(True)
    early = [model.conv1, model.bn1, model.layer1, model.layer2]
    return [{"params": [p for part in early for p in part.parameters()], "lr": head_lr / 10},
            {"params": [*model.layer3.parameters(), *model.layer4.parameters()], "lr": head_lr / 100},
            {"params": model.fc.parameters(), "lr": head_lr}]


@cache
def _resnet18() -> nn.Module:
    """Untrained: this exercise is about which parameters move, not about what they know."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return load_model("torchvision/resnet18", 5, random_init=True)


def arriving(dropout: float = 0.0) -> nn.Module:
    """A ResNet-18 as feature extraction leaves it."""
    model = freeze(copy.deepcopy(_resnet18()))
    if dropout:
        replace_head(model, 5, dropout=dropout, seed=0)
    unfreeze(model.fc)
    return model


def answered(answer, model: nn.Module, head_lr: float) -> list[dict]:
    """The learner's groups, each with its parameters as a list: a generator can be read only once."""
    groups = answer(model, head_lr)
    expect(isinstance(groups, (list, tuple)) and groups,
           f"`groups_for` must return a list of groups, but it returned {kind_of(groups)}.")
    expect(all(isinstance(group, Mapping) and {"params", "lr"} <= set(group) for group in groups),
           'Each group must be a dict with "params" and an "lr" of its own.')
    return [{"lr": group["lr"], "params": [group["params"]] if isinstance(group["params"], nn.Parameter)
             else list(group["params"])} for group in groups]


def part_of(name: str) -> str:
    return name.split(".")[0]


def wanted(name: str, head_lr: float) -> float:
    return head_lr / {"fc": 1, "layer3": 10, "layer4": 10}.get(part_of(name), 100)


def moves(model: nn.Module, groups: list[dict]) -> dict[str, float]:
    """How far a step of SGD moves each parameter, for a gradient of 1: its rate; 0 where it is frozen."""
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    optimizer, steep = torch.optim.SGD(groups, lr=0.0), 1000.0      # so that rounding does not matter
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, steep) if parameter.requires_grad else None
    optimizer.step()
    return {name: (before[name] - p.detach()).double().mean().item() / steep
            for name, p in model.named_parameters()}


def by_part(model: nn.Module, rates: dict[str, float], head_lr: float, marked: set[str]) -> list[Table]:
    """One row for each part of the network: its parameters, its rate and the one asked for."""
    parts = list(dict.fromkeys(map(part_of, rates)))
    rows = [(part, f"{sum(p.numel() for p in model.get_submodule(part).parameters()):,}",
             ", ".join(sorted({f"{rate:.1e}" if rate else "does not move"
                               for name, rate in rates.items() if part_of(name) == part})),
             f"{wanted(part, head_lr):.1e}") for part in parts]
    return [Table("What an optimizer with your groups does", ["part", "parameters", "moves by", "expected"],
                  rows, marked=[i for i, part in enumerate(parts) if part in marked])]


@rates_by_depth.checks("every parameter in one group", points=2)
def _(answer):
    for dropout in (0.0, 0.2):
        model = arriving(dropout)
        groups = answered(answer, model, 1e-3)
        empty = next((i for i, group in enumerate(groups, start=1) if not group["params"]), 0)
        expect(not empty, mistake="the-names-were-used-up", number=empty)
        held = [id(p) for group in groups for p in group["params"]]
        named = {name: id(p) for name, p in model.named_parameters()}
        twice = [name for name, p in named.items() if held.count(p) > 1]
        expect(not twice, mistake="in-two-groups", first=min(twice, default=""), more=len(twice) - 1)
        strangers = len(set(held) - set(named.values()))
        expect(not strangers, f"{strangers} parameters in your groups are not the model's own.")
        orphans = [name for name, p in named.items() if p not in held]
        parts = list(dict.fromkeys(map(part_of, orphans)))
        count = sum(p.numel() for name, p in model.named_parameters() if name in orphans)
        show = _shown(model, groups, set(parts))
        expect(not orphans or set(parts) != {"conv1", "bn1"}, mistake="stem-forgotten", show=show,
               names="` and `".join(parts), count=count)
        expect(not orphans, f"`{'`, `'.join(parts)}` have parameters in no group: {count:,} of them.",
               show=show)


def _shown(model: nn.Module, groups: list[dict], marked: set[str]):
    return lambda: by_part(model, moves(model, groups), 1e-3, marked)


@rates_by_depth.checks("everything learns")
def _(answer):
    model = arriving()
    groups = answered(answer, model, 1e-3)
    frozen = [name for name, p in model.named_parameters() if not p.requires_grad]
    expect(not frozen, mistake="still-frozen", count=len(frozen), all=len(list(model.parameters())),
           show=_shown(model, groups, set(map(part_of, frozen))))


@rates_by_depth.checks("slower towards the input", points=2)
def _(answer):
    for head_lr in (1e-3, 4e-3):
        model = arriving()
        groups = answered(answer, model, head_lr)
        rates = moves(model, groups)
        off = {part_of(name) for name, rate in rates.items()
               if not math.isclose(rate, wanted(name, head_lr), rel_tol=1e-3)}

        def show(model=model, rates=rates, head_lr=head_lr, off=off) -> list[Table]:
            return by_part(model, rates, head_lr, off)

        head, first, late = rates["fc.bias"], rates["conv1.weight"], rates["layer4.0.conv1.weight"]
        same = math.isclose(first, head_lr, rel_tol=1e-2) and math.isclose(late, head_lr, rel_tol=1e-2)
        expect(not same, mistake="one-rate-for-all", rate=head_lr, show=show)
        expect("fc" not in off, mistake="head-at-the-backbones-rate", rate=round(head, 6), wanted=head_lr,
               show=show)
        expect(first <= late, mistake="upside-down", show=show)
        expect(not off, f"`{'`, `'.join(sorted(off))}` have another rate than asked for.", show=show)


rates_by_depth.hints(
    "`model.named_parameters()` gives names such as `layer4.0.conv1.weight`. Which beginnings have which "
    "rate?",
    "Do not list what is early: `conv1` and `bn1` are easily forgotten. Take all that is neither late nor "
    "head.",
    'A group is a dict, `{"params": [...], "lr": head_lr / 10}`. And set `parameter.requires_grad = True` '
    "for each of them.")

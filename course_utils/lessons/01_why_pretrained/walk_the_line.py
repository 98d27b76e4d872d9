"""Exercise: the network a share of the way between two others."""

from __future__ import annotations

import copy
from functools import partial

import torch
from torch import Tensor, nn

from course_utils.lessons._guards import changed, kind_of, snapshot, torch_as_it_was
from course_utils.teaching import Exercise, Table, expect

walk_the_line = Exercise(
    "walk-the-line", lesson="01_why_pretrained", title="Walk the straight line",
    see="#The-straight-line", minutes=7, difficulty="medium", objective="start",
    seconds=20, guard=torch_as_it_was)


@walk_the_line.starter
def between(start, end, alpha):
    """Return a new network at (1 − alpha) · start + alpha · end: at 0 it is `start`, at 1 it is `end`.

    BatchNorm's running means and variances lie on the line too. `num_batches_tracked` may be either's.
    `start` and `end` stay as they are.
    """
    ...


@walk_the_line.solved_by
def between(start, end, alpha):
    """Blend every floating-point entry of the state dicts, and load them into a copy."""
    here, there = start.state_dict(), end.state_dict()
    blend = {name: (1 - alpha) * here[name] + alpha * there[name] if value.is_floating_point() else value
             for name, value in there.items()}
    point = copy.deepcopy(start)
    point.load_state_dict(blend)
    return point


@walk_the_line.alternative("lerp")
def between(start, end, alpha):
    point = copy.deepcopy(start)
    with torch.no_grad():
        for mine, theirs in zip(point.state_dict().values(), end.state_dict().values(), strict=True):
            if mine.is_floating_point():
                mine.lerp_(theirs, alpha)
    return point


@walk_the_line.alternative("parameters-then-buffers")
def between(start, end, alpha):
    point = copy.deepcopy(end)
    with torch.no_grad():
        for mine, first in zip(point.parameters(), start.parameters(), strict=True):
            mine.add_((first - mine) * (1 - alpha))
        for mine, first in zip(point.buffers(), start.buffers(), strict=True):
            if mine.is_floating_point():
                mine.add_((first - mine) * (1 - alpha))
    return point


@walk_the_line.wrong("wrong-end", says=(
    "At alpha = 0 you are at the end, and at alpha = 1 at the start: the line is walked backwards. `start` "
    "gets 1 − alpha, `end` gets alpha."))
def between(start, end, alpha):
    point = copy.deepcopy(start)
    there = end.state_dict()
    point.load_state_dict({name: alpha * value + (1 - alpha) * there[name]
                           for name, value in start.state_dict().items()})
    return point


@walk_the_line.wrong("away-from-the-end", says=(
    "You walk away from the end: alpha · (start − end) has the wrong sign. From `start`, the way is "
    "end − start."))
def between(start, end, alpha):
    point = copy.deepcopy(start)
    there = end.state_dict()
    point.load_state_dict({name: value + alpha * (value - there[name])
                           for name, value in start.state_dict().items()})
    return point


@walk_the_line.wrong("start-kept-whole", says=(
    "At alpha = 1 the start is still in it: you computed start + alpha · end. The two shares must sum to 1: "
    "(1 − alpha) · start + alpha · end."))
def between(start, end, alpha):
    point = copy.deepcopy(start)
    there = end.state_dict()
    point.load_state_dict({name: value + alpha * there[name] for name, value in start.state_dict().items()})
    return point


@walk_the_line.wrong("statistics-forgotten", says=(
    "The parameters lie on the line, but BatchNorm's `{name}` stayed at {whose}'s: `parameters()` does not "
    "hold buffers. With statistics of another network, the loss means little. Go through `state_dict()`."))
def between(start, end, alpha):
    point = copy.deepcopy(start)
    with torch.no_grad():
        for mine, theirs in zip(point.parameters(), end.parameters(), strict=True):
            mine.copy_((1 - alpha) * mine + alpha * theirs)
    return point


@walk_the_line.wrong("changes-a-given-network", says=(
    "`{name}` is no longer what it was: you wrote into the network that was given, so a second call begins "
    "elsewhere. Write into `copy.deepcopy(start)`. Note that `start.state_dict()` holds the network's own "
    "tensors, not copies."))
def between(start, end, alpha):
    with torch.no_grad():
        for mine, theirs in zip(start.state_dict().values(), end.state_dict().values(), strict=True):
            if mine.is_floating_point():
                mine.copy_((1 - alpha) * mine + alpha * theirs)
    return start


@walk_the_line.wrong("returned-the-weights", says=(
    "This is a state dict, the weights alone. Load it into a copy of the network, "
    "`point.load_state_dict(…)`, and return the copy."))
def between(start, end, alpha):
    there = end.state_dict()
    return {name: (1 - alpha) * value + alpha * there[name] for name, value in start.state_dict().items()}


@walk_the_line.wrong("blended-the-outputs", says=(
    "Your network gives the blend of two networks' scores, not the scores of blended weights. That is an "
    "ensemble: it runs both. Blend the entries of the state dicts instead."))
def between(start, end, alpha):
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.start, self.end = copy.deepcopy(start), copy.deepcopy(end)

        def forward(self, images):
            return (1 - alpha) * self.start(images) + alpha * self.end(images)

    return Both()


def network(seed: int) -> nn.Module:
    """A small network with BatchNorm whose statistics are its own."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = nn.Sequential(nn.Conv2d(3, 6, 3, bias=False), nn.BatchNorm2d(6), nn.ReLU(),
                               nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4))
        for value in layers.parameters():
            value.data = torch.randn_like(value)
        layers[1].running_mean.normal_()
        layers[1].running_var.uniform_(0.5, 2.0)
        layers[1].num_batches_tracked.fill_(10 * (seed + 1))
    return layers.eval()


def weights_of(answer, start: nn.Module, end: nn.Module, alpha: float) -> dict[str, Tensor]:
    """The state of the learner's network, known to be one of the same architecture."""
    found = answer(start, end, alpha)
    expect(not isinstance(found, dict), mistake="returned-the-weights")
    expect(isinstance(found, nn.Module),
           f"`between` must return a network, but it returned {kind_of(found)}.")
    state, wanted = found.state_dict(), network(0).state_dict()
    expect(len(state) != 2 * len(wanted), mistake="blended-the-outputs")
    expect({name: value.shape for name, value in state.items()}
           == {name: value.shape for name, value in wanted.items()},
           "Your network does not have the layers of `start`: blend weights, not layers.")
    others = [name for name, value in wanted.items() if state[name].dtype != value.dtype]
    expect(not others, f"`{min(others, default='')}` of your network has numbers of another type than in "
                       "`start`.")
    return {name: value.clone() for name, value in state.items()}


def on_line(alpha: float) -> dict[str, Tensor]:
    """The right numbers, counters left out."""
    here, there = network(0).state_dict(), network(1).state_dict()
    return {name: (1 - alpha) * value + alpha * there[name] for name, value in here.items()
            if value.is_floating_point()}


def off(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> list[str]:
    """Names of the entries that are not what they should be."""
    return [name for name, value in wanted.items() if not torch.allclose(found[name], value, atol=1e-5)]


def beside(found: dict[str, Tensor], alpha: float) -> list[Table]:
    """The first number of each entry: start, end, where it should be, where it is."""
    here, there, wanted = on_line(0.0), on_line(1.0), on_line(alpha)
    wrong = off(found, wanted)
    rows = [(name, *(f"{state[name].flatten()[0].item():.3f}" for state in (here, there, wanted, found)))
            for name in wanted]
    return [Table(f"The first number of each entry at alpha = {alpha:g}",
                  ("entry", "start", "end", "expected", "yours"), rows,
                  marked=[i for i, name in enumerate(wanted) if name in wrong])]


def is_parameter(name: str) -> bool:
    return name in dict(network(0).named_parameters())


@walk_the_line.checks("both ends", points=2)
def _(answer):
    for alpha, at, other in ((0.0, on_line(0.0), on_line(1.0)), (1.0, on_line(1.0), on_line(0.0))):
        found = weights_of(answer, network(0), network(1), alpha)
        show = partial(beside, found, alpha)
        parameters = {name: value for name, value in at.items() if is_parameter(name)}
        expect(off(found, other), mistake="wrong-end", show=show)
        expect(off(found, on_line(-1.0)) or alpha == 0, mistake="away-from-the-end", show=show)
        kept = {name: on_line(0.0)[name] + on_line(1.0)[name] for name in at}
        expect(off(found, kept) or alpha == 0, mistake="start-kept-whole", show=show)
        wrong = off(found, parameters)
        expect(not wrong, f"At alpha = {alpha:g}, {len(wrong)} of {len(parameters)} parameters are not "
                          f"those of `{'end' if alpha else 'start'}`, as `{min(wrong, default='')}`.",
               show=show)


@walk_the_line.checks("a quarter of the way", points=2)
def _(answer):
    alpha = 0.25
    found, wanted = weights_of(answer, network(0), network(1), alpha), on_line(alpha)
    wrong = off(found, wanted)
    statistics = [name for name in wrong if not is_parameter(name)]
    for whose, place in (("start", 0.0), ("end", 1.0)):
        for name in statistics if statistics == wrong else ():
            expect(name in off(found, on_line(place)), mistake="statistics-forgotten", name=name, whose=whose,
                   show=lambda: beside(found, alpha))
    expect(not wrong, f"A quarter of the way, {len(wrong)} of {len(wanted)} entries are not on the line, as "
                      f"`{min(wrong, default='')}`.", show=lambda: beside(found, alpha))


@walk_the_line.checks("the given networks stay as they are")
def _(answer):
    start, end = network(0), network(1)
    before = {"start": snapshot(start), "end": snapshot(end)}
    point = answer(start, end, 0.25)
    for name, given in (("start", start), ("end", end)):
        expect(not changed(before[name], given), mistake="changes-a-given-network", name=name)
    with torch.no_grad():
        for value in point.parameters() if isinstance(point, nn.Module) else ():
            value.add_(1.0)
    for name, given in (("start", start), ("end", end)):
        expect(not changed(before[name], given),
               f"Your network shares its tensors with `{name}`: training one would change the other. Begin "
               "with `copy.deepcopy(start)`.")


walk_the_line.hints(
    "Begin with a copy, `copy.deepcopy(start)`, and write into that.",
    "`state_dict()` gives parameters and buffers by name. Blend those with `value.is_floating_point()`.",
    "`point.load_state_dict({name: (1 - alpha) * here[name] + alpha * there[name] …})` puts the blend into "
    "the copy; return `point`.")

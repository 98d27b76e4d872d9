"""Exercise: how far apart two networks are, parameters only."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from course_utils.lessons._guards import (
    changed,
    fresh_lite0,
    further_trained_lite0,
    kind_of,
    snapshot,
    torch_as_it_was,
)
from course_utils.teaching import Exercise, Table, expect

measure_the_distance = Exercise(
    "measure-the-distance", lesson="01_why_pretrained", title="Measure how far apart two networks are",
    see="#A-nearer-start", minutes=6, difficulty="medium", objective="start",
    seconds=20, guard=torch_as_it_was)


@measure_the_distance.starter
def distance(one, other):
    """Return ‖θ_one − θ_other‖ for two networks of the same architecture, as one number.

    θ holds all parameters, frozen ones too, as one long vector. Buffers are not part of it.
    """
    ...


@measure_the_distance.solved_by
def distance(one, other):
    """Both as one long vector of all parameters; then the length of their difference."""
    theta = torch.nn.utils.parameters_to_vector
    return (theta(one.parameters()) - theta(other.parameters())).norm()


@measure_the_distance.alternative("layer-by-layer")
def distance(one, other):
    total = 0.0
    for p, q in zip(one.parameters(), other.parameters(), strict=True):
        total += (p - q).square().sum().item()
    return total ** 0.5


@measure_the_distance.alternative("norm-of-the-norms")
def distance(one, other):
    by_layer = [(p - q).norm() for p, q in zip(one.parameters(), other.parameters(), strict=True)]
    return torch.stack(by_layer).norm().item()


@measure_the_distance.alternative("by-name")
def distance(one, other):
    theirs = dict(other.named_parameters())
    with torch.no_grad():
        return math.sqrt(sum(float(((p - theirs[name]) ** 2).sum()) for name, p in one.named_parameters()))


def tensors_apart(one: nn.Module, other: nn.Module, entries) -> list[Tensor]:
    """Differences of the entries of two state dicts, as float: what wrong answers below have in common."""
    theirs = other.state_dict()
    return [(value - theirs[name]).float() for name, value in one.state_dict().items() if entries(name)]


@measure_the_distance.wrong("statistics-included", says=(
    "BatchNorm's running means and variances are in your sum: two networks with the same parameters are "
    "{got:.2f} apart. Those are buffers. `state_dict()` holds both, `parameters()` only what is learned."))
def distance(one, other):
    entries = tensors_apart(one, other, lambda name: "num_batches" not in name)
    return math.sqrt(sum(difference.square().sum().item() for difference in entries))


@measure_the_distance.wrong("counters-included", says=(
    "Your sum holds `num_batches_tracked`, which only counts batches: two networks whose parameters and "
    "statistics are equal are {got:.0f} apart. `state_dict()` holds buffers too; take `parameters()`."))
def distance(one, other):
    entries = tensors_apart(one, other, lambda name: True)
    return math.sqrt(sum(difference.square().sum().item() for difference in entries))


@measure_the_distance.wrong("no-root", says=(
    "{got:.4g} is the squared distance. The norm is its root: {right:.4g}."))
def distance(one, other):
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return sum((p - q).square().sum().item() for p, q in pairs)


@measure_the_distance.wrong("mean-of-layers", says=(
    "{got:.4g} is the average of the layers' norms. A layer of ten numbers then counts as much as one of a "
    "million. Add up squares over all layers, and take the root once: {right:.4g}."))
def distance(one, other):
    by_layer = [(p - q).norm().item() for p, q in zip(one.parameters(), other.parameters(), strict=True)]
    return sum(by_layer) / len(by_layer)


@measure_the_distance.wrong("sum-of-layers", says=(
    "{got:.4g} is the sum of the layers' norms. Roots do not add up that way: √(a² + b²) is less than a + b. "
    "Add up squares over all layers, and take the root once: {right:.4g}."))
def distance(one, other):
    return sum((p - q).norm().item() for p, q in zip(one.parameters(), other.parameters(), strict=True))


@measure_the_distance.wrong("difference-of-norms", says=(
    "You subtracted the lengths of two vectors: {got:.4g}. Two vectors of the same length can lie far apart. "
    "Take the length of the difference: {right:.4g}."))
def distance(one, other):
    lengths = [torch.nn.utils.parameters_to_vector(model.parameters()).norm() for model in (one, other)]
    return abs(lengths[0] - lengths[1]).item()


@measure_the_distance.wrong("signs-cancel", says=(
    "You added the differences with their signs, and they cancel: {got:.4g} instead of {right:.4g}. Square "
    "them first."))
def distance(one, other):
    return sum((p - q).sum().item() for p, q in zip(one.parameters(), other.parameters(), strict=True))


@measure_the_distance.wrong("absolute-values", says=(
    "{got:.4g} is the sum of absolute differences, the 1-norm. ‖·‖ is the root of the sum of squares: "
    "{right:.4g}."))
def distance(one, other):
    return sum((p - q).abs().sum().item() for p, q in zip(one.parameters(), other.parameters(), strict=True))


@measure_the_distance.wrong("averaged-over-parameters", says=(
    "{got:.4g} is the root of the mean square, a distance per parameter. The norm is the root of the sum: "
    "{right:.4g}."))
def distance(one, other):
    squares = torch.cat([(p - q).square().flatten()
                         for p, q in zip(one.parameters(), other.parameters(), strict=True)])
    return squares.mean().sqrt().item()


@measure_the_distance.wrong("frozen-left-out", says=(
    "You left out the parameters that are frozen. Frozen is not absent: they are part of θ, and here they "
    "differ. It should be {right:.4g}, not {got:.4g}."))
def distance(one, other):
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return math.sqrt(sum((p - q).square().sum().item() for p, q in pairs if p.requires_grad))


@measure_the_distance.wrong("changed-a-network", says=(
    "`{name}` is no longer what it was: your code subtracted in place. Write `p - q`, which makes a new "
    "tensor, not `p -= q` or `p.sub_(q)`."))
def distance(one, other):
    total = 0.0
    with torch.no_grad():
        for p, q in zip(one.parameters(), other.parameters(), strict=True):
            total += p.sub_(q).square().sum().item()
    return total ** 0.5


def small_network(seed: int, *, tracked: int = 0) -> nn.Module:
    """Layers of very different size, with BatchNorm statistics of its own."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(32, 4))
        for value in network.parameters():
            value.data = torch.randn_like(value)
        network[1].running_mean.normal_()
        network[1].running_var.uniform_(0.5, 2.0)
        network[1].num_batches_tracked.fill_(tracked)
    return network


def with_parameters_of(network: nn.Module, other: nn.Module) -> nn.Module:
    """`network` with the parameters of `other`; its buffers stay."""
    with torch.no_grad():
        for mine, theirs in zip(network.parameters(), other.parameters(), strict=True):
            mine.copy_(theirs)
    return network


def right(one: nn.Module, other: nn.Module) -> float:
    return math.sqrt(sum((p - q).double().square().sum().item()
                         for p, q in zip(one.parameters(), other.parameters(), strict=True)))


def number(answer, one: nn.Module, other: nn.Module) -> float:
    """The learner's distance, known to be one number."""
    found = answer(one, other)
    if isinstance(found, Tensor):
        expect(found.numel() == 1,
               f"The distance is one number, but yours has the shape {tuple(found.shape)}.")
        found = found.item()
    expect(isinstance(found, float | int) and not isinstance(found, bool),
           f"`distance` must return one number, but it returned {kind_of(found)}.")
    return float(found)


def near(found: float, wanted: float) -> bool:
    return math.isclose(found, wanted, rel_tol=1e-3, abs_tol=1e-6)


def beside(found: float, wanted: float, one: nn.Module, other: nn.Module) -> list[Table]:
    """The norm of each layer's difference, and what should become of them."""
    rows = [(name, f"{p.numel():,}", f"{(p - q).norm().item():.4f}") for (name, p), q in zip(
        one.named_parameters(), other.parameters(), strict=True)]
    rows += [("all of θ, expected", "", f"{wanted:.4f}"), ("all of θ, yours", "", f"{found:.4f}")]
    return [Table("Two small networks, layer by layer", ("parameter", "numbers", "norm of the difference"),
                  rows, marked=[len(rows) - 2, len(rows) - 1])]


VALUES = ("no-root", "mean-of-layers", "sum-of-layers", "difference-of-norms", "signs-cancel",
          "absolute-values", "averaged-over-parameters")      # other sums, known by what they give


@measure_the_distance.checks("buffers are not part of θ", points=2)
def _(answer):
    for mistake, seed, tracked in (("counters-included", 0, 100), ("statistics-included", 1, 500)):
        one = small_network(0, tracked=500)
        twin = with_parameters_of(small_network(seed, tracked=tracked), one)
        got = number(answer, one, twin)
        expect(abs(got) < 1e-4, mistake=mistake, got=got)


@measure_the_distance.checks("the norm of the whole difference", points=3)
def _(answer):
    found = number(answer, small_network(0), small_network(1))
    one, other = small_network(0), small_network(1)             # whatever became of the first two
    evidence = {"got": found, "right": right(one, other),
                "show": lambda: beside(found, right(one, other), one, other)}
    for mistake in VALUES:
        expect(not near(found, measure_the_distance.wrongs[mistake].function(one, other)), mistake=mistake,
               **evidence)
    expect(near(found, evidence["right"]),
           f"The two are {evidence['right']:.4g} apart, but you return {found:.4g}.", show=evidence["show"])


@measure_the_distance.checks("all of a real network")
def _(answer):
    one, other = fresh_lite0().requires_grad_(False), further_trained_lite0()
    one.classifier.requires_grad_(True)
    wanted, learning = right(one, other), measure_the_distance.wrongs["frozen-left-out"].function(one, other)
    found = number(answer, one, other)
    expect(not near(found, learning), mistake="frozen-left-out", got=found, right=wanted)
    expect(near(found, wanted), f"EfficientNet-Lite0 and a network 1 % away from it are {wanted:.4g} apart, "
                                f"but you return {found:.4g}.")


@measure_the_distance.checks("both networks stay as they are")
def _(answer):
    one, other = small_network(0), small_network(1)
    before = {"one": snapshot(one), "other": snapshot(other)}
    number(answer, one, other)
    for name, network in (("one", one), ("other", other)):
        expect(not changed(before[name], network), mistake="changed-a-network", name=name)


measure_the_distance.hints(
    "`zip(one.parameters(), other.parameters(), strict=True)` gives the same layer of both, pair by pair. "
    "Buffers are not among them.",
    "Of each pair, add up the squared differences: `(p - q).square().sum().item()`.",
    "Add those up over all pairs, and take the root of the total, `** 0.5`, at the very end.")

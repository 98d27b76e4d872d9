"""Exercise: the memory that training takes beside activations."""

from __future__ import annotations

from torch import nn

from course_utils.lessons._guards import kind_of, torch_as_it_was
from course_utils.teaching import Exercise, Table, expect

bytes_to_train = Exercise(
    "bytes-to-train", lesson="11_summary", title="Bytes for gradients and moments", see="#What-to-take-along",
    minutes=6, difficulty="easy", objective="strategies", guard=torch_as_it_was)


@bytes_to_train.starter
def training_bytes(model):
    """Bytes that Adam training takes beside weights and activations: gradients and two moments.

    Each is as large as the parameters that learn, and of their dtype.
    """
    ...


@bytes_to_train.solved_by
def training_bytes(model):
    """Three numbers for each number that learns."""
    return sum(3 * p.numel() * p.element_size() for p in model.parameters() if p.requires_grad)


@bytes_to_train.alternative("by-hand")
def training_bytes(model):
    total = 0
    for parameter in model.parameters():
        if parameter.requires_grad:
            gradient = first_moment = second_moment = parameter.nelement() * parameter.dtype.itemsize
            total += gradient + first_moment + second_moment
    return total


@bytes_to_train.alternative("nbytes")
def training_bytes(model):
    return 3 * sum(parameter.nbytes for parameter in model.parameters() if parameter.requires_grad)


@bytes_to_train.wrong("frozen-counted", says=(
    "A model of which nothing learns takes {got:,} bytes by your count, but a frozen parameter has neither "
    "gradient nor moments. Count what has `requires_grad`."))
def training_bytes(model):
    return sum(3 * p.numel() * p.element_size() for p in model.parameters())


@bytes_to_train.wrong("gradients-forgotten", says=(
    "You count {factor:g} numbers for each that learns. Adam keeps two moments, the gradient is a third."))
def training_bytes(model):
    return sum(2 * p.numel() * p.element_size() for p in model.parameters() if p.requires_grad)


@bytes_to_train.wrong("numbers-not-bytes", says=(
    "These are numbers, not bytes: a float32 takes 4 bytes. `element_size()` says how many."))
def training_bytes(model):
    return sum(3 * p.numel() for p in model.parameters() if p.requires_grad)


@bytes_to_train.wrong("always-four-bytes", says=(
    "In float64 a number takes 8 bytes, but you count 4 for any dtype. Ask the parameter: `element_size()`."))
def training_bytes(model):
    return sum(3 * 4 * p.numel() for p in model.parameters() if p.requires_grad)


@bytes_to_train.wrong("tensors-not-numbers", says=(
    "{got:,} is the count of tensors, three each: a Linear's weight is one tensor of many numbers. "
    "`numel()` counts the numbers."))
def training_bytes(model):
    return sum(3 for p in model.parameters() if p.requires_grad)


@bytes_to_train.wrong("buffers-counted", says=(
    "BatchNorm's running statistics are buffers: no gradient, no moments. Go through `parameters()`, not "
    "through the state dict."))
def training_bytes(model):
    learning = any(p.requires_grad for p in model.parameters())
    return sum(3 * t.numel() * 4 for t in model.state_dict().values() if t.is_floating_point()) * learning


def network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(72, 5))


def counted(answer, model: nn.Module) -> int:
    """The learner's count, known to be a whole number."""
    found = answer(model)
    expect(isinstance(found, int), f"Return the bytes as a whole number; it returned {kind_of(found)}.")
    return found


def true_bytes(model: nn.Module) -> int:
    return sum(3 * p.nbytes for p in model.parameters() if p.requires_grad)


def by_parameter(model: nn.Module):
    """Evidence: what each parameter takes."""
    rows = [[name, f"{p.numel():,}", "learns" if p.requires_grad else "frozen",
             f"{3 * p.nbytes if p.requires_grad else 0:,}"] for name, p in model.named_parameters()]
    return lambda: [Table("What each parameter takes", ["parameter", "numbers", "", "bytes"], rows)]


@bytes_to_train.checks("all of it learns", points=2)
def _(answer):
    model = network()
    got, wanted = counted(answer, model), true_bytes(model)
    tensors = sum(1 for _ in model.parameters())
    show = by_parameter(model)
    expect(got not in (tensors, 3 * tensors), mistake="tensors-not-numbers", got=got, show=show)
    expect(4 * got != wanted, mistake="numbers-not-bytes", show=show)
    expect(3 * got != 2 * wanted, mistake="gradients-forgotten", factor=2, show=show)
    statistics = sum(b.nbytes for b in model.buffers() if b.is_floating_point())
    expect(got != wanted + 3 * statistics, mistake="buffers-counted", show=show)
    expect(got == wanted, f"It takes {wanted:,} bytes; you count {got:,}.", show=show)


@bytes_to_train.checks("what is frozen takes nothing", points=2)
def _(answer):
    model = network().requires_grad_(False)
    got = counted(answer, model)
    expect(got == 0, mistake="frozen-counted", got=got, show=by_parameter(model))
    model[3].requires_grad_(True)
    got, wanted = counted(answer, model), true_bytes(model)
    expect(got == wanted, f"With only the Linear learning it takes {wanted:,} bytes; you count {got:,}.",
           show=by_parameter(model))


@bytes_to_train.checks("whatever the dtype")
def _(answer):
    model = network().double()
    got, wanted = counted(answer, model), true_bytes(model)
    expect(2 * got != wanted, mistake="always-four-bytes")
    expect(got == wanted, f"In float64 it takes {wanted:,} bytes; you count {got:,}.")


bytes_to_train.hints(
    "Go through `model.parameters()` and leave out what has no `requires_grad`.",
    "A parameter has `numel()` numbers of `element_size()` bytes each.",
    "Gradient, first moment, second moment: three times that.")

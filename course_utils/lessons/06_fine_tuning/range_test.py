"""Exercise: the learning rate range test, written by hand."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.lessons._guards import as_list, changed, is_number, kind_of, snapshot, torch_as_it_was
from course_utils.teaching import Exercise, Table, expect

range_test = Exercise(
    "range-test", lesson="06_fine_tuning", title="Write the range test",
    see="#Which-learning-rate", minutes=8, difficulty="medium", objective="rate",
    seconds=20, guard=torch_as_it_was)


@range_test.starter
def losses_while_the_rate_rises(model, batches, rates):
    """Return the loss of each batch, a list of numbers, while `model`'s rate rises from batch to batch.

    `batches` holds as many (inputs, labels) as there are `rates`, which rise. Take one SGD step for each
    batch, at its rate, along the gradient of the cross-entropy; the loss is the one before that step.
    Afterwards the model must be as it was.
    """
    ...


@range_test.solved_by
def losses_while_the_rate_rises(model, batches, rates):
    """A copy learns, one step at each rate."""
    trial = copy.deepcopy(model)
    optimizer = torch.optim.SGD(trial.parameters())         # its rate comes in the loop
    losses = []
    for step, (inputs, labels) in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = rates[step]
        loss = F.cross_entropy(trial(inputs), labels)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses


@range_test.alternative("weights-put-back")
def losses_while_the_rate_rises(model, batches, rates):
    kept = copy.deepcopy(model.state_dict())
    losses = []
    for (inputs, labels), rate in zip(batches, rates, strict=True):
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)      # plain SGD remembers nothing
        optimizer.zero_grad()
        loss = nn.CrossEntropyLoss()(model(inputs), labels)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    model.load_state_dict(kept)
    model.zero_grad()
    return losses


@range_test.alternative("with-a-scheduler")
def losses_while_the_rate_rises(model, batches, rates):
    trial = copy.deepcopy(model)
    optimizer = torch.optim.SGD(trial.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rates[min(step, len(rates) - 1)])
    losses = []
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(trial(inputs), labels)
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.detach())
    return torch.stack(losses).tolist()


@range_test.wrong("trained-the-model-itself", says=(
    "`{first}` of the model is not what it was: the test trained it, at rates that destroy it. Train "
    "`copy.deepcopy(model)`, or put its weights back."))
def losses_while_the_rate_rises(model, batches, rates):
    optimizer = torch.optim.SGD(model.parameters(), lr=rates[0])
    losses = []
    for (inputs, labels), rate in zip(batches, rates, strict=True):
        optimizer.param_groups[0]["lr"] = rate
        loss = F.cross_entropy(model(inputs), labels)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses


@range_test.wrong("one-rate-throughout", says=(
    "Every step was taken at {rate:g}, the first rate. An optimizer does not follow your variable: set "
    '`group["lr"] = rate` in each of `optimizer.param_groups`, before the step.'))
def losses_while_the_rate_rises(model, batches, rates):
    trial = copy.deepcopy(model)
    optimizer = torch.optim.SGD(trial.parameters(), lr=rates[0])
    losses = []
    for inputs, labels in batches:
        loss = F.cross_entropy(trial(inputs), labels)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses


@range_test.wrong("a-fresh-copy-for-each-rate", says=(
    "Each batch met the untrained copy, so no rate has any effect on a loss. Copy once, before the loop: the "
    "steps must add up."))
def losses_while_the_rate_rises(model, batches, rates):
    losses = []
    for (inputs, labels), rate in zip(batches, rates, strict=True):
        trial = copy.deepcopy(model)
        optimizer = torch.optim.SGD(trial.parameters(), lr=rate)
        loss = F.cross_entropy(trial(inputs), labels)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses


@range_test.wrong("loss-after-the-step", says=(
    "Your losses are those after each step, on the batch the step was made for. That flatters every rate. "
    "Note the loss that `backward()` starts from."))
def losses_while_the_rate_rises(model, batches, rates):
    trial = copy.deepcopy(model)
    optimizer = torch.optim.SGD(trial.parameters(), lr=rates[0])
    losses = []
    for (inputs, labels), rate in zip(batches, rates, strict=True):
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        F.cross_entropy(trial(inputs), labels).backward()
        optimizer.step()
        losses.append(F.cross_entropy(trial(inputs), labels).item())
    return losses


@range_test.wrong("gradients-pile-up", says=(
    "Each step went along the sum of all gradients so far: `backward()` adds to what is there. Call "
    "`optimizer.zero_grad()` before it."))
def losses_while_the_rate_rises(model, batches, rates):
    trial = copy.deepcopy(model)
    optimizer = torch.optim.SGD(trial.parameters(), lr=rates[0])
    losses = []
    for (inputs, labels), rate in zip(batches, rates, strict=True):
        optimizer.param_groups[0]["lr"] = rate
        loss = F.cross_entropy(trial(inputs), labels)
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    return losses


@range_test.wrong("kept-the-graphs", says=(
    "Your list holds tensors that still carry gradients, so the activations of every batch stay in memory. "
    "Keep numbers: `loss.item()`."))
def losses_while_the_rate_rises(model, batches, rates):
    trial = copy.deepcopy(model)
    optimizer = torch.optim.SGD(trial.parameters(), lr=rates[0])
    losses = []
    for (inputs, labels), rate in zip(batches, rates, strict=True):
        optimizer.param_groups[0]["lr"] = rate
        loss = F.cross_entropy(trial(inputs), labels)
        losses.append(loss)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses


RATES = [0.05 * 1.3 ** step for step in range(8)]
CLASSES, WIDTH = 3, 6


def small_model() -> nn.Module:
    """Two layers, the same every time: this exercise is about the loop."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(6)
        return nn.Sequential(nn.Linear(WIDTH, 8), nn.Tanh(), nn.Linear(8, CLASSES))


def some_batches(count: int = len(RATES)) -> list[tuple[Tensor, Tensor]]:
    draw = torch.Generator().manual_seed(7)
    return [(torch.randn(12, WIDTH, generator=draw), torch.randint(CLASSES, (12,), generator=draw))
            for _ in range(count)]


def descent(rates: list[float], mistake: str = "") -> list[float]:
    """The losses of the right loop, or of one with that mistake."""
    model, losses = small_model(), []
    for (inputs, labels), rate in zip(some_batches(len(rates)), rates, strict=True):
        if mistake == "a-fresh-copy-for-each-rate":
            model = small_model()
        if mistake != "gradients-pile-up":
            model.zero_grad()
        loss = F.cross_entropy(model(inputs), labels)
        loss.backward()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= (rates[0] if mistake == "one-rate-throughout" else rate) * parameter.grad
            later = F.cross_entropy(model(inputs), labels)
        losses.append((later if mistake == "loss-after-the-step" else loss).item())
    return losses


def answered(answer, model: nn.Module, rates: list[float]) -> list:
    found = answer(model, some_batches(len(rates)), list(rates))
    losses = as_list(found) if isinstance(found, (list, tuple, Tensor)) else None
    expect(losses is not None, "`losses_while_the_rate_rises` must return a list, but it returned "
                               f"{kind_of(found)}.")
    expect(len(losses) == len(rates),
           f"There should be one loss for each of the {len(rates)} batches, but you return {len(losses)}.")
    expect(all(map(is_number, losses)), "Each loss should be one number, the mean over its batch.")
    return losses


def near(losses: list[float], others: list[float]) -> list[bool]:
    return [math.isclose(one, other, rel_tol=1e-4) for one, other in zip(losses, others, strict=True)]


def compare(losses: list[float], rates: list[float]) -> None:
    """Expect the right losses; whoever fails sees both, and the first that differs."""
    right = descent(rates)

    def show() -> list[Table]:
        rows = [(f"{rate:.3g}", f"{yours:.4f}", f"{expected:.4f}")
                for rate, yours, expected in zip(rates, losses, right, strict=True)]
        return [Table("Loss at each rate", ["rate", "yours", "expected"], rows,
                      marked=[near(losses, right).index(False)])]

    for mistake in ("one-rate-throughout", "a-fresh-copy-for-each-rate", "loss-after-the-step",
                    "gradients-pile-up"):
        expect(not all(near(losses, descent(rates, mistake))), mistake=mistake, show=show, rate=rates[0])
    expect(all(near(losses, right)), "Some losses are not those of one SGD step after another.", show=show)


@range_test.checks("numbers, one for each batch")
def _(answer):
    losses = answered(answer, small_model(), RATES)
    expect(not any(isinstance(loss, Tensor) and loss.requires_grad for loss in losses),
           mistake="kept-the-graphs")


@range_test.checks("the loss at each rate", points=3)
def _(answer):
    for rates in (RATES, RATES[:5]):
        compare([float(loss) for loss in answered(answer, small_model(), rates)], rates)


@range_test.checks("the model is as it was")
def _(answer):
    model = small_model()
    before = snapshot(model)
    answered(answer, model, RATES)
    moved = changed(before, model)
    expect(not moved, mistake="trained-the-model-itself", first=min(moved, default=""))


range_test.hints(
    "Three things before the loop: a copy of the model, an SGD optimizer on that copy, an empty list.",
    "In the loop: set `lr` in every one of `optimizer.param_groups`, compute the loss, keep `loss.item()`.",
    "Then the usual three: `optimizer.zero_grad()`, `loss.backward()`, `optimizer.step()`.")

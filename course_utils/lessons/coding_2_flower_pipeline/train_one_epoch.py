"""Exercise: one epoch of training a head on a frozen backbone."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.lessons._guards import changed, kind_of, snapshot, torch_as_it_was
from course_utils.pretrained import train_mode
from course_utils.teaching import Exercise, Table, expect

from ._toy import RATE, SIZES, Toy, alike, done, softmax_twice, some_batches

train_one_epoch = Exercise(
    "train-one-epoch", lesson="coding_2_flower_pipeline", title="One epoch", see="#One-epoch", minutes=10,
    difficulty="medium", objective="training", seconds=20, guard=torch_as_it_was)


@train_one_epoch.starter
def one_epoch(model, batches, optimizer):
    """Train `model` once through `batches` of (images, labels); return the mean loss of a picture, a float.

    Parts (`model.children()`) without a parameter that learns are frozen: they belong in eval mode, the
    others in train mode. In which mode the model comes is not known. The loss is the cross-entropy of each
    batch before its step; batches may differ in size.
    """
    ...


@train_one_epoch.solved_by
def one_epoch(model, batches, optimizer):
    """Modes first, then batch by batch."""
    for part in model.children():
        part.train(any(parameter.requires_grad for parameter in part.parameters()))
    total, seen = 0.0, 0
    for images, labels in batches:
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total, seen = total + loss.item() * len(labels), seen + len(labels)
    return total / seen


@train_one_epoch.alternative("with-the-course")
def one_epoch(model, batches, optimizer):
    train_mode(model)
    losses = []
    for images, labels in batches:
        optimizer.zero_grad(set_to_none=False)
        each = nn.CrossEntropyLoss(reduction="none")(model(images), labels)
        each.mean().backward()
        optimizer.step()
        losses.extend(each.tolist())
    return sum(losses) / len(losses)


@train_one_epoch.alternative("batchnorm-put-to-sleep")
def one_epoch(model, batches, optimizer):
    model.train()
    for module in model.modules():
        own = list(module.parameters())
        if own and not any(parameter.requires_grad for parameter in own):
            module.eval()
    sums = torch.zeros(2, dtype=torch.float64)
    for images, labels in batches:
        scores = model(images)
        loss = -scores.log_softmax(dim=1).gather(1, labels[:, None]).mean()
        model.zero_grad()
        loss.backward()
        optimizer.step()
        sums += torch.tensor([loss.item() * len(labels), len(labels)])
    return (sums[0] / sums[1]).item()


def usual(model, batches, optimizer, loss_of=F.cross_entropy):
    """The right loop in the modes that the model is in; the batches' losses and sizes."""
    losses, sizes = [], []
    for images, labels in batches:
        loss = loss_of(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        sizes.append(len(labels))
    return losses, sizes


def averaged(losses, sizes):
    return sum(loss * size for loss, size in zip(losses, sizes, strict=True)) / sum(sizes)


@train_one_epoch.wrong("batchnorm-drifts", says=(
    "`model.train()` woke the frozen backbone too: its BatchNorm computed from your batches, and its running "
    "statistics moved ({count} buffers). Frozen parts need `.eval()`, in every epoch anew."))
def one_epoch(model, batches, optimizer):
    model.train()
    return averaged(*usual(model, batches, optimizer))


@train_one_epoch.wrong("head-asleep", says=(
    "The head was in eval mode, as validation left it or as you set it: its dropout hides nothing, and "
    "BatchNorm in a head would not learn. What learns needs `.train()`, in every epoch anew."))
def one_epoch(model, batches, optimizer):
    model.eval()
    return averaged(*usual(model, batches, optimizer))


@train_one_epoch.wrong("gradients-pile-up", says=(
    "Each step went along the sum of all gradients so far: `backward()` adds to what is there. Call "
    "`optimizer.zero_grad()` before it, for every batch."))
def one_epoch(model, batches, optimizer):
    train_mode(model)
    total, seen = 0.0, 0
    for images, labels in batches:
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        total, seen = total + loss.item() * len(labels), seen + len(labels)
    return total / seen


@train_one_epoch.wrong("one-step-an-epoch", says=(
    "{batches} batches, and the head moved as by one step, at the end. `optimizer.step()` belongs into the "
    "loop, after each `backward()`."))
def one_epoch(model, batches, optimizer):
    train_mode(model)
    total, seen = 0.0, 0
    for images, labels in batches:
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        total, seen = total + loss.item() * len(labels), seen + len(labels)
    optimizer.step()
    return total / seen


@train_one_epoch.wrong("no-step-at-all", says=(
    "After the epoch the head is what it was. `backward()` only computes gradients; `optimizer.step()` moves "
    "the weights."))
def one_epoch(model, batches, optimizer):
    train_mode(model)
    total, seen = 0.0, 0
    for images, labels in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        total, seen = total + loss.item() * len(labels), seen + len(labels)
    return total / seen


@train_one_epoch.wrong("softmax-twice", says=(
    "The steps are those of a cross-entropy of probabilities. `F.cross_entropy` takes scores and does the "
    "softmax itself: done twice, gradients all but vanish and training crawls."))
def one_epoch(model, batches, optimizer):
    train_mode(model)
    return averaged(*usual(model, batches, optimizer, softmax_twice))


@train_one_epoch.wrong("mean-of-batch-means", says=(
    "You average the batches' losses: a last batch of {last} counts as much as one of {full}. The mean of a "
    "picture is {wanted:.4f}, yours {got:.4f}. Multiply each loss by its batch's size, divide by all."))
def one_epoch(model, batches, optimizer):
    train_mode(model)
    losses, _ = usual(model, batches, optimizer)
    return sum(losses) / len(losses)


@train_one_epoch.wrong("sum-of-means-by-pictures", says=(
    "You report {got:.4f} where a picture's mean loss is {wanted:.4f}: means of batches, divided by the "
    "number of pictures. Multiply each by its batch's size first."))
def one_epoch(model, batches, optimizer):
    train_mode(model)
    losses, sizes = usual(model, batches, optimizer)
    return sum(losses) / sum(sizes)


@train_one_epoch.wrong("loss-with-its-graph", says=(
    "You return a tensor that carries gradients. In the sum, the activations of every batch stay in memory "
    "until the epoch ends. Add numbers: `loss.item()`."))
def one_epoch(model, batches, optimizer):
    train_mode(model)
    total, seen = 0.0, 0
    for images, labels in batches:
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total, seen = total + loss * len(labels), seen + len(labels)
    return total / seen


def answered(answer, model: nn.Module) -> object:
    """Run the learner's epoch with plain SGD on the head."""
    optimizer = torch.optim.SGD(model.head.parameters(), lr=RATE)
    weight = model.head[1].weight
    weight.grad = torch.ones_like(weight)           # as the last batch of an epoch before leaves one
    found = answer(model, some_batches(), optimizer)
    is_number = isinstance(found, float) or (isinstance(found, Tensor) and found.dim() == 0)
    expect(is_number, f"`one_epoch` must return the mean loss, a float, but it returned {kind_of(found)}.")
    return found


@train_one_epoch.checks("what is frozen rests, what learns is awake", points=2)
def _(answer):
    for training in (True, False):
        model = Toy(dropout=0.3).train(training)
        before = snapshot(model.backbone)
        answered(answer, model)
        expect(len(model.modes) >= len(SIZES), "Not every batch went through the model.")
        moved = changed(before, model.backbone)
        expect(not moved and not any(backbone for backbone, _ in model.modes), mistake="batchnorm-drifts",
               count=len(moved))
        expect(all(head for _, head in model.modes), mistake="head-asleep")


@train_one_epoch.checks("one step for each batch", points=3)
def _(answer):
    model, before = Toy(), Toy()
    answered(answer, model)
    right = done()[0]

    def show():
        rows = [[name, f"{after.head[1].weight.sub(before.head[1].weight).norm().item():.4f}"]
                for name, after in (("expected", right), ("yours", model))]
        return [Table("How far the head's weights moved", ["", "distance"], rows, marked=[1])]
    expect(not alike(model, before), mistake="no-step-at-all", show=show)
    expect(not alike(model, done(softmax_twice)[0]), mistake="softmax-twice", show=show)
    for mistake in ("gradients-pile-up", "one-step-an-epoch"):
        expect(not alike(model, done(mistake=mistake)[0]), mistake=mistake, batches=len(SIZES), show=show)
    expect(alike(model, right), "The head's weights are not those of one SGD step after another.", show=show)


@train_one_epoch.checks("the mean loss of a picture", points=2)
def _(answer):
    found = answered(answer, Toy())
    expect(not (isinstance(found, Tensor) and found.requires_grad), mistake="loss-with-its-graph")
    got, losses = float(found), done()[1]
    wanted = averaged(losses, SIZES)
    rows = [[str(size), f"{loss:.4f}"] for size, loss in zip(SIZES, losses, strict=True)]

    def show():
        return [Table("Losses of the batches", ["pictures", "mean loss"], rows)]
    expect(abs(got - sum(losses) / len(losses)) > 1e-5, mistake="mean-of-batch-means", last=SIZES[-1],
           full=SIZES[0], wanted=wanted, got=got, show=show)
    expect(abs(got - sum(losses) / sum(SIZES)) > 1e-5, mistake="sum-of-means-by-pictures", got=got,
           wanted=wanted, show=show)
    expect(abs(got - wanted) < 1e-5, f"The mean loss of a picture is {wanted:.4f} here, yours {got:.4f}.",
           show=show)


train_one_epoch.hints(
    "Modes come first: `part.train(True)` or `part.train(False)` for each of `model.children()`.",
    "For each batch: loss, `optimizer.zero_grad()`, `loss.backward()`, `optimizer.step()`.",
    "Add `loss.item() * len(labels)` and `len(labels)` up, and divide once, after the loop.")

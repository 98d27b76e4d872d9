"""Exercise: loss and accuracy over batches of unequal size."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.lessons._guards import changed, kind_of, snapshot, torch_as_it_was
from course_utils.teaching import Exercise, Table, expect

validate_a_model = Exercise(
    "validate-a-model", lesson="08_practical_workflow", title="Validate, picture by picture",
    see="#The-loop,-written-out", minutes=8, difficulty="easy", objective="loop", guard=torch_as_it_was)


@validate_a_model.starter
def validate(model, batches):
    """Cross-entropy and accuracy of `model` over `batches` of (images, labels): two floats.

    Averages over pictures: the last batch is smaller. In eval mode, without gradients; afterwards the model
    is in the mode it came in.
    """
    ...


@validate_a_model.solved_by
def validate(model, batches):
    """Sums over pictures, divided once at the end."""
    was_training = model.training
    model.eval()
    loss, right, seen = 0.0, 0, 0
    with torch.no_grad():
        for images, labels in batches:
            scores = model(images)
            loss += F.cross_entropy(scores, labels, reduction="sum").item()
            right += (scores.argmax(dim=1) == labels).sum().item()
            seen += len(labels)
    model.train(was_training)
    return loss / seen, right / seen


@validate_a_model.alternative("all-scores-first")
def validate(model, batches):
    mode = model.training
    model.eval()
    with torch.inference_mode():
        pairs = [(model(images), labels) for images, labels in batches]
    model.train(mode)
    scores, labels = (torch.cat(part) for part in zip(*pairs, strict=True))
    return F.cross_entropy(scores, labels).item(), (scores.argmax(1) == labels).float().mean().item()


@validate_a_model.alternative("weighted-means")
def validate(model, batches):
    training, total, right, n = model.training, 0.0, 0.0, 0
    model.eval()
    with torch.no_grad():
        for images, labels in batches:
            scores = model(images)
            total += F.cross_entropy(scores, labels).item() * len(labels)
            right += float((scores.argmax(-1) == labels).double().mean()) * len(labels)
            n += len(labels)
    model.train(training)
    return total / n, right / n


@validate_a_model.wrong("mean-of-batch-means", looks_like="the means of the batches are averaged", says=(
    "You average the batches' means: a last batch of {last} pictures counts as much as one of {full}. "
    "Accuracy is {wanted:.1%} here, yours {got:.1%}. Sum over pictures, divide once."))
def validate(model, batches):
    mode = model.training
    model.eval()
    losses, rights = [], []
    with torch.no_grad():
        for images, labels in batches:
            scores = model(images)
            losses.append(F.cross_entropy(scores, labels).item())
            rights.append((scores.argmax(1) == labels).float().mean().item())
    model.train(mode)
    return sum(losses) / len(losses), sum(rights) / len(rights)


@validate_a_model.wrong("loss-summed-from-means", says=(
    "The accuracy is right, the loss is about {times:.0f} times too small: you add means of batches and "
    "divide by pictures. Add `reduction=\"sum\"`, or the mean times the batch's size."))
def validate(model, batches):
    mode = model.training
    model.eval()
    loss, right, seen = 0.0, 0, 0
    with torch.no_grad():
        for images, labels in batches:
            scores = model(images)
            loss += F.cross_entropy(scores, labels).item()
            right += (scores.argmax(1) == labels).sum().item()
            seen += len(labels)
    model.train(mode)
    return loss / seen, right / seen


@validate_a_model.wrong("train-mode", says=(
    "The numbers depend on how the pictures are cut into batches, and BatchNorm's statistics moved: "
    "validation ran in train mode. Call `model.eval()` first."))
def validate(model, batches):
    loss, right, seen = 0.0, 0, 0
    with torch.no_grad():
        for images, labels in batches:
            scores = model(images)
            loss += F.cross_entropy(scores, labels, reduction="sum").item()
            right += (scores.argmax(1) == labels).sum().item()
            seen += len(labels)
    return loss / seen, right / seen


@validate_a_model.wrong("left-in-eval-mode", says=(
    "The model came in train mode and is in eval mode now: the next epoch would train without dropout, and "
    "with BatchNorm at rest. Put back the mode it came in."))
def validate(model, batches):
    model.eval()
    loss, right, seen = 0.0, 0, 0
    with torch.no_grad():
        for images, labels in batches:
            scores = model(images)
            loss += F.cross_entropy(scores, labels, reduction="sum").item()
            right += (scores.argmax(1) == labels).sum().item()
            seen += len(labels)
    return loss / seen, right / seen


@validate_a_model.wrong("gradients-on", says=(
    "Your forward passes were recorded for a backward pass that never comes: twice the memory. Validate "
    "under `torch.no_grad()`."))
def validate(model, batches):
    mode = model.training
    model.eval()
    loss, right, seen = 0.0, 0, 0
    for images, labels in batches:
        scores = model(images)
        loss += F.cross_entropy(scores, labels, reduction="sum").item()
        right += (scores.argmax(1) == labels).sum().item()
        seen += len(labels)
    model.train(mode)
    return loss / seen, right / seen


class Watched(nn.Module):
    """A small classifier with BatchNorm and dropout, which notes whether its passes were recorded."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.5),
                                    nn.Linear(16, 4))
        self.recorded = False

    def forward(self, x: Tensor) -> Tensor:
        scores = self.layers(x)
        self.recorded |= scores.requires_grad
        return scores


def some_batches(size: int) -> list[tuple[Tensor, Tensor]]:
    """35 pictures, the last ones hard, in batches of at most `size`."""
    draws = torch.Generator().manual_seed(1)
    x = torch.randn(35, 6, generator=draws)
    with torch.no_grad():
        labels = Watched().eval()(x).argmax(1)
    labels[-3:] = (labels[-3:] + 1) % 4          # the small last batch is all wrong
    labels[5:12] = (labels[5:12] + 1) % 4
    return list(zip(x.split(size), labels.split(size), strict=True))


def found_by(answer, model: nn.Module, size: int) -> tuple[float, float]:
    """The learner's loss and accuracy, known to be two floats."""
    found = answer(model, [(x.clone(), y.clone()) for x, y in some_batches(size)])
    expect(isinstance(found, (tuple, list)) and len(found) == 2,
           f"`validate` must return two numbers, (loss, accuracy), but it returned {kind_of(found)}.")
    expect(all(isinstance(number, float) for number in found),
           "Return plain floats: `.item()` makes one of a tensor.")
    return found[0], found[1]


def truth() -> tuple[float, float]:
    [(x, labels)] = some_batches(35)
    with torch.no_grad():
        scores = Watched().eval()(x)
    return F.cross_entropy(scores, labels).item(), (scores.argmax(1) == labels).double().mean().item()


def beside(got: tuple[float, float], wanted: tuple[float, float]):
    """Evidence: both numbers, yours and over all pictures at once."""
    rows = [["loss", f"{got[0]:.4f}", f"{wanted[0]:.4f}"], ["accuracy", f"{got[1]:.2%}", f"{wanted[1]:.2%}"]]
    return lambda: [Table("35 pictures in batches of 16, 16 and 3", ["", "yours", "all 35 at once"], rows,
                          marked=[i for i, row in enumerate(rows) if row[1] != row[2]])]


@validate_a_model.checks("eval mode, and back again", points=2)
def _(answer):
    model = Watched().train()
    before = snapshot(model)
    found_by(answer, model, 16)
    expect(not changed(before, model), mistake="train-mode")
    expect(model.training, mistake="left-in-eval-mode")
    resting = Watched().eval()
    found_by(answer, resting, 16)
    expect(not resting.training, "The model came in eval mode and is in train mode now.")


@validate_a_model.checks("averages over pictures", points=3)
def _(answer):
    got, wanted = found_by(answer, Watched(), 16), truth()
    show = beside(got, wanted)
    expect(abs(got[1] - wanted[1]) < 1e-6, mistake="mean-of-batch-means", last=3, full=16, wanted=wanted[1],
           got=got[1], show=show)
    expect(abs(got[0] - wanted[0]) < 1e-4 or got[0] > wanted[0] / 4, mistake="loss-summed-from-means",
           times=wanted[0] / max(got[0], 1e-9), show=show)
    expect(abs(got[0] - wanted[0]) < 1e-4, f"The loss is {wanted[0]:.4f}, yours is {got[0]:.4f}.", show=show)


@validate_a_model.checks("no gradients")
def _(answer):
    model = Watched()
    found_by(answer, model, 16)
    expect(not model.recorded, mistake="gradients-on")


@validate_a_model.fingerprint
def _(answer):
    loss, accuracy = answer(Watched(), some_batches(16))
    return round(loss, 4), round(accuracy, 4)


validate_a_model.hints(
    "Keep three sums: the loss of all pictures, how many were right, how many were seen.",
    "`F.cross_entropy(scores, labels, reduction=\"sum\")` is the loss of all pictures of a batch.",
    "Note `model.training` before `model.eval()`, and call `model.train(that)` at the end.")

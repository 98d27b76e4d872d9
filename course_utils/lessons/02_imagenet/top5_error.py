"""Exercise: the top-5 error of a set of pictures that comes in batches."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from course_utils.lessons._guards import is_number, kind_of, torch_as_it_was
from course_utils.teaching import Exercise, Table, expect

top5_error = Exercise(
    "top5-error", lesson="02_imagenet", title="Top-5 error of a whole set",
    see="#The-challenge", minutes=7, difficulty="medium", objective="benchmark", guard=torch_as_it_was)


@top5_error.starter
def error_of(batches):
    """The share of pictures, from 0 to 1, whose label is not among their five highest scores.

    `batches` is a list of pairs (scores, labels): scores (N, classes), labels (N,). N differs between them.
    """
    ...


@top5_error.solved_by
def error_of(batches):
    """Count pictures over all batches, divide once at the end."""
    missed = seen = 0
    for scores, labels in batches:
        best = scores.topk(5, dim=1).indices              # (N, 5)
        hit = (best == labels[:, None]).any(dim=1)        # (N,)
        missed += (~hit).sum().item()
        seen += len(labels)
    return missed / seen


@top5_error.alternative("by-rank")
def error_of(batches):
    scores = torch.cat([scores for scores, _ in batches])
    labels = torch.cat([labels for _, labels in batches])
    own = scores.gather(1, labels[:, None])               # (N, 1), the score of the right class
    return ((scores > own).sum(dim=1) >= 5).float().mean()


@top5_error.alternative("sorted-downwards")
def error_of(batches):
    hits = []
    for scores, labels in batches:
        five = torch.argsort(scores, dim=1, descending=True)[:, :5]
        hits += [label in best for label, best in zip(labels.tolist(), five.tolist(), strict=True)]
    return 1 - sum(hits) / len(hits)


@top5_error.alternative("weighted-by-size")
def error_of(batches):
    seen = sum(len(labels) for _, labels in batches)
    return sum(error_of_one(scores, labels) * len(labels) / seen for scores, labels in batches)


def error_of_one(scores, labels, k=5):
    """Top-k error of one batch: what right and wrong answers have in common."""
    return 1 - (scores.topk(k, dim=1).indices == labels[:, None]).any(dim=1).float().mean().item()


@top5_error.wrong("only-the-best", says=(
    "{found:.1%} is the top-1 error: only the highest score counts for you. Five guesses are allowed: "
    "`scores.topk(5, dim=1).indices`."))
def error_of(batches):
    wrong = sum((scores.argmax(dim=1) != labels).sum().item() for scores, labels in batches)
    return wrong / sum(len(labels) for _, labels in batches)


@top5_error.wrong("accuracy", says=(
    "{found:.1%} is the share of pictures that were right, the top-5 accuracy. The error is the rest, "
    "1 − accuracy."))
def error_of(batches):
    hits = sum(round((1 - error_of_one(scores, labels)) * len(labels)) for scores, labels in batches)
    return hits / sum(len(labels) for _, labels in batches)


@top5_error.wrong("mean-of-batches", says=(
    "The batches hold {sizes} pictures, and you averaged their errors: so the {last} pictures of the last "
    "one weigh as much as {first} of the first. Count misses and pictures over all batches, then divide."))
def error_of(batches):
    return sum(error_of_one(scores, labels) for scores, labels in batches) / len(batches)


@top5_error.wrong("the-five-lowest", says=(
    "You compare with the five lowest scores: `argsort` puts the smallest first. Ask for "
    "`descending=True`, or use `topk`."))
def error_of(batches):
    missed = seen = 0
    for scores, labels in batches:
        five = torch.argsort(scores, dim=1)[:, :5]
        missed += (~(five == labels[:, None]).any(dim=1)).sum().item()
        seen += len(labels)
    return missed / seen


@top5_error.wrong("any-label-of-the-batch", says=(
    "A picture counts as right for you if the label of any picture in the batch is among its five. Compare "
    "each row with its own label: `five == labels[:, None]`."))
def error_of(batches):
    missed = seen = 0
    for scores, labels in batches:
        five = scores.topk(5, dim=1).indices
        missed += (~torch.isin(five, labels).any(dim=1)).sum().item()
        seen += len(labels)
    return missed / seen


@top5_error.wrong("per-cent", says=(
    "{found:.1f} is the error in per cent. A share from 0 to 1 is asked for: leave the 100 out."))
def error_of(batches):
    missed = sum(error_of_one(scores, labels) * len(labels) for scores, labels in batches)
    return 100 * missed / sum(len(labels) for _, labels in batches)


@top5_error.wrong("the-last-batch", says=(
    "This is the error of the last batch alone: your counts begin anew in every round of the loop. Set them "
    "to 0 before it."))
def error_of(batches):
    for scores, labels in batches:
        missed = error_of_one(scores, labels) * len(labels)
        seen = len(labels)
    return missed / seen


# How many classes have a higher score than the right one, picture by picture: five or more is a miss.
RANKS = ((0, 0, 2, 4, 1, 6, 0, 3), (0, 4, 9, 1, 0, 2, 5, 0), (8, 7, 1))
CLASSES = 20


def batch(ranks: Sequence[int], seed: int) -> tuple[Tensor, Tensor]:
    """Scores, (N, 20), and labels, (N,), such that the right class of each picture has the rank given."""
    draws = torch.Generator().manual_seed(seed)
    scores = torch.randn(len(ranks), CLASSES, generator=draws)
    order = scores.argsort(dim=1, descending=True)
    return scores, order[torch.arange(len(ranks)), torch.tensor(ranks)]


BATCHES = [batch(ranks, seed) for seed, ranks in enumerate(RANKS)]


def missed_in(ranks: Sequence[int], k: int = 5) -> int:
    return sum(rank >= k for rank in ranks)


def number(answer, batches: list[tuple[Tensor, Tensor]]) -> float:
    """The learner's error, known to be one number."""
    found = answer([(scores.clone(), labels.clone()) for scores, labels in batches])
    expect(is_number(found),
           f"`error_of` must return one number, but it returned {kind_of(found)}.")
    return float(found)


def five_beside_labels(at: int) -> list[Table]:
    """The five best classes of each picture of a batch beside its label."""
    scores, labels = BATCHES[at]
    five = scores.topk(5, dim=1).indices.tolist()
    rows = [[f"picture {row}", ", ".join(map(str, best)), str(label), "yes" if label in best else "no"]
            for row, (best, label) in enumerate(zip(five, labels.tolist(), strict=True))]
    return [Table("The pictures of the check", ("", "five best classes", "label", "among them"), rows,
                  marked=[row for row, cells in enumerate(rows) if cells[3] == "no"])]


@top5_error.checks("one batch", points=2)
def _(answer):
    ranks, [scores, labels] = RANKS[1], BATCHES[1]
    found, size = number(answer, BATCHES[1:2]), len(ranks)
    right = missed_in(ranks) / size

    def is_near(share: float) -> bool:
        return abs(found - share) < 1e-4

    def show():
        return five_beside_labels(1)

    expect(not is_near(100 * right), mistake="per-cent", show=show, found=found)
    expect(not is_near(missed_in(ranks, k=1) / size), mistake="only-the-best", show=show, found=found)
    expect(not is_near(1 - right), mistake="accuracy", show=show, found=found)
    expect(not is_near(top5_error.wrongs["the-five-lowest"].function([(scores, labels)])),
           mistake="the-five-lowest", show=show)
    expect(not is_near(top5_error.wrongs["any-label-of-the-batch"].function([(scores, labels)])),
           mistake="any-label-of-the-batch", show=show)
    expect(is_near(right), f"{missed_in(ranks)} of {size} labels are not among the five best, so the error "
                           f"is {right:.3f}. Yours is {found:.3f}.", show=show)


@top5_error.checks("batches of unequal size")
def _(answer):
    found, sizes = number(answer, BATCHES), [len(ranks) for ranks in RANKS]
    right = sum(map(missed_in, RANKS)) / sum(sizes)
    each = [missed_in(ranks) / len(ranks) for ranks in RANKS]
    expect(abs(found - sum(each) / len(each)) > 1e-4, mistake="mean-of-batches", first=sizes[0],
           last=sizes[-1], sizes=", ".join(map(str, sizes)),
           show=lambda: [Table("Errors by batch", ("", "pictures", "missed", "error"), [
               [f"batch {at}", str(len(ranks)), str(missed_in(ranks)), f"{missed_in(ranks) / len(ranks):.3f}"]
               for at, ranks in enumerate(RANKS)])])
    expect(abs(found - each[-1]) > 1e-4, mistake="the-last-batch")
    expect(abs(found - right) < 1e-4, f"Of {sum(sizes)} pictures {sum(map(missed_in, RANKS))} are missed: "
                                      f"{right:.3f}. Yours is {found:.3f}.")


top5_error.hints(
    "`scores.topk(5, dim=1).indices` has five positions for each picture, shape (N, 5).",
    "`labels[:, None]` has shape (N, 1) and can be compared with them; `.any(dim=1)` says whether one fits.",
    "Add up misses and pictures over all batches and divide once, after the loop.")

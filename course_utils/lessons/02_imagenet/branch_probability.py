"""Exercise: the probability of a branch of the tree, such as all domestic cats."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from course_utils.lessons._guards import kind_of, torch_as_it_was
from course_utils.teaching import Exercise, Table, expect

branch_probability = Exercise(
    "branch-probability", lesson="02_imagenet", title="The probability of a branch",
    see="#Inside-one-branch", minutes=6, difficulty="easy", objective="tree", guard=torch_as_it_was)


@branch_probability.starter
def probability_of_branch(scores, below):
    """How likely does each of N pictures show something of a branch?

    `scores` are a model's scores, (N, classes); `below` is a list of the positions of the branch's classes.
    Returns N probabilities, shape (N,).
    """
    ...


@branch_probability.solved_by
def probability_of_branch(scores, below):
    """First share 1 among all classes, then add up the shares of the branch."""
    shares = torch.softmax(scores, dim=1)        # (N, classes)
    return shares[:, below].sum(dim=1)           # (N,)


@branch_probability.alternative("by-logarithms")
def probability_of_branch(scores, below):
    return (scores[:, below].logsumexp(dim=1) - scores.logsumexp(dim=1)).exp()


@branch_probability.alternative("with-a-mask")
def probability_of_branch(scores, below):
    member = torch.zeros(scores.shape[1])
    member[below] = 1
    return scores.softmax(dim=1) @ member


@branch_probability.alternative("class-by-class")
def probability_of_branch(scores, below):
    shares = scores.softmax(dim=-1)
    total = torch.zeros(len(scores))
    for position in below:
        total = total + shares[:, position]
    return total


@branch_probability.wrong("softmax-after-selecting", says=(
    "Every picture gets {found:.2f}: you took the branch's scores first, so softmax shares 1 among the "
    "branch alone, whatever the picture shows. Softmax over all classes, then select."))
def probability_of_branch(scores, below):
    return torch.softmax(scores[:, below], dim=1).sum(dim=1)


@branch_probability.wrong("the-largest", says=(
    "This is the best single class of the branch. A picture shows one of its classes or another, so their "
    "probabilities add up: `sum`, not `max`."))
def probability_of_branch(scores, below):
    return torch.softmax(scores, dim=1)[:, below].max(dim=1).values


@branch_probability.wrong("average", says=(
    "This is the average over the branch: with more classes it shrinks, although the branch gets likelier. "
    "Add the shares up: `sum`, not `mean`."))
def probability_of_branch(scores, below):
    return torch.softmax(scores, dim=1)[:, below].mean(dim=1)


@branch_probability.wrong("sum-of-scores", says=(
    "{found:.2f} is no probability: these are sums of scores. Scores can be any numbers; make them shares of "
    "1 with softmax before you add."))
def probability_of_branch(scores, below):
    return scores[:, below].sum(dim=1)


@branch_probability.wrong("sigmoids", says=(
    "Sigmoid judges each class for itself, so the classes' values do not share 1 and their sum can be larger "
    "than that. Softmax over all classes makes them share."))
def probability_of_branch(scores, below):
    return torch.sigmoid(scores)[:, below].sum(dim=1)


@branch_probability.wrong("over-the-batch", says=(
    "Softmax ran over the pictures, `dim=0`: they share 1 for each class. Classes stand in dimension 1."))
def probability_of_branch(scores, below):
    return torch.softmax(scores, dim=0)[:, below].sum(dim=1)


@branch_probability.wrong("one-off", says=(
    "These are the classes beside the branch, at positions {shift:+d} from it. Positions count from 0, as "
    "Python does: use them as they are."))
def probability_of_branch(scores, below):
    return torch.softmax(scores, dim=1)[:, [position + 1 for position in below]].sum(dim=1)


@branch_probability.wrong("slice-without-its-end", says=(
    "The last class of the branch is missing: a slice `a:b` ends before b. And not every branch is in one "
    "piece, so select with the list: `shares[:, below]`."))
def probability_of_branch(scores, below):
    return torch.softmax(scores, dim=1)[:, below[0]:below[-1]].sum(dim=1)


@branch_probability.wrong("everything-between", says=(
    "Here the branch has classes {below}, and you added all from the first to the last. Cats happen to stand "
    "side by side, most branches do not: select with the list, `shares[:, below]`."))
def probability_of_branch(scores, below):
    return torch.softmax(scores, dim=1)[:, below[0]:below[-1] + 1].sum(dim=1)


# Three pictures, ten classes. No two classes of a picture have the same score, and none has nearly all of 1.
SCORES = torch.tensor([[2.0, -1.0, 1.5, 0.7, 1.9, 0.1, -0.4, 1.1, 0.3, -2.0],
                       [-0.5, 0.8, 0.2, 2.2, -1.2, 1.7, 0.6, -0.9, 1.3, 0.4],
                       [0.9, 1.6, -0.7, -1.5, 0.5, 2.4, 1.2, 0.0, -0.2, 1.0]])
IN_ONE_PIECE, WITH_GAPS = [2, 3, 4], [1, 4, 5, 8]


def asked(answer, scores: Tensor, below: Sequence[int]) -> Tensor:
    """The learner's probabilities, known to be a tensor of the right shape; any precision will do."""
    found = answer(scores.clone(), list(below))
    expect(isinstance(found, Tensor),
           f"`probability_of_branch` must return a tensor, but it returned {kind_of(found)}.")
    expect(found.shape == (len(scores),), f"{len(scores)} pictures should give shape ({len(scores)},), yours "
                                          f"is {tuple(found.shape)}. Sum over the classes, dimension 1.")
    return found.detach().float()


def right(scores: Tensor, below: Sequence[int]) -> Tensor:
    return torch.softmax(scores, dim=1)[:, list(below)].sum(dim=1)


def near(one: Tensor, other: Tensor) -> bool:
    return torch.allclose(one, other, atol=1e-4)


def beside(found: Tensor, below: Sequence[int]) -> list[Table]:
    """The shares of the branch's classes, their sum, and what the answer gave."""
    shares = torch.softmax(SCORES, dim=1)
    rows = [[f"picture {row}", " + ".join(f"{shares[row, position]:.3f}" for position in below),
             f"{total:.3f}", f"{given:.3f}"]
            for row, (total, given) in enumerate(zip(right(SCORES, below), found, strict=True))]
    return [Table(f"The classes at positions {list(below)}", ("", "their shares of 1", "sum", "yours"), rows)]


@branch_probability.checks("a probability for each picture")
def _(answer):
    found = asked(answer, SCORES, IN_ONE_PIECE)
    expect(not near(found, SCORES[:, IN_ONE_PIECE].sum(dim=1)), mistake="sum-of-scores",
           found=found[0].item())
    expect(not near(found, torch.sigmoid(SCORES)[:, IN_ONE_PIECE].sum(dim=1)), mistake="sigmoids")
    expect(not near(found, torch.softmax(SCORES, dim=0)[:, IN_ONE_PIECE].sum(dim=1)),
           mistake="over-the-batch")
    expect(bool((found >= 0).all() and (found <= 1 + 1e-5).all()),
           f"Probabilities lie between 0 and 1, yours between {found.min():.2f} and {found.max():.2f}.")


@branch_probability.checks("the shares of the branch, added up", points=2)
def _(answer):
    found, shares = asked(answer, SCORES, IN_ONE_PIECE), torch.softmax(SCORES, dim=1)
    branch = shares[:, IN_ONE_PIECE]

    def show():
        return beside(found, IN_ONE_PIECE)

    expect(not near(found, torch.ones(len(SCORES))), mistake="softmax-after-selecting", show=show,
           found=found[0].item())
    expect(not near(found, branch.max(dim=1).values), mistake="the-largest", show=show)
    expect(not near(found, branch.mean(dim=1)), mistake="average", show=show)
    for shift in (-1, 1):
        beside_it = [position + shift for position in IN_ONE_PIECE]
        expect(not near(found, right(SCORES, beside_it)), mistake="one-off", show=show, shift=shift)
    expect(not near(found, right(SCORES, IN_ONE_PIECE[:-1])), mistake="slice-without-its-end", show=show)
    expect(near(found, right(SCORES, IN_ONE_PIECE)),
           "These are not the sums of the branch's shares.", show=show)


@branch_probability.checks("a branch with gaps, and all classes together")
def _(answer):
    found = asked(answer, SCORES, WITH_GAPS)

    def show():
        return beside(found, WITH_GAPS)

    between = range(WITH_GAPS[0], WITH_GAPS[-1] + 1)
    expect(not near(found, right(SCORES, between)), mistake="everything-between", show=show, below=WITH_GAPS)
    expect(near(found, right(SCORES, WITH_GAPS)),
           f"For the classes at positions {WITH_GAPS} the sums differ from yours.", show=show)
    everything = asked(answer, SCORES[:1], range(10))
    expect(near(everything, torch.ones(1)),
           f"All classes together have probability 1, yours is {everything.item():.3f}.")


branch_probability.hints(
    "A picture of a branch shows one of its classes or another. What do probabilities of either–or do?",
    "Softmax over all classes comes first, `torch.softmax(scores, dim=1)`; then select, then add.",
    "`shares[:, below]` selects the columns of the branch, (N, len(below)); `.sum(dim=1)` adds them up.")

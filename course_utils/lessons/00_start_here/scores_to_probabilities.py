"""Exercise: softmax, over the right dimension."""

from __future__ import annotations

import torch
from torch import Tensor

from course_utils.lessons._guards import kind_of, torch_as_it_was
from course_utils.teaching import Exercise, Table, expect

scores_to_probabilities = Exercise(
    "scores-to-probabilities", lesson="00_start_here", title="From scores to probabilities",
    see="#Scores-and-probabilities", minutes=5, difficulty="easy", objective="probabilities",
    guard=torch_as_it_was)


@scores_to_probabilities.starter
def probabilities(scores):
    """Turn a model's scores, (N, classes), into probabilities of the same shape; each row sums to 1."""
    ...


@scores_to_probabilities.solved_by
def probabilities(scores):
    """Softmax over the classes, which stand in dimension 1."""
    return torch.softmax(scores, dim=1)


@scores_to_probabilities.alternative("by-hand")
def probabilities(scores):
    powers = torch.exp(scores - scores.max(dim=1, keepdim=True).values)
    return powers / powers.sum(dim=1, keepdim=True)


@scores_to_probabilities.alternative("last-dimension")
def probabilities(scores):
    return scores.softmax(-1)


@scores_to_probabilities.wrong("over-the-batch", says=(
    "Each column sums to 1, not each row: you compare pictures with each other. Classes stand in "
    "dimension 1: `dim=1`."))
def probabilities(scores):
    return torch.softmax(scores, dim=0)


@scores_to_probabilities.wrong("sigmoid", says=(
    "Each value lies between 0 and 1, but a row sums to {total:.2f}: sigmoid judges every class for itself. "
    "Softmax makes them share."))
def probabilities(scores):
    return torch.sigmoid(scores)


@scores_to_probabilities.wrong("divided-by-the-sum", says=(
    "Rows sum to 1, but some values are negative or above 1: scores can be negative, so dividing by their "
    "sum is not enough. Take the exponential first, or `torch.softmax`."))
def probabilities(scores):
    return scores / scores.sum(dim=1, keepdim=True)


@scores_to_probabilities.wrong("over-everything", says=(
    "The whole batch sums to 1, so each picture gets only a share of it. Each row should sum to 1: "
    "normalise over `dim=1`."))
def probabilities(scores):
    powers = torch.exp(scores)
    return powers / powers.sum()


@scores_to_probabilities.wrong("logarithms", says=(
    "These are logarithms of probabilities: all are negative. Use `torch.softmax`, not `log_softmax`."))
def probabilities(scores):
    return torch.log_softmax(scores, dim=1)


@scores_to_probabilities.wrong("softmax-twice", says=(
    "Rows sum to 1, but the shares are far too even: this is what you get when softmax is applied twice. The "
    "largest should be {right:.2f}, yours is {found:.2f}."))
def probabilities(scores):
    return torch.softmax(torch.softmax(scores, dim=1), dim=1)


@scores_to_probabilities.wrong("overflows", says=(
    "With large scores the result is {found}: their exponentials overflow, or are all 0. Subtract each row's "
    "largest score first, or let `torch.softmax` do it."))
def probabilities(scores):
    powers = torch.exp(scores)
    return powers / powers.sum(dim=1, keepdim=True)


SCORES = torch.tensor([[2.0, -1.0, 0.5, 0.0], [-0.5, 0.25, 3.0, 1.0]])
FAR_APART = torch.tensor([[1000.0], [-1000.0]])       # added to a row, it changes no share of that row


def shares(answer, scores: Tensor) -> Tensor:
    """The learner's probabilities, known to be a tensor of the right shape; any precision will do."""
    found = answer(scores.clone())
    expect(isinstance(found, Tensor),
           f"`probabilities` must return a tensor, but it returned {kind_of(found)}.")
    expect(found.shape == scores.shape,
           f"The shape should stay {tuple(scores.shape)}, yours is {tuple(found.shape)}.")
    return found.detach().float()


def row_by_row(scores: Tensor, found: Tensor) -> list[Table]:
    """Each row of scores, what softmax makes of it, what the learner makes of it, and the sum of that."""
    def written(numbers: Tensor) -> str:
        return ", ".join(f"{number:.3g}" for number in numbers.tolist())
    rows = [(f"picture {i}", written(row), written(row.softmax(dim=0)), written(mine), f"{mine.sum():.3g}")
            for i, (row, mine) in enumerate(zip(scores, found, strict=True), start=1)]
    return [Table("Row by row", ("", "scores", "softmax", "yours", "yours sum to"), rows)]


@scores_to_probabilities.checks("each row is a share of 1", points=2)
def _(answer):
    found = shares(answer, SCORES)

    def show():
        return row_by_row(SCORES, found)
    expect(not (found < 0).all(), mistake="logarithms", show=show)
    expect(not torch.allclose(found, torch.sigmoid(SCORES)), mistake="sigmoid", total=found[0].sum().item(),
           show=show)
    expect(not torch.allclose(found, torch.softmax(SCORES, dim=0)), mistake="over-the-batch", show=show)
    expect(not torch.isclose(found.sum(), torch.tensor(1.0)), mistake="over-everything", show=show)
    expect(torch.allclose(found.sum(dim=1), torch.ones(2), atol=1e-5),
           f"Rows should sum to 1, yours sum to {[round(s, 5) for s in found.sum(dim=1).tolist()]}.",
           show=show)
    expect(bool((found >= 0).all() and (found <= 1).all()), mistake="divided-by-the-sum", show=show)
    shares(answer, SCORES[:1])       # one picture is a batch, too


@scores_to_probabilities.checks("the shares of softmax")
def _(answer):
    found, right = shares(answer, SCORES), torch.softmax(SCORES, dim=1)
    expect(not torch.allclose(found, torch.softmax(right, dim=1), atol=1e-5), mistake="softmax-twice",
           right=right.max().item(), found=found.max().item(), show=lambda: row_by_row(SCORES, found))
    expect(torch.allclose(found, right, atol=1e-5),
           "These are not the shares of softmax: exp(score) divided by the sum of its row.",
           show=lambda: row_by_row(SCORES, found))


@scores_to_probabilities.checks("large scores")
def _(answer):
    for scores in (1000 * SCORES, SCORES + FAR_APART):
        found = shares(answer, scores)
        broken = found[~torch.isfinite(found)]
        if len(broken):
            expect(False, mistake="overflows", found=broken[0].item(),
                   show=lambda scores=scores, found=found: row_by_row(scores, found))
    expect(torch.allclose(found, shares(answer, SCORES), atol=1e-3),     # float32 rounds scores near 1,000
           "Adding the same number to all scores of a picture should change none of its probabilities, but "
           "with 1,000 it does.")


scores_to_probabilities.hints(
    "Scores can be any numbers. Which function makes them positive and makes them add up to 1?",
    "`torch.softmax` takes the dimension over which values add up to 1.",
    "Rows are pictures, columns are classes: `torch.softmax(scores, dim=1)`.")

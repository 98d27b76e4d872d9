"""Exercise: is one strategy better, or was it the draw?"""

from __future__ import annotations

import math

import torch

from course_utils.lessons._guards import is_number, kind_of, torch_as_it_was
from course_utils.teaching import Exercise, Table, expect

decide_by_seeds = Exercise(
    "decide-by-seeds", lesson="07_choosing_a_strategy", title="Better, or luck?", see="#Better,-or-luck?",
    minutes=8, difficulty="medium", objective="decide", guard=torch_as_it_was)


@decide_by_seeds.starter
def compare(first, second):
    """Mean difference in accuracy, first less second, and its standard error, as two floats.

    `first[i]` and `second[i]` are accuracies of two strategies on the same draw i: compare them in pairs.
    """
    ...


@decide_by_seeds.solved_by
def compare(first, second):
    """Differences of pairs: what a draw does to both falls out."""
    differences = [a - b for a, b in zip(first, second, strict=True)]
    draws = len(differences)
    mean = sum(differences) / draws
    variance = sum((d - mean) ** 2 for d in differences) / (draws - 1)
    return mean, math.sqrt(variance / draws)


@decide_by_seeds.alternative("statistics")
def compare(first, second):
    from statistics import fmean, stdev
    differences = [a - b for a, b in zip(first, second, strict=True)]
    return fmean(differences), stdev(differences) / len(differences) ** 0.5


@decide_by_seeds.alternative("torch")
def compare(first, second):
    d = torch.tensor(first, dtype=torch.float64) - torch.tensor(second, dtype=torch.float64)
    return d.mean().item(), (d.std() / len(d) ** 0.5).item()


@decide_by_seeds.wrong("not-paired", looks_like="the two are not compared in pairs", says=(
    "Your error is {got:.4f}, {times:.1f} times that of the pairs: you took the spread of each strategy by "
    "itself. A hard draw lowers both; in the difference of a pair it falls out."))
def compare(first, second):
    from statistics import fmean, variance
    error = math.sqrt(variance(first) / len(first) + variance(second) / len(second))
    return fmean(first) - fmean(second), error


@decide_by_seeds.wrong("deviation-not-error", looks_like="the standard deviation is not divided by √n", says=(
    "{got:.4f} is how much single differences scatter. The mean of n of them is known better: divide the "
    "standard deviation by √n."))
def compare(first, second):
    from statistics import fmean, stdev
    differences = [a - b for a, b in zip(first, second, strict=True)]
    return fmean(differences), stdev(differences)


@decide_by_seeds.wrong("divided-by-n", looks_like="the deviation divides by n where n − 1 belongs", says=(
    "Your error is too small, by a factor of {factor:.2f} with {n} draws: divide the squares by n − 1. The "
    "mean was taken from the same numbers, which brings them closer to it than they should be."))
def compare(first, second):
    from statistics import fmean, pstdev
    differences = [a - b for a, b in zip(first, second, strict=True)]
    return fmean(differences), pstdev(differences) / math.sqrt(len(differences))


@decide_by_seeds.wrong("divided-by-n-twice", says=(
    "Your error shrinks with n where it should shrink with √n: divide the standard deviation by √n, not n."))
def compare(first, second):
    from statistics import fmean, stdev
    differences = [a - b for a, b in zip(first, second, strict=True)]
    return fmean(differences), stdev(differences) / len(differences)


@decide_by_seeds.wrong("turned-round", says=(
    "The sign is turned: asked is first less second, so that a positive number speaks for the first."))
def compare(first, second):
    from statistics import fmean, stdev
    differences = [b - a for a, b in zip(first, second, strict=True)]
    return fmean(differences), stdev(differences) / math.sqrt(len(differences))


def runs(n: int, gain: float, seed: int = 0) -> tuple[list[float], list[float]]:
    """Accuracies of two strategies on n draws: draws differ a lot, the gain on each a little."""
    draws = torch.Generator().manual_seed(seed)
    level = 0.7 + 0.08 * torch.randn(n, generator=draws, dtype=torch.float64)
    noise = 0.01 * torch.randn(n, generator=draws, dtype=torch.float64)
    return (level + gain + noise).tolist(), level.tolist()


def found_by(answer, first: list[float], second: list[float]) -> tuple[float, float]:
    """The learner's mean and error, known to be two numbers."""
    found = answer(list(first), list(second))
    expect(isinstance(found, (tuple, list)) and len(found) == 2,
           f"`compare` must return two numbers, (mean, error), but it returned {kind_of(found)}.")
    strange = [one for one in found if not (is_number(one) and math.isfinite(one))]
    expect(not strange, f"Mean and error are two numbers; one of yours is {str((strange or [0])[0])[:40]}.")
    return float(found[0]), float(found[1])


def truth(first: list[float], second: list[float]) -> tuple[float, float]:
    d = torch.tensor(first, dtype=torch.float64) - torch.tensor(second, dtype=torch.float64)
    return d.mean().item(), (d.std() / len(d) ** 0.5).item()


def in_pairs(first: list[float], second: list[float]):
    """Evidence: the runs in pairs, with their differences."""
    rows = [[str(i), f"{a:.3f}", f"{b:.3f}", f"{a - b:+.3f}"]
            for i, (a, b) in enumerate(zip(first, second, strict=True))]
    return lambda: [Table("The same draw, two strategies", ["draw", "first", "second", "difference"], rows)]


@decide_by_seeds.checks("the mean difference")
def _(answer):
    first, second = runs(5, 0.03)
    got, wanted = found_by(answer, first, second)[0], truth(first, second)[0]
    expect(abs(got + wanted) > 1e-9, mistake="turned-round", show=in_pairs(first, second))
    expect(abs(got - wanted) < 1e-6, f"The mean difference is {wanted:+.4f}, yours is {got:+.4f}.",
           show=in_pairs(first, second))


@decide_by_seeds.checks("its standard error, in pairs", points=2)
def _(answer):
    for n in (5, 12):
        first, second = runs(n, 0.02, seed=n)
        got, wanted = found_by(answer, first, second)[1], truth(first, second)[1]
        show = in_pairs(first, second)
        expect(got < 2.9 * wanted or abs(got - wanted * n ** 0.5) < 1e-9, mistake="not-paired", got=got,
               times=got / wanted, show=show)
        expect(abs(got - wanted * n ** 0.5) > 1e-9, mistake="deviation-not-error", got=got, show=show)
        expect(abs(got - wanted * ((n - 1) / n) ** 0.5) > 1e-9, mistake="divided-by-n",
               factor=(n / (n - 1)) ** 0.5, n=n, show=show)
        expect(abs(got - wanted / n ** 0.5) > 1e-9, mistake="divided-by-n-twice", show=show)
        expect(abs(got - wanted) < 1e-6, f"With {n} draws the error is {wanted:.4f}, yours is {got:.4f}.",
               show=show)


@decide_by_seeds.fingerprint
def _(answer):
    return tuple(round(float(number), 6) for number in answer(*runs(7, 0.02, seed=7)))


decide_by_seeds.hints(
    "Begin with the differences: first[i] − second[i] for each draw.",
    "The standard deviation divides the squares by n − 1; `statistics.stdev` does.",
    "The standard error of a mean is the standard deviation divided by √n.")

"""Exercise: similarity search by the angle between features."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from course_utils.lessons._guards import kind_of, torch_as_it_was
from course_utils.teaching import Exercise, Table, expect

find_the_most_similar = Exercise(
    "find-the-most-similar", lesson="09_features_and_tasks", title="Find the most similar pictures",
    see="#Similarity-search", minutes=8, difficulty="easy", objective="search", guard=torch_as_it_was)


@find_the_most_similar.starter
def most_similar(query, features, k):
    """Positions of the `k` rows of `features` (N, D) at the smallest angle to `query` (D,), best first.

    Cosine similarity: the length of a vector plays no part. Returns int64 (k,).
    """
    ...


@find_the_most_similar.solved_by
def most_similar(query, features, k):
    """Every row to length 1; the query's own length is a factor for all, so it changes no order."""
    similarities = F.normalize(features, dim=1) @ query       # (N,)
    return similarities.topk(k).indices


@find_the_most_similar.alternative("cosine-similarity")
def most_similar(query, features, k):
    return F.cosine_similarity(features, query.unsqueeze(0), dim=1).argsort(descending=True)[:k]


@find_the_most_similar.alternative("distance-between-normalised")
def most_similar(query, features, k):
    features = features / features.norm(dim=1, keepdim=True)
    distances = torch.cdist((query / query.norm()).unsqueeze(0), features)[0]
    return distances.topk(k, largest=False).indices


@find_the_most_similar.wrong("products-of-raw-features", looks_like=(
    "features are multiplied without normalising"), says=(
    "Row {row} came first because it is long, not because it points the same way: you compare products of "
    "raw features. Bring every row to length 1 first."))
def most_similar(query, features, k):
    return (features @ query).topk(k).indices


@find_the_most_similar.wrong("distances-of-raw-features", looks_like=(
    "raw features are compared by distance"), says=(
    "A copy of the query, three times as long, should be found first: its angle is 0. You compare distances "
    "of raw features, to which length matters."))
def most_similar(query, features, k):
    return torch.cdist(query.unsqueeze(0), features)[0].argsort()[:k]


@find_the_most_similar.wrong("least-similar-first", says=(
    "These are the {k} least similar: `argsort` begins with the smallest. Sort with `descending=True`, or "
    "use `topk`."))
def most_similar(query, features, k):
    return F.cosine_similarity(features, query.unsqueeze(0)).argsort()[:k]


@find_the_most_similar.wrong("normalised-by-column", looks_like=(
    "columns are normalised in place of rows"), says=(
    "What comes out depends on rows that have nothing to do with it: you normalise each column, one feature "
    "over all pictures. One picture is one row: `dim=1`."))
def most_similar(query, features, k):
    return (F.normalize(features, dim=0) @ F.normalize(query, dim=0)).topk(k).indices


@find_the_most_similar.wrong("similarities-returned", says=(
    "These are the similarities, {dtype}. Asked are the positions of the rows: `topk` returns both, take "
    "`.indices`."))
def most_similar(query, features, k):
    return F.cosine_similarity(features, query.unsqueeze(0)).topk(k).values


def gallery() -> tuple[Tensor, Tensor]:
    """A query (16,) and rows (12, 16) at known angles to it, of lengths that lead astray: best is row 7."""
    draws = torch.Generator().manual_seed(0)
    query = torch.rand(16, generator=draws) + 0.1
    noise = torch.rand(12, 16, generator=draws)
    share = torch.tensor([.5, .1, .8, .3, .7, .2, .6, .97, .4, .9, .05, .75]).unsqueeze(1)
    lengths = torch.tensor([1.0, 9, 0.5, 4, 2, 12, 1, 3, 6, 0.3, 15, 1]).unsqueeze(1)
    scales = torch.logspace(-1, 1, 16)              # of the features: columns differ in size, as real ones do
    return scales * query, lengths * scales * (share * query + (1 - share) * noise)


def found_by(answer, query: Tensor, features: Tensor, k: int) -> list[int]:
    """The learner's positions, known to be k whole numbers."""
    found = answer(query.clone(), features.clone(), k)
    expect(isinstance(found, Tensor), f"Return a tensor of positions; it returned {kind_of(found)}.")
    expect(not (found.is_floating_point() or found.is_complex()), mistake="similarities-returned",
           dtype=found.dtype)
    expect(tuple(found.shape) == (k,), f"Asked were {k} positions, shape ({k},); yours have shape "
                                       f"{tuple(found.shape)}.")
    strange = [row for row in found.tolist() if row not in range(len(features))]
    expect(not strange, f"Rows are counted from 0 to {len(features) - 1}, but {(strange or [0])[0]} is among "
                        "your positions.")
    return found.tolist()


def ranking(query: Tensor, features: Tensor, found: list[int], wanted: list[int]):
    """Evidence: your order beside the one by angle, with cosines and lengths."""
    cosines, lengths = F.cosine_similarity(features, query.unsqueeze(0)), features.norm(dim=1)

    def cell(row: int) -> str:
        return f"row {row}: cosine {cosines[row]:.3f}, length {lengths[row]:.1f}"

    rows = [[str(place), cell(mine), cell(theirs)]
            for place, (mine, theirs) in enumerate(zip(found, wanted, strict=True), start=1)]
    differ = [i for i, (mine, theirs) in enumerate(zip(found, wanted, strict=True)) if mine != theirs]
    return lambda: [Table("Best first", ["place", "yours", "by the angle"], rows, marked=differ)]


@find_the_most_similar.checks("positions of the most similar, best first", points=2)
def _(answer):
    query, features = gallery()
    order = F.cosine_similarity(features, query.unsqueeze(0)).argsort(descending=True).tolist()
    found = found_by(answer, query, features, 12)
    show = ranking(query, features, found[:5], order[:5])
    expect(found != order[::-1], mistake="least-similar-first", k=5, show=show)
    by_column = (F.normalize(features, dim=0) @ F.normalize(query, dim=0)).topk(12).indices.tolist()
    expect(found != by_column, mistake="normalised-by-column", show=show)
    expect(found != (features @ query).topk(12).indices.tolist(), mistake="products-of-raw-features",
           row=found[0], show=show)


@find_the_most_similar.checks("length plays no part", points=2)
def _(answer):
    query, features = gallery()
    features = torch.cat([features, 3 * query.unsqueeze(0)])
    found = found_by(answer, query, features, 1)
    expect(found == [12], mistake="distances-of-raw-features")
    order = F.cosine_similarity(features, query.unsqueeze(0)).argsort(descending=True).tolist()
    for k in (1, 4, 13):
        found = found_by(answer, query, features, k)
        expect(found == order[:k], f"For k = {k} the best are rows {order[:k]}, but you give {found}.",
               show=ranking(query, features, found, order[:k]))


@find_the_most_similar.fingerprint
def _(answer):
    query, features = gallery()
    return answer(query, features, 12).tolist()


find_the_most_similar.hints(
    "The cosine of an angle is the product of two vectors of length 1.",
    "`F.normalize(features, dim=1)` brings every row to length 1; then `features @ query` are (N,) cosines.",
    "`cosines.topk(k).indices` are the positions of the k largest, best first.")

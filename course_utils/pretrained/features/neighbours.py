"""Which pictures look most alike to a network: search by the angle between their features."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from course_utils.errors import CourseError
from course_utils.pretrained.data.batches import check_count
from course_utils.pretrained.features.extraction import Features, check_features

QUERIES, CHUNK = 1024, 16_384       # rows compared at a time: 64 MB of similarities


class Neighbours(NamedTuple):
    """The most alike of some pictures, for each of others, best first."""

    indices: Tensor             # (N, k) int64: positions in `among`
    similarities: Tensor        # (N, k) float32: cosines, -1 … 1


def nearest_neighbours(query: Features, among: Features, k: int = 5) -> Neighbours:
    """For each vector of `query` the `k` of `among` at the smallest angle: cosine similarity.

    Lengths play no part. A picture that is in both finds itself first, with similarity 1.

    Args:
        query, among: of the same model, layer and size; `among` may be larger than memory.
    Raises:
        CourseError: the two do not fit together, or `among` has fewer than `k` vectors.
    """
    check_features("nearest_neighbours", query=query, among=among)
    check_count("k", k)
    if k > len(among):
        raise CourseError(f"There are only {len(among)} pictures to look among, so k cannot be {k}.")
    found = [_of_some(F.normalize(rows, dim=1), among.x, k) for rows in query.x.split(QUERIES)]
    return Neighbours(*(torch.cat(part) for part in zip(*found, strict=True)))


def _of_some(query: Tensor, among: Tensor, k: int) -> tuple[Tensor, Tensor]:
    indices = torch.empty(len(query), 0, dtype=torch.int64)
    best = torch.empty(len(query), 0)
    for start in range(0, len(among), CHUNK):
        alike = query @ F.normalize(among[start:start + CHUNK], dim=1).T             # (N, chunk)
        here = torch.arange(start, start + alike.shape[1]).expand(len(query), -1)
        best, order = torch.cat([best, alike], dim=1).topk(min(k, best.shape[1] + alike.shape[1]), dim=1)
        indices = torch.cat([indices, here], dim=1).gather(1, order)
    if not best.isfinite().all():
        raise CourseError("Some features are not numbers (nan or inf): something went wrong inside the "
                          "network. Look at its weights and at the pictures.")
    return indices, best.clamp(-1, 1)

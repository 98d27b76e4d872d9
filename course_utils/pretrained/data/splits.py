"""Cutting a set of labelled pictures into parts that never share one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from course_utils.errors import BadData

SEED = 0


def cut_off(names: Sequence[str], shares: Mapping[str, float], *, seed: int = SEED) -> dict[str, list[int]]:
    """Take a share of every class away for each named part, by a shuffle that is the same every time.

    Args:
        names: the class of each picture.
        shares: {"val": 0.15, "test": 0.15}: parts of the whole. Each gets at least one picture of each class.
    Returns:
        positions by part, in rising order, with "train" for what is left: at least one of each class.
    Raises:
        BadData: a class has fewer pictures than there are parts.
    """
    rng = np.random.default_rng(seed)
    parts: dict[str, list[int]] = {"train": [], **{name: [] for name in shares}}
    for name in sorted(set(names)):
        own = [position for position, other in enumerate(names) if other == name]
        if len(own) <= len(shares):
            raise BadData(f"A class needs at least {len(shares) + 1} pictures to be cut into "
                          f"{', '.join(parts)}, but {name!r} has {len(own)}.")
        shuffled, start = rng.permutation(own).tolist(), 0
        for part, share in shares.items():
            count = max(1, round(share * len(own)))
            parts[part] += shuffled[start:start + count]
            start += count
        parts["train"] += shuffled[start:]
    return {part: sorted(positions) for part, positions in parts.items()}

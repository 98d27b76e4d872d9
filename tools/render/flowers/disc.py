"""The middle of daisies and sunflowers: florets on a dome, packed in spirals."""

from __future__ import annotations

import numpy as np

from tools.render.flowers.surfaces import GOLDEN_ANGLE, Patches, blend, domes


def disc(rng: np.random.Generator, radius: float, *, dome: float, count: int, inner, outer, ring=None,
         tall: float = 1.2) -> Patches:
    """`count` florets.

    Args:
        dome: height in radii; negative: a hollow.
        inner, outer: colours of buds in the middle and of florets at the edge.
        ring: a colour between the two, at two thirds of the way, if any.
    """
    share = np.sqrt((np.arange(count) + 0.5) / count)                   # even density: Vogel, 1979
    angle = np.arange(count) * GOLDEN_ANGLE + rng.uniform(0, 6.3)
    x, y = radius * share * np.cos(angle), radius * share * np.sin(angle)
    centres = np.stack([x, y, dome * radius * (1 - share**2)], 1)
    normals = np.stack([2 * dome * x / radius, 2 * dome * y / radius, np.ones(count)], 1)
    size = radius * 1.15 / np.sqrt(count) * rng.uniform(0.85, 1.15, count) * (0.75 + 0.35 * share)
    tint = blend(inner, outer, np.clip(share * 1.3 - 0.2, 0, 1))
    if ring is not None:
        tint = blend(tint, ring, np.exp(-(((share - 0.66) / 0.14) ** 2)))
    tint = tint * rng.uniform(0.7, 1.2, (count, 1))
    shape = np.ones((count, 4, 4, 1))
    shape[:, [0, -1]] = shape[:, :, [0, -1]] = 0.45                     # dark between florets
    return Patches(domes(centres, normals, size, tall), tint[:, None, None] * shape, 0.1, 0.05)

"""Daisies: white rays around a small yellow dome."""

from __future__ import annotations

import numpy as np

from tools.render.flowers.disc import disc
from tools.render.flowers.foliage import Kind, along, leaves
from tools.render.flowers.surfaces import Patches, blend, outline, straps


def variety(rng: np.random.Generator) -> Kind:
    """Lawn daisies with many narrow rays, or ox-eyes with fewer, broader ones; some rays blushed."""
    rays = int(rng.integers(16, 42))
    lift = rng.normal(12, 22)            # degrees: cupped in the morning, hanging when old
    blush = rng.choice([0.0, 0.0, rng.uniform(0.2, 0.8)])

    def head(rng):
        centre = rng.uniform(0.24, 0.36)
        core = disc(rng, centre, dome=rng.uniform(0.3, 0.7), count=180,
                    inner=(0.62, 0.50, 0.03), outer=(0.85, 0.52, 0.02))
        return [core, *(_rays(rng, rays // 2, centre, lift + step, blush) for step in (0, 9)),
                _bracts(rng, centre)]

    def rosette(rng, path):
        low = leaves(rng, int(rng.integers(5, 10)), length=1.6, width=0.22, rise=(25, -10),
                     widest=0.75, blunt=2.2)
        return [low.moved(by=along(path, 1.0))]

    return Kind(head, rosette, nod=(0, 35), height=(2.0, 5.0), stem=0.06)


def _rays(rng: np.random.Generator, count: int, start: float, lift: float, blush: float) -> Patches:
    s = np.linspace(0, 1, 10)
    azimuth = np.linspace(0, 2 * np.pi, count, endpoint=False)
    azimuth = azimuth + rng.normal(0, 0.07, count) + rng.uniform(0, 6)
    length = (1 - start) * rng.uniform(0.88, 1.08, count)
    first = np.deg2rad(lift + rng.normal(0, 6, (count, 1)))
    elevation = first - np.deg2rad(rng.normal(18, 12, (count, 1))) * s
    wide = min(0.14, 2.6 / count) * rng.uniform(0.8, 1.1, (count, 1))
    half = wide * outline(s, widest=0.65, base=0.5, blunt=2.5)
    points = straps(azimuth, length, elevation, half, start=0.9 * start, fold=rng.uniform(-0.3, 0.4),
                    twist=rng.normal(0, 0.15, count))
    tint = blend((0.82, 0.82, 0.80), (0.75, 0.30, 0.42), blush * s[:, None] ** 3)
    return Patches(points, np.broadcast_to(tint, points.shape), 0.45, 0.03, 0.12)


def _bracts(rng: np.random.Generator, start: float) -> Patches:
    """The green cup behind the rays."""
    s = np.linspace(0, 1, 6)
    azimuth = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    points = straps(azimuth, 1.3 * start, np.broadcast_to(np.deg2rad(15 + 10 * s), (14, 6)),
                    np.broadcast_to(0.12 * outline(s, widest=0.4, base=0.8, blunt=1.5), (14, 6)))
    return Patches(points - np.float32([0, 0, 0.14]), np.array([0.13, 0.25, 0.06]), 0.1, 0.05)

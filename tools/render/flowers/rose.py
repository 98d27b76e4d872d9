"""Roses: petals in a spiral, tight in the middle and rolled outward at the rim; glossy toothed leaflets."""

from __future__ import annotations

import numpy as np

from tools.render.flowers.foliage import Kind, along, leaves
from tools.render.flowers.surfaces import (
    GOLDEN_ANGLE,
    Patches,
    blend,
    cups,
    facing,
    outline,
    spine,
    straps,
    tube,
)

COLOURS = [(0.50, 0.01, 0.02), (0.78, 0.18, 0.30), (0.85, 0.56, 0.56), (0.82, 0.80, 0.72), (0.86, 0.62, 0.06),
           (0.86, 0.36, 0.14), (0.30, 0.01, 0.03)]


def variety(rng: np.random.Generator) -> Kind:
    """Hybrid teas, half open or full; one colour, deeper in the middle or at the rims."""
    tint = np.array(COLOURS[rng.integers(len(COLOURS))])
    same = rng.random() < 0.7
    rim = tint * rng.uniform(0.8, 1.25) if same else np.array(COLOURS[rng.integers(len(COLOURS))])
    openness = rng.beta(2, 1.3)
    count = int(rng.integers(18, 34))

    def head(rng):
        return [_petals(rng, count, np.clip(openness + rng.normal(0, 0.08), 0, 1), tint, rim), _sepals(rng)]

    def compound(rng, path):
        parts = []
        for share in np.arange(0.22, 1.0, rng.uniform(0.15, 0.3)):
            parts += [part.moved(by=along(path, share)) for part in _spray(rng)]
        return parts

    return Kind(head, compound, nod=(0, 50), height=(3.5, 6.0), stem=0.07, stem_colour=(0.14, 0.22, 0.06))


def _petals(rng: np.random.Generator, count: int, openness: float, tint: np.ndarray,
            rim: np.ndarray) -> Patches:
    rank = np.linspace(0, 1, count)[:, None]                            # 0 the innermost
    s, t = np.linspace(0, 1, 16), np.linspace(-1, 1, 13)
    grown = rank * (0.35 + 0.65 * openness)
    bowl = np.deg2rad(80 - 62 * grown + rng.normal(0, 4, (count, 1)))
    wall = np.deg2rad(14 + 42 * grown)
    roll = np.deg2rad(110 * grown**1.3 - 14 * (1 - rank))
    elevation = bowl + wall * np.sin(np.pi * s) - roll * s**3.5
    length = (0.90 + 0.22 * rank) * rng.uniform(0.94, 1.06, (count, 1))
    radius, height = spine(length, elevation, 0.03 + 0.10 * rank)
    half = np.deg2rad(118 - 66 * rank**0.6) * outline(s, widest=0.66, base=0.7, blunt=2.5)
    wobble = 0.02 * rng.normal(size=(count, 1, 1)) * np.sin(4 * t + rng.uniform(0, 6, (count, 1, 1)))
    ruffle = (wobble + 0.03 * rank[..., None] * t**4) * s[:, None] ** 2
    points = cups(np.arange(count) * GOLDEN_ANGLE, radius, height - 0.55, half, spiral=0.10,
                  ruffle=ruffle, across=13)
    points[..., 2] -= (0.16 * t**2 * s[:, None] ** 2).astype(np.float32)    # edges hang lower than the middle
    edge = np.clip(np.maximum(s[:, None] ** 5, 0.7 * t**6), 0, 1)
    colour = blend(tint, rim, np.broadcast_to(edge, points.shape[:3]))
    colour = colour * (0.72 + 0.28 * s[:, None, None])                  # the depths of the flower are darker
    return Patches(points, colour, 0.35, 0.03, 0.05)


def _sepals(rng: np.random.Generator) -> Patches:
    s = np.linspace(0, 1, 8)
    elevation = np.deg2rad(rng.uniform(-40, 60)) * np.ones((5, 1)) - 0.6 * s
    half = np.broadcast_to(0.13 * outline(s, widest=0.25, base=0.8, blunt=1.0), (5, 8))
    points = straps(np.arange(5) * 2 * np.pi / 5, 0.7, elevation, half, start=0.05) - np.float32([0, 0, 0.6])
    return Patches(points, np.array([0.12, 0.23, 0.06]), 0.15, 0.05)


def _spray(rng: np.random.Generator) -> list[Patches]:
    """A stalk with five leaflets."""
    azimuth = rng.uniform(0, 2 * np.pi)
    out = np.array([np.cos(azimuth), np.sin(azimuth), rng.uniform(-0.1, 0.5)])
    path = np.linspace(0, 1.5, 6)[:, None] * out
    parts = [Patches(tube(path, 0.025), np.array([0.12, 0.20, 0.05]))]
    dark = blend((0.05, 0.13, 0.03), (0.10, 0.22, 0.05), rng.uniform(0, 1))
    side = np.cross(out, [0, 0, 1.0])
    for reach, sign in ((0.6, 1), (0.6, -1), (1.1, 1), (1.1, -1), (1.5, 0)):
        leaflet = leaves(rng, 1, length=0.75, width=0.34, rise=(0, -15), widest=0.4, blunt=1.5,
                         teeth=7, colour=dark, gloss=0.3)
        aim = sign * side + (0.45 if sign else 1.0) * out
        parts.append(leaflet.moved(_towards(leaflet, aim), reach * out))
    return parts


def _towards(leaflet: Patches, aim: np.ndarray) -> np.ndarray:
    """The turn about z that makes a leaflet, grown in some direction, point along `aim`."""
    tip = leaflet.points[0, -1, 3]
    angle = np.arctan2(aim[1], aim[0]) - np.arctan2(tip[1], tip[0])
    return facing(np.array([0, 0, 1.0]), angle)

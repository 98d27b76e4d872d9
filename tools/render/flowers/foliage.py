"""Stems, leaves and grass, and how a head, a stem and leaves become a plant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tools.render.flowers.surfaces import Patches, blend, facing, outline, straps, tube

GREEN, BLUE_GREEN, YELLOW_GREEN = (0.09, 0.17, 0.045), (0.10, 0.20, 0.11), (0.20, 0.27, 0.07)


@dataclass(frozen=True)
class Kind:
    """One variety of a species; plants of one picture share it."""

    head: Callable[[np.random.Generator], list[Patches]]                # axis z, radius about 1
    leaves: Callable[[np.random.Generator, np.ndarray], list[Patches]]  # along a stem (U, 3), head first
    nod: tuple[float, float]        # degrees a head leans from the vertical
    height: tuple[float, float]     # of the stem, in head radii
    stem: float                     # its radius
    stem_colour: tuple[float, float, float] | np.ndarray = YELLOW_GREEN


def plant(kind: Kind, axis: np.ndarray, height: float, rng: np.random.Generator, *,
          cut: bool) -> list[Patches]:
    """A plant whose head, at the origin, faces `axis`; the stem leads down to the ground.

    Args:
        cut: there is no ground to be seen; the stem leads on, out of the picture.
    """
    path = stem_path(axis, height, rng)
    turn = facing(axis, rng.uniform(0, 2 * np.pi))
    head = [part.moved(turn) for part in kind.head(rng)]
    thickness = kind.stem * np.linspace(0.9, 1.3, len(path))
    stems = [tube(path, thickness)]
    if cut:
        stems.append(tube(path[-1] - np.linspace(0, 12, 12)[:, None] * [0, 0, 1], thickness[-1]))
    stalk = [Patches(stem, np.array(kind.stem_colour), 0.1, 0.1) for stem in stems]
    return [*head, *stalk, *kind.leaves(rng, path)]


def stem_path(axis: np.ndarray, height: float, rng: np.random.Generator) -> np.ndarray:
    """A Bézier curve from the head, straight behind it at first, to the ground: (24, 3)."""
    drift = np.array([*rng.normal(0, 0.12 * height, 2), 0])
    down = np.array([0, 0, -height])
    ends = [np.zeros(3), -axis * min(1.2, 0.4 * height), drift + 0.6 * down, drift + down]
    t = np.linspace(0, 1, 24)[:, None]
    powers = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3]
    return sum(power * end for power, end in zip(powers, ends, strict=True))


def leaves(rng: np.random.Generator, count: int, *, length: float, width: float, rise: tuple[float, float],
           widest: float = 0.45, blunt: float = 1.3, stalk: float = 0.15, wave: float = 0.0, teeth: int = 0,
           start: float = 0.0, colour=GREEN, gloss: float = 0.15) -> Patches:
    """Leaves around the axis at height 0.

    Args:
        width: half-width, in lengths.
        rise: elevation in degrees at base and tip.
        wave: how much edges and elevation wobble; teeth: on each edge.
    """
    s = np.linspace(0, 1, 12 if not teeth else 8 * teeth)
    azimuth = np.arange(count) * 2.4 + rng.uniform(0, 0.7, count) + rng.uniform(0, 6.3)
    lengths = length * rng.uniform(0.7, 1.1, count)
    ends = np.deg2rad(np.array(rise) + rng.normal(0, 8, (count, 2)))
    elevation = ends[:, :1] * (1 - s) + ends[:, 1:] * s
    elevation = elevation + wave * np.sin(s * rng.uniform(6, 14, (count, 1)) + rng.uniform(0, 6, (count, 1)))
    shape = outline(s, widest=widest, base=stalk, blunt=blunt)
    if teeth:
        shape = shape * (0.55 + 0.45 * np.abs(np.sin(np.pi * teeth * s)) ** 0.7)
    half = lengths[:, None] * width * shape
    points = straps(azimuth, lengths, elevation, half, start=start, fold=rng.uniform(0.1, 0.5),
                    twist=rng.normal(0, 0.4, count), across=7)
    rib = np.abs(np.linspace(-1, 1, 7)) < 0.1
    tint = blend(colour, YELLOW_GREEN, np.broadcast_to(0.5 * rib, points.shape[:3]))
    return Patches(points, tint * rng.uniform(0.75, 1.25, (count, 1, 1, 1)), 0.3, gloss, 0.12)


def along(path: np.ndarray, share: float) -> np.ndarray:
    """The point of a stem at this share of its way down, (3,)."""
    return path[round(share * (len(path) - 1))]


def grass(rng: np.random.Generator, count: int, reach: float, length: float, ground: float) -> Patches:
    """Blades of grass around the origin, standing on z = ground, within `reach`."""
    s = np.linspace(0, 1, 7)
    lengths = length * rng.uniform(0.4, 1.2, count)
    lean = rng.uniform(1.0, 1.6, (count, 1))
    elevation = lean - rng.uniform(0.1, 1.3, (count, 1)) * s**1.5
    half = np.broadcast_to(rng.uniform(0.03, 0.07, (count, 1)) * (1 - s**2), (count, 7))
    azimuth = rng.uniform(0, 2 * np.pi, count)
    blades = straps(azimuth, lengths, elevation, half, fold=0.5, twist=rng.normal(0, 0.5, count), across=3)
    place = rng.uniform(-reach, reach, (count, 2))
    blades = blades + np.insert(place, 2, ground, axis=1)[:, None, None].astype(np.float32)
    dry = rng.beta(0.6, 3, count)[:, None, None]
    tint = blend(GREEN, (0.40, 0.33, 0.14), np.broadcast_to(dry, (count, 1, 1)))
    tint = tint * rng.uniform(0.7, 1.5, (count, 1, 1, 1))
    return Patches(blades, tint, 0.45, 0.1, 0.1)

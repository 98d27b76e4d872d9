"""Curved pieces of plant: petals, cups, tubes, domes, as grids of points with a colour at each.

Lengths are in flower heads: a head has a radius of about 1. `density` is samples per unit of length, chosen
by the caller so that neighbouring samples fall on the same or the next pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Patch:
    """A piece of surface. `points` and `colour` are (rows, columns, 3); colours are linear light, 0 to 1."""

    points: Array
    colour: Array

    def turned(self, rotation: Array, scale: float = 1.0, offset=(0.0, 0.0, 0.0)) -> Patch:
        return Patch(self.points @ rotation.T * scale + np.asarray(offset), self.colour)


def grid(length: float, width: float, density: float) -> tuple[Array, Array]:
    """u from 0 to 1 along, v from -1 to 1 across, each (rows, columns)."""
    rows, columns = max(4, int(length * density)), max(4, int(width * density))
    return np.meshgrid(np.linspace(0, 1, rows), np.linspace(-1, 1, columns), indexing="ij")


def about_z(angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


def about_x(angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1.0, 0, 0], [0, c, -s], [0, s, c]])


def outline(u: Array, belly: float, tip: float) -> Array:
    """Half-width along a petal, largest 1: `belly` is where it is widest, a small `tip` makes it blunt."""
    rise = belly / (1 - belly)
    shape = np.maximum(u, 1e-6) ** (rise * tip) * np.maximum(1 - u, 0) ** tip
    return shape / (belly ** (rise * tip) * (1 - belly) ** tip)


def shade(
    u: Array, v: Array, base, tip, *, veins: float = 0.06, dark_base: float = 0.35, phase: float = 0.0
) -> Array:
    """Colour of a petal: from `base` to `tip`, with fine veins, darker where it leaves the flower."""
    mix = np.clip(u * 1.3 - 0.15, 0, 1)[..., None]
    colour = np.asarray(base) * (1 - mix) + np.asarray(tip) * mix
    lines = 1 + veins * np.sin(v * 17 + phase) * (0.4 + 0.6 * u)
    depth = 1 - dark_base * np.exp(-u * 7)
    return np.clip(colour * (lines * depth)[..., None], 0, 1)


def ray(
    length,
    width,
    density,
    base,
    tip,
    *,
    rise=0.2,
    droop=0.4,
    fold=0.25,
    belly=0.6,
    blunt=0.4,
    start=0.1,
    twist=0.0,
    phase=0.0,
    veins=0.06,
) -> Patch:
    """A petal that lies along +x: it leaves the centre at slope `rise` (radians) and ends `droop` lower."""
    u, v = grid(length * 1.15, 2 * width, density)
    slope = rise - (rise + droop) * u**1.3
    step = length / (u.shape[0] - 1)
    x = start + np.cumsum(np.cos(slope), axis=0) * step
    z = np.cumsum(np.sin(slope), axis=0) * step
    half = width * outline(u, belly, blunt)
    z = z - fold * half * (v**2 - 0.3) + twist * half * v * u
    points = np.stack([x, half * v, z], axis=-1)
    return Patch(points, shade(u, v, base, tip, phase=phase, veins=veins))


def cup(
    radius,
    height,
    half_angle,
    density,
    base,
    tip,
    *,
    lean=0.0,
    flare=0.0,
    curl=0.0,
    belly=0.55,
    blunt=0.35,
    phase=0.0,
    veins=0.06,
    wave=0.0,
) -> Patch:
    """A petal wrapped round the z axis, facing +x: part of a cup of `radius` and `height`.

    `lean` opens or closes it towards the top, `flare` bends the rim outwards, `curl` rolls the rim down.
    """
    u, v = grid(height * 1.2, 2 * half_angle * radius * 1.1, density)
    bulge = np.sin(np.clip(u, 0, 1) * np.pi * 0.62) ** 0.7
    r = radius * (0.12 + 0.88 * bulge) + lean * u**2 + flare * np.clip(u - 0.6, 0, 1) ** 2 * 6
    r = r + wave * np.sin(v * 5 + phase) * u**3
    z = height * u - curl * np.clip(u - 0.75, 0, 1) ** 2 * 10
    angle = half_angle * outline(u, belly, blunt) * v
    r = r * (1 + 0.04 * v**2)
    points = np.stack([r * np.cos(angle), r * np.sin(angle), z], axis=-1)
    return Patch(points, shade(u, v, base, tip, phase=phase, veins=veins, dark_base=0.25))


def tube(path: Array, radius: float, density: float, colour) -> Patch:
    """A stem along `path` (k, 3), lit as round."""
    length = np.linalg.norm(np.diff(path, axis=0), axis=1).sum()
    rows = max(8, int(length * density))
    places = np.linspace(0, len(path) - 1, rows)
    centre = np.stack([np.interp(places, range(len(path)), path[:, i]) for i in range(3)], axis=-1)
    around = np.linspace(0, 2 * np.pi, max(10, int(2 * np.pi * radius * density)))
    along = np.gradient(centre, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    side = np.cross(along, [0.3, 0.1, 1.0])
    side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-9
    up = np.cross(along, side)
    ring = np.cos(around)[None, :, None] * side[:, None] + np.sin(around)[None, :, None] * up[:, None]
    points = centre[:, None] + radius * ring
    return Patch(points, np.broadcast_to(np.asarray(colour), points.shape).copy())


def dome(radius: float, height: float, density: float, colour_of) -> Patch:
    """A disc that bulges by `height`; `colour_of(distance, angle)` gives (…, 3)."""
    u, v = grid(radius * 1.2, 2 * np.pi * radius, density)
    angle = v * np.pi
    points = np.stack([radius * u * np.cos(angle), radius * u * np.sin(angle), height * (1 - u**2)], axis=-1)
    return Patch(points, np.clip(colour_of(u, angle), 0, 1))


def bead(centre, radius: float, density: float, colour) -> Patch:
    """A small ball: a floret, a seed, a bud."""
    u, v = grid(np.pi * radius, 2 * np.pi * radius, density)
    a, b = u * np.pi, v * np.pi
    points = np.stack([np.sin(a) * np.cos(b), np.sin(a) * np.sin(b), np.cos(a)], axis=-1) * radius
    return Patch(points + np.asarray(centre), np.broadcast_to(np.asarray(colour), points.shape).copy())

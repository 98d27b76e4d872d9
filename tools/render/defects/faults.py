"""The four defects. Each changes a Surface in place and knows nothing about lamp or camera."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from tools.render.defects.strokes import arc, jagged, stroke, wobble
from tools.render.defects.surfaces import Surface, tinted
from tools.render.noise import SIZE, field, grid, log_uniform, smoothstep

RUST = np.array([0.22, 0.07, 0.02], np.float32)     # linear RGB


def cover(surface: Surface, mask: np.ndarray, colour: np.ndarray) -> None:
    """Mix `colour` into the surface where `mask` (SIZE, SIZE) is above 0."""
    surface.albedo = surface.albedo * (1 - mask[..., None]) + colour * mask[..., None]


def place(rng: np.random.Generator, margin: float = 0.15) -> np.ndarray:
    """A point inside the picture, (2,): x, y."""
    return rng.uniform(margin * SIZE, (1 - margin) * SIZE, 2)


def crack(surface: Surface, rng: np.random.Generator) -> None:
    """The material has parted: dark, jagged, forking, thinner towards its ends."""
    scale, strength = log_uniform(rng, 0.7, 1.6), rng.uniform(0.5, 1)
    mask = np.zeros((SIZE, SIZE), np.float32)
    for _ in range(1 + rng.poisson(0.4)):
        middle, angle = place(rng, 0.25), rng.uniform(0, 2 * np.pi)
        length, width = scale * rng.uniform(140, 420), scale * rng.uniform(1.8, 4.5)
        wild = rng.uniform(0.5, 1.2)
        start = middle - 0.5 * length * np.array([np.cos(angle), np.sin(angle)])
        for points, widths in _fork(rng, start, angle, length, width, wild, forks=rng.integers(0, 4)):
            mask = np.maximum(mask, stroke(points, widths))
    mask = mask * surface.part
    surface.height = surface.height - 3 * strength * gaussian_filter(mask, 0.8)
    dark = surface.albedo.mean((0, 1)) * rng.uniform(0.03, 0.2)
    cover(surface, mask * strength, dark)
    cover(surface, 0.25 * strength * gaussian_filter(mask, 3), dark)          # dirt along the lips
    surface.gloss = surface.gloss * (1 - mask)


def _fork(rng, start, angle, length, width, wild, forks):
    """The lines of one crack: its trunk, then branches that leave it and may fork again."""
    points = jagged(rng, start, angle, length, wild)
    along = np.linspace(0, 1, len(points))
    taper = np.minimum(1, 4 * np.minimum(along + 0.03, 1 - along))
    lines = [(points, width * taper * np.clip(1 + 0.35 * wobble(rng, len(points), 4), 0.3, 2))]
    for _ in range(forks):
        at = rng.integers(len(points) // 6, max(len(points) // 6 + 1, 5 * len(points) // 6))
        turn = rng.choice([-1, 1]) * rng.uniform(0.4, 1.1)
        lines += _fork(rng, points[at], angle + turn, length * rng.uniform(0.2, 0.5), width * 0.65, wild,
                       forks=int(rng.random() < 0.4))
    return lines


def scratch(surface: Surface, rng: np.random.Generator) -> None:
    """Something hard slid over it: smooth, straight or gently bent, shiny or chalky, often several."""
    scale, strength = log_uniform(rng, 0.7, 1.6), rng.uniform(0.5, 1)
    angle, bend, start = rng.uniform(0, 2 * np.pi), rng.normal(0, 0.25), place(rng, 0.25)
    mask = np.zeros((SIZE, SIZE), np.float32)
    for _ in range(1 + rng.poisson(1.5)):
        length, width = scale * rng.uniform(110, 380), scale * rng.uniform(1.4, 4.0)
        here = angle + rng.normal(0, 0.12)
        points = arc(start + rng.normal(0, 28, 2) - 0.5 * length * np.array([np.cos(here), np.sin(here)]),
                     here, length, bend + rng.normal(0, 0.05))
        along = np.linspace(0, 1, len(points))
        press = np.minimum(1, 6 * np.minimum(along, 1 - along))
        press = press * np.clip(0.9 + 0.25 * wobble(rng, len(points), 9), 0, 1)
        mask = np.maximum(mask, stroke(points, width * press))
    mask = mask * surface.part
    groove = gaussian_filter(mask, 0.7)
    burr = gaussian_filter(mask, 2.2)
    surface.height = surface.height + strength * (1.2 * burr - 2.5 * groove)
    cover(surface, mask * strength * rng.uniform(0.6, 1), surface.bare)
    surface.gloss = np.clip(surface.gloss + 0.3 * strength * mask, 0, 1)


def pit(surface: Surface, rng: np.random.Generator) -> None:
    """Small round craters, one large or many little, shaded on the side towards the lamp."""
    scale, strength = log_uniform(rng, 0.9, 1.7), rng.uniform(0.75, 1)
    number = 2 + int(log_uniform(rng, 1, 50))
    centre, spread = place(rng, 0.25), rng.uniform(30, 130)
    inside = RUST * 0.6 if rng.random() < 0.4 else tinted(rng, (0.1, 0.3), (0, 0.2))
    for _ in range(number):
        radius = scale * np.clip(rng.lognormal(np.log(26 / number**0.4), 0.35), 3.5, 32)
        at = np.clip(centre + rng.normal(0, spread, 2), 12, SIZE - 12)
        _crater(surface, rng, at, radius, strength, inside)


def _crater(surface, rng, centre, radius, strength, inside):
    y, x = grid()
    dx, dy = x - centre[0], y - centre[1]
    turn = np.arctan2(dy, dx)
    outline = 1 + sum(rng.normal(0, 0.2 / k) * np.cos(k * turn + rng.uniform(0, 6.3)) for k in (2, 3, 5))
    from_centre = np.hypot(dx, dy) / (radius * outline)
    bowl = np.clip(1 - from_centre**2, 0, 1) * surface.part
    rim = np.exp(-(((from_centre - 1.1) / 0.18) ** 2))
    surface.height = surface.height + strength * radius * (0.06 * rim * rng.random() - 0.7 * bowl)
    cover(surface, strength * rng.uniform(0.5, 0.9) * smoothstep(bowl, 0.05, 0.7), inside)
    surface.gloss = surface.gloss * (1 - smoothstep(bowl, 0, 0.3))


def stain(surface: Surface, rng: np.random.Generator) -> None:
    """Something spilled or rusted: another colour, no relief, with soft or rimmed edges."""
    shape = (_blot, _drips, _cup_ring, _splashes)[rng.choice(4, p=[0.35, 0.28, 0.12, 0.25])]
    mask = shape(rng)
    if rng.random() < 0.5:      # a dried edge is darker than the middle
        mask = np.clip(0.6 * mask + 1.6 * mask * (1 - gaussian_filter(mask, 5)), 0, 1)
    mask = mask * np.clip(1 + 0.25 * field(rng, 40), 0.3, 1.3) * surface.part
    dark, light = tinted(rng, (0.05, 0.3), (0.1, 0.6)), tinted(rng, (0.75, 0.95), (0, 0.3))
    colour = (RUST, dark, light)[rng.choice(3, p=[0.35, 0.45, 0.2])]
    cover(surface, np.clip(mask, 0, 1) * rng.uniform(0.7, 1), colour)
    surface.gloss = np.clip(surface.gloss * (1 + rng.uniform(-0.9, 0.5) * mask), 0, 1)


def _blob(rng, centre, radius, ragged):
    """A patch with a ragged outline and a fairly sharp edge."""
    y, x = grid()
    away = np.hypot(x - centre[0], (y - centre[1]) * rng.uniform(0.7, 1.4)) / radius
    inward = 1 - away + ragged * field(rng, 1.2 * radius, roughness=2.5)
    return smoothstep(inward, -0.08, rng.uniform(0.05, 0.4))


def _blot(rng):
    return _blob(rng, place(rng), log_uniform(rng, 50, 140), rng.uniform(0.1, 0.4))


def _splashes(rng):
    centre, mask = place(rng, 0.3), np.zeros((SIZE, SIZE), np.float32)
    for _ in range(rng.integers(3, 10)):
        mask = np.maximum(mask, _blob(rng, centre + rng.normal(0, 60, 2), log_uniform(rng, 12, 55), 0.2))
    return mask


def _drips(rng):
    """A blot from which it ran down, each run narrower with a drop at its end."""
    down, start, radius = rng.uniform(0, 2 * np.pi), place(rng, 0.3), rng.uniform(30, 65)
    mask = _blob(rng, start, radius, 0.15)
    for _ in range(rng.integers(1, 5)):
        points = arc(start + rng.normal(0, radius / 3, 2), down + rng.normal(0, 0.05), rng.uniform(70, 260),
                     rng.normal(0, 0.1))
        along = np.linspace(0, 1, len(points))
        widths = rng.uniform(8, 20) * (0.5 + (1 - along) ** 2 + 0.5 * smoothstep(along, 0.85, 1))
        mask = np.maximum(mask, stroke(points, widths))
    return smoothstep(gaussian_filter(mask, 2) + 0.12 * field(rng, 25), 0.35, 0.65)


def _cup_ring(rng):
    y, x = grid()
    centre, radius, width = place(rng), rng.uniform(50, 130), rng.uniform(5, 12)
    away = np.hypot(x - centre[0], y - centre[1]) + 4 * field(rng, 90, roughness=3)
    part = smoothstep(field(rng, 200, roughness=3), -1.5, 0)
    return np.exp(-(((away - radius) / width) ** 2)) * part + 0.2 * smoothstep(radius - away, 0, 8)


FAULTS = {"crack": crack, "scratch": scratch, "pit": pit, "stain": stain}

"""Dandelions: yellow heads of many strap-shaped florets, and white globes of seeds with parachutes."""

from __future__ import annotations

import numpy as np

from tools.render.flowers.foliage import Kind, along, leaves
from tools.render.flowers.surfaces import GOLDEN_ANGLE, Patches, blend, outline, straps


def variety(rng: np.random.Generator) -> Kind:
    """Three fifths in flower, two fifths in seed; a few of the seed heads half blown away."""
    openness = rng.uniform(0.4, 1.0)
    left = rng.choice([1.0, 1.0, rng.uniform(0.45, 0.9)])
    seeds = rng.random() < 0.4

    def head(rng):
        return _globe(rng, left) if seeds else _flower(rng, openness)

    def rosette(rng, path):
        low = leaves(rng, int(rng.integers(5, 10)), length=2.6, width=0.2, rise=(30, -5),
                     widest=0.75, blunt=1.2, teeth=5, wave=0.1, gloss=0.1)
        return [low.moved(by=along(path, 1.0))]

    tint = blend((0.25, 0.33, 0.12), (0.32, 0.20, 0.13), rng.uniform(0, 0.7))
    return Kind(head, rosette, nod=(0, 30), height=(2.0, 5.0), stem=0.075, stem_colour=tint)


def _flower(rng: np.random.Generator, openness: float) -> list[Patches]:
    """Rings of florets: the outer ones lie flat, the inner ones stand, the middle is still rolled up."""
    count, s = int(rng.integers(170, 230)), np.linspace(0, 1, 6)
    rank = (np.arange(count) + 0.5) / count                             # 0 in the middle, 1 at the rim
    length = (0.30 + 0.68 * rank**0.75) * rng.uniform(0.85, 1.1, count)
    first = np.deg2rad(88 - 82 * openness * rank + rng.normal(0, 8, count))[:, None]
    elevation = first - np.deg2rad(25 * openness * rank[:, None] - 8 + rng.normal(0, 10, (count, 1))) * s
    blade = np.interp(s, [0, 0.7, 1], [0.5, 1, 0.8])                    # ends cut off square
    half = (0.024 + 0.026 * rank[:, None]) * blade
    points = straps(np.arange(count) * GOLDEN_ANGLE, length, elevation, half, start=0.16 * np.sqrt(rank),
                    fold=0.5, twist=rng.normal(0, 0.3, count), across=3)
    tint = blend((0.80, 0.40, 0.01), (0.88, 0.64, 0.02), rank[:, None, None] * 0.6 + 0.4 * s[:, None])
    florets = Patches(points, tint * rng.uniform(0.85, 1.1, (count, 1, 1, 1)), 0.4, 0.03, 0.15)
    return [florets, _bracts(rng, 16, 0.75, 60 - 30 * openness), _bracts(rng, 12, 0.5, -50)]


def _bracts(rng: np.random.Generator, count: int, length: float, rise: float) -> Patches:
    """Narrow green leaves below the head; the outer ones bend back."""
    s = np.linspace(0, 1, 7)
    elevation = np.deg2rad(rise + rng.normal(0, 8, (count, 1))) + 0 * s
    half = np.broadcast_to(0.06 * outline(s, widest=0.3, base=0.8, blunt=1.1), (count, 7))
    azimuth = np.linspace(0, 2 * np.pi, count, endpoint=False)
    points = straps(azimuth, length, elevation, half, start=0.08) - np.float32([0, 0, 0.18])
    return Patches(points, np.array([0.15, 0.26, 0.08]), 0.15, 0.05)


def _globe(rng: np.random.Generator, left: float) -> list[Patches]:
    """Seeds on a small knob, each with a stalk and a parachute of hairs; a share `left` still there."""
    count = 110
    z = 1 - (np.arange(count) + 0.5) * 1.85 / count                     # none where the stem is
    angle = np.arange(count) * GOLDEN_ANGLE
    level = np.sqrt(1 - z**2)
    out = np.stack([level * np.cos(angle), level * np.sin(angle), z], 1)
    out += rng.normal(0, 0.05, out.shape)
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    gone = out @ _unit(rng.normal(size=3))                              # the wind came from one side
    out = out[np.argsort(gone)[:round(count * left)]]
    stalks = _threads(0.12 * out, 0.72 * out, 0.007, (0.50, 0.47, 0.38))
    seeds = _threads(0.10 * out, 0.27 * out, 0.022, (0.16, 0.10, 0.05))
    knob = _knob(0.12)
    return [knob, seeds, stalks, _parachutes(rng, out), _bracts(rng, 12, 0.6, -55)]


def _parachutes(rng: np.random.Generator, out: np.ndarray, hairs: int = 20) -> Patches:
    """Hairs that spread from the end of each stalk like the ribs of an umbrella."""
    side = np.cross(out, [0.3, 0.5, 0.81])
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    other = np.cross(out, side)
    angle = np.linspace(0, 2 * np.pi, hairs, endpoint=False) + rng.uniform(0, 6, (len(out), 1))
    spread = 0.25 * rng.uniform(0.8, 1.1, angle.shape)[..., None]
    rim = side[:, None] * np.cos(angle)[..., None] + other[:, None] * np.sin(angle)[..., None]
    lift = rng.uniform(0.12, 0.26, (*angle.shape, 1))
    start = np.broadcast_to(0.72 * out[:, None], rim.shape)
    end = start + spread * rim + lift * out[:, None]
    hairs = _threads(start.reshape(-1, 3), end.reshape(-1, 3), 0.0055, (0.80, 0.80, 0.78))
    return Patches(hairs.points, hairs.colour, 0.9, 0.0)


def _threads(start: np.ndarray, end: np.ndarray, radius: float, colour) -> Patches:
    """Flat threads between points (N, 3), broadside to the horizontal."""
    side = np.cross(end - start, [0.21, 0.33, 0.92])
    side *= radius / (np.linalg.norm(side, axis=1, keepdims=True) + 1e-9)
    points = np.stack([np.stack([start - side, start + side], 1), np.stack([end - side, end + side], 1)], 1)
    return Patches(points.astype(np.float32), np.array(colour), 0.7, 0.0)


def _knob(radius: float) -> Patches:
    angle, up = np.meshgrid(np.linspace(0, 2 * np.pi, 13), np.linspace(-1.5, 1.5, 9))
    points = radius * np.stack([np.cos(up) * np.cos(angle), np.cos(up) * np.sin(angle), np.sin(up)], -1)
    return Patches(points[None].astype(np.float32), np.array([0.30, 0.30, 0.18]), 0.0, 0.0)


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)

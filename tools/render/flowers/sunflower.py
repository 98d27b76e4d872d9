"""Sunflowers: yellow rays around a large dark disc, big leaves, a thick stem."""

from __future__ import annotations

import numpy as np

from tools.render.flowers.disc import disc
from tools.render.flowers.foliage import Kind, along, leaves
from tools.render.flowers.surfaces import Patches, blend, outline, straps


def variety(rng: np.random.Generator) -> Kind:
    """Brown, near-black or greenish discs; lemon to orange rays."""
    warm = rng.uniform(0, 1)
    petal = blend((0.86, 0.66, 0.02), (0.85, 0.38, 0.01), np.array(warm))
    dark = blend((0.055, 0.028, 0.012), (0.16, 0.09, 0.03), rng.uniform(0, 1))
    bud = blend((0.09, 0.05, 0.02), (0.20, 0.22, 0.05), rng.uniform(0, 1))
    rays = int(rng.integers(20, 36))
    lift = rng.normal(15, 22)

    def head(rng):
        centre = rng.uniform(0.38, 0.58)
        core = disc(rng, centre, dome=rng.uniform(0.05, 0.4), count=420, inner=bud, outer=dark,
                    ring=(0.45, 0.26, 0.02) if rng.random() < 0.5 else None, tall=1.6)
        layers = [_rays(rng, rays // 2, centre, lift + step, petal, 1) for step in (0, 14)]
        green = _rays(rng, 18, 0.9 * centre, lift - 12, np.array([0.12, 0.24, 0.05]), 0.72)
        return [core, *layers, green.moved(by=np.float32([0, 0, -0.07])), _back(centre)]

    def stalked(rng, path):
        parts = []
        for share in np.arange(0.3, 1.0, rng.uniform(0.14, 0.25)):
            pair = leaves(rng, 2, length=rng.uniform(1.3, 2.2), width=0.36, rise=(35, -35),
                          widest=0.35, blunt=1.3, stalk=0.05, start=0.3, gloss=0.08)
            parts.append(pair.moved(by=along(path, share)))
        return parts

    return Kind(head, stalked, nod=(35, 100), height=(4.0, 7.0), stem=0.12)


def _rays(rng: np.random.Generator, count: int, start: float, lift: float, tint: np.ndarray,
          reach: float) -> Patches:
    s = np.linspace(0, 1, 10)
    azimuth = np.linspace(0, 2 * np.pi, count, endpoint=False) + rng.normal(0, 0.1, count) + rng.uniform(0, 6)
    length = (reach * 1.05 - start) * rng.uniform(0.8, 1.15, count)
    first = np.deg2rad(lift + rng.normal(0, 12, (count, 1)))
    elevation = first + np.deg2rad(rng.normal(-10, 25, (count, 1))) * s
    wide = 0.13 * rng.uniform(0.75, 1.2, (count, 1))
    half = wide * outline(s, widest=0.4, base=0.55, blunt=1.4)
    points = straps(azimuth, length, elevation, half, start=0.95 * start, fold=rng.uniform(0, 0.6),
                    twist=rng.normal(0, 0.35, count))
    deeper = blend(tint * [1, 0.75, 0.6], tint, np.clip(s * 2.5, 0, 1)[:, None])
    return Patches(points, deeper * rng.uniform(0.85, 1.1, (count, 1, 1, 1)), 0.5, 0.04, 0.2)


def _back(radius: float) -> Patches:
    """The green underside."""
    s = np.linspace(0, 1, 6)
    angle = np.linspace(0, 2 * np.pi, 25)
    ring = 1.02 * radius * np.sin(np.pi / 2 * s)[:, None]
    z = np.broadcast_to((-0.22 + 0.16 * s**2)[:, None], (6, 25))
    points = np.stack([ring * np.cos(angle), ring * np.sin(angle), z], -1)[None].astype(np.float32)
    return Patches(points, np.array([0.14, 0.25, 0.06]), 0.0, 0.05)

"""The dandelion's two faces: in flower, and in seed."""

from __future__ import annotations

import numpy as np

from tools.render.flowers.parts import GOLD, GOLDEN, YELLOW, jitter, ring
from tools.render.flowers.patches import bead, ray, tube


def dandelion_flower(rng, density):
    """Hundreds of narrow strap petals in many rings, yellow through and through."""
    patches = []
    openness = rng.uniform(0.5, 1.0)
    yellow = jitter(rng, YELLOW, 0.05)
    for layer in range(9):
        inward = layer / 8
        length = (0.95 - 0.72 * inward) * rng.uniform(0.95, 1.05)
        rise = 0.1 + 1.25 * inward + (1 - openness) * 0.6
        colour = yellow * (1 - 0.18 * inward) + np.asarray(GOLD) * 0.18 * inward

        def petal(i, length=length, rise=rise, colour=colour):
            return ray(
                length * rng.uniform(0.85, 1.08),
                0.038,
                density,
                colour * 0.75,
                jitter(rng, colour, 0.07),
                rise=rise + rng.normal(0, 0.13),
                droop=0.1 - rise + rng.normal(0.25, 0.12),
                fold=0.3,
                belly=0.75,
                blunt=0.12,
                start=0.02,
                twist=rng.normal(0, 0.3),
            )

        patches += ring(rng, int(34 - 18 * inward), petal, uneven=0.25)
    return patches


def dandelion_clock(rng, density):
    """The white globe: seeds on a ball, each with a parasol of hairs; the wind has taken some."""
    brown, white = np.array((0.20, 0.12, 0.06)), np.array((0.80, 0.80, 0.78))
    patches = [bead((0, 0, 0), 0.17, density, (0.45, 0.40, 0.25))]
    blown = rng.uniform(0.1, 0.9) if rng.random() < 0.4 else 2.0
    side = rng.normal(size=3)
    side /= np.linalg.norm(side)
    count = 150
    for i in range(count):
        z = 1 - 2 * (i + 0.5) / count
        out = np.array([np.sqrt(1 - z * z) * np.cos(i * GOLDEN), np.sqrt(1 - z * z) * np.sin(i * GOLDEN), z])
        if out @ side > blown:
            continue
        patches.append(tube(np.linspace(out * 0.17, out * 0.32, 3), 0.012, density, brown))
        patches.append(tube(np.linspace(out * 0.3, out * 0.78, 4), 0.004, density, white * 0.75))
        across = np.cross(out, [0.2, 0.5, 0.8])
        across /= np.linalg.norm(across)
        other = np.cross(out, across)
        for a in np.linspace(0, 2 * np.pi, 13)[:-1] + rng.uniform(0, 1):
            hair = out * rng.uniform(0.14, 0.2) + (across * np.cos(a) + other * np.sin(a)) * 0.2
            patches.append(
                tube(np.stack([out * 0.78, out * 0.78 + hair]), 0.0035, density, jitter(rng, white, 0.05))
            )
    return patches


def dandelion(rng, density):
    return dandelion_clock(rng, density) if rng.random() < 0.35 else dandelion_flower(rng, density)

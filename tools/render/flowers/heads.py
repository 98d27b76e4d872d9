"""Flower heads, one function a species: patches about the origin, facing +z, radius about 1."""

from __future__ import annotations

import numpy as np

from tools.render.flowers.dandelion import dandelion
from tools.render.flowers.parts import (
    GOLD,
    GOLDEN,
    GREEN,
    PINK,
    WHITE,
    YELLOW,
    bred_colour,
    florets,
    jitter,
    ring,
    spiral,
)
from tools.render.flowers.patches import about_x, about_z, bead, cup, dome, ray, tube


def daisy(rng, density):
    """White rays in one or two rings round a yellow button."""
    patches = []
    count, droop = int(rng.integers(18, 34)), rng.uniform(-0.15, 0.7)
    width = rng.uniform(0.075, 0.105)
    white = jitter(rng, WHITE, 0.04)
    blush = jitter(rng, PINK, 0.05) if rng.random() < 0.15 else white

    def petal(i):
        return ray(
            rng.uniform(0.66, 0.78),
            width,
            density,
            white * 0.9,
            white * 0.6 + blush * 0.4,
            rise=rng.normal(0.15, 0.08),
            droop=droop + rng.normal(0, 0.1),
            fold=rng.uniform(-0.2, 0.5),
            belly=0.68,
            blunt=0.28,
            start=0.22,
            phase=rng.uniform(0, 6),
            veins=0.05,
        )

    for _ in range(int(rng.integers(1, 3))):
        patches += ring(rng, count, petal, lost=0.04)
    radius, height = rng.uniform(0.27, 0.36), rng.uniform(0.08, 0.2)
    patches.append(dome(radius, height, density, lambda u, a: np.ones((*u.shape, 3)) * np.array(GOLD) * 0.5))
    patches += florets(rng, 150, radius, height, 0.024, density, jitter(rng, (0.75, 0.62, 0.05)), GOLD)
    return patches


def sunflower(rng, density):
    """Pointed yellow rays round a broad dark disc of florets in spirals."""
    patches = []
    yellow = jitter(rng, YELLOW if rng.random() < 0.75 else GOLD, 0.06)
    disc = rng.uniform(0.40, 0.52)
    droop = rng.uniform(-0.2, 0.6)

    def petal(i):
        return ray(
            rng.uniform(0.46, 0.62),
            rng.uniform(0.10, 0.14),
            density,
            yellow * np.array([0.9, 0.7, 0.8]),
            jitter(rng, yellow, 0.06),
            rise=rng.normal(0.25, 0.15),
            droop=droop + rng.normal(0, 0.2),
            fold=rng.uniform(0.1, 0.7),
            belly=0.45,
            blunt=0.75,
            start=disc * 0.88,
            twist=rng.normal(0, 0.25),
            phase=rng.uniform(0, 6),
            veins=0.1,
        )

    for _ in range(2):
        patches += ring(rng, int(rng.integers(17, 24)), petal, lost=0.03)
    height = rng.uniform(0.04, 0.16)
    brown = jitter(rng, (0.11, 0.05, 0.02), 0.2)
    patches.append(dome(disc, height, density, lambda u, a: np.ones((*u.shape, 3)) * brown * 0.5))
    heart = jitter(rng, (0.20, 0.19, 0.05) if rng.random() < 0.6 else (0.10, 0.05, 0.02), 0.1)
    patches += florets(rng, 420, disc, height, 0.023, density, heart, brown)
    pollen = jitter(rng, (0.60, 0.35, 0.03), 0.1)
    for x, y in spiral(420, disc)[rng.random(420) < 0.25]:
        far = np.hypot(x, y) / disc
        if far > 0.45:
            patches.append(
                bead((x, y, height * (1 - far**2) + 0.02), 0.016, density, jitter(rng, pollen, 0.1))
            )
    return patches


def tulip(rng, density):
    """Six broad petals in two rings, closed to a cup or opening."""
    colour = bred_colour(rng)
    flamed = rng.random() < 0.25
    tip = jitter(rng, bred_colour(rng) if flamed else colour, 0.06)
    openness = rng.uniform(-0.25, 0.5) if rng.random() < 0.8 else rng.uniform(0.5, 0.9)
    height, radius = rng.uniform(1.45, 1.8), rng.uniform(0.55, 0.68)
    patches = []
    for layer, count in enumerate((3, 3)):

        def petal(i, layer=layer):
            return cup(
                radius * (0.93 if layer == 0 else 1.03),
                height * rng.uniform(0.94, 1.04),
                0.95,
                density,
                jitter(rng, colour, 0.04) * 0.8,
                jitter(rng, tip, 0.05),
                lean=openness + rng.normal(0, 0.06),
                flare=rng.uniform(-0.02, 0.08),
                belly=0.5,
                blunt=0.45,
                phase=rng.uniform(0, 6),
                veins=0.1,
            )

        turn = about_z(layer * np.pi / 3)
        patches += [
            p.turned(turn) for i in range(count) for p in [petal(i).turned(about_z(2 * np.pi * i / 3))]
        ]
    for angle in np.linspace(0, 2 * np.pi, 7)[:-1]:
        patches.append(
            bead((0.16 * np.cos(angle), 0.16 * np.sin(angle), 0.5), 0.07, density, (0.05, 0.03, 0.02))
        )
    patches.append(tube(np.array([[0, 0, 0.0], [0, 0, 0.75]]), 0.07, density, (0.35, 0.42, 0.12)))
    return [p.turned(np.eye(3), 0.8, (0, 0, -0.6)) for p in patches]


def rose(rng, density):
    """A tight bud of wrapped petals, then wider ones whose rims roll outwards."""
    colour = bred_colour(rng)
    patches = []
    layers, openness = int(rng.integers(6, 9)), rng.uniform(0.5, 1.1)
    angle = rng.uniform(0, 6)
    for layer in range(layers):
        t = layer / (layers - 1)
        for _ in range(2 + layer // 2):
            angle += GOLDEN
            petal = cup(
                0.14 + 0.42 * t,
                1.0 - 0.28 * t * openness + rng.normal(0, 0.03),
                1.25 - 0.35 * t,
                density,
                jitter(rng, colour, 0.05) * (0.62 + 0.2 * t),
                jitter(rng, colour, 0.06) * (0.78 + 0.22 * t),
                lean=(0.5 * t**1.5) * openness,
                flare=0.02 + 0.16 * t * openness,
                curl=0.02 + 0.14 * t * openness,
                belly=0.62,
                blunt=0.2,
                wave=0.035 * t,
                phase=rng.uniform(0, 6),
                veins=0.03,
            )
            patches.append(petal.turned(about_x(rng.normal(0, 0.06)) @ about_z(angle), 0.92, (0, 0, -0.45)))
    sepal = jitter(rng, GREEN)
    patches += [
        ray(0.7, 0.1, density, sepal, sepal, rise=-0.6, droop=0.4, belly=0.3, blunt=0.9).turned(
            about_z(a), 1.0, (0, 0, -0.42)
        )
        for a in np.linspace(0, 2 * np.pi, 6)[:-1]
    ]
    return patches


HEADS = {"daisy": daisy, "dandelion": dandelion, "roses": rose, "sunflowers": sunflower, "tulips": tulip}

"""What heads are made of: colours, rings of petals, discs of florets."""

from __future__ import annotations

import numpy as np

from tools.render.flowers.patches import about_z, bead

GOLDEN = np.pi * (3 - np.sqrt(5))
GREEN = (0.13, 0.30, 0.06)
WHITE, CREAM = (0.86, 0.86, 0.83), (0.85, 0.78, 0.52)
YELLOW, GOLD, ORANGE = (0.90, 0.68, 0.03), (0.86, 0.50, 0.01), (0.85, 0.28, 0.02)
RED, CRIMSON, PINK, PURPLE = (0.66, 0.03, 0.03), (0.38, 0.01, 0.03), (0.82, 0.32, 0.42), (0.30, 0.06, 0.36)
# Tulips, roses, gerbera-like colours overlap on purpose: colour alone must not name the species.
BRED = [WHITE, CREAM, YELLOW, ORANGE, RED, CRIMSON, PINK, PURPLE]
BRED_WEIGHTS = [0.16, 0.06, 0.2, 0.08, 0.2, 0.06, 0.18, 0.06]


def jitter(rng, colour, amount=0.08):
    """A colour near `colour`."""
    change = (1 + rng.normal(0, amount)) * (1 + rng.normal(0, amount / 2, 3))
    return np.clip(np.asarray(colour) * change, 0.005, 0.95)


def bred_colour(rng):
    return np.asarray(BRED[rng.choice(len(BRED), p=BRED_WEIGHTS)])


def ring(rng, count, make, *, uneven=0.06, lost=0.0):
    """`count` petals from `make(i)`, evenly round the axis but for chance; some may be lost."""
    start = rng.uniform(0, 2 * np.pi)
    for i in range(count):
        if rng.random() < lost:
            continue
        angle = start + 2 * np.pi * (i + rng.normal(0, uneven * 3)) / count
        yield make(i).turned(about_z(angle))


def spiral(count, radius):
    """Places of florets in a disc: the sunflower's spiral, (count, 2)."""
    n = np.arange(count) + 0.5
    r, a = radius * np.sqrt(n / count), n * GOLDEN
    return np.stack([r * np.cos(a), r * np.sin(a)], axis=-1)


def florets(rng, count, radius, height, size, density, inner, outer):
    """A disc of small beads, coloured from `inner` to `outer`."""
    for x, y in spiral(count, radius):
        far = np.hypot(x, y) / radius
        colour = jitter(rng, np.asarray(inner) * (1 - far) + np.asarray(outer) * far, 0.12)
        yield bead((x, y, height * (1 - far**2)), size * rng.uniform(0.8, 1.2), density, colour)

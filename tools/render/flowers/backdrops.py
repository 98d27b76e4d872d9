"""What stands behind the flowers: meadow, soil, leaves out of focus, sky, wall, wood, darkness."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, zoom

from tools.render.flowers.patches import Array


def noise(rng, size: int, cells: float, stretch=(1.0, 1.0)) -> Array:
    """Smooth noise, (size, size), mean 0, about ±1; `cells` bumps across, fewer where stretched."""
    rows, columns = (max(2, int(cells / s)) + 3 for s in stretch)
    coarse = rng.normal(size=(rows, columns))
    fine = zoom(coarse, (size / (rows - 2), size / (columns - 2)), order=3)[:size, :size]
    return fine / (fine.std() + 1e-9)


def fractal(rng, size: int, cells: float, stretch=(1.0, 1.0), octaves: int = 4) -> Array:
    total = sum(noise(rng, size, cells * 2**i, stretch) / 2**i for i in range(octaves))
    return total / total.std()


def tinted(field: Array, dark, light) -> Array:
    """A field of about ±1 as colours between `dark` and `light`."""
    mix = np.clip(field * 0.28 + 0.5, 0, 1)[..., None]
    return np.asarray(dark) * (1 - mix) + np.asarray(light) * mix


def meadow(rng, size):
    blades = fractal(rng, size, rng.uniform(14, 30), stretch=(rng.uniform(2, 5), 1), octaves=3)
    patchy = fractal(rng, size, 4)
    return tinted(blades + 0.6 * patchy, (0.015, 0.05, 0.008), (0.16, 0.32, 0.05))


def soil(rng, size):
    return tinted(fractal(rng, size, 12, octaves=5), (0.03, 0.02, 0.012), (0.24, 0.16, 0.10))


def foliage(rng, size):
    """Leaves far out of focus, with discs of light between them."""
    field = gaussian_filter(fractal(rng, size, 7), size / rng.uniform(14, 30))
    image = tinted(field / field.std(), (0.01, 0.03, 0.008), (0.14, 0.26, 0.05))
    y, x = np.mgrid[:size, :size] / size
    for _ in range(int(rng.integers(4, 18))):
        cx, cy, r = rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0.02, 0.09)
        disc = gaussian_filter((np.hypot(x - cx, y - cy) < r).astype(float), size * 0.006)
        image = image + disc[..., None] * rng.uniform(0.03, 0.16) * np.array([0.9, 1.0, 0.6])
    return image


def sky(rng, size):
    height = np.linspace(1, 0, size)[:, None, None]
    blue = np.array([0.16, 0.34, 0.68]) * rng.uniform(0.6, 1.2)
    clouds = np.clip(fractal(rng, size, 3, stretch=(0.7, 1.4)) * 0.5 - rng.uniform(-0.3, 0.6), 0, 1)[
        ..., None
    ]
    return blue * (0.65 + 0.35 * height) * (1 - clouds) + clouds * 0.75 + (1 - height) * 0.12


def wall(rng, size):
    tone = np.array([0.42, 0.38, 0.32]) * rng.uniform(0.4, 1.4) * (1 + rng.normal(0, 0.12, 3))
    return tone * (1 + 0.08 * fractal(rng, size, 20)[..., None] + 0.06 * noise(rng, size, 3)[..., None])


def wood(rng, size):
    grain = fractal(rng, size, 40, stretch=(1, 18), octaves=3) + 0.7 * noise(rng, size, 5, stretch=(1, 4))
    image = tinted(grain, (0.08, 0.04, 0.02), (0.38, 0.22, 0.11)) * rng.uniform(0.6, 1.3)
    plank = size // int(rng.integers(2, 5))
    image[::plank] *= 0.3
    return np.ascontiguousarray(image.swapaxes(0, 1)) if rng.random() < 0.4 else image


def darkness(rng, size):
    y, x = np.mgrid[:size, :size] / size - 0.5
    glow = np.exp(-((x - rng.normal(0, 0.2)) ** 2 + (y - rng.normal(0, 0.2)) ** 2) * 6)
    return (0.004 + 0.05 * glow)[..., None] * np.array([1.0, 1.0, 1.1]) * rng.uniform(0.5, 2)


BACKDROPS = [meadow, soil, foliage, sky, wall, wood, darkness]
WEIGHTS = [0.28, 0.1, 0.26, 0.1, 0.1, 0.08, 0.08]


def backdrop(rng, size: int) -> Array:
    """Any backdrop, more or less out of focus: (size, size, 3), linear light."""
    image = BACKDROPS[rng.choice(len(BACKDROPS), p=WEIGHTS)](rng, size)
    focus = rng.uniform(0, 5)
    return np.clip(gaussian_filter(image, (focus, focus, 0)), 0, 1)

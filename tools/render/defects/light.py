"""A lamp near the surface and a camera straight above it: from colour, height and gloss to a picture."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy.ndimage import convolve1d, gaussian_filter

from tools.render.defects.surfaces import Surface
from tools.render.noise import SIZE, grid, log_uniform

PICTURE = 200       # pixels of the finished picture


def photograph(surface: Surface, rng: np.random.Generator) -> Image.Image:
    """The finished picture, PICTURE × PICTURE, sRGB."""
    return camera(lit(surface, rng), rng)


def lit(surface: Surface, rng: np.random.Generator) -> np.ndarray:
    """Light that leaves the surface towards the camera, linear RGB, (SIZE, SIZE, 3)."""
    y, x = grid()
    slope_y, slope_x = np.gradient(surface.height)
    normal = _unit(np.stack([-slope_x, -slope_y, np.ones_like(slope_x)], -1))
    azimuth, away, up = rng.uniform(0, 2 * np.pi), rng.uniform(100, 900), rng.uniform(200, 600)
    lamp = np.array([SIZE / 2 + away * np.cos(azimuth), SIZE / 2 + away * np.sin(azimuth), up], np.float32)
    to_lamp = lamp - np.stack([x, y, surface.height], -1)
    distance = np.linalg.norm(to_lamp, axis=-1)
    arriving = (distance.mean() / distance) ** 2 * surface.arriving
    to_lamp = to_lamp / distance[..., None]
    to_camera = _unit(np.stack([SIZE / 2 - x, SIZE / 2 - y, np.full_like(x, 1500)], -1))
    facing = np.clip((normal * to_lamp).sum(-1), 0, 1)
    mirror = np.clip((normal * _unit(to_lamp + to_camera)).sum(-1), 0, 1) ** surface.sharpness
    ambient, light = rng.uniform(0.25, 0.6) * lamp_colour(rng), lamp_colour(rng)
    diffuse = surface.albedo * (ambient + light * (arriving * facing)[..., None])
    shine = rng.uniform(0.2, 0.7) * (surface.gloss * mirror * arriving)[..., None] * light
    return diffuse + shine


def lamp_colour(rng: np.random.Generator) -> np.ndarray:
    """Between a bulb and a cloudy sky, as far as the camera's white balance leaves it: linear RGB, (3,)."""
    warmth = rng.uniform(-1, 1)
    return np.array([1 + 0.14 * warmth, 1, 1 - 0.22 * warmth], np.float32)


def camera(radiance: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """Focus, shake, exposure, noise: (SIZE, SIZE, 3) linear light becomes a picture half that size."""
    radiance = gaussian_filter(radiance, (*[rng.uniform(0.4, 1.4)] * 2, 0))
    if rng.random() < 0.2:
        radiance = _shaken(radiance, rng)
    factor = SIZE // PICTURE
    small = radiance.reshape(PICTURE, factor, PICTURE, factor, 3).mean((1, 3))
    small = small * (rng.uniform(0.18, 0.42) / max(np.median(small), 1e-3))
    photons = log_uniform(rng, 300, 6000)
    small = small + rng.standard_normal(small.shape) * np.sqrt(np.clip(small, 0, None) / photons + 1e-6)
    small = 1 - np.exp(-1.25 * np.clip(small, 0, None))         # highlights roll off as film does
    return Image.fromarray((np.clip(small, 0, 1) ** (1 / 2.2) * 255).round().astype(np.uint8))


def _shaken(radiance: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Motion blur of 3 to 7 drawing pixels along rows or columns."""
    length = int(rng.integers(3, 8))
    return convolve1d(radiance, np.full(length, 1 / length), axis=int(rng.integers(2)), mode="nearest")


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)

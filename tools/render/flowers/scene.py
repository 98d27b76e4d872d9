"""From patches to pixels: orthographic camera, one sun with shadows, sky light, everything by sorted points.

Image coordinates: x to the right and y up from -1 to 1, z towards the camera.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.render.flowers.patches import Array, Patch

SUPERSAMPLING = 2
SHADOW_CELLS = 260


@dataclass(frozen=True)
class Light:
    """A sun at `direction` (towards it), and a sky that lights everything a little."""

    direction: Array
    sun: Array  # colour times strength
    sky: Array


def normals(points: Array) -> Array:
    """Unit normals of a grid of points, turned towards the camera."""
    n = np.cross(np.gradient(points, axis=0), np.gradient(points, axis=1))
    n /= np.linalg.norm(n, axis=-1, keepdims=True) + 1e-12
    return n * np.where(n[..., 2:] < 0, -1, 1)


def in_shadow(points: Array, light: Light) -> Array:
    """How much of the sun is hidden at each point, 0 to 1: another point stands nearer to the sun."""
    z = light.direction
    x = np.cross([0.0, 1.0, 0.2], z)
    x /= np.linalg.norm(x)
    y = np.cross(z, x)
    across, depth = np.stack([points @ x, points @ y], axis=-1), points @ z
    cell = np.clip(((across + 1.6) / 3.2 * SHADOW_CELLS).astype(int), 0, SHADOW_CELLS - 1)
    place = cell[:, 0] * SHADOW_CELLS + cell[:, 1]
    nearest = np.full(SHADOW_CELLS**2, -np.inf)
    np.maximum.at(nearest, place, depth)
    return np.clip((nearest[place] - depth - 0.03) / 0.05, 0, 1)


def render(patches: list[Patch], light: Light, size: int) -> tuple[Array, Array]:
    """Colours (size, size, 3) and coverage (size, size), both 0 to 1, in linear light."""
    points = np.concatenate([p.points.reshape(-1, 3) for p in patches])
    colour = np.concatenate([p.colour.reshape(-1, 3) for p in patches])
    normal = np.concatenate([normals(p.points).reshape(-1, 3) for p in patches])
    facing = normal @ light.direction
    sunlit = np.where(facing > 0, facing, -0.45 * facing)  # petals let light through from behind
    sunlit = sunlit * (1 - 0.75 * in_shadow(points, light))
    lit = colour * (sunlit[:, None] * light.sun + light.sky * (0.75 + 0.25 * normal[:, 1:2]))

    pixels = size * SUPERSAMPLING
    column = ((points[:, 0] + 1) / 2 * pixels).astype(int)
    row = ((1 - points[:, 1]) / 2 * pixels).astype(int)
    seen = (column >= 0) & (column < pixels) & (row >= 0) & (row < pixels)
    order = np.argsort(points[seen, 2], kind="stable")  # far first: the nearest is written last
    place = (row[seen] * pixels + column[seen])[order]
    image, cover = np.zeros((pixels * pixels, 3)), np.zeros(pixels * pixels)
    image[place] = lit[seen][order]
    cover[place] = 1
    shape = (size, SUPERSAMPLING, size, SUPERSAMPLING)
    cover = cover.reshape(shape).mean(axis=(1, 3))
    image = image.reshape(*shape, 3).mean(axis=(1, 3)) / np.maximum(cover, 1e-6)[..., None]
    return image, cover

"""What is behind the flowers: ground, wall, table, leaves out of focus, sky. The same for every species."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageChops, ImageDraw
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial import cKDTree

from tools.render.flowers.camera import SIZE, Camera
from tools.render.flowers.light import Light, Shadows
from tools.render.flowers.surfaces import blend
from tools.render.noise import field, smoothstep

TILE = 6.0          # side of a texture's tile, in flower radii
WOODS = np.array([(0.33, 0.19, 0.09), (0.12, 0.06, 0.03), (0.45, 0.33, 0.20), (0.30, 0.28, 0.26)])
PLASTERS = np.array([(0.62, 0.60, 0.56), (0.60, 0.50, 0.34), (0.35, 0.42, 0.48), (0.55, 0.30, 0.24)])
SKIES = [((0.10, 0.25, 0.62), (0.38, 0.55, 0.80)), ((0.35, 0.42, 0.52), (0.60, 0.63, 0.66)),
         ((0.22, 0.28, 0.48), (0.85, 0.50, 0.28)), ((0.16, 0.36, 0.75), (0.60, 0.72, 0.85))]      # high, low
SPOTS = np.array([(0.12, 0.26, 0.05), (0.28, 0.36, 0.10), (0.8, 0.8, 0.75), (0.82, 0.60, 0.04),
                  (0.7, 0.1, 0.12), (0.75, 0.3, 0.4), (0.9, 0.9, 0.8), (0.05, 0.09, 0.03)])

# Textures: albedo tiles (400, 400, 3) ---------------------------------------------------------------


def soil(rng):
    dark = rng.uniform(0.5, 1.3)
    clods = _levels(field(rng, 60, roughness=1.2))
    tile = blend((0.05 * dark, 0.03 * dark, 0.018), (0.20 * dark, 0.13 * dark, 0.08), clods)
    stones = smoothstep(field(rng, 14, roughness=3), 1.3, 1.6)
    return blend_layers(tile, (0.30, 0.27, 0.23), 0.7 * stones) * _bumps(rng, 6)


def turf(rng):
    """Short grass from above: thousands of strokes, over the edges of the tile too."""
    tile = Image.new("RGB", (400, 400), (40, 56, 28))
    hue = rng.uniform(0.8, 1.25, 3)
    for _ in range(5):
        pen = ImageDraw.Draw(tile)
        strokes = rng.uniform([0, 0, 0, 12, 0.4], [400, 400, 6.3, 40, 1.3], (450, 5))
        for x, y, angle, length, bright in strokes:
            tint = tuple(int(c) for c in np.array([98, 122, 58]) * hue * bright)
            pen.line((x, y, x + length * np.cos(angle), y + length * np.sin(angle)), tint, 2)
        tile = ImageChops.offset(tile, 170, 230)
    return (np.asarray(tile) / 255.0) ** 2.2


def litter(rng):
    tile = soil(rng)
    for tint in ((0.28, 0.14, 0.05), (0.35, 0.24, 0.09), (0.14, 0.16, 0.04)):
        tile = blend_layers(tile, tint, smoothstep(field(rng, 28, roughness=3), 0.7, 0.85))
        tile *= _bumps(rng, 20)
    return tile


def gravel(rng):
    """Pebbles: each point belongs to the nearest of many centres."""
    count = int(rng.integers(300, 2500))
    tree = cKDTree(rng.uniform(0, 200, (count, 2)), boxsize=200)
    distance, which = tree.query(np.mgrid[:200, :200].reshape(2, -1).T, k=2)
    rounded = np.clip((distance[:, 1] - distance[:, 0]) / (90 / np.sqrt(count)), 0.12, 1)
    grey = np.array([0.30, 0.28, 0.26]) * rng.uniform(0.6, 1.4) * rng.uniform(0.4, 1.5, (count, 1))
    tint = (grey * rng.uniform(0.9, 1.1, (count, 3)))[which[:, 0]] * rounded[:, None]
    return tint.reshape(200, 200, 3).repeat(2, 0).repeat(2, 1)


def wood(rng):
    tint = WOODS[rng.integers(len(WOODS))]
    grain = _levels(field(rng, 25, stretch=25) + 0.4 * field(rng, 8, stretch=12))
    tile = blend(0.6 * tint, 1.2 * tint, grain)
    row = np.arange(400)[:, None]
    joints = np.abs((row % 100) - 50) > 48
    plank = rng.uniform(0.75, 1.2, 4)[row // 100]
    return tile * np.where(joints, 0.25, plank)[..., None]


def plaster(rng):
    tint = PLASTERS[rng.integers(len(PLASTERS))]
    return tint * (1 + 0.06 * field(rng, 120))[..., None] * _bumps(rng, 8)


def brick(rng):
    row, column = np.mgrid[:400, :400]
    course = row // 40
    shifted = column + 50 * (course % 2)
    mortar = (row % 40 < 4) | (shifted % 100 < 4)
    each = rng.uniform(0.65, 1.25, (10, 5))[course, shifted // 100 % 5]
    tint = np.array([0.36, 0.13, 0.08]) * each[..., None]
    return np.where(mortar[..., None], [0.42, 0.39, 0.35], tint) * _bumps(rng, 10)


def cloth(rng):
    tint = rng.uniform(0.03, 0.6) * (0.5 + 0.5 * rng.uniform(0.3, 1, 3))
    folds = 1 + 0.2 * field(rng, 150, roughness=3, stretch=3, angle=rng.uniform(0, 3))
    return tint * folds[..., None] * _bumps(rng, 4)


def velvet(rng):
    return np.array([0.02, 0.02, 0.022]) * (1 + 0.3 * field(rng, 150, roughness=3))[..., None]


GROUNDS = [soil, turf, turf, litter, gravel, wood]
BACKDROPS = [wood, wood, plaster, brick, cloth, velvet, gravel, turf, litter]


def _levels(values: np.ndarray) -> np.ndarray:
    return np.clip(0.5 + values / (4 * values.std()), 0, 1)


def _bumps(rng, scale: float) -> np.ndarray:
    return (1 + 0.18 * field(rng, scale, roughness=1.2)).clip(0.3, 2)[..., None]


def blend_layers(tile: np.ndarray, tint, share: np.ndarray) -> np.ndarray:
    """`tint` painted over `tile` where `share` says so."""
    return tile * (1 - share[..., None]) + np.asarray(tint) * share[..., None]


# Places --------------------------------------------------------------------------------------------


def plane(texture: np.ndarray, origin: np.ndarray, axes: np.ndarray, camera: Camera, light: Light,
          shadows: Shadows) -> tuple[np.ndarray, np.ndarray]:
    """A textured plane through `origin`, lit, with the shadows that fall on it.

    Args:
        axes: (3, 3), columns: two along the plane, then its normal.
    Returns:
        light (SIZE, SIZE, 3) and how far away it is (SIZE, SIZE), infinite above a horizon.
    """
    rays = camera.rays()
    towards = rays @ axes[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = ((origin - camera.eye) @ axes[:, 2]) / towards
    distance = np.where((distance > 0) & (distance < 400), distance, np.inf)
    points = camera.eye + rays * np.where(np.isinf(distance), 0, distance)[..., None]
    place = ((points - origin) @ axes[:, :2]) * (len(texture) / TILE)
    where = place.reshape(-1, 2).T[::-1]
    sampled = np.stack([map_coordinates(layer, where, order=1, mode="grid-wrap")
                        for layer in np.moveaxis(texture, -1, 0)], -1).reshape(SIZE, SIZE, 3)
    sunlit = shadows.lit(points.reshape(-1, 3)).reshape(SIZE, SIZE, 1)
    front = max(float(light.sun @ axes[:, 2]), 0.15)
    return sampled * (light.sky_colour + light.sun_colour * front * sunlit), distance


def foliage(rng: np.random.Generator, light: Light) -> np.ndarray:
    """Leaves, twigs and other flowers far out of focus: (SIZE, SIZE, 3)."""
    masses = _levels(field(rng, rng.uniform(80, 250), roughness=2.5))
    base = blend((0.015, 0.04, 0.012), (0.13, 0.24, 0.06), masses) * rng.uniform(0.4, 1.8)
    if rng.random() < 0.4:
        base = blend_layers(base, (0.25, 0.20, 0.12), 0.8 * smoothstep(field(rng, 200, roughness=3), 0, 1.5))
    picture = _stretched(base)
    palette = SPOTS[rng.choice(len(SPOTS), 4)]
    radius = rng.uniform(8, 45)
    for _ in range(int(rng.choice([0, 15, 40, 80]))):
        _spot(picture, rng, palette[rng.integers(4)], radius * rng.uniform(0.5, 1.3))
    sigma = rng.uniform(2, 10)          # spots keep rather sharp rims, as in a real lens
    return gaussian_filter(picture, (sigma, sigma, 0)) * (light.sky_colour + 0.6 * light.sun_colour)


def _spot(picture: np.ndarray, rng: np.random.Generator, tint: np.ndarray, radius: float) -> None:
    """One disc of confusion, painted in place."""
    row, column = rng.uniform(0, SIZE, 2)
    low = np.maximum([row - radius, column - radius], 0).astype(int)
    high = np.minimum([row + radius, column + radius], SIZE).astype(int)
    r, c = np.mgrid[low[0]:high[0], low[1]:high[1]]
    inside = ((r - row) ** 2 + (c - column) ** 2 < radius**2)[..., None] * rng.uniform(0.3, 0.9)
    part = picture[low[0]:high[0], low[1]:high[1]]
    part += inside * (tint - part)


def sky(rng: np.random.Generator) -> np.ndarray:
    """Blue, hazy, clouded or evening: (SIZE, SIZE, 3)."""
    share = np.linspace(0, 1, SIZE)[:, None]
    high, low = SKIES[rng.integers(len(SKIES))]
    picture = blend(high, low, np.broadcast_to(share, (SIZE, SIZE)))
    clouds = smoothstep(_stretched(field(rng, rng.uniform(60, 200), roughness=2.2)[..., None])[..., 0],
                        rng.uniform(-0.5, 2), 2.5)
    return blend_layers(picture, (0.85, 0.85, 0.86), 0.8 * clouds)


def _stretched(tile: np.ndarray) -> np.ndarray:
    """A (400, 400, C) field over the whole drawing."""
    place = np.arange(SIZE) * len(tile) // SIZE
    return tile[place][:, place].astype(float)

"""Sun, sky and shadow: the colour of what each pixel sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from tools.render.flowers.raster import Hits, Quads, rasterise
from tools.render.flowers.surfaces import direction, facing

MAP = 420  # pixels of the shadow map, each way


@dataclass(frozen=True)
class Light:
    """Where light comes from; colours are linear RGB."""

    sun: np.ndarray  # unit vector towards it
    sun_colour: np.ndarray  # (3,); small under clouds
    sky_colour: np.ndarray  # (3,) from above and around
    soft: float  # half-width of a shadow's edge, in flower radii


def random_light(rng: np.random.Generator) -> Light:
    """Hard noon, low warm evening, light from behind, or clouds."""
    height = np.deg2rad(rng.uniform(15, 80))
    warm = np.clip(rng.normal(0.5 - 0.6 * np.sin(height), 0.3), -0.4, 0.6)
    cloud = rng.beta(0.8, 0.9)  # 0 clear, 1 overcast
    sun_colour = (1.6 - 1.4 * cloud) * np.array([1 + 0.35 * warm, 1, 1 - 0.5 * warm])
    sky = (0.18 + 0.5 * cloud) * (np.array([0.88, 1.0, 1.2]) * (1 - cloud) + cloud)
    sky *= np.array([1 + 0.15 * warm, 1, 1 - 0.15 * warm])
    return Light(
        direction(rng.uniform(0, 2 * np.pi), height), sun_colour, sky, rng.uniform(0.02, 0.05) + 0.2 * cloud
    )


class Shadows:
    """Depth as the sun sees it."""

    def __init__(self, quads: Quads, light: Light, centre: np.ndarray, reach: float):
        """Covers what lies within `reach` of `centre`, across the sun's direction."""
        self.turn = facing(light.sun)  # columns: two across, one towards the sun
        self.centre, self.scale, self.soft = centre, MAP / (2 * reach), light.soft
        self.reach = reach
        depth = rasterise(self._place(quads.corners), MAP, MAP).depth
        self.depth = np.minimum(depth, 1e6).astype(np.float32)

    def _place(self, points: np.ndarray) -> np.ndarray:
        local = (points - self.centre) @ self.turn
        across = local[..., :2] * self.scale + MAP / 2
        return np.concatenate([across, 50 + self.reach - local[..., 2:]], -1).astype(np.float32)

    def lit(self, points: np.ndarray) -> np.ndarray:
        """Share of the sun that reaches each point (M, 3): 0 … 1."""
        place = self._place(points)
        share = np.zeros(len(points), np.float32)
        offsets = [(np.sqrt(k / 9) * np.cos(2.4 * k), np.sqrt(k / 9) * np.sin(2.4 * k)) for k in range(9)]
        for dx, dy in offsets:
            column = (place[:, 0] + dx * self.soft * self.scale).astype(int).clip(0, MAP - 1)
            row = (place[:, 1] + dy * self.soft * self.scale).astype(int).clip(0, MAP - 1)
            share += place[:, 2] < self.depth[row, column] + 0.03 + 0.4 * self.soft
        outside = (np.abs(place[:, :2] - MAP / 2) >= MAP / 2 - 1).any(1)
        return np.where(outside, 1, share / len(offsets))


def shade(hits: Hits, quads: Quads, light: Light, shadows: Shadows, eye: np.ndarray) -> np.ndarray:
    """Light towards the eye from what the pixels see: (M, 3), linear."""
    points, albedo = hits.mix(quads.corners), hits.mix(quads.colour)
    translucency, gloss, streaks = quads.surface[hits.quad].T
    albedo = albedo * (1 - streaks * _lines(hits.mix(quads.across)))[:, None]
    to_eye = _unit(eye - points)
    normal = _unit(hits.mix(quads.normals))
    normal *= np.sign((normal * to_eye).sum(1, keepdims=True) + 1e-6)
    facing_sun = normal @ light.sun
    sunlit = shadows.lit(points)
    thin = sunlit + 0.3 * translucency * (1 - sunlit)  # thin petals cast thin shadows
    front = np.clip(facing_sun, 0, 1) * sunlit
    through = np.clip(-facing_sun, 0, 1) * translucency * thin
    glow = albedo**1.4 * 1.2  # colour deepens on its way through
    ambient = light.sky_colour * ((0.75 + 0.25 * normal[:, 2:]) * _openness(hits)[:, None])
    half = _unit(light.sun + to_eye)
    shine = (gloss * sunlit * np.clip((normal * half).sum(1), 0, 1) ** 25)[:, None]
    return (
        albedo * (ambient + light.sun_colour * front[:, None])
        + glow * light.sun_colour * through[:, None]
        + light.sun_colour * shine
    )


def _openness(hits: Hits) -> np.ndarray:
    """How much sky each pixel sees: less where it lies deeper than its surroundings. (M,)"""
    depth = hits.depth.copy()
    empty = np.isinf(depth)
    depth[empty] = depth[~empty].max() if not empty.all() else 0
    result = np.ones(depth.size, np.float32)
    for sigma, strength in ((3, 2.0), (12, 1.2)):
        behind = (depth - gaussian_filter(depth, sigma)).ravel()
        result *= np.clip(1 - strength * np.clip(behind, 0, 0.35), 0.3, 1)
    return result[hits.pixel]


def _lines(across: np.ndarray) -> np.ndarray:
    """0 … 1: fine uneven lines, a function of the position across a petal."""
    return 0.5 + 0.25 * np.sin(across * 41) + 0.25 * np.sin(across * 89 + 1)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-9)

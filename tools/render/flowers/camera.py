"""A camera: where points fall on the picture, what a lens and a sensor make of the light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.ndimage import convolve, gaussian_filter

PICTURE = 224               # pixels of the finished picture, each way
SIZE = 2 * PICTURE          # of the drawing; halved, edges become smooth


@dataclass(frozen=True)
class Camera:
    """A pinhole."""

    eye: np.ndarray         # (3,)
    turn: np.ndarray        # (3, 3), columns: right, down, forward
    focal: float            # pixels of the drawing

    def project(self, points: np.ndarray) -> np.ndarray:
        """Points (…, 3) → column, row, distance ahead (…, 3)."""
        local = (points - self.eye) @ self.turn
        ahead = np.maximum(local[..., 2:], 0.05)
        screen = local[..., :2] / ahead * self.focal + SIZE / 2
        return np.concatenate([screen, np.where(local[..., 2:] > 0.05, ahead, -1)], -1).astype(np.float32)

    def rays(self) -> np.ndarray:
        """The direction each pixel looks in, not of unit length: (SIZE, SIZE, 3)."""
        row, column = np.mgrid[:SIZE, :SIZE] + 0.5 - SIZE / 2
        return np.stack([column, row, np.full_like(row, self.focal)], -1) @ self.turn.T


def look_at(target: np.ndarray, *, elevation: float, distance: float, half_width: float,
            roll: float) -> Camera:
    """A camera south of `target`, at this elevation (radians), that sees `half_width` to each side of it."""
    back = np.array([0, -np.cos(elevation), np.sin(elevation)])
    right = np.array([1.0, 0, 0])
    down = np.cross(-back, right)
    c, s = np.cos(roll), np.sin(roll)
    turn = np.stack([c * right + s * down, c * down - s * right, -back], 1)
    return Camera(target + distance * back, turn, SIZE / 2 * distance / half_width)


def halved(layer: np.ndarray) -> np.ndarray:
    """(SIZE, SIZE, C) → (PICTURE, PICTURE, C), by averages."""
    return layer.reshape(PICTURE, 2, PICTURE, 2, -1).mean((1, 3))


def blurred(layer: np.ndarray, sigma: float) -> np.ndarray:
    """Out of focus by `sigma` pixels."""
    return gaussian_filter(layer, (sigma, sigma, 0)) if sigma > 0.2 else layer


def over(front: np.ndarray, back: np.ndarray) -> np.ndarray:
    """A layer with alpha, premultiplied (H, W, 4), in front of an opaque picture (H, W, 3)."""
    return front[..., :3] + (1 - front[..., 3:]) * back


def develop(light: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """Focus, shake, exposure, white balance, noise and tone: from linear light (PICTURE, PICTURE, 3)."""
    light = blurred(light, rng.choice([0.0, rng.uniform(0.3, 1.8)]))
    if rng.random() < 0.2:
        light = _shaken(light, rng)
    light = light * np.exp(rng.normal(0, [0.07, 0.03, 0.09]))
    grey = light.mean(-1, keepdims=True)
    light = np.clip(grey + rng.uniform(0.85, 1.2) * (light - grey), 0, None)
    metered = np.sqrt(max(grey.mean(), 0.01) * np.quantile(grey, 0.95))         # neither dusk nor glare
    light = light * (rng.uniform(0.20, 0.60) / metered) * _vignette(rng.uniform(0, 0.35))
    grain = rng.uniform(0.002, 0.035)
    light = light + rng.standard_normal(light.shape) * np.sqrt(grain**2 * (0.1 + np.clip(light, 0, None)))
    tone = 1 - np.exp(-rng.uniform(1.1, 1.8) * np.clip(light, 0, None))     # highlights roll off, as on film
    tone = np.clip(tone, 0, 1) ** (1 / 2.2)
    tone += rng.uniform(0, 0.7) * (tone * tone * (3 - 2 * tone) - tone)         # contrast
    return Image.fromarray((tone * 255).round().astype(np.uint8))


def _shaken(light: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Moved by 3 to 7 pixels during the exposure."""
    length = int(rng.integers(3, 8))
    slope = rng.uniform(-1, 1)
    kernel = np.zeros((7, 7))
    for step in np.linspace(-(length - 1) / 2, (length - 1) / 2, 4 * length):
        kernel[round(3 + slope * step) % 7, round(3 + step)] += 1
    return convolve(light, (kernel / kernel.sum())[..., None], mode="nearest")


def _vignette(strength: float) -> np.ndarray:
    row, column = np.mgrid[:PICTURE, :PICTURE] / PICTURE - 0.5
    return 1 - strength * 2 * (row**2 + column**2)[..., None]

"""Random fields: clouds, grain and brushed streaks, all by shaping white noise in the frequency domain."""

from __future__ import annotations

import numpy as np

SIZE = 400      # pixels of the drawing; the camera halves it


def grid() -> tuple[np.ndarray, np.ndarray]:
    """Row and column of every pixel, float32, (SIZE, SIZE) each."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    return y, x


def field(rng: np.random.Generator, scale: float, *, roughness: float = 1.5, stretch: float = 1.0,
          angle: float = 0.0) -> np.ndarray:
    """A random field, mean 0 and standard deviation 1, (SIZE, SIZE).

    Args:
        scale: size in pixels of its largest features.
        roughness: how fast finer features fade; 0.5 is grainy, 3 smooth.
        stretch: how much longer features are along `angle` (radians from the x axis) than across.
    """
    fy, fx = np.meshgrid(np.fft.fftfreq(SIZE), np.fft.rfftfreq(SIZE), indexing="ij")
    along = (np.cos(angle) * fx + np.sin(angle) * fy) * stretch
    across = np.cos(angle) * fy - np.sin(angle) * fx
    spectrum = (along**2 + across**2 + scale**-2.0) ** (-roughness / 2)
    spectrum[0, 0] = 0
    white = np.fft.rfft2(rng.standard_normal((SIZE, SIZE)))
    result = np.fft.irfft2(white * spectrum, s=(SIZE, SIZE))
    return ((result - result.mean()) / result.std()).astype(np.float32)


def smoothstep(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number between `low` and `high`, as often in [1, 2] as in [2, 4]."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))

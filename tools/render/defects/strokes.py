"""Lines with a width: where a crack runs, where a scratch was drawn."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from tools.render.noise import SIZE

FINE = 3        # strokes are drawn this much larger, so that a line one pixel wide has soft edges


def stroke(points: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """How much of each pixel a line covers, (SIZE, SIZE), in [0, 1].

    Args:
        points: (N, 2), x and y in pixels.
        widths: (N,), pixels; under one third of a pixel the line has a gap.
    """
    canvas = Image.new("L", (SIZE * FINE, SIZE * FINE))
    pen = ImageDraw.Draw(canvas)
    for (x0, y0), (x1, y1), width in zip(points[:-1] * FINE, points[1:] * FINE, widths * FINE, strict=False):
        if width < 1:
            continue
        pen.line((x0, y0, x1, y1), fill=255, width=max(1, round(width)))
        if width > 2:
            pen.ellipse((x1 - width / 2, y1 - width / 2, x1 + width / 2, y1 + width / 2), fill=255)
    return np.asarray(canvas.resize((SIZE, SIZE), Image.Resampling.BOX), np.float32) / 255


def arc(start: np.ndarray, angle: float, length: float, bend: float) -> np.ndarray:
    """Points two pixels apart on a smooth curve that turns by `bend` radians from end to end: (N, 2)."""
    n = max(3, int(length / 2))
    angles = angle + bend * np.linspace(0, 1, n)
    return start + np.cumsum(np.stack([np.cos(angles), np.sin(angles)], 1) * (length / n), 0)


def jagged(rng: np.random.Generator, start: np.ndarray, angle: float, length: float,
           wild: float) -> np.ndarray:
    """Points on a line that keeps breaking to the side, as a crack does between grains: (N, 2).

    Args:
        wild: radians; how far the line may turn from its course.
    """
    points, heading, course = [start], angle, angle
    gone = 0.0
    while gone < length:
        step = rng.exponential(5) + 1.5
        course += rng.normal(0, 0.05)
        heading = course + rng.uniform(-wild, wild) + 0.3 * (heading - course)
        points.append(points[-1] + step * np.array([np.cos(heading), np.sin(heading)]))
        gone += step
    return np.array(points)


def wobble(rng: np.random.Generator, n: int, every: int) -> np.ndarray:
    """`n` numbers that vary smoothly around 0 with standard deviation about 1, one swing in `every`."""
    knots = rng.standard_normal(n // every + 3)
    return np.interp(np.linspace(0, len(knots) - 1, n), np.arange(len(knots)), knots)

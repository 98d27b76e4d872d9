"""Harmless things an inspector must not report. Every class has them equally often."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

from tools.render.defects.strokes import arc, stroke
from tools.render.defects.surfaces import Surface, tinted
from tools.render.noise import SIZE, field, grid, log_uniform, smoothstep

LETTERS = "ABCDEFGHKLMNPRSTUVXZ0123456789-/"


def across(rng: np.random.Generator) -> np.ndarray:
    """Distance of every pixel from a random straight line through the picture, signed, (SIZE, SIZE)."""
    y, x = grid()
    angle = rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)]) + rng.normal(0, 0.03)
    return (x - rng.uniform(0, SIZE)) * np.sin(angle) + (y - rng.uniform(0, SIZE)) * np.cos(angle)


def machining_lines(surface: Surface, rng: np.random.Generator) -> None:
    """Even parallel grooves, straight from milling or round from turning."""
    distance = across(rng)
    if rng.random() < 0.4:
        y, x = grid()
        middle = rng.uniform(-SIZE, 2 * SIZE, 2)
        distance = np.hypot(x - middle[0], y - middle[1])
    period = rng.uniform(8, 26)
    wave = np.sin(2 * np.pi * distance / period + 0.4 * field(rng, 120))
    surface.height = surface.height + rng.uniform(0.1, 0.45) * wave
    surface.albedo = surface.albedo * (1 + rng.uniform(0, 0.1) * wave[..., None])


def joint(surface: Surface, rng: np.random.Generator) -> None:
    """A straight gap between two plates or tiles, from edge to edge and everywhere as wide."""
    distance, half = np.abs(across(rng)), rng.uniform(2, 7)
    gap = 1 - smoothstep(distance, half - 1, half + 1)
    surface.height = surface.height - 4 * (1 - smoothstep(distance, half, half + 3))
    filling = tinted(rng, (0.05, 0.8), (0, 0.2))
    surface.albedo = surface.albedo * (1 - gap[..., None]) + filling * gap[..., None]
    surface.gloss = surface.gloss * (1 - gap)


def dust(surface: Surface, rng: np.random.Generator) -> None:
    """Specks and a few curled fibres, lying on top."""
    specks = np.zeros((SIZE, SIZE), np.float32)
    at = rng.integers(0, SIZE, (2, rng.integers(10, 70)))
    specks[at[0], at[1]] = rng.uniform(3, 12, at.shape[1])
    mask = np.clip(gaussian_filter(specks, rng.uniform(0.7, 1.2)), 0, 1)
    for _ in range(rng.integers(0, 4)):
        points = arc(rng.uniform(0, SIZE, 2), rng.uniform(0, 6.3), rng.uniform(15, 50), rng.normal(0, 2.5))
        mask = np.maximum(mask, stroke(points, np.full(len(points), 1.2)))
    mask = mask[..., None] * rng.uniform(0.4, 0.9)
    surface.albedo = surface.albedo * (1 - mask) + tinted(rng, (0.6, 0.95), (0, 0.1)) * mask


def drops(surface: Surface, rng: np.random.Generator) -> None:
    """Clear water: domes that shine and hardly colour."""
    y, x = grid()
    for _ in range(rng.integers(1, 6)):
        cx, cy, radius = *rng.uniform(0, SIZE, 2), log_uniform(rng, 6, 24)
        away = np.hypot(x - cx, (y - cy) * rng.uniform(0.85, 1.15)) / radius
        dome = np.sqrt(np.clip(1 - away**2, 0, 1))
        wet = smoothstep(dome, 0, 0.3)
        surface.height = surface.height * (1 - wet) + 0.35 * radius * dome
        surface.gloss = np.maximum(surface.gloss, 0.9 * wet)
        surface.albedo = surface.albedo * (1 - 0.18 * wet[..., None])


def lettering(surface: Surface, rng: np.random.Generator) -> None:
    """A serial number, printed or stamped."""
    text = "".join(rng.choice(list(LETTERS), rng.integers(2, 8)))
    canvas = Image.new("L", (SIZE, SIZE))
    ImageDraw.Draw(canvas).text(tuple(rng.uniform(0.05, 0.6, 2) * SIZE), text, fill=255,
                                font=ImageFont.load_default(size=int(rng.integers(24, 80))))
    canvas = canvas.rotate(float(rng.choice([0, 90, 180, 270]) + rng.normal(0, 6)), Image.Resampling.BICUBIC)
    mask = np.asarray(canvas, np.float32) / 255
    if rng.random() < 0.5:
        surface.height = surface.height + rng.choice([-2, 2]) * gaussian_filter(mask, 1.2)
    else:
        ink = mask[..., None] * rng.uniform(0.4, 0.95) * np.clip(1 + 0.2 * field(rng, 8)[..., None], 0, 1)
        surface.albedo = surface.albedo * (1 - ink) + tinted(rng, (0.03, 0.95), (0, 0.6)) * ink


def rivet(surface: Surface, rng: np.random.Generator) -> None:
    """The round head of a rivet, standing out."""
    y, x = grid()
    radius = rng.uniform(16, 42)
    away = np.hypot(x - rng.uniform(0, SIZE), y - rng.uniform(0, SIZE)) / radius
    head = 1 - smoothstep(away, 0.93, 1.0)
    dome = 4 + 0.4 * radius * np.sqrt(np.clip(1.05 - away**2, 0, 1))
    surface.height = surface.height * (1 - head) + dome * head
    surface.albedo = surface.albedo * (1 - 0.45 * np.exp(-(((away - 1.05) / 0.06) ** 2)))[..., None]


def edge(surface: Surface, rng: np.random.Generator) -> None:
    """The part ends; beyond it lies something else, out of focus."""
    distance = across(rng)
    side = np.sign(distance[SIZE // 2, SIZE // 2]) or 1.0
    beyond = 1 - smoothstep(distance * side, -1.5, 1.5)
    other = tinted(rng, (0.05, 0.8), (0, 0.4)) * np.exp(0.3 * field(rng, 150, roughness=4))[..., None]
    surface.albedo = surface.albedo * (1 - beyond[..., None]) + np.clip(other, 0, 1) * beyond[..., None]
    surface.height = surface.height * (1 - beyond) - 3 * gaussian_filter(beyond, 3)
    surface.gloss = surface.gloss * (1 - beyond)
    surface.part = 1 - beyond


def shadow(surface: Surface, rng: np.random.Generator) -> None:
    """Something outside the picture keeps part of the light away."""
    soft = log_uniform(rng, 6, 80)
    surface.arriving = 1 - rng.uniform(0.3, 0.7) * smoothstep(across(rng), -soft, soft)


BENIGN = {machining_lines: 0.2, joint: 0.18, dust: 0.35, drops: 0.06, lettering: 0.2, rivet: 0.12, edge: 0.15,
          shadow: 0.2}


def add_benign(surface: Surface, rng: np.random.Generator) -> None:
    """Each harmless thing with its own probability; on average one or two."""
    for add, probability in BENIGN.items():
        if rng.random() < probability:
            add(surface, rng)

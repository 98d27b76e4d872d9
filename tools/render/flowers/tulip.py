"""Tulips: a cup of six petals on a smooth stem, with a few broad upright leaves."""

from __future__ import annotations

import numpy as np

from tools.render.flowers.foliage import BLUE_GREEN, Kind, along, leaves
from tools.render.flowers.surfaces import Patches, blend, cups, outline, spine, tube

COLOURS = [(0.62, 0.02, 0.03), (0.86, 0.60, 0.02), (0.80, 0.20, 0.36), (0.82, 0.81, 0.76), (0.22, 0.03, 0.24),
           (0.85, 0.22, 0.02), (0.70, 0.42, 0.50)]


def variety(rng: np.random.Generator) -> Kind:
    """One colour, or edged with or flamed by a second; buds, cups and wide open stars."""
    tint = np.array(COLOURS[rng.integers(len(COLOURS))])
    second = np.array(COLOURS[rng.integers(len(COLOURS))])
    edge = rng.choice([0.0, 0.0, 0.0, 0.9])
    openness = rng.beta(1.2, 1.6)
    point = rng.uniform(1.2, 2.4)

    def head(rng):
        opened = np.clip(openness + rng.normal(0, 0.1), 0, 1)
        whorls = [_petals(rng, turn, opened + step, point, tint, second, edge)
                  for turn, step in ((0, 0), (np.pi / 3, 0.08))]
        return [*whorls, *_inside(rng)]

    def broad(rng, path):
        low = leaves(rng, int(rng.integers(2, 5)), length=rng.uniform(2.5, 4), width=0.13,
                     rise=(78, 40), widest=0.35, blunt=1.2, stalk=0.6, wave=0.1, start=0.1,
                     colour=BLUE_GREEN, gloss=0.12)
        return [low.moved(by=along(path, rng.uniform(0.85, 1.0)))]

    return Kind(head, broad, nod=(0, 22), height=(3.5, 6.0), stem=0.1, stem_colour=(0.20, 0.33, 0.12))


def _petals(rng: np.random.Generator, turn: float, opened: float, point: float, tint: np.ndarray,
            second: np.ndarray, edge: float) -> Patches:
    """Three petals, one whorl; opened: 0 a bud, 1 a star."""
    s = np.linspace(0, 1, 16)
    base, top = np.deg2rad([25 - 10 * opened, 112 - 70 * opened])
    middle = np.deg2rad(90 - 35 * opened)
    bend = np.interp(s, [0, 0.35, 1], [base, middle, top])
    elevation = bend + np.deg2rad(rng.normal(0, 6, (3, 1))) * s
    radius, height = spine(1.95 * rng.uniform(0.94, 1.05, 3), elevation)
    wide = np.deg2rad(rng.uniform(56, 66)) * (1 - 0.35 * opened)
    half = np.broadcast_to(wide * outline(s, widest=0.5, base=0.75, blunt=point), radius.shape)
    t = np.linspace(-1, 1, 11)
    wobble = rng.normal(0, 0.02, (3, 1, 1)) * np.sin(7 * t + 5 * s[:, None])
    ruffle = wobble - 0.10 * t**2 * s[:, None] * opened
    points = cups(turn + np.arange(3) * 2 * np.pi / 3, np.maximum(radius, 0.02), height - 0.9, half,
                  spiral=0.03, ruffle=ruffle)
    fade = blend(tint, second, edge * np.clip(np.maximum(np.abs(t) ** 3, (s[:, None] ** 6)), 0, 1))
    fade = blend(np.array([0.45, 0.42, 0.12]), fade, np.clip(s * 6, 0, 1)[:, None])
    return Patches(points, np.broadcast_to(fade, points.shape), 0.4, 0.08, 0.15)


def _inside(rng: np.random.Generator) -> list[Patches]:
    """Pistil and six stamens, seen when the cup is open."""
    up = np.linspace(0, 1, 6)[:, None] * np.array([0, 0, 0.75]) - [0, 0, 0.85]
    parts = [Patches(tube(up, 0.09), np.array([0.35, 0.42, 0.15]))]
    dark = np.array([0.04, 0.03, 0.05]) if rng.random() < 0.6 else np.array([0.55, 0.40, 0.05])
    for angle in np.arange(6) * np.pi / 3 + 0.3:
        away = np.array([np.cos(angle), np.sin(angle), 0])
        path = np.linspace(0, 1, 6)[:, None] * (0.25 * away + [0, 0, 0.65]) + 0.1 * away - [0, 0, 0.85]
        parts.append(Patches(tube(path, np.array([0.02, 0.02, 0.02, 0.05, 0.055, 0.02])), dark))
    return parts

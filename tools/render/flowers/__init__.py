"""Flowers of five species as a camera in a garden sees them.

A picture is a backdrop, one to six flowers on stems with leaves, grass in front, a sun and a camera. All but
the flower heads and their leaves is drawn from the same distributions for all five species, and so is the
choice of colours where gardeners have bred many.

    patches.py     curved pieces: petals, cups, tubes, domes
    parts.py       colours, rings of petals, discs of florets
    heads.py       daisy, rose, sunflower, tulip; dandelion.py: in flower and in seed
    plants.py      stems, leaves, grass, and where they stand
    backdrops.py   meadow, soil, leaves, sky, wall, wood, darkness
    scene.py       sun, shadows, pixels
    camera.py      focus, exposure, colour, noise
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from tools.render.flowers.backdrops import backdrop
from tools.render.flowers.camera import photograph
from tools.render.flowers.heads import HEADS
from tools.render.flowers.plants import bed, sunlight
from tools.render.flowers.scene import render

CLASSES = list(HEADS)
COUNTS = {"train": 60, "val": 20, "test": 30}
SEED = 2026
SIZE = 224
CARD = {
    "title": "Rendered flowers",
    "description": "Daisies, dandelions in flower and in seed, roses, sunflowers and tulips in many poses, "
    "lights and backgrounds. They are not photographs: a result on them says nothing about "
    "photographs of flowers.",
    "how_made": "python -m tools.render flowers",
    "licence": "MIT, as the code that draws them",
    "generator_version": 1,
}


def draw(class_name: str, rng: np.random.Generator) -> Image.Image:
    """One 224 × 224 picture of `class_name`, a function of `rng` alone."""
    light = sunlight(rng)
    flowers, front = bed(class_name, rng, SIZE)
    behind = backdrop(rng, SIZE) * (light.sun * 0.55 + light.sky)
    return photograph(behind, [render(patches, light, SIZE) for patches in (flowers, front) if patches], rng)

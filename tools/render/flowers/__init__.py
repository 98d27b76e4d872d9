"""Five kinds of flowers, as a camera in a garden sees them.

A picture is one to nine plants of one variety, a sun and a sky, a background and a camera. Number, view,
light, background and camera are drawn from the same distributions for all five species; white is shared by
daisies, seed heads, roses and tulips, yellow by all but daisies, red and pink by roses and tulips, so that
colour and layout do not give the name away.

    surfaces.py      petals, leaves, stems as curved surfaces
    daisy.py … tulip.py, disc.py, foliage.py    what grows
    raster.py        which surface each pixel sees
    light.py         sun, sky, shadows
    backgrounds.py   ground, walls, leaves out of focus, sky
    camera.py        lens and sensor
    scene.py         puts them together
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from tools.render.flowers import daisy, dandelion, rose, sunflower, tulip
from tools.render.flowers.scene import photograph

SPECIES = {"daisy": daisy.variety, "dandelion": dandelion.variety, "roses": rose.variety,
           "sunflowers": sunflower.variety, "tulips": tulip.variety}     # names as in the flower photo set
CLASSES = list(SPECIES)
COUNTS = {"train": 60, "val": 20, "test": 30}
SEED = 2026
CARD = {
    "title": "Rendered flowers",
    "description": "Daisies, dandelions (in flower and in seed), roses, sunflowers and tulips, one to "
                   "nine in a picture, in sun and shade, before ground, walls, leaves and sky. They are "
                   "rendered, not photographs: accuracy on them says nothing about real gardens.",
    "how_made": "python -m tools.render flowers",
    "licence": "MIT, as the code that draws them",
    "generator_version": 2,
}


def draw(class_name: str, rng: np.random.Generator) -> Image.Image:
    """One 224 × 224 picture of `class_name`, a function of `rng` alone."""
    return photograph(SPECIES[class_name], rng)

"""Surfaces as an inspection camera sees them, with one kind of defect or none.

A picture is a surface (colour, height, gloss), benign things on it, the defect, a lamp and a camera. Surface,
benign things, lamp and camera are drawn from the same distributions for all five classes, so that nothing but
the defect tells them apart.

    surfaces.py   brushed steel, cast metal, painted sheet, concrete, ceramic, plastic
    benign.py     machining lines, joints, dust, drops, lettering, rivets, edges, shadows: in every class
    faults.py     crack, scratch, pit, stain
    strokes.py    lines with a width, for both
    light.py      lamp and camera
    noise.py      the random fields everything is made of
"""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
from PIL import Image
from scipy.ndimage import uniform_filter

from tools.render.defects.benign import add_benign
from tools.render.defects.faults import FAULTS
from tools.render.defects.light import photograph
from tools.render.defects.surfaces import random_surface

CLASSES = ["crack", "scratch", "pit", "stain", "none"]
COUNTS = {"train": 60, "val": 20, "test": 30}
SEED = 2027
TRIES = 12
CARD = {
    "title": "Rendered surface defects",
    "description": "Close-ups of steel, cast metal, painted sheet, concrete, ceramic and plastic with "
                   "cracks, scratches, pits, stains or no defect. All classes share surfaces, lighting "
                   "and harmless things such as machining lines, joints, dust, drops and lettering. "
                   "They are not photographs: nothing about a real production line follows from them.",
    "how_made": "python -m tools.render defects",
    "licence": "MIT, as the code that draws them",
    "generator_version": 1,
}


def draw(class_name: str, rng: np.random.Generator) -> Image.Image:
    """One 200 × 200 picture of `class_name`, a function of `rng` alone."""
    while True:
        surface = random_surface(rng)
        add_benign(surface, rng)
        light = rng.spawn(1)[0]
        sound = photograph(surface, copy.deepcopy(light))
        if class_name == "none":
            return sound
        for _ in range(TRIES):      # on the same surface, else rough ones would be rarer under defects
            faulty = replace(surface)
            FAULTS[class_name](faulty, rng)
            picture = photograph(faulty, copy.deepcopy(light))
            if visible(sound, picture):
                return picture


def visible(sound: Image.Image, picture: Image.Image) -> bool:
    """Whether a person could tell the two apart. A defect nobody can see would be a wrong label.

    It needs 250 of the 40,000 pixels to differ, after smoothing over 3 × 3, by more than 16 of 255 levels and
    by clearly more than the texture around them varies.
    """
    without, with_it = (np.asarray(image.convert("L"), np.float32) for image in (sound, picture))
    texture = np.sqrt(np.maximum(uniform_filter(without**2, 15) - uniform_filter(without, 15) ** 2, 0))
    difference = uniform_filter(np.abs(with_it - without), 3)
    return int((difference > np.maximum(16, 1.3 * texture)).sum()) >= 250

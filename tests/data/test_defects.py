"""The rendered surface defects that ship: as drawn, as the card says, and worth learning from."""

from __future__ import annotations

import numpy as np
from PIL import Image

from course_utils import paths
from tools.render.defects import CARD, CLASSES, COUNTS, SEED, draw, visible
from tools.render.shelf import damaged, picture_rng, read_card, redrawn_differently

FOLDER = paths.data() / "defects"
SHIPPED = sorted(FOLDER.glob("*/*/*.jpg"))


def pixels(path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"), np.float32)


def test_the_card_says_what_the_program_would_write():
    assert read_card("defects") == {**CARD, "classes": CLASSES, "counts": COUNTS, "seed": SEED}


def test_every_class_has_as_many_pictures_as_the_card_says():
    found = {(split, name): len(list((FOLDER / split / name).glob("*.jpg")))
             for split in COUNTS for name in CLASSES}
    assert found == {(split, name): count for split, count in COUNTS.items() for name in CLASSES}
    assert len(SHIPPED) == sum(found.values())


def test_checksums_hold():
    assert damaged("defects") == []


def test_drawn_again_a_picture_is_the_one_that_ships():
    assert redrawn_differently("defects", draw, splits=["test"]) == []


def test_drawn_again_with_another_seed_it_is_another_picture():
    other = np.asarray(draw("pit", picture_rng(SEED + 1, "test", "pit", 0)), np.float32)
    assert np.abs(other - pixels(FOLDER / "test" / "pit" / "000.jpg")).mean() > 10


def test_pictures_are_200_pixels_square_and_the_set_is_small():
    assert {Image.open(path).size for path in SHIPPED} == {(200, 200)}
    assert sum(path.stat().st_size for path in SHIPPED) < 6e6


def test_no_picture_occurs_twice():
    """Not even nearly: no two are alike as 17 × 17 grey thumbnails."""
    small = np.stack([np.asarray(Image.open(path).convert("L").reduce(12), np.float32).ravel()
                      for path in SHIPPED])                           # (N, 17 * 17)
    squares = (small**2).sum(1)
    distance = np.sqrt(np.maximum(squares[:, None] + squares - 2 * small @ small.T, 0) / small.shape[1])
    assert distance[~np.eye(len(small), dtype=bool)].min() > 1.5      # levels of 255, root mean square


def test_every_defect_can_be_seen():
    """A surface with the defect differs from the same surface without it; `draw` promises so."""
    sound = Image.new("RGB", (200, 200), (120, 120, 120))
    marked = sound.copy()
    marked.paste((90, 90, 90), (40, 40, 60, 60))
    speck = sound.copy()
    speck.paste((90, 90, 90), (40, 40, 45, 45))
    assert visible(sound, marked)
    assert not visible(sound, speck)

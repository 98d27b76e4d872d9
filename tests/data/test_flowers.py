"""The rendered flowers that ship: as drawn, as the card says, and worth learning from."""

from __future__ import annotations

import numpy as np
from PIL import Image

from course_utils import paths
from tools.render.flowers import CARD, CLASSES, COUNTS, SEED, draw
from tools.render.flowers.raster import rasterise
from tools.render.shelf import damaged, picture_rng, read_card, redrawn_differently

FOLDER = paths.data() / "flowers"
SHIPPED = sorted(FOLDER.glob("*/*/*.jpg"))


def test_the_card_says_what_the_program_would_write():
    assert read_card("flowers") == {**CARD, "classes": CLASSES, "counts": COUNTS, "seed": SEED}


def test_classes_are_called_as_in_the_flower_photo_set():
    assert CLASSES == ["daisy", "dandelion", "roses", "sunflowers", "tulips"]


def test_every_class_has_as_many_pictures_as_the_card_says():
    found = {(split, name): len(list((FOLDER / split / name).glob("*.jpg")))
             for split in COUNTS for name in CLASSES}
    assert found == {(split, name): count for split, count in COUNTS.items() for name in CLASSES}
    assert len(SHIPPED) == sum(found.values())


def test_checksums_hold():
    assert damaged("flowers") == []


def test_drawn_again_a_picture_is_the_one_that_ships():
    assert redrawn_differently("flowers", draw) == []


def test_drawn_again_with_another_seed_it_is_another_picture():
    other = np.asarray(draw("tulips", picture_rng(SEED + 1, "test", "tulips", 0)), np.float32)
    shipped = np.asarray(Image.open(FOLDER / "test" / "tulips" / "000.jpg"), np.float32)
    assert np.abs(other - shipped).mean() > 10


def test_pictures_are_224_pixels_square_and_the_set_is_small():
    assert {Image.open(path).size for path in SHIPPED} == {(224, 224)}
    assert sum(path.stat().st_size for path in SHIPPED) < 6e6


def test_no_picture_occurs_twice():
    """Not even nearly: the smallest distance between any two, as 16 × 16 thumbnails in colour."""
    small = np.stack([np.asarray(Image.open(path).resize((16, 16), Image.Resampling.BOX), np.float32)
                      for path in SHIPPED]).reshape(len(SHIPPED), -1)
    squares = (small**2).sum(1)
    distance = np.sqrt(np.maximum(squares[:, None] + squares - 2 * small @ small.T, 0) / small.shape[1])
    assert distance[~np.eye(len(small), dtype=bool)].min() > 5      # levels of 255, root mean square


# The renderer --------------------------------------------------------------------------------------

def square(left: float, top: float, side: float, depth: float) -> np.ndarray:
    corners = [(left, top), (left + side, top), (left + side, top + side), (left, top + side)]
    return np.array([(*corner, depth) for corner in corners], np.float32)


def test_of_two_surfaces_a_pixel_sees_the_nearer():
    hits = rasterise(np.stack([square(0, 0, 20, depth=2), square(5, 5, 10, depth=1)]), 20, 20)
    seen = np.full(400, -1)
    seen[hits.pixel] = hits.quad
    expected = np.zeros((20, 20), int)
    expected[5:15, 5:15] = 1
    assert (seen.reshape(20, 20) == expected).all()


def test_a_surface_behind_the_camera_is_not_seen():
    assert len(rasterise(square(0, 0, 20, depth=-1)[None], 20, 20).pixel) == 0


def test_what_corners_hold_is_mixed_by_place():
    surface = square(0, 0, 20, depth=1)[None]
    hits = rasterise(surface, 20, 20)
    rows, columns = np.divmod(hits.pixel, 20)
    column, row, _ = hits.mix(surface).T
    assert np.abs(column - columns - 0.5).max() <= 0.5
    assert np.abs(row - rows - 0.5).max() <= 0.5

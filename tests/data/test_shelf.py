"""The shelf writes a set whole or not at all, the same every time, and notices what has changed since."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from course_utils.errors import CourseError
from tools.render.shelf import CHECKSUMS, damaged, picture_rng, read_card, redrawn_differently, write_shelf

CLASSES, COUNTS, CARD = ["dots", "stripes"], {"train": 2, "val": 1, "test": 1}, {"title": "Two patterns"}


def draw(class_name: str, rng: np.random.Generator) -> Image.Image:
    pixels = rng.integers(0, 256, (8, 8, 3) if class_name == "dots" else (1, 8, 3), dtype=np.uint8)
    return Image.fromarray(np.broadcast_to(pixels, (8, 8, 3))).resize((64, 64))


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A data folder of its own, with the set "patterns" in it."""
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    return write_shelf("patterns", draw, CLASSES, COUNTS, seed=5, card=CARD)


def content(folder) -> dict:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_set_is_pictures_in_folders_a_card_and_checksums(shelf):
    names = sorted(path.as_posix() for path in content(shelf))
    assert names[:2] == ["card.yaml", CHECKSUMS]
    assert names[2:] == sorted(f"{split}/{name}/{i:03d}.jpg" for split, n in COUNTS.items()
                               for name in CLASSES for i in range(n))
    assert read_card("patterns") == {**CARD, "classes": CLASSES, "counts": COUNTS, "seed": 5}


def test_the_same_seed_writes_the_same_bytes(shelf):
    before = content(shelf)
    write_shelf("patterns", draw, CLASSES, COUNTS, seed=5, card=CARD)
    assert content(shelf) == before


def test_another_seed_writes_other_pictures(shelf):
    before = (shelf / CHECKSUMS).read_text()
    write_shelf("patterns", draw, CLASSES, COUNTS, seed=6, card=CARD)
    assert not set(before.splitlines()) & set((shelf / CHECKSUMS).read_text().splitlines())


def test_no_two_pictures_share_their_random_numbers():
    first = {picture_rng(5, split, name, i).integers(2**63) for split in COUNTS for name in CLASSES
             for i in range(50)}
    assert len(first) == len(COUNTS) * len(CLASSES) * 50


def test_an_untouched_set_has_no_faults(shelf):
    assert damaged("patterns") == []
    assert redrawn_differently("patterns", draw) == []


def test_a_changed_byte_is_noticed(shelf):
    picture = shelf / "val" / "dots" / "000.jpg"
    changed = bytearray(picture.read_bytes())
    changed[-10] ^= 1
    picture.write_bytes(changed)
    assert damaged("patterns") == ["patterns/val/dots/000.jpg: changed"]


def test_a_missing_and_an_added_picture_are_noticed(shelf):
    (shelf / "test" / "dots" / "000.jpg").rename(shelf / "test" / "dots" / "more.jpg")
    assert damaged("patterns") == ["patterns/test/dots/000.jpg: missing",
                                   "patterns/test/dots/more.jpg: added"]


def test_a_program_that_draws_something_else_is_noticed(shelf):
    def upside_down(class_name, rng):
        return draw(class_name, rng).transpose(Image.Transpose.FLIP_TOP_BOTTOM)

    faults = redrawn_differently("patterns", upside_down)
    assert len(faults) == 3 and all("/dots/" in fault for fault in faults)      # stripes look the same


def test_an_interrupted_write_leaves_the_old_set_untouched(shelf):
    before = content(shelf)

    def interrupted(class_name, rng):
        if class_name == "stripes":
            raise KeyboardInterrupt
        return draw(class_name, rng)

    with pytest.raises(KeyboardInterrupt):
        write_shelf("patterns", interrupted, CLASSES, COUNTS, seed=6, card=CARD)
    assert content(shelf) == before
    assert [path.name for path in shelf.parent.iterdir()] == ["patterns"]


def test_a_set_that_is_not_there_is_named_with_what_to_type(shelf):
    with pytest.raises(CourseError, match=r"python -m tools\.render petals"):
        damaged("petals")

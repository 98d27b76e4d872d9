"""Near duplicates: what was done to a picture does not hide it, and different photographs are told apart."""

from __future__ import annotations

import io
import itertools
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from course_utils.pretrained import audit_folder
from course_utils.pretrained.audit import likeness
from course_utils.pretrained.audit.likeness import LEAST_ALIKE, MOST_BITS, groups_alike, shrunk, sketches


def saved_again(picture: Image.Image, quality: int) -> Image.Image:
    picture.save(buffer := io.BytesIO(), "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def resized(picture: Image.Image, share: float) -> Image.Image:
    return picture.resize((round(picture.width * share), round(picture.height * share)))


def cropped(picture: Image.Image, edge: float) -> Image.Image:
    wide, high = picture.size
    return picture.crop((round(edge * wide), round(edge * high), round((1 - edge) * wide),
                         round((1 - edge) * high)))


CHANGES = {
    "JPEG quality 30": lambda picture: saved_again(picture, 30),
    "a quarter of the size": lambda picture: resized(picture, 0.25),
    "stretched to a square": lambda picture: picture.resize((224, 224)),
    "brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.2),
    "more contrast": lambda picture: ImageEnhance.Contrast(picture).enhance(1.3),
    "2 % off every edge": lambda picture: cropped(picture, 0.02),
    "grey": lambda picture: picture.convert("L"),
}


def drawn(pictures) -> tuple[np.ndarray, np.ndarray]:
    return sketches(np.stack([shrunk(picture) for picture in pictures]))


def found_again(pictures: list[Image.Image], change) -> float:
    """The share of pictures that are grouped with what became of them, and with nothing else."""
    hashes, drawings = drawn([*pictures, *map(change, pictures)])
    group = groups_alike(hashes, drawings)
    first, second = group[:len(pictures)], group[len(pictures):]
    assert len(set(first)) == len(pictures)
    return float((first == second).mean())


@pytest.fixture(scope="module")
def some(photographs):
    """100 photographs of flowers and of steel, by name."""
    def sample(name: str) -> list[Image.Image]:
        files = random.Random(0).sample(sorted((photographs / name).glob("train/*/*.jpg")), 100)
        return [Image.open(file).convert("RGB") for file in files]
    return {name: sample(name) for name in ("flowers", "steel_defects")}


@pytest.mark.parametrize("name", ["flowers", "steel_defects"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_photograph_is_known_again(some, name, change):
    assert found_again(some[name], CHANGES[change]) >= 0.95


@pytest.mark.parametrize("name", ["flowers", "steel_defects"])
def test_another_part_of_it_is_another_picture(some, name):
    """The twin: 15 % off every edge is no small change."""
    assert found_again(some[name], lambda picture: cropped(picture, 0.15)) <= 0.05


def test_different_photographs_are_told_apart(photographs):
    """2,850 photographs, 4 million pairs. The only two pairs that are found show one moment twice."""
    files = sorted(photographs.glob("*/*/*/*.jpg"))
    hashes, drawings = drawn(Image.open(file).convert("RGB") for file in files)
    assert len(files) == 2_850
    pairs = [{files[i].stem.split("_")[0] for i in np.flatnonzero(group == number)} for group in
             [groups_alike(hashes, drawings)] for number in np.unique(group)
             if (group == number).sum() > 1]
    assert sorted(pairs, key=min) == [{"14925398441", "14741866338"}, {"6606809995", "6606813305"}]


def test_the_hash_alone_would_take_two_seas_for_one(photographs):
    """The twin: why sketches are compared as well."""
    seas = [next(photographs.glob(f"eurosat/*/SeaLake/SeaLake_{number}.jpg")) for number in (1284, 1581)]
    hashes, drawings = drawn(Image.open(file) for file in seas)
    assert np.bitwise_count(hashes[0] ^ hashes[1]) <= MOST_BITS
    assert np.corrcoef(drawings)[0, 1] < LEAST_ALIKE
    assert len(set(groups_alike(hashes, drawings))) == 2


# The search -------------------------------------------------------------------------------------------

def by_hand(hashes: np.ndarray, drawings: np.ndarray) -> list[int]:
    """Groups by comparing all with all, one at a time."""
    group = list(range(len(hashes)))
    for i, j in itertools.combinations(range(len(hashes)), 2):
        a, b = drawings[i].astype(float), drawings[j].astype(float)
        alike = (a * b).sum() >= LEAST_ALIKE * np.linalg.norm(a) * np.linalg.norm(b) and a.any() and b.any()
        if alike and (int(hashes[i]) ^ int(hashes[j])).bit_count() <= MOST_BITS:
            old, new = max(group[i], group[j]), min(group[i], group[j])
            group = [new if number == old else number for number in group]
    return group


def families(seed: int, count: int, members: int) -> tuple[np.ndarray, np.ndarray]:
    """Hashes and sketches in families, each a random walk away from its first member."""
    rng = np.random.default_rng(seed)
    hashes, drawings = [], []
    for _ in range(count):
        own, drawing = int(rng.integers(0, 2**63)), rng.normal(size=256)
        for _ in range(rng.integers(1, members + 1)):
            for bit in rng.integers(0, 63, rng.integers(0, 14)):
                own ^= 1 << int(bit)
            drawing = drawing + rng.normal(size=256) * rng.uniform(0, 0.6)
            hashes.append(own)
            drawings.append(drawing * 40)
    order = rng.permutation(len(hashes))
    return (np.array(hashes, np.uint64)[order],
            np.clip(np.array(drawings), -127, 127).round().astype(np.int8)[order])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 12), members=st.integers(1, 8))
def test_the_groups_are_those_found_by_hand(seed, count, members):
    hashes, drawings = families(seed, count, members)
    assert groups_alike(hashes, drawings).tolist() == by_hand(hashes, drawings)


@pytest.mark.parametrize("pairs", [1, 7, 8192])
def test_the_groups_do_not_depend_on_how_many_are_compared_at_a_time(monkeypatch, pairs):
    hashes, drawings = families(1, 40, 12)
    expected = by_hand(hashes, drawings)
    for name, value in (("ROWS", 3), ("COLUMNS", 5), ("PAIRS", pairs)):
        monkeypatch.setattr(likeness, name, value)
    assert groups_alike(hashes, drawings).tolist() == expected


def test_twenty_thousand_copies_of_one_picture_are_one_group(scene):
    hashes, drawings = drawn([scene(0)])
    group = groups_alike(np.repeat(hashes, 20_000), np.repeat(drawings, 20_000, axis=0))
    assert not group.any()


def test_planted_pairs_are_found_among_thirty_thousand():
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**63, 30_000, dtype=np.uint64)
    drawings = rng.integers(-127, 128, (30_000, 256), dtype=np.int8)
    for i in range(0, 100, 2):
        far = 29_999 - i
        hashes[far], drawings[far] = hashes[i] ^ np.uint64(0b1011), drawings[i]
    group = groups_alike(hashes, drawings)
    assert np.flatnonzero(group != np.arange(30_000)).tolist() == list(range(29_901, 30_000, 2))


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_and_one_picture_are_no_copies(count):
    group = groups_alike(np.zeros(count, np.uint64), np.zeros((count, 256), np.int8))
    assert group.tolist() == list(range(count))


# What likeness means nothing for ----------------------------------------------------------------------

def test_pictures_of_one_colour_are_not_alike():
    hashes, drawings = drawn(Image.new("RGB", (64, 64), colour) for colour in ("white", "white", "navy"))
    assert groups_alike(hashes, drawings).tolist() == [0, 1, 2]


@pytest.mark.parametrize("side, alike", [(31, 0), (32, 1)])
def test_very_small_pictures_are_compared_by_their_bytes_alone(tmp_path, make, put, scene, side, alike):
    make(tmp_path, {"rose": 4, "tulip": 4})
    put(scene(50).resize((side, side)), tmp_path / "rose/a.png")
    put(scene(50).resize((side, side)), tmp_path / "rose/b.bmp")
    audit = audit_folder(tmp_path)
    assert len([found for found in audit.findings if found.kind == "near duplicates"]) == alike

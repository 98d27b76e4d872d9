"""Data sets: what ships is checked, what is in a folder is read or refused in words."""

from __future__ import annotations

import hashlib
import itertools
import os
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from course_utils.errors import BadData, BadImage, CourseError, DamagedFile, UnknownName
from course_utils.pretrained.data import images as images_module
from course_utils.pretrained.data.datasets import SHIPPED, load_dataset
from course_utils.pretrained.data.images import Images
from course_utils.pretrained.data.splits import cut_off


@pytest.fixture(autouse=True)
def nothing_opened_yet(monkeypatch):
    monkeypatch.setattr(images_module, "_opened", {})


def make(root: Path, layout: dict[str, int], size=(16, 12)) -> Path:
    """A folder of small noise pictures: {"train/rose": 4} makes four."""
    rng = np.random.default_rng(0)
    for folder, count in layout.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            pixels = rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / folder / f"{i:03d}.png")
    return root


def load(root: Path):
    return load_dataset(f"folder:{root}")


# Images --------------------------------------------------------------------------------------------

@pytest.fixture
def files(tmp_path) -> Images:
    root = make(tmp_path / "set", {"a": 3, "b": 2})
    return Images(sorted(root.glob("*/*.png")), [0, 0, 0, 1, 1], ["a", "b"])


def test_an_item_is_a_picture_and_its_label(files):
    picture, label = files[3]
    assert picture.mode == "RGB" and picture.size == (16, 12) and label == 1
    assert len(list(files)) == len(files) == 5


def test_a_subset_keeps_order_labels_and_classes(files):
    chosen = files.subset(torch.tensor([4, 0]))
    assert chosen.paths == (files.paths[4], files.paths[0])
    assert chosen.labels == (1, 0) and chosen.classes == files.classes


def test_once_is_each_picture_once_and_where_each_of_these_is(files):
    in_memory = Images(["one name"] * 3, [0, 1, 1], ["a", "b"],
                       pictures=[Image.new("RGB", (4, 4), (shade, 0, 0)) for shade in (1, 2, 3)])
    for images, order in [(files, [4, 0, 4, 2, 0]), (in_memory, [2, 1, 2, 0]), (files, [3, 1])]:
        repeated = images.subset(order)
        once, there = repeated.once()
        assert len(once) == len(set(order))
        for position, row in enumerate(there):
            assert once[row][0].tobytes() == repeated[position][0].tobytes()
            assert once[row][1] == repeated[position][1]


@pytest.mark.parametrize("indices", [[5], [-1], [True, False], torch.tensor([True, False]), ["a"], [0.5]])
def test_a_subset_of_what_is_no_position_is_refused(files, indices):
    with pytest.raises(CourseError, match="positions from 0 to 4"):
        files.subset(indices)


def test_a_slice_is_answered_in_words(files):
    with pytest.raises(CourseError, match="subset"):
        files[:2]


def test_as_many_labels_as_pictures_are_needed():
    with pytest.raises(BadData, match="3 paths, 2 labels"):
        Images(["a", "b", "c"], [0, 1], ["x", "y"])
    with pytest.raises(BadData, match="0 … 1, but there is 2"):
        Images(["a", "b", "c"], [0, 1, 2], ["x", "y"])


def test_the_same_files_have_the_same_fingerprint(files):
    again = Images(files.paths, files.labels, files.classes)
    assert files.fingerprint == files.fingerprint == again.fingerprint


def test_another_picture_label_or_order_has_another_fingerprint(files):
    prints = {files.fingerprint,
              files.subset([1, 0, 2, 3, 4]).fingerprint,
              files.subset(range(4)).fingerprint,
              Images(files.paths, [1, 0, 0, 1, 1], files.classes).fingerprint,
              Images(files.paths, files.labels, ["b", "a"]).fingerprint}
    assert len(prints) == 5


def test_a_file_replaced_by_one_of_equal_size_and_time_is_noticed(files):
    before, path = files.fingerprint, Path(files.paths[0])
    status = path.stat()
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert files.fingerprint != before


def test_a_file_that_vanished_is_named(files):
    Path(files.paths[2]).unlink()
    with pytest.raises(BadImage, match=r"002\.png.*gone"):
        _ = files.fingerprint


def test_pictures_in_memory_are_told_apart_by_their_pixels():
    def memory(colour):
        return Images(["one"], [0], ["a", "b"], pictures=[Image.new("RGB", (8, 8), colour)])
    assert memory("red").fingerprint == memory("red").fingerprint != memory("blue").fingerprint


def test_drawing_on_a_picture_from_memory_does_not_change_the_set():
    images = Images(["one"], [0], ["a", "b"], pictures=[Image.new("RGB", (8, 8), "red")])
    images[0][0].putpixel((0, 0), (0, 0, 255))
    assert images[0][0].getpixel((0, 0)) == (255, 0, 0)


# Splits --------------------------------------------------------------------------------------------

def test_parts_share_no_picture_and_hold_every_class():
    names = ["a"] * 20 + ["b"] * 4 + ["c"] * 100
    parts = cut_off(names, {"val": 0.15, "test": 0.15})
    assert sorted(itertools.chain(*parts.values())) == list(range(len(names)))
    assert {part: [sum(names[i] == name for i in own) for name in "abc"] for part, own in parts.items()} == {
        "train": [14, 2, 70], "val": [3, 1, 15], "test": [3, 1, 15]}


def test_the_cut_is_the_same_every_time_and_another_with_another_seed():
    names = ["a"] * 50
    assert cut_off(names, {"val": 0.2}) == cut_off(names, {"val": 0.2})
    assert cut_off(names, {"val": 0.2}) != cut_off(names, {"val": 0.2}, seed=1)


# Folders -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("val", ["val", "valid", "validation", "Val"])
def test_a_folder_in_splits_is_taken_as_it_is(tmp_path, val):
    data = load(make(tmp_path, {f"{split}/{name}": count for split, count in
                                [("train", 3), (val, 2), ("test", 1)] for name in ("rose", "tulip")}))
    assert data.classes == ("rose", "tulip")
    assert [len(data.train), len(data.val), len(data.test)] == [6, 4, 2]
    assert data.card.counts == {"train": 6, "val": 4, "test": 2}
    assert all(Path(path).parent.name == data.classes[label]
               for path, label in zip(data.val.paths, data.val.labels, strict=True))


def test_a_folder_without_splits_is_cut_and_the_card_says_so(tmp_path):
    data = load(make(tmp_path, {"rose": 20, "tulip": 40}))
    parts = [data.train, data.val, data.test]
    assert [[part.labels.count(0), part.labels.count(1)] for part in parts] == [[14, 28], [3, 6], [3, 6]]
    assert len(set(itertools.chain(*(part.paths for part in parts)))) == 60
    assert "15 %" in data.card.description and "val and test" in data.card.description
    assert load(tmp_path).train.paths == data.train.paths


def test_a_missing_validation_folder_is_cut_off_the_training_pictures_only(tmp_path):
    root = make(tmp_path, {"train/a": 20, "train/b": 20, "test/a": 5, "test/b": 5})
    data = load(root)
    assert [len(data.train), len(data.val), len(data.test)] == [34, 6, 10]
    assert all("/train/" in Path(path).as_posix() for path in data.val.paths)
    assert "no folder for val," in data.card.description


def test_a_folder_in_full_splits_does_not_speak_of_cutting(tmp_path):
    data = load(make(tmp_path, {f"{s}/{c}": 2 for s in ("train", "val", "test") for c in "ab"}))
    assert "15 %" not in data.card.description


def test_files_that_are_no_pictures_are_skipped_and_named_once(tmp_path, capsys):
    root = make(tmp_path, {"a": 5, "b": 5})
    (root / "a" / "notes.txt").write_text("notes")
    (root / "a" / "page.jpg").write_text("<html>")
    (root / "b" / ".DS_Store").write_text("hidden")
    data = load(root)
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 1 and "Skipped 2 files" in printed[0]
    assert "notes.txt" in printed[0] and "page.jpg" in printed[0] and "DS_Store" not in printed[0]
    assert sum(data.card.counts.values()) == 10


def test_a_clean_folder_prints_nothing(tmp_path, capsys):
    load(make(tmp_path, {"a": 5, "b": 5}))
    assert capsys.readouterr().out == ""


def test_pictures_below_a_class_folder_belong_to_it(tmp_path):
    data = load(make(tmp_path, {"a/monday": 3, "a/tuesday": 3, "b": 6}))
    assert data.classes == ("a", "b") and sum(data.card.counts.values()) == 12


REFUSED = {
    "an empty class folder": ({"a": 5, "roses": 0}, "No pictures.*'roses'"),
    "an empty class folder in one split": (
        {"train/a": 2, "train/b": 2, "val/a": 2, "val/b": 0}, "'b' of the val folder"),
    "one class only": ({"a": 5}, "only one class, 'a'"),
    "no class folders": ({".": 5}, "no pictures in class folders"),
    "nothing at all": ({}, "no pictures in class folders"),
    "classes that differ": (
        {"train/a": 2, "train/b": 2, "test/a": 2, "test/c": 2}, "'b' and 'c' only in train or only in test"),
    "no training folder": ({"val/a": 2, "val/b": 2, "test/a": 2, "test/b": 2}, "no 'train' folder"),
    "two folders for one split": (
        {f"{s}/{c}": 2 for s in ("train", "val", "valid") for c in "ab"}, "'val' and 'valid'"),
    "too few to share out": ({"a": 5, "b": 2}, "at least 3 pictures.*'b' has 2"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_folder_that_cannot_be_learned_from_is_refused_in_words(tmp_path, case):
    layout, words = REFUSED[case]
    make(tmp_path, layout)
    with pytest.raises(BadData, match=words):
        load(tmp_path)


def test_a_missing_folder_and_an_archive_are_refused_in_words(tmp_path):
    with pytest.raises(BadData, match="nowhere' does not exist"):
        load(tmp_path / "nowhere")
    (tmp_path / "set.zip").write_bytes(b"PK")
    with pytest.raises(BadData, match="unpack it"):
        load(tmp_path / "set.zip")


# Names ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name, near", [("flower", "flowers"), ("Faces", "faces"), ("defekts", "defects")])
def test_an_unknown_name_gets_the_nearest(name, near):
    with pytest.raises(UnknownName, match=f"Did you mean '{near}'.*folder:PATH"):
        load_dataset(name)


def test_what_is_no_name_is_answered_in_words(tmp_path):
    with pytest.raises(CourseError, match=r"PosixPath.*folder:PATH"):
        load_dataset(Path("/tmp"))


# What ships ----------------------------------------------------------------------------------------

@pytest.fixture
def shelf(tmp_path, monkeypatch) -> Path:
    """A set as the course ships them, small, under the name of a real one."""
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    folder = tmp_path / "flowers"
    counts = {"train": 3, "val": 1, "test": 2}
    make(folder, {f"{split}/{name}": n for split, n in counts.items() for name in ("daisy", "tulip")})
    card = {"title": "Flowers", "description": "Drawn.", "how_made": "by a program", "licence": "MIT",
            "classes": ["daisy", "tulip"], "counts": counts, "seed": 0, "generator_version": 1}
    (folder / "card.yaml").write_text(yaml.safe_dump(card))
    (folder / "checksums.sha256").write_text("".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
        for path in sorted(folder.glob("*/*/*.png"))))
    return folder


def test_a_shipped_set_says_what_it_is(shelf):
    data = load_dataset("flowers")
    assert data.classes == ("daisy", "tulip")
    assert [len(data.train), len(data.val), len(data.test)] == [6, 2, 4]
    assert "rendered images" in repr(data) and "train 6, val 2, test 4" in repr(data)
    assert "MIT" in str(data.card)


def damage(shelf: Path, how: str) -> None:
    picture = shelf / "train/daisy/001.png"
    if how == "one bit":
        picture.write_bytes(picture.read_bytes()[:-1] + b"\0")
    elif how == "a picture gone":
        picture.unlink()
    elif how == "no card":
        (shelf / "card.yaml").unlink()
    elif how == "half a card":
        (shelf / "card.yaml").write_text("title: Flowers\nclasses: [")
    elif how == "a card without counts":
        (shelf / "card.yaml").write_text("title: Flowers\nclasses: [a, b]\n")
    elif how == "a line of checksums gone":
        lines = (shelf / "checksums.sha256").read_text().splitlines(keepends=True)
        (shelf / "checksums.sha256").write_text("".join(lines[1:]))
    elif how == "garbage for checksums":
        (shelf / "checksums.sha256").write_bytes(b"\xff\xfe\n" * 12)


@pytest.mark.parametrize("how, named", [
    ("one bit", "train/daisy/001.png"), ("a picture gone", "train/daisy/001.png"), ("no card", "card.yaml"),
    ("half a card", "card.yaml"), ("a card without counts", "card.yaml"),
    ("a line of checksums gone", "checksums.sha256"), ("garbage for checksums", "flowers")])
def test_a_damaged_set_is_refused_with_the_mend(shelf, how, named):
    damage(shelf, how)
    with pytest.raises(DamagedFile, match=f"data/flowers/.*{Path(named).name}.*git checkout -- data/flowers"
                       if named != "flowers" else "git checkout -- data/flowers"):
        load_dataset("flowers")


def test_a_file_that_was_added_is_no_part_of_the_set(shelf):
    Image.new("RGB", (20, 20)).save(shelf / "train/daisy/mine.png")
    assert len(load_dataset("flowers").train) == 6


@pytest.mark.parametrize("name", SHIPPED)
def test_what_ships_is_whole(name):
    data = load_dataset(name)
    assert data.card.kind == "rendered images" and len(data.classes) == 5
    assert data.train[0][0].mode == "RGB"
    parts = [set(data.train.paths), set(data.val.paths), set(data.test.paths)]
    assert sum(map(len, parts)) == len(set.union(*parts))


# Inside the libraries ------------------------------------------------------------------------------

@pytest.mark.parametrize("name, size, counts", [
    ("faces", 25, {"train": 120, "val": 40, "test": 40}),
    ("digits", 8, {"train": 1078, "val": 269, "test": 450})])
def test_the_sets_inside_libraries_are_there_without_a_network(name, size, counts):
    data = load_dataset(name)
    assert data.card.counts == counts
    picture, _ = data.train[0]
    assert picture.mode == "RGB" and picture.size == (size, size)
    assert np.asarray(picture).max() > 128, "scaled to 0 … 255"
    share = [data.test.labels.count(i) / len(data.test) for i in range(len(data.classes))]
    assert max(share) - min(share) < 0.02, "every class has its share"
    assert load_dataset(name).val.fingerprint == data.val.fingerprint


def test_a_face_is_a_face():
    """Which half of the library's pictures is faces: they are more like each other than the rest."""
    data = load_dataset("faces")
    pixels = np.stack([np.asarray(picture.convert("L"), float) for picture, _ in data.train])
    labels = np.array(data.train.labels)
    spread = [pixels[labels == label].std(axis=0).mean() for label in (0, 1)]
    assert data.classes[0] == "face" and spread[0] < spread[1]


# The test set --------------------------------------------------------------------------------------

def test_the_test_set_reminds_once_when_opened_again(shelf, capsys):
    first = load_dataset("flowers").test
    assert capsys.readouterr().out == ""
    data = load_dataset("flowers")                        # a fresh object, but the same kernel
    assert data.test.paths == first.paths
    assert "You have opened the test set of 'flowers' before" in capsys.readouterr().out
    assert len(data.test) == 4 and capsys.readouterr().out == ""


def test_looking_at_the_summary_opens_nothing(shelf, capsys):
    data = load_dataset("flowers")
    print(data, data.card)
    _ = data.test
    assert "opened the test set" not in capsys.readouterr().out

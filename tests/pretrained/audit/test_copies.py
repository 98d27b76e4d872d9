"""Copies by what they spoil: a test, labels, or only the counts."""

from __future__ import annotations

import shutil

import pytest
from PIL import Image

from course_utils.pretrained import audit_folder

SPLITS = {f"{split}/{name}": count for split, count in (("train", 6), ("val", 3), ("test", 3))
          for name in ("rose", "tulip")}


@pytest.fixture
def splits(tmp_path, make):
    return make(tmp_path, SPLITS)


def first(folder):
    return sorted(folder.iterdir())[0]


def test_splits_that_share_nothing_have_no_findings(splits):
    assert audit_folder(splits).findings == ()


@pytest.mark.parametrize("how", ["exactly", "nearly"])
@pytest.mark.parametrize("one, other", [("train", "test"), ("train", "val"), ("val", "test")])
def test_a_picture_in_two_splits_is_a_leak(splits, findings, put, how, one, other):
    source = first(splits / other / "rose")
    copy = splits / one / "rose" / "copy.jpg"
    if how == "exactly":
        shutil.copy(source, copy)
    else:
        put(Image.open(source).resize((80, 60)), copy, quality=60)
    audit = audit_folder(splits)
    [found] = audit.findings if how == "exactly" else findings(audit, "leak")
    assert found.kind == "leak" and found.serious == "will mislead"
    assert set(found.paths) == {f"{one}/rose/copy.jpg", f"{other}/rose/{source.name}"}
    assert ("=" if how == "exactly" else "≈") in str(found)


def test_copies_within_one_split_leak_nothing(splits, findings):
    shutil.copy(first(splits / "train/rose"), splits / "train/rose/copy.jpg")
    [found] = audit_folder(splits).findings
    assert found.kind == "duplicates" and found.serious == "good to know"


def test_without_splits_copies_would_be_torn_apart(tmp_path, make):
    make(tmp_path, {"rose": 6, "tulip": 6})
    shutil.copy(tmp_path / "rose/0000.jpg", tmp_path / "rose/copy.jpg")
    [found] = audit_folder(tmp_path).findings
    assert found.kind == "duplicates" and found.serious == "will mislead"


@pytest.mark.parametrize("how, kind, out", [("exactly", "two labels", 2),
                                            ("nearly", "two labels, nearly", 0)])
def test_a_picture_in_two_classes_is_named_and_left_out_if_it_is_the_same_file(
        tmp_path, make, put, scene, findings, how, kind, out):
    make(tmp_path, {"rose": 10, "tulip": 10})
    if how == "exactly":
        shutil.copy(tmp_path / "rose/0003.jpg", tmp_path / "tulip/copy.jpg")
    else:
        put(scene(3).resize((150, 112)), tmp_path / "tulip/copy.jpg")
    audit = audit_folder(tmp_path)
    [found] = findings(audit, kind)
    assert set(found.paths) == {"rose/0003.jpg", "tulip/copy.jpg"} and found.serious == "will mislead"
    assert not findings(audit, "duplicates") and not findings(audit, "near duplicates")
    assert sum(audit.propose_split().card.counts.values()) == 21 - out


def test_a_copy_of_a_copy_belongs_to_the_same_group(tmp_path, make, put, scene, findings):
    make(tmp_path, {"rose": 6, "tulip": 6})
    put(scene(2).resize((80, 60)), tmp_path / "rose/small.jpg")
    shutil.copy(tmp_path / "rose/small.jpg", tmp_path / "rose/small again.jpg")
    [found] = audit_folder(tmp_path).findings
    assert found.kind == "near duplicates"
    assert set(found.cases[0].paths) == {"rose/0002.jpg", "rose/small.jpg", "rose/small again.jpg"}


def test_a_picture_turned_by_the_cameras_note_is_found(tmp_path, make, put, scene, findings):
    make(tmp_path, {"rose": 6, "tulip": 6})
    exif = Image.Exif()
    exif[0x0112] = 6                                    # turn a quarter clockwise to see it
    put(scene(2).transpose(Image.Transpose.ROTATE_90), tmp_path / "rose/lying.jpg", exif=exif, quality=90)
    [found] = findings(audit_folder(tmp_path), "near duplicates")
    assert set(found.paths) == {"rose/0002.jpg", "rose/lying.jpg"}


def test_the_leaks_in_the_flower_photographs_are_found(photographs, findings):
    """Two that a checksum does not see: one photograph twice in other colours, and two taken in a row."""
    [found] = findings(audit_folder(photographs / "flowers"), "leak")
    assert [{path.rpartition("/")[2].split("_")[0] for path in case.paths} for case in found.cases] == [
        {"14741866338", "14925398441"}, {"6606813305", "6606809995"}]

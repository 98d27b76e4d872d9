"""What lies in a folder: files by split and class, links, litter; a million files gone through once."""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path
from typing import ClassVar

import pytest

from course_utils.errors import BadData
from course_utils.pretrained.data import listing
from course_utils.pretrained.data.listing import list_folder


def touch(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def below(root: Path, parts: dict) -> dict:
    return {split: {label: [os.path.relpath(path, root) for path in paths] for label, paths in part.items()}
            for split, part in parts.items()}


def aside(found: listing.Listing) -> set[tuple[str, str]]:
    return {(why, os.path.relpath(path, found.root)) for why, path in found.aside}


def test_files_stand_in_order_under_their_class_and_split(tmp_path):
    touch(tmp_path, "test/b/1", "train/b/2", "train/b/1", "train/a/x/2", "train/a/1", "valid/a/1")
    found = list_folder(tmp_path)
    assert found.in_splits and list(found.parts) == ["train", "val", "test"]
    assert below(tmp_path, found.parts) == {
        "train": {"a": ["train/a/1", "train/a/x/2"], "b": ["train/b/1", "train/b/2"]},
        "val": {"a": ["valid/a/1"]}, "test": {"b": ["test/b/1"]}}
    assert aside(found) == {("nested", "train/a/x")}


def test_without_splits_all_is_train(tmp_path):
    found = list_folder(touch(tmp_path, "a/1", "b/1"))
    assert not found.in_splits and below(tmp_path, found.parts) == {"train": {"a": ["a/1"], "b": ["b/1"]}}
    assert found.aside == []


def test_a_folder_called_train_without_folders_inside_is_a_class(tmp_path):
    """Toys and trains, say."""
    assert below(tmp_path, list_folder(touch(tmp_path, "train/1", "toy/1")).parts) == {
        "train": {"toy": ["toy/1"], "train": ["train/1"]}}


def test_litter_is_left_aside_wherever_it_lies(tmp_path):
    touch(tmp_path, ".DS_Store", ".git/1", "a/1", "a/.ipynb_checkpoints/1", "a/Thumbs.db",
          "a/deep/desktop.ini", "__MACOSX/a/._1", "a/__1.jpg")
    found = list_folder(tmp_path)
    assert below(tmp_path, found.parts) == {"train": {"a": ["a/1", "a/__1.jpg"]}}
    assert aside(found) == {("litter", name) for name in (
        ".DS_Store", ".git", "a/.ipynb_checkpoints", "a/Thumbs.db", "a/deep/desktop.ini", "__MACOSX")} | {
        ("nested", "a/deep")}


def test_what_lies_beside_classes_and_splits_is_told(tmp_path):
    touch(tmp_path, "train/a/1", "train/labels.csv", "test/a/1", "extra/a/1", "README.md")
    beside = ("train/labels.csv", "extra", "README.md")
    assert aside(list_folder(tmp_path)) == {("beside", name) for name in beside}


def test_a_link_to_a_file_counts_and_one_to_nowhere_does_not(tmp_path):
    touch(tmp_path, "far/1", "near/a/1")
    near = tmp_path / "near"
    (near / "a/2").symlink_to(tmp_path / "far/1")
    (near / "a/3").symlink_to("nowhere")
    (near / "a/4").symlink_to("4")
    os.mkfifo(near / "a/5")
    found = list_folder(near)
    assert below(near, found.parts) == {"train": {"a": ["a/1", "a/2"]}}
    assert aside(found) == {("no file", "a/3"), ("no file", "a/4"), ("no file", "a/5")}


def test_a_link_to_a_folder_may_be_a_class_or_a_split(tmp_path):
    touch(tmp_path, "far/train/a/1", "far/test/a/1", "near/train/b/1")
    near = tmp_path / "near"
    (near / "train/a").symlink_to(tmp_path / "far/train/a", target_is_directory=True)
    (near / "test").symlink_to(tmp_path / "far/test", target_is_directory=True)
    found = list_folder(near)
    assert below(near, found.parts) == {"train": {"a": ["train/a/1"], "b": ["train/b/1"]},
                                        "test": {"a": ["test/a/1"]}}
    assert found.aside == []


@pytest.mark.parametrize("where, target", [("again", "."), ("a/back", ".."), ("a/here", "."),
                                           ("a/other", "../b"), ("up", "..")])
def test_no_link_to_a_folder_makes_pictures_count_twice(tmp_path, where, target):
    root = touch(tmp_path / "mine", "a/1", "b/1")
    (root / where).symlink_to(target, target_is_directory=True)
    found = list_folder(root)
    assert below(root, found.parts) == {"train": {"a": ["a/1"], "b": ["b/1"]}}
    assert aside(found) == {("link", where)}


def test_a_folder_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    touch(tmp_path, "a/1", "b/1", "b/deep/1")
    really = os.scandir

    def refuse(path):
        if os.path.basename(path) == "deep":
            raise PermissionError(13, "Permission denied")
        return really(path)
    monkeypatch.setattr(os, "scandir", refuse)
    assert aside(list_folder(tmp_path)) == {("nested", "b/deep"), ("locked", "b/deep")}


def test_a_root_that_may_not_be_read_is_refused_in_words(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")
    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(BadData, match="may not be read"):
        list_folder(tmp_path)


# A million files --------------------------------------------------------------------------------------

class Entry:
    """A plain file in a listing, which counts what it is asked."""

    asked: ClassVar[Counter[str]] = Counter()

    def __init__(self, folder: str, number: int):
        self.name = f"{number:07d}.jpg"
        self.path = f"{folder}/{self.name}"

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        self.asked["is_file"] += 1
        assert not follow_symlinks, "would ask the disk"
        return True


class Entries:
    """A listing that can be gone through once."""

    def __init__(self, folder: str, count: int):
        self.entries = (Entry(folder, number) for number in random.Random(0).sample(range(count), count))

    def __enter__(self):
        return self.entries

    def __exit__(self, *error: object) -> None:
        pass


def test_a_million_files_are_gone_through_once_and_each_asked_once(tmp_path, monkeypatch):
    touch(tmp_path, "few/1", "many/.keep")
    really, seen = os.scandir, Counter()

    def scandir(path):
        seen[os.path.basename(path)] += 1
        return Entries(path, 1_000_000) if os.path.basename(path) == "many" else really(path)
    monkeypatch.setattr(os, "scandir", scandir)
    Entry.asked.clear()
    files = list_folder(tmp_path).parts["train"]["many"]
    assert len(files) == 1_000_000 and files[0].endswith("0000000.jpg") and files[-1].endswith("0999999.jpg")
    assert all(map(str.__lt__, files, files[1:]))
    assert Entry.asked == {"is_file": 1_000_000}
    assert seen == {tmp_path.name: 1, "few": 1, "many": 1}

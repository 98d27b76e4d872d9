"""What lies in a folder of pictures: the files of every class, and what belongs to none. None is opened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from course_utils.errors import BadData

SPLIT_NAMES = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val",
               "test": "test", "testing": "test"}
PARTS = ("train", "val", "test")
LAYOUT = "PATH/CLASS/picture.jpg, or PATH/train/CLASS/picture.jpg with val and test beside train"
LITTER = {"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "__pycache__"}     # and .hidden

Files = dict[str, list[str]]                # paths by class name
Aside = list[tuple[str, str]]               # why something belongs to no class, and its path


class Listing(NamedTuple):
    """The files of each class folder and below it, by split, in order; and what lies aside."""

    root: Path
    in_splits: bool                         # without, all files stand under "train"
    parts: dict[str, Files]
    aside: Aside


def list_folder(path: str | os.PathLike) -> Listing:
    """List PATH/CLASS/… or PATH/{train,val,test}/CLASS/…, reading every folder once.

    A link to a file counts as that file, wherever it leads. A link to a folder counts where it stands for a
    class or a split, unless it leads back to a folder it lies in; below a class it is not followed. What lies
    aside is "litter" (hidden, or an operating system's own), "beside" (in no class folder), "nested" (a
    folder below a class, whose files belong to the class), "link" (to a folder, not followed), "no file" (a
    link to nowhere, a pipe) or "locked" (a folder that may not be read).

    Raises:
        BadData: there is no such folder, it may not be read, one split has two folders or "train" has none.
    """
    root = Path(path).expanduser().absolute()
    if not root.is_dir():
        wrong = "is a file; unpack it first, and name the folder" if root.is_file() else "does not exist"
        raise BadData(f"'{path}' should name a folder of pictures, but '{root}' {wrong}.")
    classes, aside = _folders(str(root))
    if ("locked", str(root)) in aside:
        raise BadData(f"'{root}' may not be read by this account. To see who may, type: ls -ld '{root}'")
    splits = _splits(root, classes)
    if splits:
        used = [folder for folder, _, _ in splits.values()]
        aside += [("beside", folder) for folder in classes if folder not in used]
        aside += [one for _, _, inside in splits.values() for one in inside]
    folders = {split: splits[split][1] for split in PARTS if split in splits} or {"train": classes}
    parts = {split: {os.path.basename(folder): sorted(_files(folder, aside)) for folder in inside}
             for split, inside in folders.items()}
    return Listing(root, bool(splits), parts, aside)


def _splits(root: Path, folders: list[str]) -> dict[str, tuple[str, list[str], Aside]]:
    """By split its folder, the class folders in it, and what lies beside those."""
    found: dict[str, tuple[str, list[str], Aside]] = {}
    for folder in folders:
        split = SPLIT_NAMES.get(os.path.basename(folder).lower())
        if not split or not (inside := _folders(folder))[0]:
            continue
        if split in found:
            one, other = (os.path.basename(f) for f in (found[split][0], folder))
            raise BadData(f"'{root}' has two folders for one split, {one!r} and {other!r}. Keep one of them.")
        found[split] = folder, *inside
    if found and "train" not in found:
        names = " and ".join(repr(os.path.basename(folder)) for folder, _, _ in found.values())
        raise BadData(f"'{root}' has {names} but no 'train' folder. The layout is {LAYOUT}.")
    return found


def _folders(place: str) -> tuple[list[str], Aside]:
    """The folders that lie in `place`, in order, and what else does."""
    folders, aside = [], []
    for entry in _entries(place, aside):
        if not os.path.isdir(entry.path):
            aside.append(("beside", entry.path))
        elif entry.is_symlink() and Path(place).resolve().is_relative_to(os.path.realpath(entry.path)):
            aside.append(("link", entry.path))
        else:
            folders.append(entry.path)
    return sorted(folders), aside


def _files(folder: str, aside: Aside) -> Iterator[str]:
    """Every file in a class folder and below it."""
    waiting = [folder]
    while waiting:
        for entry in _entries(waiting.pop(), aside):
            if entry.is_file(follow_symlinks=False) or os.path.isfile(entry.path):
                yield entry.path
            elif entry.is_dir(follow_symlinks=False):
                aside.append(("nested", entry.path))
                waiting.append(entry.path)
            else:
                aside.append(("link" if os.path.isdir(entry.path) else "no file", entry.path))


def _entries(folder: str, aside: Aside) -> Iterator[os.DirEntry]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name.lower() in LITTER:
                    aside.append(("litter", entry.path))
                else:
                    yield entry
    except OSError:
        aside.append(("locked", folder))

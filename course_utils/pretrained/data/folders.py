"""Pictures of your own: a folder with one subfolder for each class, in splits or not."""

from __future__ import annotations

import os
from pathlib import Path

from course_utils.errors import BadData
from course_utils.pretrained.data.images import DataCard, ImageData, Images
from course_utils.pretrained.data.pictures import is_picture
from course_utils.pretrained.data.splits import SEED, cut_off

SPLIT_NAMES = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val",
               "test": "test", "testing": "test"}
SHARES = {"val": 0.15, "test": 0.15}        # of the training pictures, for a split that has no folder
LAYOUT = "PATH/CLASS/picture.jpg, or PATH/train/CLASS/picture.jpg with val and test beside train"

Files = dict[str, list[Path]]               # pictures by class name


def read_folder(path: str | Path, *, card: DataCard | None = None) -> ImageData:
    """The data set in a folder, PATH/CLASS/… or PATH/{train,val,test}/CLASS/…, as ImageFolder reads it.

    Splits may also be called valid, validation, training or testing. One that has no folder is cut off the
    training pictures: 15 % of every class, the same pictures every time; the card says so. Files that are not
    pictures are skipped and named in one printed line; hidden files are skipped.

    Args:
        card: what the pictures are; None: the reader's own pictures.
    Raises:
        BadData: there is no such folder, or no pictures, an empty class, fewer than two classes, a class with
            too few pictures to share out, or classes that differ between splits.
    """
    root = Path(path).expanduser().absolute()
    if not root.is_dir():
        wrong = "is a file; unpack it first, and name the folder" if root.is_file() else "does not exist"
        raise BadData(f"'folder:{path}' should name a folder of pictures, but '{root}' {wrong}.")
    skipped: list[Path] = []
    parts = {split: _pictures_by_class(folder, skipped) for split, folder in _split_folders(root).items()}
    if skipped:
        print(_notice(skipped, root))
    _check(parts, root)
    classes = sorted(parts["train"])
    splits = {split: _images(files, classes) for split, files in parts.items()}
    cut, whole = [split for split in SHARES if split not in splits], splits["train"]
    shared = cut_off([classes[label] for label in whole.labels], {split: SHARES[split] for split in cut})
    splits |= {split: whole.subset(positions) for split, positions in shared.items()}
    card = card or DataCard(name=f"folder:{root}", title=root.name, kind="your pictures", source=str(root),
                            description=_description(cut), licence="not stated")
    return ImageData(card, **splits)


def _split_folders(root: Path) -> dict[str, Path]:
    """The folder of each split; the whole root as "train" where it holds classes directly."""
    found: dict[str, Path] = {}
    for folder in _subfolders(root):
        split = SPLIT_NAMES.get(folder.name.lower())
        if split and _subfolders(folder):
            if split in found:
                raise BadData(f"'{root}' has two folders for one split, {found[split].name!r} and "
                              f"{folder.name!r}. Keep one of them.")
            found[split] = folder
    if found and "train" not in found:
        raise BadData(f"'{root}' has {' and '.join(repr(f.name) for f in found.values())} but no 'train' "
                      f"folder. The layout is {LAYOUT}.")
    return found or {"train": root}


def _subfolders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith((".", "__")))


def _pictures_by_class(folder: Path, skipped: list[Path]) -> Files:
    """Pictures in each class folder and below it; what is not a picture is added to `skipped`."""
    files: Files = {}
    for class_folder in _subfolders(folder):
        files[class_folder.name] = []
        for path in sorted(Path(parent, name) for parent, _, names in os.walk(class_folder) for name in names
                           if not name.startswith(".")):
            (files[class_folder.name] if is_picture(path) else skipped).append(path)
    return files


def _notice(skipped: list[Path], root: Path) -> str:
    names = ", ".join(str(path.relative_to(root)) for path in skipped[:5])
    more = f" and {len(skipped) - 5} more" if len(skipped) > 5 else ""
    files = "file" if len(skipped) == 1 else "files"
    return f"Skipped {len(skipped)} {files} that no model can look at: {names}{more}"


def _check(parts: dict[str, Files], root: Path) -> None:
    for split, files in parts.items():
        where = f"'{root}'" if len(parts) == 1 else f"the {split} folder of '{root}'"
        if not any(files.values()):
            raise BadData(f"There are no pictures in class folders in {where}. The layout is {LAYOUT}.")
        if empty := [name for name, paths in files.items() if not paths]:
            raise BadData(f"No pictures in the class folder {' and '.join(map(repr, empty))} of {where}. "
                          "Put some in, or delete the empty folder.")
        if len(files) == 1:
            raise BadData(f"There is only one class, {next(iter(files))!r}, in {where}, but learning to tell "
                          f"apart takes two. The layout is {LAYOUT}.")
        if different := set(files) ^ set(parts["train"]):
            names = " and ".join(map(repr, sorted(different)))
            raise BadData(f"The classes differ between splits of '{root}': {names} only in train or only in "
                          f"{split}. Every split needs the same class folders.")


def _images(files: Files, classes: list[str]) -> Images:
    pairs = [(path, label) for label, name in enumerate(classes) for path in files[name]]
    return Images([path for path, _ in pairs], [label for _, label in pairs], classes)


def _description(cut: list[str]) -> str:
    if not cut:
        return "Pictures in a folder, in splits as they were found."
    return (f"Pictures in a folder. There was no folder for {' and '.join(cut)}, so 15 % of every class were "
            f"cut off the training pictures for each, shuffled with seed {SEED}. If pictures belong together "
            "(the same object, the same day), make the splits yourself and keep those together.")

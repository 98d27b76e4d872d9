"""Pictures of your own: a folder with one subfolder for each class, in splits or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from course_utils.errors import BadData
from course_utils.pretrained.data.images import DataCard, ImageData, Images
from course_utils.pretrained.data.listing import LAYOUT, Files, list_folder
from course_utils.pretrained.data.pictures import is_picture
from course_utils.pretrained.data.splits import SEED, cut_off

SHARES = {"val": 0.15, "test": 0.15}        # of the training pictures, for a split that has no folder
QUIETLY = ("litter", "beside", "nested")    # what is left aside without a word


def read_folder(path: str | Path, *, card: DataCard | None = None) -> ImageData:
    """The data set in a folder, PATH/CLASS/… or PATH/{train,val,test}/CLASS/…, as ImageFolder reads it.

    Splits may also be called valid, validation, training or testing. One that has no folder is cut off the
    training pictures: 15 % of every class, the same pictures every time; the card says so. Files that are not
    pictures are skipped and named in one printed line; hidden files are skipped. Only the beginning of each
    file is read: `audit_folder` reads all of it.

    Args:
        card: what the pictures are; None: the reader's own pictures.
    Raises:
        BadData: there is no such folder, or no pictures, an empty class, fewer than two classes, a class with
            too few pictures to share out, or classes that differ between splits.
    """
    root, _, parts, aside = list_folder(path)
    skipped = [where for why, where in aside if why not in QUIETLY]
    for files in parts.values():
        for name, found in files.items():
            files[name] = list(filter(is_picture, found))
            skipped += sorted(set(found) - set(files[name]))
    if skipped:
        print(_notice(skipped, root))
    for _, trouble, _ in troubles(parts, root):
        raise BadData(trouble)
    classes = sorted(parts["train"])
    splits = {split: labelled(files, classes) for split, files in parts.items()}
    cut, whole = [split for split in SHARES if split not in splits], splits["train"]
    shared = cut_off([classes[label] for label in whole.labels], {split: SHARES[split] for split in cut})
    splits |= {split: whole.subset(positions) for split, positions in shared.items()}
    card = card or own_card(root, _description(cut))
    return ImageData(card, **splits)


def own_card(root: Path, description: str) -> DataCard:
    """What is known of the reader's own pictures."""
    return DataCard(name=f"folder:{root}", title=root.name, kind="your pictures", source=str(root),
                    description=description, licence="not stated")


def _notice(skipped: list[str], root: Path) -> str:
    names = ", ".join(str(Path(path).relative_to(root)) for path in skipped[:5])
    more = f" and {len(skipped) - 5} more" if len(skipped) > 5 else ""
    files = "file" if len(skipped) == 1 else "files"
    return f"Skipped {len(skipped)} {files} that no model can look at: {names}{more}"


def troubles(parts: dict[str, Files], root: Path) -> Iterator[tuple[str, str, list[str]]]:
    """What keeps these pictures from being learned from: its kind, what it is in words, and which classes."""
    for split, files in parts.items():
        where = f"'{root}'" if len(parts) == 1 else f"the {split} folder of '{root}'"
        if not any(files.values()):
            yield ("no pictures", f"There are no pictures in class folders in {where}. The layout is "
                   f"{LAYOUT}.", list(files))
        elif empty := [name for name, paths in files.items() if not paths]:
            yield ("empty class", f"No pictures in the class folder {' and '.join(map(repr, empty))} of "
                   f"{where}. Put some in, or delete the empty folder.", empty)
        if len(files) == 1:
            yield ("one class", f"There is only one class, {next(iter(files))!r}, in {where}, but learning "
                   f"to tell apart takes two. The layout is {LAYOUT}.", list(files))
        if different := sorted(set(files) ^ set(parts["train"])):
            names = " and ".join(map(repr, different))
            yield ("classes differ", f"The classes differ between splits of '{root}': {names} only in train "
                   f"or only in {split}. Every split needs the same class folders.", different)


def labelled(files: Files, classes: list[str]) -> Images:
    """The pictures of some classes as one split."""
    pairs = [(path, label) for label, name in enumerate(classes) for path in files[name]]
    return Images([path for path, _ in pairs], [label for _, label in pairs], classes)


def _description(cut: list[str]) -> str:
    if not cut:
        return "Pictures in a folder, in splits as they were found."
    return (f"Pictures in a folder. There was no folder for {' and '.join(cut)}, so 15 % of every class were "
            f"cut off the training pictures for each, shuffled with seed {SEED}. If pictures belong together "
            "(the same object, the same day), make the splits yourself and keep those together.")

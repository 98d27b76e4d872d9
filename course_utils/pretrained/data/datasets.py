"""Data sets by name: shipped with the course, inside its libraries, downloaded, or folders of your own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from course_utils import paths
from course_utils.errors import CourseError, DamagedFile, unknown_name
from course_utils.pretrained.data.folders import read_folder
from course_utils.pretrained.data.images import DataCard, ImageData, Images
from course_utils.pretrained.data.photo_sets import photo_sets, read_photos
from course_utils.pretrained.data.splits import cut_off

SHIPPED = ("flowers", "defects")
SPLITS = ("train", "val", "test")
CARD = {"title": str, "description": str, "how_made": str, "licence": str, "classes": list, "counts": dict}
FOLDER = "folder:"


def load_dataset(name: str) -> ImageData:
    """A data set in three splits.

    Args:
        name: "flowers" or "defects" (rendered, ship with the course), "faces" (scikit-image's 100 faces and
            100 other cut-outs, 25 × 25 pixels, grey), "digits" (scikit-learn's 1,797 handwritten digits,
            8 × 8 pixels, grey), or "folder:PATH" for pictures of your own (see `read_folder`). Downloaded on
            first use and kept: "flower_photos" (218 MB), "hymenoptera" (ants and bees, 45 MB), "eurosat"
            (satellite pictures, 90 MB) and "pneumoniamnist" (X-rays, 20 MB). With COURSE_PHOTOS=1 in the
            environment, "flowers" is "flower_photos".
    Returns:
        ImageData, the same pictures in the same splits every time.
    Raises:
        UnknownName: the nearest names are given.
        DamagedFile: a shipped picture is missing or not as it was made, or a download came damaged.
        DownloadFailed: photographs did not come.
        BadData: the folder holds nothing that can be learned from.
    """
    if not isinstance(name, str):
        raise CourseError("load_dataset needs the name of a data set, such as 'flowers', but got an object "
                          f"of type {type(name).__name__}. For a folder, type: load_dataset('folder:PATH')")
    if name.startswith(FOLDER):
        return read_folder(name.removeprefix(FOLDER))
    if name == "flowers" and paths.photos():
        name = "flower_photos"
    if name in SHIPPED:
        return _shipped(name)
    if name in IN_LIBRARIES:
        return IN_LIBRARIES[name]()
    if name in (downloaded := photo_sets()):
        return read_photos(downloaded[name])
    raise unknown_name("data set", name, [*SHIPPED, *IN_LIBRARIES, *downloaded],
                       hint="For pictures of your own, type: load_dataset('folder:PATH')")


# Shipped with the course ---------------------------------------------------------------------------

def _shipped(name: str) -> ImageData:
    """data/NAME: the pictures its checksum file lists, each read once and compared (4 MB: some 20 ms)."""
    folder = paths.data() / name
    card = _read_card(folder)
    classes, counts = card["classes"], card["counts"]
    lines = _read(folder, "checksums.sha256").decode(errors="replace").splitlines()
    listed = [line.partition("  ")[::2] for line in lines]               # (digest, path) each
    if len(listed) != sum(counts.values()) * len(classes):
        raise _damaged(folder, "checksums.sha256", "does not list every picture")
    files: dict[str, list[tuple[Path, int]]] = {split: [] for split in counts}
    for digest, path in listed:
        if hashlib.sha256(_read(folder, path)).hexdigest() != digest:
            raise _damaged(folder, path, "is damaged: its bytes are not those that were drawn")
        split, class_name, _ = path.split("/")
        files[split].append((folder / path, classes.index(class_name)))
    splits = {split: Images(*zip(*files[split], strict=True), classes) for split in SPLITS}
    card = DataCard(name=name, title=card["title"], kind="rendered images", source=card["how_made"].strip(),
                    description=card["description"].strip(), licence=card["licence"])
    return ImageData(card, **splits)


def _read_card(folder: Path) -> dict:
    try:
        card = yaml.safe_load(_read(folder, "card.yaml"))
        whole = all(isinstance(card[key], kind) for key, kind in CARD.items())
        whole = whole and set(card["counts"]) == set(SPLITS)
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError):
        whole = False
    if not whole:
        raise _damaged(folder, "card.yaml", "is damaged")
    return card


def _read(folder: Path, path: str) -> bytes:
    try:
        return (folder / path).read_bytes()
    except OSError as error:
        what = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
        raise _damaged(folder, path, what) from None


def _damaged(folder: Path, path: str, what: str) -> DamagedFile:
    return DamagedFile(f"data/{folder.name}/{path} {what}. It ships with the course; to get it back, type in "
                       f"the course's folder: git checkout -- data/{folder.name}")


# Inside the libraries ------------------------------------------------------------------------------

def _faces() -> ImageData:
    # Imported here: scikit-image and scikit-learn take seconds to import that the other sets do not need.
    from skimage.data import lfw_subset

    pixels = (lfw_subset() * 255).round()                                # (200, 25, 25), faces first
    return _from_arrays(
        pixels, [0] * 100 + [1] * 100, ("face", "no face"), {"val": 0.2, "test": 0.2},
        DataCard(name="faces", title="Faces and other cut-outs", kind="photographs",
                 description="100 faces and 100 pieces of photographs without one, 25 × 25 pixels, grey. "
                             "Split 60/20/20 by class with a fixed seed.",
                 source="skimage.data.lfw_subset, from Labeled Faces in the Wild (Huang et al., 2007)",
                 licence="press photographs, for research; distributed with scikit-image"))


def _digits() -> ImageData:
    from sklearn.datasets import load_digits

    digits = load_digits()
    return _from_arrays(
        (digits.images / 16 * 255).round(), digits.target, [str(digit) for digit in range(10)],
        {"val": 0.15, "test": 0.25},
        DataCard(name="digits", title="Handwritten digits", kind="scans",
                 description="1,797 handwritten digits, 8 × 8 pixels, grey, light on dark. "
                             "Split 60/15/25 by class with a fixed seed.",
                 source="sklearn.datasets.load_digits, the test part of UCI's Optical Recognition of "
                        "Handwritten Digits (Alpaydin and Kaynak, 1998)", licence="CC BY 4.0"))


IN_LIBRARIES = {"faces": _faces, "digits": _digits}


def _from_arrays(pixels: np.ndarray, labels: Sequence[int], classes: Sequence[str], shares: dict[str, float],
                 card: DataCard) -> ImageData:
    """Grey pixels (N, H, W), 0 … 255, as a data set in memory."""
    pictures = [Image.fromarray(grey).convert("RGB") for grey in pixels.astype(np.uint8)]
    whole = Images([f"{card.name} {i}" for i in range(len(pictures))], labels, classes, pictures=pictures)
    parts = cut_off([classes[label] for label in labels], shares)
    return ImageData(card, **{split: whole.subset(parts[split]) for split in SPLITS})

"""Write a rendered picture set into data/NAME, whole or not at all; tell whether it is still as written.

    data/NAME/card.yaml                       what it is, how it was made, counts, seed
    data/NAME/checksums.sha256                as sha256sum writes it, and `sha256sum -c` reads it
    data/NAME/{train,val,test}/CLASS/NNN.jpg

Each picture's random numbers are a function of (seed, split, class, index) and of nothing else, so any one
picture can be drawn again alone.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from course_utils import paths
from course_utils.errors import CourseError

Draw = Callable[[str, np.random.Generator], Image.Image]

QUALITY = 82        # JPEG: about 8 kB for 200 × 200 pixels, artefacts below the rendered noise
CARD, CHECKSUMS = "card.yaml", "checksums.sha256"


def picture_rng(seed: int, split: str, class_name: str, index: int) -> np.random.Generator:
    """The random numbers of one picture."""
    place = hashlib.sha256(f"{split}/{class_name}/{index}".encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(place[:8], "big")])


def encode(picture: Image.Image) -> bytes:
    """`picture` as the bytes of the JPEG file that ships."""
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, "JPEG", quality=QUALITY, optimize=True)
    return buffer.getvalue()


def write_shelf(name: str, draw: Draw, classes: Sequence[str], counts: Mapping[str, int], seed: int,
                card: Mapping[str, object]) -> Path:
    """Draw every picture of a set and put the set in place of the one that is there.

    Args:
        draw: called with a class name and that picture's own random generator.
        counts: pictures of each class, by split: {"train": 60, "val": 20, "test": 30}.
        card: title, description, how_made, licence, generator_version; classes, counts and seed are added.
    Returns:
        the folder, data/NAME. If anything fails on the way, the old set stays as it was.
    """
    target = paths.data() / name
    fresh, old = target.with_name(f".{name}.partial"), target.with_name(f".{name}.old")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        for split, count in counts.items():
            for class_name in classes:
                folder = fresh / split / class_name
                folder.mkdir(parents=True)
                for index in range(count):
                    picture = draw(class_name, picture_rng(seed, split, class_name, index))
                    (folder / f"{index:03d}.jpg").write_bytes(encode(picture))
        described = {**card, "classes": list(classes), "counts": dict(counts), "seed": seed}
        (fresh / CARD).write_text(yaml.safe_dump(described, sort_keys=False, allow_unicode=True, width=100),
                                  encoding="utf-8")
        (fresh / CHECKSUMS).write_text(checksums(fresh), encoding="utf-8")
        _exchange(fresh, target, old)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return target


def _exchange(fresh: Path, target: Path, old: Path) -> None:
    """Put `fresh` where `target` is; should the second rename fail, `target` comes back."""
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    try:
        fresh.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def checksums(folder: Path) -> str:
    """One line for each picture, sorted by path."""
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
                   for path in sorted(folder.glob("*/*/*.jpg")))


def damaged(name: str) -> list[str]:
    """What is no longer as written: one sentence for each picture that changed, vanished or was added."""
    folder = paths.data() / name
    read_card(name)     # says so where there is no such set
    written = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
    was, now = ({path: digest for digest, path in (line.split("  ", 1) for line in lines)}
                for lines in (written, checksums(folder).splitlines()))
    return [f"{name}/{path}: {'missing' if path not in now else 'added' if path not in was else 'changed'}"
            for path in sorted(was | now) if was.get(path) != now.get(path)]


def redrawn_differently(name: str, draw: Draw, *, splits: Sequence[str] = ("train", "val", "test"),
                        tolerance: float = 2.0) -> list[str]:
    """Draw the first picture of every class in `splits` again; one sentence for each that differs.

    Args:
        tolerance: allowed mean difference, in levels of 255. Another processor or JPEG library may round
            differently; a different picture usually differs by more than 10.
    """
    folder = paths.data() / name
    card = read_card(name)
    faults = []
    for split, class_name in itertools.product(splits, card["classes"]):
        picture = draw(class_name, picture_rng(card["seed"], split, class_name, 0))
        difference = _mean_difference(encode(picture), folder / split / class_name / "000.jpg")
        if difference > tolerance:
            faults.append(f"{name}/{split}/{class_name}/000.jpg: drawn differently, "
                          f"by {difference:.1f} of 255 levels")
    return faults


def read_card(name: str) -> dict:
    """The card of a shipped set.

    Raises:
        CourseError: there is no such set.
    """
    path = paths.data() / name / CARD
    if not path.is_file():
        raise CourseError(f"There is no rendered set {name!r} in {paths.data()}. "
                          f"Type: python -m tools.render {name}")
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _mean_difference(jpeg: bytes, shipped: Path) -> float:
    with Image.open(io.BytesIO(jpeg)) as fresh, Image.open(shipped) as stored:
        if fresh.size != stored.size:
            return 255.0
        return float(np.abs(np.asarray(fresh, np.int16) - np.asarray(stored.convert("RGB"), np.int16)).mean())

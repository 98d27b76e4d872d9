"""Looking at every file once: whether it is a picture that can be used, what is odd, and what it shows."""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from course_utils.errors import BadImage, first_line
from course_utils.pretrained.audit.likeness import SIDE, shrunk, sketches
from course_utils.pretrained.data.batches import DECODERS
from course_utils.pretrained.data.pictures import UNREADABLE, as_rgb, check_size, opened

CHUNK, AHEAD = 32, 4               # files looked at in one go; goes under way while one is waited for
ENOUGH = 2 * SIDE                  # pixels a side that a sketch needs: of a large JPEG no more are decoded
IN_MEMORY = 64 * 2**20             # bytes; of a larger file, perhaps a film, only what is needed is read
ORIENTATION, MAKE, MODEL = 0x0112, 0x010F, 0x0110          # numbers of EXIF notes
STANDARD_MEAN = 57.625             # of JPEG's table for brightness at quality 50

File = tuple[str, str, str]        # its path below the folder that is audited, its split, its class


@dataclass(frozen=True, slots=True)
class Look:
    """What a file turned out to be. Of one that cannot be used, `trouble` and `note` say why."""

    path: str                       # below the folder
    split: str
    label: str                      # its class
    trouble: str = ""               # the kind of BadImage
    late: bool = False              # it shows only when pixels are decoded
    note: str = ""
    digest: bytes = b""             # the same for the same bytes
    size: tuple[int, int] = (0, 0)  # width and height as stored
    format: str = ""
    quality: int | None = None      # of a JPEG, as far as its table for brightness tells
    camera: str = ""
    grey: bool = False
    oddities: tuple[str, ...] = ()


Looks = tuple[list[Look], np.ndarray, np.ndarray]


def look_at_all(root: str, files: Sequence[File]) -> Looks:
    """Each file read and decoded once, in two threads. No picture is kept, nothing is written.

    Returns:
        what each is, its hash, (N,) uint64, and its sketch, (N, 256) int8; of no meaning where there is none.
    """
    pool = ThreadPoolExecutor(DECODERS, thread_name_prefix="audit")
    under_way: deque[Future[Looks]] = deque()
    _outside.cache_clear()                      # links may lead elsewhere than last time
    done = [_look_at_some(root, [])]
    with warnings.catch_warnings(), tqdm(total=len(files), desc="Audit", unit="file", delay=2,
                                         leave=False) as bar:
        warnings.simplefilter("ignore")         # what Pillow warns of, findings say in their own words
        try:
            for start in range(0, len(files), CHUNK):
                under_way.append(pool.submit(_look_at_some, root, files[start:start + CHUNK]))
                if len(under_way) > AHEAD:
                    done.append(under_way.popleft().result())
                    bar.update(CHUNK)
            done += [future.result() for future in under_way]
        finally:        # also where the caller was interrupted
            pool.shutdown(wait=True, cancel_futures=True)
    looks, hashes, drawn = zip(*done, strict=True)
    return list(chain(*looks)), np.concatenate(hashes), np.concatenate(drawn)


def _look_at_some(root: str, files: Sequence[File]) -> Looks:
    small = np.zeros((len(files), SIDE, SIDE), np.uint8)
    return [_look_at(root, file, small[i]) for i, file in enumerate(files)], *sketches(small)


def _look_at(root: str, file: File, small: np.ndarray) -> Look:
    """One file; the picture in it, shrunk, is written into `small`."""
    path, size, decoding = os.path.join(root, file[0]), (0, 0), False
    try:
        with _content(path) as content:
            try:
                with opened(content, path) as image:
                    size = image.size
                    check_size(image, path)
                    decoding, facts = True, _facts(image)
                    image.draft(None, (ENOUGH, ENOUGH))
                    small[:] = shrunk(as_rgb(image, path))
                    camera, turned = _notes_of_camera(image)
            except BadImage as error:
                return Look(*file, error.kind, decoding, _note(error, content, size))
            content.seek(0)
            digest = hashlib.file_digest(content, "sha256").digest()
    except OSError as error:
        return Look(*file, "unreadable", note=first_line(error).lower())
    outside = _outside(root, path if os.path.islink(path) else os.path.dirname(path))
    odd = facts.pop("odd") + ["turned"] * turned + ["outside"] * outside
    return Look(*file, digest=digest, size=size, camera=camera, oddities=tuple(odd), **facts)


@contextmanager
def _content(path: str) -> Iterator[BinaryIO]:
    with open(path, "rb") as file:
        small = os.fstat(file.fileno()).st_size <= IN_MEMORY
        yield io.BytesIO(file.read()) if small else file


def _facts(image: Image.Image) -> dict:
    """What the header tells of how the picture is stored."""
    frames = False
    with suppress(*UNREADABLE):
        frames = getattr(image, "is_animated", False)
    deep = image.mode.startswith("I;16") or (image.format == "PNG" and ";16" in str(image.tile))
    table = getattr(image, "quantization", None)
    odd = {"frames": frames, "cmyk": image.mode == "CMYK", "16 bits": deep,
           "transparent": image.has_transparency_data}
    return {"format": "JPEG" if image.format == "MPO" else image.format, "quality": table and _quality(table),
            "grey": image.mode[0] in "1LI", "odd": [name for name, true in odd.items() if true]}


def _quality(tables: dict[int, Sequence[int]]) -> int:
    """JPEG's quality, 1 … 100, by how much its table for brightness differs from the standard's."""
    scale = 100 * sum(tables[min(tables)]) / 64 / STANDARD_MEAN
    return max(1, round(100 - scale / 2 if scale <= 100 else 5000 / scale))


def _notes_of_camera(image: Image.Image) -> tuple[str, bool]:
    """The camera's name, and whether it noted that the picture must be turned."""
    try:
        notes = image.getexif()
        names = [str(notes[key]).strip(" \0") for key in (MAKE, MODEL) if key in notes]
        return " ".join(names), notes.get(ORIENTATION, 1) in range(2, 9)
    except UNREADABLE:          # broken notes are no reason to refuse good pixels
        return "", False


def _note(error: BadImage, content: BinaryIO, size: tuple[int, int]) -> str:
    """What was found instead of a picture that can be used, in a few words."""
    if error.kind in ("damaged", "unreadable"):
        return first_line(error.__cause__).lower()
    if error.kind != "no picture":
        return "{:,} × {:,} pixels".format(*size) if any(size) else ""
    content.seek(0)
    start = content.read(512)
    if start.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return "a web page"
    broken = start.decode("utf-8", "replace").count("\ufffd")       # one, where a letter is cut in two
    return "0 bytes" if not start else "text" if b"\0" not in start and broken <= 1 else ""


@lru_cache(maxsize=1024)
def _outside(root: str, place: str) -> bool:
    """Whether a folder, or a link to a file, leads out of the folder that is audited."""
    return not Path(place).resolve().is_relative_to(os.path.realpath(root))

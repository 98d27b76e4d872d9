"""Opening pictures: any usual file becomes upright RGB, or is refused by name."""

from __future__ import annotations

import struct
from os import PathLike, fspath
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from course_utils.errors import BadImage, CourseError

# Named, because Pillow would otherwise also try formats that start other programs, such as EPS.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
SMALLEST = 8                     # pixels on the shorter side: scikit-learn's digits are as small as that
LONGEST = 32                     # times the shorter side; the middle square of a strip shows nothing
MOST_PIXELS = 100_000_000        # 300 MB once decoded; a tiny file can claim far more

# What Pillow raises for files that are broken in one way or another.
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error, IndexError, TypeError, KeyError,
              OverflowError, MemoryError, ZeroDivisionError)


def open_image(source: str | PathLike | BinaryIO, *, at_least: int | None = None) -> Image.Image:
    """The picture in a file, as it should be seen: RGB, 8 bits, upright.

    A camera's note on rotation is followed. Transparent parts become white. 16-bit grey is scaled to
    8 bits. CMYK becomes RGB, also where Adobe's programs stored it inverted. Of an animation, the first
    frame is taken.

    Args:
        source: a path, or a file opened for reading bytes.
        at_least: pixels of each side that are enough. A larger JPEG is then decoded at 1/2, 1/4 or 1/8 of its
            size if that leaves as many, in a fraction of the time. None decodes the whole.
    Raises:
        BadImage: the file is missing, empty, cut off or no picture (JPEG, PNG, WebP, BMP, GIF, TIFF, PPM);
            the picture is under 8 pixels on a side, a strip over 32 times longer than wide, or over
            100 million pixels; or its pixels have no fixed range (32 bits, floating point).
    """
    name = _name(source)
    with opened(source, name) as image:
        if at_least:
            check_size(image, name)
            image.draft(None, (at_least, at_least))
        return as_rgb(image, name)


def as_rgb(image: Image.Image, name: str = "This picture") -> Image.Image:
    """`image` as `open_image` gives it, from a picture that Pillow has opened already."""
    check_size(image, name)
    try:
        image.load()
        return _rgb(_upright(image), name)
    except BadImage:
        raise
    except UNREADABLE as error:
        raise BadImage(f"{name} is damaged or cut off: {_reason(error)}. Copy or download it again, "
                       "or take it out of the folder.") from error


def is_picture(path: str | PathLike) -> bool:
    """Whether the file's beginning is that of a picture `open_image` may take. Pixels are not decoded."""
    try:
        with opened(path, _name(path)) as image:
            check_size(image, "")
    except BadImage:
        return False
    return True


def opened(source: str | PathLike | BinaryIO, name: str) -> Image.Image:
    """The picture in a file with its header read, no pixel yet; BadImage where there is none."""
    try:
        return Image.open(source, formats=FORMATS)
    except FileNotFoundError:
        raise BadImage(f"There is no file {name}.", "missing") from None
    except UnidentifiedImageError:
        raise BadImage(f"{name} is not a picture in one of the formats {', '.join(FORMATS)}. "
                       "Save it as JPEG or PNG, or take it out of the folder.", "no picture") from None
    except Image.DecompressionBombError as error:
        raise BadImage(_too_large(name), "too large") from error
    except UNREADABLE as error:
        raise BadImage(f"{name} cannot be read: {_reason(error)}.", "unreadable") from error


def check_size(image: Image.Image, name: str) -> None:
    """Refuse what no model can use, whatever its pixels hold."""
    short, long = sorted(image.size)
    shape = f"{image.width} × {image.height} pixels"
    if short < SMALLEST:
        raise BadImage(f"{name} has {shape}, but a picture needs at least {SMALLEST} on each side to show "
                       "anything. Take it out of the folder.", "too small")
    if long > LONGEST * short:
        raise BadImage(f"{name} has {shape}: a strip, of which a model would see one small square. Cut the "
                       "part that matters out of it.", "strip")
    if short * long > MOST_PIXELS:
        raise BadImage(_too_large(name), "too large")


def _too_large(name: str) -> str:
    return (f"{name} has, or claims to have, more than {MOST_PIXELS // 10**6} million pixels. "
            "If it is a real picture, make it smaller first; models look at a few hundred pixels a side.")


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except UNREADABLE:
        return image        # a broken note on rotation is no reason to refuse good pixels


def _rgb(image: Image.Image, name: str) -> Image.Image:
    if image.mode.startswith("I;16"):
        return _from_16_bits(image)
    if image.mode in ("I", "F"):
        raise BadImage(f"{name} holds 32-bit numbers, and nothing says which of them is black and which "
                       "white. Scale them to 0 … 255 and save them as PNG.", "no range")
    if not image.has_transparency_data:
        return image.convert("RGB")
    over_white = Image.new("RGBA", image.size, "white")
    over_white.alpha_composite(image.convert("RGBA"))
    return over_white.convert("RGB")


def _from_16_bits(image: Image.Image) -> Image.Image:
    """0 … 65535 to 0 … 255. Pillow's own convert("L") would clip everything above 255 to white."""
    values = np.asarray(image, dtype=np.uint16)                        # (H, W)
    return Image.fromarray((values // 257).astype(np.uint8)).convert("RGB")


def _name(source: object) -> str:
    if isinstance(source, (str, PathLike)):
        return f"'{fspath(source)}'"
    if callable(getattr(source, "read", None)):
        return f"'{source.name}'" if isinstance(getattr(source, "name", None), str) else "This file"
    raise CourseError("open_image needs the path of a picture, or a file opened with open(path, 'rb'), but "
                      f"got an object of type {type(source).__name__}.")


def _reason(error: BaseException) -> str:
    """What the operating system or Pillow found, without its own mention of the file."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text.splitlines()[0].rstrip(".").lower()

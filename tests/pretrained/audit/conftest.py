"""Folders to audit: a clean one, and one that holds one of everything that goes wrong."""

from __future__ import annotations

import os
import shutil
import struct
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from course_utils import paths
from course_utils.pretrained import Audit, audit_folder

NOBODY = 65534


def scene(seed: int, size: tuple[int, int] = (160, 120)) -> Image.Image:
    """A picture unlike any other: soft blots of colour, and some grain."""
    rng = np.random.default_rng(seed)
    blots = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    blots = blots.resize(size, Image.Resampling.BICUBIC)
    grain = rng.integers(-8, 9, (size[1], size[0], 1))
    return Image.fromarray(np.clip(np.asarray(blots, np.int16) + grain, 0, 255).astype(np.uint8))


def put(image: Image.Image, path: Path, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
    return path


def make(root: Path, counts: dict[str, int], first: int = 0, **options: object) -> Path:
    """A folder of scenes: {"train/rose": 4} makes four, no file name twice."""
    seed = first
    for folder, count in counts.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        for _ in range(count):
            put(scene(seed), root / folder / f"{seed:04d}.jpg", quality=90, **options)
            seed += 1
    return root


def findings(audit: Audit, kind: str) -> list:
    return [found for found in audit.findings if found.kind == kind]


@pytest.fixture(name="scene", scope="session")
def scene_fixture():
    return scene


@pytest.fixture(name="put", scope="session")
def put_fixture():
    return put


@pytest.fixture(name="make", scope="session")
def make_fixture():
    return make


@pytest.fixture(name="findings", scope="session")
def findings_fixture():
    return findings


@pytest.fixture(scope="session")
def photographs() -> Path:
    """The folder of real photographs."""
    folder = paths.test_photos()
    if not (folder / "flowers").is_dir():
        pytest.skip(f"needs photographs in {folder}; COURSE_TEST_PHOTOS names another folder")
    return folder


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without root's right to read everything. Whoever is not root stays who they are."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture(name="as_nobody", scope="session")
def as_nobody_fixture():
    return as_nobody


# One of everything ------------------------------------------------------------------------------------

def bomb() -> bytes:
    """A PNG of a hundred bytes that claims 60,000 × 60,000 pixels."""
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100))


def make_bad_folder(root: Path, elsewhere: Path) -> None:
    """What tests/pretrained/audit/test_bad_folder.py lists, among 24 good pictures."""
    make(root, {"rose": 12, "tulip": 12})
    rose, tulip = root / "rose", root / "tulip"
    # no pictures
    (rose / "zero.jpg").touch()
    whole = (rose / "0000.jpg").read_bytes()
    (rose / "truncated.jpg").write_bytes(whole[:len(whole) // 2])
    (rose / "notes.jpg").write_text("These are notes, größtenteils.", encoding="utf-8")
    (rose / "page.png").write_text("<!DOCTYPE html><html><body>404</body></html>")
    (rose / "bomb.png").write_bytes(bomb())
    put(Image.new("RGB", (1, 1)), rose / "pixel.png")
    put(scene(100, (20_000, 10)), rose / "panorama.png")
    put(Image.new("F", (40, 40), 0.5), rose / "float.tiff")
    put(scene(101), rose / "secret.jpg").chmod(0)
    make(root, {"tulip/locked": 1}, first=102)
    (tulip / "locked").chmod(0)
    # odd pictures
    put(scene(110), rose / "animated.gif", save_all=True, append_images=[scene(111)])
    put(scene(112).convert("CMYK"), rose / "printed.jpg")
    deep = np.asarray(scene(113).convert("L"), np.uint16) * 257
    put(Image.fromarray(deep), rose / "deep.png")
    put(scene(114).convert("P"), rose / "palette.png", transparency=0)
    exif = Image.Exif()
    exif[0x0112] = 6
    put(scene(115), rose / "lying.jpg", exif=exif)
    put(scene(116, (900, 700)), rose / "huge.jpg")
    # links
    put(scene(120), elsewhere / "far.jpg")
    (rose / "far.jpg").symlink_to(elsewhere / "far.jpg")
    (rose / "self.jpg").symlink_to("self.jpg")
    (rose / "back").symlink_to(root, target_is_directory=True)
    (root / "again").symlink_to(root, target_is_directory=True)
    os.mkfifo(rose / "pipe.jpg")
    # litter, and what is of no class
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", ".hidden.jpg", "__MACOSX/._0000.jpg"):
        (rose / name).parent.mkdir(exist_ok=True)
        (rose / name).write_bytes(b"litter")
    put(scene(121), root / "stray.jpg")
    # names
    names = ["with space.jpg", "quote\"'s.jpg", "line\nbreak.jpg", "rose 🌹.jpg", "UPPER.JPG"]
    for seed, name in enumerate([*names, os.fsdecode(b"not \xff\xfe utf-8.jpg")], start=130):
        put(scene(seed), tulip / name)
    put(scene(140), rose / "IMG_1.jpg")
    put(scene(141), tulip / "IMG_1.jpg")
    # classes
    (root / "empty").mkdir()
    put(scene(150), root / "single" / "only.jpg")
    make(root, {"rose/monday": 2}, first=151)
    # copies
    shutil.copy(tulip / "0012.jpg", tulip / "copy.jpg")
    put(scene(13).resize((80, 60)), tulip / "smaller.png")
    shutil.copy(rose / "0001.jpg", tulip / "mislabelled.jpg")


@pytest.fixture(scope="session")
def bad_folder() -> Iterator[Path]:
    """The folder with one of everything, where an account without rights can come as well."""
    place = Path(tempfile.mkdtemp(prefix="course-bad-"))
    place.chmod(0o755)
    make_bad_folder(place / "bad", place / "elsewhere")
    yield place / "bad"
    (place / "bad/tulip/locked").chmod(0o755)
    shutil.rmtree(place)


@pytest.fixture(scope="session")
def bad_audit(bad_folder) -> Audit:
    with as_nobody():
        return audit_folder(bad_folder)

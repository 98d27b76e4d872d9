"""Looking: each file is read and decoded once, in two threads; nothing is kept, and Ctrl-C leaves nothing."""

from __future__ import annotations

import builtins
import io
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from course_utils import paths
from course_utils.errors import BadImage
from course_utils.pretrained import audit_folder
from course_utils.pretrained.audit import looking
from course_utils.pretrained.audit.likeness import SIDE
from course_utils.pretrained.audit.on_files import TROUBLES
from course_utils.pretrained.data.pictures import open_image


def test_each_file_is_opened_and_decoded_once_in_two_threads(tmp_path, make, monkeypatch):
    make(tmp_path, {"rose": 60, "tulip": 60})
    opened, decoded, threads = Counter(), Counter(), set()
    really_open, really_load = builtins.open, ImageFile.ImageFile.load

    def counting_open(path, *args, **options):
        if str(path).startswith(str(tmp_path)):
            opened[str(path)] += 1
            threads.add(threading.get_ident())
        return really_open(path, *args, **options)

    def counting_load(image):
        if image.tile:                          # not decoded yet
            decoded[id(image)] += 1
        return really_load(image)

    monkeypatch.setattr(looking, "CHUNK", 2)
    monkeypatch.setattr(builtins, "open", counting_open)
    monkeypatch.setattr(ImageFile.ImageFile, "load", counting_load)
    audit_folder(tmp_path)
    assert len(opened) == 120 and set(opened.values()) == {1}
    assert decoded.total() == 120 and len(threads) == 2


def look(path):
    small = np.zeros((SIDE, SIDE), np.uint8)
    return looking._look_at(str(path.parent), (path.name, "train", "rose"), small)


KINDS = ("JPEG", "progressive JPEG", "PNG", "GIF", "BMP", "TIFF")


@pytest.fixture(scope="module")
def whole(scene):
    """A large photograph in each usual format, as bytes."""
    found, options = {}, {"progressive JPEG": {"progressive": True}, "TIFF": {"compression": "tiff_lzw"}}
    for name in KINDS:
        scene(0, (640, 480)).save(buffer := io.BytesIO(), name.split()[-1], **options.get(name, {}))
        found[name] = buffer.getvalue()
    return found


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(max_examples=60, deadline=None)
@given(kind=st.sampled_from(KINDS), at=st.floats(0, 1))
def test_a_file_cut_anywhere_is_judged_as_open_image_judges_it(tmp_path_factory, whole, kind, at):
    """Although of a large JPEG only a fraction is decoded."""
    path = tmp_path_factory.mktemp("cut") / "picture"
    path.write_bytes(whole[kind][:round(at * len(whole[kind]))])
    try:
        open_image(path)
        refused = ""
    except BadImage as error:
        refused = error.kind
    assert look(path).trouble == refused


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(max_examples=200, deadline=None)
@given(kind=st.sampled_from(KINDS), early=st.booleans(),
       flips=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=20))
def test_no_damage_ends_an_audit(tmp_path_factory, whole, kind, flips, early):
    """Bytes that differ anywhere, or in the first 400, where the header is."""
    content = bytearray(whole[kind])
    for at, value in flips:
        content[round(at * ((400 if early else len(content)) - 1))] = value
    path = tmp_path_factory.mktemp("flipped") / "picture"
    path.write_bytes(content)
    try:
        open_image(path)
        refused = ""
    except BadImage as error:
        refused = error.kind
    found = look(path)
    assert found.trouble == refused and (not refused or refused in TROUBLES)


@pytest.mark.parametrize("quality", [25, 40, 75, 90, 100])
def test_the_quality_of_a_jpeg_is_estimated(tmp_path, put, scene, quality):
    assert look(put(scene(0), tmp_path / "a.jpg", quality=quality)).quality == pytest.approx(quality, abs=2)


def test_a_png_has_no_jpeg_quality(tmp_path, put, scene):
    assert look(put(scene(0), tmp_path / "a.png")).quality is None


def test_broken_notes_of_a_camera_are_no_reason_to_refuse(tmp_path, put, scene):
    found = look(put(scene(0), tmp_path / "a.jpg", exif=b"Exif\x00\x00garbage that is no TIFF header"))
    assert found.trouble == "" and found.camera == ""


def test_a_large_file_is_not_read_into_memory_and_judged_alike(tmp_path, put, scene, monkeypatch):
    path = put(scene(0), tmp_path / "a.png")
    small = look(path)
    monkeypatch.setattr(looking, "IN_MEMORY", 10)
    assert look(path) == small
    path.write_bytes(path.read_bytes()[:2000])
    assert look(path).trouble == "damaged"


def test_a_16_bit_colour_picture_is_told(tmp_path):
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    row = b"\0" + b"\x12\x34" * 3 * 16
    path = tmp_path / "deep.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 16, 16, 2, 0, 0, 0))
                     + chunk(b"IDAT", zlib.compress(row * 16)) + chunk(b"IEND", b""))
    assert look(path).oddities == ("16 bits",)


@pytest.mark.filterwarnings("error")
def test_pillow_warns_of_nothing(tmp_path, make):
    make(tmp_path, {"rose": 3, "tulip": 3})
    Image.new("1", (10_000, 9_500)).save(tmp_path / "rose" / "large.png")      # would be warned of
    assert "rose/large.png" in {picture.path for picture in audit_folder(tmp_path).pictures}


INTERRUPTED = """
import sys, threading, time
from course_utils.pretrained import audit_folder
print("ready", flush=True)
try:
    audit_folder(sys.argv[1])
except KeyboardInterrupt:
    print("interrupted", [t.name for t in threading.enumerate() if t.name.startswith("audit")], flush=True)
"""


def test_ctrl_c_ends_it_and_leaves_nothing(tmp_path, scene, put):
    for number in range(400):                                       # PNGs of 3 megapixels: a minute's work
        (tmp_path / "rose").mkdir(exist_ok=True)
        if number == 0:
            put(scene(0, (2000, 1500)), tmp_path / "rose/0.png")
        else:
            os.link(tmp_path / "rose/0.png", tmp_path / f"rose/{number}.png")
    before = sorted(tmp_path.rglob("*"))
    process = subprocess.Popen([sys.executable, "-c", INTERRUPTED, str(tmp_path)], stdout=subprocess.PIPE,
                               text=True, cwd=paths.repository())
    assert process.stdout.readline() == "ready\n"
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    assert said == "interrupted []\n" and process.returncode == 0
    assert sorted(tmp_path.rglob("*")) == before

"""Any usual picture file is read right, or refused by name."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from course_utils.errors import BadImage, CourseError
from course_utils.pretrained.data.pictures import is_picture, open_image

RED, GREEN, WHITE = (255, 0, 0), (0, 128, 0), (255, 255, 255)


def saved(path, image, **options):
    image.save(path, **options)
    return path


def plain(mode="RGB", size=(40, 24), colour=RED):
    return Image.new(mode, size, colour)


def near(pixel, expected, tolerance=6):
    return max(abs(a - b) for a, b in zip(pixel, expected, strict=True)) <= tolerance


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "bmp", "gif", "tiff", "ppm"])
def test_every_usual_format_becomes_rgb(tmp_path, suffix):
    image = open_image(saved(tmp_path / f"a.{suffix}", plain()))
    assert image.mode == "RGB" and image.size == (40, 24)
    assert near(image.getpixel((5, 5)), RED)


def test_a_file_object_is_read_like_its_path(tmp_path):
    path = saved(tmp_path / "a.png", plain())
    with path.open("rb") as file:
        assert open_image(file).tobytes() == open_image(path).tobytes()


def test_an_animation_gives_its_first_frame(tmp_path):
    path = saved(tmp_path / "a.gif", plain(), save_all=True, append_images=[plain(colour=GREEN)])
    assert near(open_image(path).getpixel((5, 5)), RED)


def test_cmyk_inverted_as_adobe_stores_it_keeps_its_colours(tmp_path):
    path = saved(tmp_path / "a.jpg", plain().convert("CMYK"), quality=95)
    assert b"Adobe" in path.read_bytes()
    assert near(open_image(path).getpixel((5, 5)), RED)


def test_cmyk_stored_as_it_is_keeps_its_colours(tmp_path):
    path = saved(tmp_path / "a.tiff", plain().convert("CMYK"))
    assert open_image(path).getpixel((5, 5)) == RED


def test_grey_becomes_three_equal_channels(tmp_path):
    assert open_image(saved(tmp_path / "a.png", plain("L", colour=77))).getpixel((3, 3)) == (77, 77, 77)


def test_black_and_white_keeps_its_white(tmp_path):
    assert open_image(saved(tmp_path / "a.png", plain("1", colour=1))).getpixel((3, 3)) == WHITE


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_16_bits_are_scaled(tmp_path, suffix):
    ramp = np.repeat(np.linspace(0, 65535, 64, dtype=np.uint16)[None], 16, axis=0)      # (16, 64)
    path = saved(tmp_path / f"a.{suffix}", Image.fromarray(ramp))
    values = np.asarray(open_image(path))[8, :, 0]
    np.testing.assert_allclose(values, np.linspace(0, 255, 64), atol=1)


def test_16_bits_by_pillow_alone_would_be_clipped(tmp_path):
    """The twin: why open_image has its own way."""
    path = saved(tmp_path / "a.png", Image.fromarray(np.full((16, 16), 30000, dtype=np.uint16)))
    with Image.open(path) as image:
        assert image.convert("RGB").getpixel((3, 3)) == WHITE
    assert open_image(path).getpixel((3, 3)) == (116, 116, 116)


def test_transparent_parts_become_white(tmp_path):
    image = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 10, 20))
    opened = open_image(saved(tmp_path / "a.png", image))
    assert opened.getpixel((2, 2)) == RED and opened.getpixel((15, 2)) == WHITE


def test_half_transparent_red_over_white_is_pink(tmp_path):
    opened = open_image(saved(tmp_path / "a.png", Image.new("RGBA", (20, 20), (255, 0, 0, 128))))
    assert near(opened.getpixel((2, 2)), (255, 127, 127), 1)


def test_a_transparent_colour_of_a_palette_becomes_white(tmp_path):
    image = Image.new("P", (20, 20), 0)
    image.putpalette([0, 0, 255, 255, 0, 0])
    image.paste(1, (0, 0, 10, 20))
    opened = open_image(saved(tmp_path / "a.png", image, transparency=0))
    assert opened.getpixel((2, 2)) == RED and opened.getpixel((15, 2)) == WHITE


def test_an_opaque_palette_keeps_its_colours(tmp_path):
    image = Image.new("P", (20, 20), 0)
    image.putpalette([0, 128, 0])
    assert open_image(saved(tmp_path / "a.png", image)).getpixel((15, 2)) == GREEN


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_grey_and_colour_with_alpha_are_both_rgb(tmp_path, mode):
    assert open_image(saved(tmp_path / "a.png", Image.new(mode, (20, 20)))).mode == "RGB"


def test_a_rotated_photograph_stands_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6                                                    # turn a quarter clockwise to see it
    lying = Image.new("RGB", (40, 24), "white")
    lying.paste(RED, (0, 0, 10, 24))                                    # red at the left…
    upright = open_image(saved(tmp_path / "a.jpg", lying, exif=exif, quality=95))
    assert upright.size == (24, 40)
    assert near(upright.getpixel((12, 3)), RED) and near(upright.getpixel((12, 36)), WHITE)     # …is the top


def test_a_photograph_without_a_note_stays_as_it_is(tmp_path):
    assert open_image(saved(tmp_path / "a.jpg", plain())).size == (40, 24)


def test_a_broken_note_on_rotation_does_not_lose_the_picture(tmp_path):
    path = saved(tmp_path / "a.jpg", plain(), exif=b"Exif\x00\x00garbage that is no TIFF header")
    assert open_image(path).size == (40, 24)


# Refused by name -----------------------------------------------------------------------------------

def bomb() -> bytes:
    """A PNG of 33 bytes and some that claims 60,000 × 60,000 pixels."""
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100))


def as_bytes(image, kind="PNG") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
REFUSED = {
    "empty.jpg": (b"", "not a picture"),
    "notes.jpg": (b"these are notes", "not a picture"),
    "page.png": (b"<html><body>404</body></html>", "not a picture"),
    "cut-off.jpg": (as_bytes(NOISE, "JPEG")[:1500], "damaged or cut off"),
    "cut-off.png": (as_bytes(NOISE)[:1500], "damaged or cut off"),
    "cut-off.webp": (as_bytes(NOISE, "WEBP")[:300], ""),
    "head-only.jpg": (as_bytes(NOISE, "JPEG")[:20], ""),
    "one-pixel-wide.png": (as_bytes(Image.new("RGB", (1, 400))), "1 × 400 pixels"),
    "seven.png": (as_bytes(Image.new("RGB", (7, 7))), "at least 8"),
    "strip.png": (as_bytes(Image.new("RGB", (8, 300))), "a strip"),
    "bomb.png": (bomb(), "100 million pixels"),
    "float.tiff": (as_bytes(Image.new("F", (20, 20), 0.5), "TIFF"), "32-bit numbers"),
    "drawing.eps": (as_bytes(plain(), "EPS"), "not a picture"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_model_can_use_is_refused_by_name(tmp_path, name):
    content, reason = REFUSED[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadImage) as refusal:
        open_image(path)
    assert name in str(refusal.value) and reason in str(refusal.value)


def test_eight_pixels_are_enough(tmp_path):
    assert open_image(saved(tmp_path / "a.png", plain(size=(8, 8)))).size == (8, 8)


def test_too_many_pixels_are_refused_below_pillows_own_limit(tmp_path):
    path = saved(tmp_path / "large.png", Image.new("1", (10_001, 10_000)))
    with pytest.warns(Image.DecompressionBombWarning), pytest.raises(BadImage, match="100 million"):
        open_image(path)


def test_a_missing_file_and_a_folder_are_refused_by_name(tmp_path):
    with pytest.raises(BadImage, match=r"no file .*rose\.jpg"):
        open_image(tmp_path / "rose.jpg")
    with pytest.raises(BadImage, match=tmp_path.name):
        open_image(tmp_path)


def test_what_is_no_file_is_refused_in_words():
    with pytest.raises(CourseError, match=r"path of a picture.*ndarray"):
        open_image(np.zeros((20, 20, 3)))


def test_a_picture_is_told_by_its_content_not_its_name(tmp_path):
    disguised = saved(tmp_path / "picture.txt", plain(), format="PNG")
    notes = tmp_path / "notes.jpg"
    notes.write_text("these are notes")
    assert is_picture(disguised) and not is_picture(notes)
    assert not is_picture(saved(tmp_path / "thin.png", plain(size=(1, 50))))


@pytest.mark.parametrize("size, at_least, decoded", [
    ((1600, 1200), 300, (400, 300)), ((1600, 1200), 301, (800, 600)), ((1200, 4800), 600, (600, 2400)),
    ((9600, 2400), 100, (1200, 300)), ((400, 300), 300, (400, 300)), ((100, 80), 300, (100, 80)),
    ((1600, 1200), None, (1600, 1200))])
def test_a_large_jpeg_is_decoded_at_a_fraction_but_no_smaller_than_asked(tmp_path, size, at_least, decoded):
    path = saved(tmp_path / "a.jpg", plain(size=size))
    assert open_image(path, at_least=at_least).size == decoded


def test_other_formats_are_decoded_whole_and_cmyk_stays_right(tmp_path):
    assert open_image(saved(tmp_path / "a.png", plain(size=(800, 600))), at_least=100).size == (800, 600)
    cmyk = open_image(saved(tmp_path / "a.jpg", plain("CMYK", (800, 600), (0, 255, 255, 0))), at_least=100)
    assert cmyk.size == (200, 150)
    assert near(cmyk.getpixel((50, 50)), RED, 12)


def test_a_camera_held_upright_is_followed_in_a_decoded_fraction_too(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6                            # turn by 90° to see it upright
    path = saved(tmp_path / "a.jpg", plain(size=(1600, 1200)), exif=exif)
    assert open_image(path, at_least=300).size == (300, 400)


def test_too_many_pixels_are_refused_however_few_are_asked_for(tmp_path):
    path = saved(tmp_path / "large.jpg", Image.new("L", (10_001, 10_000)))
    with pytest.warns(Image.DecompressionBombWarning), pytest.raises(BadImage, match="100 million"):
        open_image(path, at_least=300)

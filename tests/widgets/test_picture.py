"""Predictions beside their picture."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from course_utils.errors import CourseError
from course_utils.pretrained import Prediction
from course_utils.widgets import predictions

SAID = [Prediction("tiger cat", 282, 0.39), Prediction("tabby", 281, 0.1725)]


def test_the_picture_travels_as_png_of_at_most_320_pixels():
    panel = predictions(Image.new("RGB", (1600, 400)), SAID, alt="a cat")
    sent = Image.open(io.BytesIO(panel.png))
    assert sent.format == "PNG" and sent.size == (320, 80)


def test_a_small_picture_is_not_blown_up():
    sent = Image.open(io.BytesIO(predictions(Image.new("L", (20, 30)), SAID).png))
    assert sent.size == (20, 30)


def test_every_bar_has_its_number_as_text():
    panel = predictions(Image.new("RGB", (8, 8)), SAID, alt="a cat")
    assert [percent for _, _, percent in panel.bars] == ["39.0%", "17.2%"]
    assert panel.text().splitlines()[0] == "a cat. The model says:"
    assert "tiger cat   39.0%" in panel.text()


def test_a_picture_without_words_still_has_alt_text():
    assert predictions(Image.new("RGB", (8, 8)), SAID).alt


@pytest.mark.parametrize("image, said, words", [
    ([[0, 1]], SAID, "PIL picture, but got list"),
    (Image.new("RGB", (8, 8)), [], "top_k"),
])
def test_what_cannot_be_drawn_is_refused_in_words(image, said, words):
    with pytest.raises(CourseError, match=words):
        predictions(image, said)

"""Still pictures carry words for those who do not see them."""

from __future__ import annotations

import pytest
from PIL import Image

from course_utils.widgets import show_figure, show_pictures

RED = Image.new("RGB", (40, 30), "red")


def test_each_picture_has_its_caption_as_alt_text():
    shown = show_pictures([RED, RED], ["daisy", "rose"], alt="rendered flower")
    assert 'alt="rendered flower: daisy"' in shown._repr_html_()
    assert shown.text() == "2 pictures (rendered flower): daisy, rose"


def test_a_caption_is_text_never_markup():
    assert "<script>" not in show_pictures([RED], ["<script>"])._repr_html_()


def test_a_picture_without_a_caption_is_refused():
    with pytest.raises(ValueError):
        show_pictures([RED, RED], ["daisy"])


def test_a_figure_has_alt_text_and_is_closed():
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    axes.plot([1, 2])
    shown = show_figure(figure, 'a line that "rises"')
    assert 'alt="a line that &quot;rises&quot;"' in shown._repr_html_()
    assert not plt.fignum_exists(figure.number)

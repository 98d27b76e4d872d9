"""Still pictures with words: photographs in a row, and matplotlib figures that carry alt text."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence


class Still:
    """HTML for the notebook, and the same in words where there is no HTML."""

    def __init__(self, markup: str, words: str):
        self.markup, self.words = markup, words

    def text(self) -> str:
        """The text form."""
        return self.words

    def __repr__(self) -> str:
        return self.words

    def _repr_html_(self) -> str:
        return self.markup


def _data_uri(image, kind: str = "PNG") -> str:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, quality=85)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def show_pictures(images: Sequence, captions: Sequence[str], *, alt: str = "", width: int = 112) -> Still:
    """Pictures side by side, each over its caption; they wrap where the window is narrow.

    Args:
        images: PIL images of any size.
        captions: one for each image; also its alt text, after `alt`.
        alt: what all of them are, as "rendered flower".
        width: pixels each picture is shown at.
    """
    figures = []
    for image, caption in zip(images, captions, strict=True):
        small = image.convert("RGB")
        small.thumbnail((2 * width, 2 * width))         # twice the size, for sharp screens
        words = html.escape(f"{alt}: {caption}" if alt else caption)
        figures.append(
            f'<figure style="margin:0;width:{width}px"><img alt="{words}" src="{_data_uri(small, "JPEG")}" '
            f'style="width:100%;border-radius:4px"><figcaption style="text-align:center">'
            f"{html.escape(caption)}</figcaption></figure>")
    markup = f'<div style="display:flex;flex-wrap:wrap;gap:8px">{"".join(figures)}</div>'
    return Still(markup, f"{len(figures)} pictures ({alt}): {', '.join(captions)}")


def show_figure(figure, alt: str) -> Still:
    """A matplotlib figure with alt text, which a plain figure in a notebook cannot carry.

    Args:
        figure: the figure; it is closed, so that it does not appear twice.
        alt: what it shows, for those who do not see it.
    """
    import matplotlib.pyplot as plt

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight", facecolor="white")
    plt.close(figure)
    source = base64.b64encode(buffer.getvalue()).decode()
    return Still(f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{source}" '
                 'style="max-width:100%;height:auto">', alt)

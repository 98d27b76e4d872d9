"""predictions: a picture beside what a model says about it."""

from __future__ import annotations

import io
from collections.abc import Sequence

import traitlets as t
from PIL import Image

from course_utils.errors import CourseError
from course_utils.widgets.panel import Panel, drawing

LARGEST_SIDE = 320       # pixels sent to the browser


class Predictions(Panel):
    """One picture, and a bar for each class with its share of probability."""

    _esm = drawing("picture")

    png = t.Bytes().tag(sync=True)
    alt = t.Unicode().tag(sync=True)
    bars = t.List().tag(sync=True)          # of {label, share (0 … 1), percent (text)}

    def __init__(self, image: Image.Image, said: Sequence, alt: str):
        super().__init__(
            png=_png(image), alt=alt or "The picture shown to the model",
            bars=[{"label": p.label, "share": p.probability, "percent": f"{p.probability:.1%}"}
                  for p in said])

    def text(self) -> str:
        """The alt text, then one line for each class, best first."""
        width = max(len(bar["label"]) for bar in self.bars)
        lines = [f"  {bar['label']:{width}}  {bar['percent']:>6}  {'█' * round(20 * bar['share'])}".rstrip()
                 for bar in self.bars]
        return "\n".join([f"{self.alt}. The model says:", *lines])


def _png(image: Image.Image) -> bytes:
    small = image.convert("RGB")
    small.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    file = io.BytesIO()
    small.save(file, format="PNG")
    return file.getvalue()


def predictions(image: Image.Image, predictions: Sequence, alt: str = "") -> Predictions:
    """Draw a picture beside the classes a model gave it.

    Args:
        image: a PIL picture of any size and mode.
        predictions: what `top_k(model, image)` returned, best first.
        alt: what the picture shows, for those who do not see it.
    Raises:
        CourseError: `image` is not a PIL picture, or there are no predictions.
    """
    if not isinstance(image, Image.Image):
        raise CourseError(f"predictions needs a PIL picture, but got {type(image).__name__}. "
                          "From an array of bytes: Image.fromarray(array)")
    if not predictions:
        raise CourseError("predictions needs at least one prediction, but the list is empty. "
                          "Type: predictions(image, top_k(model, image))")
    return Predictions(image, predictions, alt)

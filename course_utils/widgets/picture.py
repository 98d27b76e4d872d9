"""predictions: a picture beside what a model says about it."""

from __future__ import annotations

from collections.abc import Sequence

import traitlets as t
from PIL import Image

from course_utils.errors import CourseError
from course_utils.teaching.exhibits import Bars, png
from course_utils.widgets.panel import Panel, drawing


class Predictions(Panel):
    """One picture, and a bar for each class with its share of probability."""

    _esm = drawing("picture", "exhibits.js")

    png = t.Bytes().tag(sync=True)
    alt = t.Unicode().tag(sync=True)
    bars = t.List().tag(sync=True)          # of (label, share (0 … 1), percent (text))

    def __init__(self, image: Image.Image, said: Sequence, alt: str):
        super().__init__(
            png=png(image), alt=alt or "The picture shown to the model",
            bars=[(p.label, p.probability, f"{p.probability:.1%}") for p in said])

    def text(self) -> str:
        """The alt text, then one line for each class, best first."""
        return Bars(f"{self.alt}. The model says:", self.bars).text()


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

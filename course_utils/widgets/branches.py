"""branch_view: what a model says about a picture, summed over the branches of ImageNet's tree."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from course_utils.errors import CourseError
from course_utils.pretrained import top_k
from course_utils.teaching.exhibits import Bars, Exhibit, Picture, Pictures, Words
from course_utils.widgets.explorer import Explorer, Slider, Upload, explore
from course_utils.widgets.labels import path_up, the_classes

if TYPE_CHECKING:
    from PIL import Image
    from torch import nn

MOST_BARS = 8
HIGHEST = 9         # steps up; a class of animal is then an animal, one of a thing mostly an object


def branch_view(model: nn.Module, image: Image.Image, alt: str = "The given picture") -> Explorer:
    """What a model says about a picture, summed over the branches above its best class.

    Args:
        model: with ImageNet's 1,000 classes as its head gives them.
        image: a PIL picture to begin with; the learner may choose one of their own.
        alt: what it shows.
    Raises:
        CourseError: the model has other classes.
    """
    if len(top_k(model, image, k=1001)) != len(the_classes()):
        raise CourseError("branch_view needs a model with ImageNet's 1,000 classes, before its head is "
                          'replaced. Type: branch_view(load_model("efficientnet_lite0"), picture)')
    return explore("One picture, and the branches above the best class", partial(_look, model, image, alt),
                   up=Slider("Steps up from the best class", range(HIGHEST + 1), 1, form=str),
                   own=Upload("A picture of your own, which stays on this machine"))


def _look(model: nn.Module, image: Image.Image, alt: str, up: int, own: Image.Image | None) -> list[Exhibit]:
    picture, caption = (image, alt) if own is None else (own, "Your picture")
    said = top_k(model, picture, k=1000)
    share = {guess.index: guess.probability for guess in said}
    path = path_up(the_classes()[said[0].index])
    branch = path[min(up, len(path) - 1)]
    sums = [sum(share[position] for position in step.classes) for step in path]
    inside = [guess for guess in said if guess.index in branch.classes]
    together = sum(guess.probability for guess in inside)
    steps = [(f"{step.words[0]} ({len(step.classes)})", min(total, 1.0), f"{total:.1%}")
             for step, total in zip(path, sums, strict=True)]
    bars = [(guess.label, guess.probability, f"{guess.probability:.1%}") for guess in inside[:MOST_BARS]]
    outside = next((guess for guess in said if guess.index not in branch.classes), None)
    rival = f" Outside it, {outside.label} leads with {outside.probability:.1%}." if outside else ""
    return [Pictures("The picture", [Picture.of(picture, caption)]),
            Bars("Summed over all classes at or below (how many there are)", steps),
            Bars(f"Inside “{branch.words[0]}”, best first", bars),
            Words(f"The best single class, {said[0].label}, has {said[0].probability:.1%}; the "
                  f"{len(branch.classes)} of “{branch.words[0]}” have {together:.1%} together.{rival}")]

"""From a picture to the numbers its model expects. Preprocessing belongs to the weights, never to habit."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms import v2

from course_utils.errors import CourseError
from course_utils.pretrained.data.pictures import as_rgb
from course_utils.pretrained.models.heads import whole_number
from course_utils.pretrained.models.libraries import weights_named, weights_of
from course_utils.pretrained.models.weights import Weights

SMALLEST = 16      # pixels; below, no network of the course has anything left to pool


@dataclass(frozen=True, eq=False, repr=False)
class Preparation:
    """A callable, PIL picture -> float32 tensor (3, size, size), that shows its steps when printed."""

    weights: Weights
    size: int
    steps: v2.Compose

    @property
    def key(self) -> str:
        """The same text for the same treatment of pictures: part of the name of cached features."""
        return " ".join(repr(self.steps).split())

    @property
    def enough(self) -> int:
        """Pixels a side from which on more detail no longer shows: three times what the picture is scaled to.

        With twice as many, Lite0's features of one photograph in 24 had a cosine of 0.998 with the exact
        ones; with three times as many, all had 0.9997 or more.
        """
        return 3 * self.weights.resize_for(self.size)

    def __call__(self, picture: Image.Image) -> Tensor:
        return self.steps(as_rgb(_need_picture(picture)))

    def __repr__(self) -> str:
        title = f"{self.weights.name}: PIL picture → float32 (3, {self.size}, {self.size})"
        return "\n".join([title, "  to upright RGB", *(f"  {step}" for step in self.steps.transforms)])


def preprocessing(model_or_name: nn.Module | str, *, augment: bool = False,
                  size: int | None = None) -> Preparation:
    """How the weights of a model want their pictures: resize, crop, scale, normalise.

    Args:
        model_or_name: a model from `load_model` or timm; or the name of weights, and nothing is loaded.
        augment: for training pictures: a random crop, flip and slight change of colours, before the weights'
            own normalisation. `torch.manual_seed` repeats them.
        size: pixels of the prepared picture, height == width; None is what the weights were trained for.
    Raises:
        CourseError: nothing is known about the weights. ImageNet's mean and std are never assumed.
    """
    if isinstance(model_or_name, nn.Module):
        weights = weights_of(model_or_name)
    else:
        weights = weights_named(model_or_name)
    asked = weights.input_size if size is None else size
    size = whole_number(asked)
    if size is None or size < SMALLEST:
        raise CourseError(f"size is a whole number of pixels, at least {SMALLEST}, but got {asked!r}.")
    return Preparation(weights, size, v2.Compose([
        *(_random_frame if augment else _plain_frame)(weights, size),
        v2.PILToTensor(),                               # (3, size, size), 0 … 255
        v2.ToDtype(torch.float32, scale=True),          # 0 … 1
        v2.Normalize(mean=list(weights.mean), std=list(weights.std)),
    ]))


def _plain_frame(weights: Weights, size: int) -> list[nn.Module]:
    side = weights.resize_for(size)
    # One number scales the shorter side and keeps proportions; two would squash the picture.
    scaled = (side, side) if weights.crop_mode == "squash" else side
    return [v2.Resize(scaled, interpolation=v2.InterpolationMode(weights.interpolation)), v2.CenterCrop(size)]


def _random_frame(weights: Weights, size: int) -> list[nn.Module]:
    interpolation = v2.InterpolationMode(weights.interpolation)
    return [v2.RandomResizedCrop(size, scale=(0.5, 1.0), interpolation=interpolation),
            v2.RandomHorizontalFlip(),
            v2.ColorJitter(brightness=0.2, contrast=0.2, saturation=0.2)]


def _need_picture(picture: object) -> Image.Image:
    """`picture`, if it is one; otherwise an error that says how to make one of it."""
    if isinstance(picture, Image.Image):
        return picture
    fixes = {"ndarray": "Image.fromarray(array)", "Tensor": "v2.functional.to_pil_image(tensor)",
             "str": "open_image(path)", "PosixPath": "open_image(path)", "WindowsPath": "open_image(path)"}
    came = type(picture).__name__
    raise CourseError(f"Preprocessing needs one PIL picture, but got an object of type {came}."
                      + (f" Make it one: {fixes[came]}" if came in fixes else ""))

"""What a model says about one picture."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor, nn

from course_utils.errors import CourseError
from course_utils.pretrained.freezing import in_eval_mode
from course_utils.pretrained.heads import need_module
from course_utils.pretrained.preparing import preprocessing

PREPARE = "preprocessing(model)(picture).unsqueeze(0)"
LARGEST = 20       # normalised pixels lie within about ±3, and never beyond this


@dataclass(frozen=True)
class Prediction:
    """One class a model thinks of."""

    label: str
    index: int               # position in the model's scores
    probability: float       # 0 … 1: a share among the classes the model knows


def top_k(model: nn.Module, image: Image.Image | Tensor, k: int = 5) -> list[Prediction]:
    """The `k` most likely classes of one picture, best first. Mode and gradients of `model` stay as they were.

    Args:
        model: a classifier; class names come from `model.course_classes` where they fit its scores.
        image: a PIL picture, which is prepared as the model's weights expect, or a prepared batch of one,
            float32 (1, 3, H, W).
        k: at least 1; where there are fewer classes, all of them.
    Raises:
        CourseError: the tensor is not a prepared batch of one picture; the message says how to make it so.
    """
    need_module(model, "top_k")
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise CourseError(f"k is how many classes to show, a whole number from 1, but got {k!r}.")
    batch = _checked(image) if isinstance(image, Tensor) else preprocessing(model)(image).unsqueeze(0)
    scores = _scores(model, batch)                                       # (classes,)
    best = scores.softmax(dim=0).topk(min(k, len(scores)))
    names = getattr(model, "course_classes", None) or ()
    if len(names) != len(scores):         # a head put on by hand: the old names would be wrong ones
        names = [f"class {i}" for i in range(len(scores))]
    return [Prediction(names[i], i, p) for i, p in zip(best.indices.tolist(), best.values.tolist(), strict=True)]


def _scores(model: nn.Module, batch: Tensor) -> Tensor:
    """The model's scores for a batch of one, (classes,), on the CPU."""
    device = next((p.device for p in model.parameters()), batch.device)
    with in_eval_mode(model), torch.inference_mode():
        try:
            scores = model(batch.to(device))
        except (RuntimeError, AssertionError, ValueError) as error:
            raise CourseError(
                f"This {type(model).__name__} cannot take a picture of {batch.shape[2]} × {batch.shape[3]} pixels: "
                f"{error}. Prepare it as its weights expect: {PREPARE}") from error
    if not isinstance(scores, Tensor) or scores.ndim != 2:
        shape = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
        raise CourseError(f"top_k needs a classifier, which gives scores of shape (1, classes), but this "
                          f"{type(model).__name__} gives {shape}.")
    return scores[0].float().cpu()


def _checked(images: Tensor) -> Tensor:
    """`images`, if it is a prepared batch of one picture."""
    shape = tuple(images.shape)
    if images.ndim == 3:
        raise CourseError(f"top_k needs a batch, shape (1, 3, H, W), but got one picture, {shape}. Add the batch "
                          "dimension: image.unsqueeze(0)")
    if images.ndim != 4:
        raise CourseError(f"top_k needs a batch of one picture, shape (1, 3, H, W), but got {shape}. From a PIL "
                          f"picture, type: {PREPARE}")
    if shape[0] != 1:
        raise CourseError(f"top_k looks at one picture, but this batch holds {shape[0]}. Take one of them: batch[:1]")
    if shape[1] != 3:
        swapped = shape[3] == 3
        raise CourseError(f"top_k needs 3 channels, red, green and blue, in shape (1, 3, H, W), but got {shape}. "
                          + ("The channels stand last: batch.permute(0, 3, 1, 2)" if swapped
                             else f"From a PIL picture of any kind, type: {PREPARE}"))
    if images.dtype != torch.float32:
        raise CourseError(f"top_k needs prepared pixels, float32, but got {images.dtype}"
                          + (", raw pixels from 0 to 255." if images.dtype == torch.uint8 else ".")
                          + f" From a PIL picture, type: {PREPARE}")
    if not images.abs().max() <= LARGEST:
        raise CourseError(f"Prepared pixels lie within about ±3, but these run from {images.min():.3g} to "
                          f"{images.max():.3g}: not divided by 255, or not numbers. From a PIL picture, type: {PREPARE}")
    return images

"""What a model says about one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor, nn

from course_utils.errors import CourseError, or_none
from course_utils.pretrained.data.batches import check_count, run
from course_utils.pretrained.data.preparing import preprocessing
from course_utils.pretrained.inference.evaluation import check_numbers, names_for
from course_utils.pretrained.models.freezing import in_eval_mode
from course_utils.pretrained.models.heads import need_module
from course_utils.pretrained.models.libraries import weights_of

FIX = "From a PIL picture, type: preprocessing(model)(picture).unsqueeze(0)"
LARGEST = 20       # prepared pixels lie within about ±3; raw ones run to 255


@dataclass(frozen=True)
class Prediction:
    """One class a model thinks of."""

    label: str
    index: int               # position in the model's scores
    probability: float       # 0 … 1: a share among the classes the model knows


def top_k(model: nn.Module, image: Image.Image | Tensor, k: int = 5, *,
          size: int | None = None) -> list[Prediction]:
    """The `k` most likely classes of one picture, best first. The model's modes stay as they were.

    Args:
        model: a classifier; names come from `model.course_classes`, else from timm, if there is one for each
            score.
        image: a PIL picture, which is prepared as the model's weights expect; or a prepared batch of one,
            float32 (1, 3, size, size).
        k: at least 1; where there are fewer classes, all of them.
        size: pixels, if not those the weights were trained for.
    Raises:
        CourseError: the tensor is not a prepared batch of one picture; the message says how to get one.
    """
    need_module(model, "top_k")
    check_count("k", k)
    if isinstance(image, Tensor):
        _check_one_picture(image)
        # A network of one's own, of unknown weights, may be asked about any batch it takes.
        _check_pixels(image, size or getattr(or_none(weights_of, model), "input_size", None))
        batch = image
    else:
        batch = preprocessing(model, size=size)(image).unsqueeze(0)         # (1, 3, size, size)
    scores = _scores(model, batch)                                          # (classes,)
    best = scores.softmax(dim=0).topk(min(k, len(scores)))
    names = _names(model, len(scores))
    return [Prediction(names[index], index, probability)
            for index, probability in zip(best.indices.tolist(), best.values.tolist(), strict=True)]


def _names(model: nn.Module, count: int) -> Sequence[str]:
    if hasattr(model, "course_classes"):
        names = model.course_classes
    else:
        names = getattr(or_none(weights_of, model), "classes", None)
    return names_for(count, names) or [f"class {index}" for index in range(count)]


def _scores(model: nn.Module, batch: Tensor) -> Tensor:
    """The model's scores for a batch of one, (classes,), on the CPU."""
    with in_eval_mode(model), torch.inference_mode():
        try:
            scores = run(model, batch)
        except CourseError as error:
            raise CourseError(f"{error} {FIX}") from error
    if isinstance(scores, Tensor) and scores.ndim == 2:
        check_numbers(scores, model)
        return scores[0].float().cpu()
    came = f"shape {tuple(scores.shape)}" if isinstance(scores, Tensor) else f"a {type(scores).__name__}"
    raise CourseError(f"top_k needs a classifier, which gives scores of shape (1, classes), but this "
                      f"{type(model).__name__} gives {came}.")


def _check_one_picture(images: Tensor) -> None:
    """Is it a batch of one picture with three channels?"""
    shape = tuple(images.shape)
    if images.ndim == 3:
        raise CourseError(f"top_k needs a batch of one picture, shape (1, 3, H, W), but got {shape}. Add the "
                          "batch dimension: image.unsqueeze(0)")
    if images.ndim != 4:
        raise CourseError(f"top_k needs a batch of one picture, shape (1, 3, H, W), but got {shape}. {FIX}")
    if shape[0] != 1:
        raise CourseError(f"top_k looks at one picture, but this batch holds {shape[0]}. Take one: batch[:1]")
    if shape[1] != 3:
        last = "The channels stand last: batch.permute(0, 3, 1, 2)" if shape[3] == 3 else FIX
        raise CourseError(f"top_k needs 3 channels, (1, 3, H, W): red, green, blue. It got {shape}. {last}")


def _check_pixels(images: Tensor, size: int | None) -> None:
    """Are its pixels prepared for the model?"""
    if images.dtype != torch.float32:
        raw = ", raw pixels from 0 to 255" if images.dtype == torch.uint8 else ""
        raise CourseError(f"top_k needs prepared pixels, float32, but got {images.dtype}{raw}. {FIX}")
    height, width = images.shape[2:]
    if size and (height, width) != (size, size):
        meant = f". If you mean this size: top_k(model, batch, size={height})" if height == width else ""
        raise CourseError(f"This model takes pictures of {size} × {size} pixels, but got {height} × {width}. "
                          f"{FIX}{meant}")
    if not images.abs().max() <= LARGEST:        # not a number compares as false
        raise CourseError(f"Prepared pixels lie within about ±3, but these run from {images.min():.3g} to "
                          f"{images.max():.3g}: never divided by 255, or broken. {FIX}")

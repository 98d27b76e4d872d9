"""Ways to prepare a picture, or to run a model, that raise no error and are wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2

from course_utils.pretrained import Weights

Prepare = Callable[[Weights, Image.Image], Tensor]       # RGB picture -> (3, size, size)


@dataclass(frozen=True)
class Mistake:
    """One of them. `prepare` is all that is wrong, unless the model runs in train mode."""

    id: str
    name: str
    says: str
    prepare: Prepare
    train_mode: bool = False


def steps(*, frame: Callable[[Weights], list] | None = None, divide: bool = True,
          mean: Sequence[float] = (), std: Sequence[float] = ()) -> Prepare:
    """The preparation that weights expect, but for what is given."""
    def prepare(weights: Weights, picture: Image.Image) -> Tensor:
        return v2.Compose([
            *(frame or right_frame)(weights), v2.PILToTensor(), v2.ToDtype(torch.float32, scale=divide),
            v2.Normalize(list(mean or weights.mean), list(std or weights.std))])(picture)
    return prepare


def right_frame(weights: Weights) -> list:
    return [resized(weights, weights.resize), v2.CenterCrop(weights.input_size)]


def resized(weights: Weights, side: int | Sequence[int]) -> v2.Resize:
    return v2.Resize(side, interpolation=v2.InterpolationMode(weights.interpolation))


def squashed(weights: Weights) -> list:
    return [resized(weights, [weights.input_size] * 2)]


def middle(weights: Weights) -> list:
    return [v2.CenterCrop(weights.input_size)]


def swapped(weights: Weights, picture: Image.Image) -> Tensor:
    red, green, blue = picture.split()
    return right(weights, Image.merge("RGB", [blue, green, red]))


def sideways(weights: Weights, picture: Image.Image) -> Tensor:
    return right(weights, picture.transpose(Image.Transpose.ROTATE_90))


def reshaped(weights: Weights, picture: Image.Image) -> Tensor:
    """NumPy's rows, columns and colours, cut anew into three planes."""
    return right(weights, picture).permute(1, 2, 0).reshape(3, weights.input_size, weights.input_size)


right = steps()
unnormalised = {"mean": (0, 0, 0), "std": (1, 1, 1)}
imagenet = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}

MISTAKES = (
    Mistake("none", "nothing wrong", "Resized, cut out and normalised as these weights expect.", right),
    Mistake("imagenet-mean-std", "ImageNet's mean and std",
            "Normalised by habit, with numbers that belong to other weights.", steps(**imagenet)),
    Mistake("not-normalised", "not normalised", "Pixels from 0 to 1: `Normalize` is missing.",
            steps(**unnormalised)),
    Mistake("pixels-to-255", "pixels from 0 to 255", "Neither divided by 255 nor normalised.",
            steps(divide=False, **unnormalised)),
    Mistake("bgr", "BGR", "Red and blue swapped: OpenCV reads files in the order blue, green, red.", swapped),
    Mistake("squashed", "squashed", "`Resize((224, 224))` forces both sides: proportions are lost.",
            steps(frame=squashed)),
    Mistake("no-resize", "no resize", "Only the middle is cut out, at whatever size the file has.",
            steps(frame=middle)),
    Mistake("sideways", "lying on its side", "The camera's note on rotation was not followed.", sideways),
    Mistake("reshaped", "reshape for permute", "`reshape(3, H, W)` on pixels that stand as (H, W, 3).",
            reshaped),
    Mistake("no-eval", "no eval()", "Train mode: BatchNorm uses the statistics of this one picture.", right,
            train_mode=True),
)

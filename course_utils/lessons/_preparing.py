"""A picture on its way into Lite0: done right but for one step, and where two ways part, as pictures."""

from __future__ import annotations

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.functional import to_pil_image

from course_utils.teaching import Picture, Pictures, Words
from course_utils.teaching.exhibits import Exhibit

BICUBIC = v2.InterpolationMode.BICUBIC
HALF, UNCHANGED = ([0.5] * 3, [0.5] * 3), ([0] * 3, [1] * 3)
IMAGENET = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
# Of prepared pixels, mean difference on a scale from -1 to 1. On the cat: other resampling 0.01, a picture
# moved by one pixel (rounding) 0.06; the mildest of the mistakes in the exercises 0.19.
CLOSE = 0.08
RAW = 20          # prepared pixels lie within about ±3
COLOURS, FRAME, SCALE, NORMALISE = "colours", "resize and cut out", "from 0 … 255 to 0 … 1", "normalise"


def steps(mean_and_std=HALF, resize=256, interpolation=BICUBIC, divide=True) -> v2.Compose:
    """The usual steps with one thing changed: what wrong answers have in common."""
    return v2.Compose([v2.Resize(resize, interpolation), v2.CenterCrop(224), v2.ToImage(),
                       v2.ToDtype(torch.float32, scale=divide), v2.Normalize(*mean_and_std)])


def apart(one: Tensor, other: Tensor) -> float:
    """Mean absolute difference per pixel; infinite where shapes differ."""
    return (one.float() - other.float()).abs().mean().item() if one.shape == other.shape else torch.inf


def levelled(pixels: Tensor) -> Tensor:
    """(1, 3, H, W) with mean 0 and deviation 1 in each channel: scaling and normalising change it no more."""
    return (pixels - pixels.mean(dim=(2, 3), keepdim=True)) / pixels.std(dim=(2, 3), keepdim=True)


def parted_at(given: Tensor, right: Tensor) -> str:
    """The first step of the right preparation after which the two, (1, 3, H, W), are no longer alike."""
    if apart(given.flip(1), right) < CLOSE:
        return COLOURS
    if apart(levelled(given), levelled(right)) >= 2 * CLOSE:       # whose deviation is about twice as large
        return FRAME
    return SCALE if given.max() > RAW else NORMALISE


def visible(pixels: Tensor) -> Image.Image:
    """A picture of (1, 3, H, W) normalised by 0.5 and 0.5; beyond black and white there is no more to see."""
    return to_pil_image((pixels[0] * 0.5 + 0.5).clamp(0, 1))


def where_pictures_part(given: Tensor, right: Tensor) -> list[Exhibit]:
    """Both, after the first step at which they part; in words where shapes differ."""
    if given.shape != right.shape:
        return [Words(f"Your pixels have shape {tuple(given.shape)}, the right ones {tuple(right.shape)}.")]
    given = given.float()
    step, shown = parted_at(given, right), given
    if step == FRAME:        # later steps must not hide what the frame is
        shown = levelled(given) * right.std(dim=(2, 3), keepdim=True) + right.mean(dim=(2, 3), keepdim=True)
    return [Pictures(f"The first step at which the pictures part: {step}", [
        Picture.of(visible(right), "right", f"The picture as it should be after the step: {step}"),
        Picture.of(visible(shown), "yours", f"Your picture after the step: {step}")], width=224)]

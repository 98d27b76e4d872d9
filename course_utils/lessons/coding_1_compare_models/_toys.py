"""Small models that note how they are run, and a picture that takes long to prepare."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import torch
from PIL import Image
from torch import Tensor, nn

from course_utils.lessons._guards import chelsea, fresh_lite0, kind_of
from course_utils.pretrained import Weights
from course_utils.teaching import expect

CLASSES = tuple(f"thing {letter}" for letter in "abcdefg")
SIZES = (32, 48)
PASSES = 3
QUICK, SLOW = 0.02, 0.4         # seconds that a pass takes at least, and one that is held up
KEYS = ("name", "parameters", "seconds", "top5")


@cache
def lite0_weights() -> Weights:
    """How pictures are prepared for Lite0; the toys' weights differ in their size."""
    return fresh_lite0().course_weights


class Toy(nn.Module):
    """A small classifier that notes how it is run. A pass takes what `pause` says."""

    def __init__(self, size: int, pause: Callable[[int], float] = lambda number: 0.0):
        super().__init__()
        self.conv, self.norm, self.head = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Linear(8, len(CLASSES))
        self.pause, self.sizes, self.trains, self.gradients, self.took = pause, [], [], [], []
        self.course_classes = CLASSES
        self.course_weights = replace(lite0_weights(), input_size=size, resize=size + 8, crop_pct=None,
                                      classes=CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        start = time.perf_counter()
        time.sleep(self.pause(len(self.sizes)))
        expect(images.dim() == 4, f"The model got a picture of shape {tuple(images.shape)}. It takes a "
               "batch, (N, 3, H, W): `.unsqueeze(0)` makes a batch of one.")
        self.sizes.append(images.shape[-1])
        self.trains.append(self.training)
        self.gradients.append(torch.is_grad_enabled())
        scores = self.head(self.norm(self.conv(images)).relu().mean(dim=(2, 3)))
        self.took.append(time.perf_counter() - start)
        return scores


def times_of(model: Toy) -> list[float]:
    """Seconds of `PASSES` passes in a row, wherever in the model's life they were."""
    return [sum(model.took[i:i + PASSES]) for i in range(len(model.took) - PASSES + 1)]


def two_toys() -> dict[str, Toy]:
    """Two models that want pictures of different sizes, one of them partly frozen; in train mode."""
    torch.manual_seed(5)
    models = {f"toy {size}": Toy(size).train() for size in SIZES}
    models["toy 48"].conv.requires_grad_(False)
    models["toy 48"].head = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, len(CLASSES)))
    return models


class SlowPicture(Image.Image):
    """A picture that is slow to read, as a large file on a slow disk."""

    pause = 0.06

    def load(self):
        time.sleep(self.pause)
        return super().load()


def slow_to_prepare() -> SlowPicture:
    picture = copy.copy(chelsea().resize((90, 60)))
    picture.__class__ = SlowPicture
    return picture


def rows_of(answer, models: dict[str, nn.Module], picture: Image.Image | None = None,
            passes: int = PASSES) -> list[dict]:
    """The learner's rows, known to have the form that was asked for."""
    rows = answer(dict(models), picture or chelsea(), passes)
    expect(isinstance(rows, (list, tuple)), f"`compare` must return a list, but it returned {kind_of(rows)}.")
    expect(len(rows) == len(models), f"{len(models)} models, and you return {len(rows)} rows.")
    for row in rows:
        expect(isinstance(row, dict), f"A row should be a dict, not {kind_of(row)}.")
        missing = [key for key in KEYS if key not in row]
        expect(not missing, f"A row of yours has no “{'” and no “'.join(missing)}”.")
        kind = kind_of(row["seconds"])
        expect(kind == "float", f"“seconds” should be a float, not {kind}.")
        expect(isinstance(row["top5"], (list, tuple)) and len(row["top5"]) == 5,
               "“top5” should be a list of five labels.")
    return list(rows)

"""What must be known about a set of weights before a picture is shown to it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Weights:
    """One set of weights, and how its images must be prepared: `model.course_weights`."""

    name: str                            # "torchvision/resnet50.IMAGENET1K_V2"; untrained: "random/resnet50"
    source: str                          # "bundled", "torchvision", "timm", "hub" or "random"
    architecture: str                    # as its library calls it: "resnet50"
    input_size: int                      # pixels, height == width
    mean: tuple[float, float, float]     # per RGB channel, of pixels in [0, 1]
    std: tuple[float, float, float]
    crop_pct: float | None               # input_size / resize as timm states it; torchvision states `resize`
    resize: int                          # pixels of the shorter side, before the middle is cut out
    interpolation: str                   # "bilinear" or "bicubic"
    classes: tuple[str, ...] | None = field(repr=False)    # by output index; None if they mean nothing yet
    crop_mode: str = "center"            # or "squash": both sides to `resize`, proportions lost

    def resize_for(self, size: int) -> int:
        """The side to resize to before cutting out `size` pixels: the same share of the picture stays."""
        if size == self.input_size:
            return self.resize
        return math.floor(size / self.crop_pct if self.crop_pct else size * self.resize / self.input_size)

    def __str__(self) -> str:
        trained = "random numbers: nothing learned yet" if self.source == "random" else self.source
        classes = f"{len(self.classes):,} classes" if self.classes else "no class names"
        return (f"{self.name} ({trained}): {self.architecture}, {classes}, "
                f"pictures {self.input_size} × {self.input_size}, mean {self.mean}, std {self.std}")

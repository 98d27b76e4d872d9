"""The figures the lessons quote about first predictions and freezing.

    python tools/records/syllabus_numbers.py

The drift needs real photographs (`COURSE_TEST_PHOTOS`); the other figures need nothing but the course.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import skimage.data
import torch
from _record import write_record
from PIL import Image
from torch import nn

from course_utils import paths
from course_utils.pretrained import (
    count_parameters,
    freeze,
    load_dataset,
    load_model,
    preprocessing,
    replace_head,
    top_k,
    train_mode,
)

MODEL = "efficientnet_lite0"
SEED, BATCHES, BATCH = 0, 5, 32


def first_predictions() -> dict[str, dict[str, float]]:
    """Top five of efficientnet_lite0 on scikit-image's cat and coffee: probability by label."""
    model = load_model(MODEL)
    return {name: {p.label: round(p.probability, 4) for p in top_k(model, Image.fromarray(picture), k=5)}
            for name, picture in [("chelsea", skimage.data.chelsea()), ("coffee", skimage.data.coffee())]}


def resnet50_parameters() -> dict[str, int]:
    """Parameters of ResNet-50 with dropout and ten classes: all, and those over a frozen backbone."""
    model = freeze(load_model("torchvision/resnet50", random_init=True))
    replace_head(model, 10, dropout=0.5)
    return {"learn": count_parameters(model, trainable=True), "all": count_parameters(model)}


def first_batchnorm_drift(set_modes: Callable[[nn.Module], nn.Module], photos: torch.Tensor) -> float:
    """How far the first BatchNorm's running mean moves in a frozen model: the largest change over channels.

    Args:
        set_modes: puts the model into the mode to be tried.
        photos: (batches, N, 3, H, W), prepared for efficientnet_lite0.
    """
    model = set_modes(freeze(load_model(MODEL)))
    norm = next(module for module in model.modules() if isinstance(module, nn.BatchNorm2d))
    before = norm.running_mean.clone()
    with torch.no_grad():
        for batch in photos:
            model(batch)
    return round((norm.running_mean - before).abs().max().item(), 4)


def five_batches() -> torch.Tensor:
    """Five batches of 32 flower photographs, drawn at random: (5, 32, 3, 224, 224)."""
    train = load_dataset(f"folder:{paths.test_photos() / 'flowers'}").train
    drawn = np.random.default_rng(SEED).permutation(len(train))[:BATCHES * BATCH]
    prepare = preprocessing(MODEL)
    return torch.stack([prepare(train[i][0]) for i in drawn.tolist()]).unflatten(0, (BATCHES, BATCH))


def measure() -> dict:
    photos = five_batches()
    return {"top5": first_predictions(),
            "resnet50_ten_classes": resnet50_parameters(),
            "first_batchnorm_drift": {"train": first_batchnorm_drift(nn.Module.train, photos),
                                      "train_mode": first_batchnorm_drift(train_mode, photos)}}


if __name__ == "__main__":
    write_record(paths.results() / "syllabus_numbers.json", seeds=[SEED], results=measure(),
                 command="python tools/records/syllabus_numbers.py")

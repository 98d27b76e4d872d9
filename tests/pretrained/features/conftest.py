"""A network and pictures whose features are asked for."""

import numpy as np
import pytest
from PIL import Image

from course_utils.pretrained import Images


@pytest.fixture
def model(lite0):
    return lite0


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> Images:
    """Six pictures in files, of shapes that differ."""
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for i in range(6):
        coarse = Image.fromarray(rng.integers(0, 255, (5, 6, 3), dtype=np.uint8))
        coarse.resize((90 + 10 * i, 80), Image.Resampling.BICUBIC).save(folder / f"{i}.png")
    return Images(sorted(folder.glob("*.png")), [0, 1, 2, 0, 1, 2], ["a", "b", "c"])

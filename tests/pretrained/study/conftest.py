"""Small studies: the faces that come with scikit-image, 32 pixels, a step or two of training."""

from __future__ import annotations

import pytest

from course_utils.pretrained.study.study import Study

FOUND = ["strategy", "share", "seed", "accuracy", "loss", "low", "high", "n_train", "n_test"]   # of each run
SMALL = {"datasets": ["faces"], "shares": [0.2, 1.0], "seeds": [0, 1], "size": 32, "steps": 1}


@pytest.fixture
def small(tmp_path):
    """Makes a small study; what is given takes the place of what is usual."""
    def make(name: str = "study.jsonl", **given) -> Study:
        return Study(tmp_path / name, **{**SMALL, "strategies": ["probe"], **given})
    return make

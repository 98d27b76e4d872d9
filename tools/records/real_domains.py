"""Scratch, probe and fine-tuning on real pictures: `python tools/records/real_domains.py`.

Satellite photographs (EuroSAT) and close-ups of steel (NEU), a quarter and all of the training pictures,
three seeds. The pictures lie where COURSE_TEST_PHOTOS says, fewer than the published ones.
"""

from __future__ import annotations

from pathlib import Path

from _study import record_study

from course_utils import paths
from course_utils.pretrained import Study, load_dataset, load_model, measure_similarity

PHOTOS = paths.test_photos().resolve()
SETS = ("eurosat", "steel_defects")


def plan(file: Path) -> Study:
    return Study(file, datasets=[f"folder:{PHOTOS / name}" for name in SETS], shares=(0.25, 1.0), steps=40,
                 question="From scratch, a probe, or fine-tuning on satellite pictures and steel?",
                 hypothesis="With these few pictures nothing is ahead of the probe.")


def similarity() -> dict[str, float]:
    model = load_model("efficientnet_lite0")
    return {name: round(measure_similarity(model, load_dataset(f"folder:{PHOTOS / name}").train), 3)
            for name in SETS}


if __name__ == "__main__":
    record_study("real_domains", plan, similarity=similarity())

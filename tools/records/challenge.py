"""The default plan of a study, 120 runs on digits and defects: `python tools/records/challenge.py`."""

from __future__ import annotations

from pathlib import Path

from _study import record_study

from course_utils.pretrained import Study


def plan(file: Path) -> Study:
    return Study(file, question="Which strategy for pictures far from ImageNet?",
                 hypothesis="A probe, until there are many pictures.")


if __name__ == "__main__":
    record_study("challenge", plan)

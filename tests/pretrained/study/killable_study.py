"""A study to be killed; see test_killed and tests/pretrained/forks.py."""

from pathlib import Path

from course_utils.pretrained import Study
from tests.pretrained.forks import serve
from tests.pretrained.study.conftest import SMALL


def study(path: str) -> None:
    """Whole in one process: what is killed then is whatever it is about."""
    Study(Path(path), **{**SMALL, "strategies": ["probe", "partial"]}).run(workers=1)


if __name__ == "__main__":
    serve(study)

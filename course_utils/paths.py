"""Where things lie: data, cache, progress, results, work. The only reader of environment variables.

Every function looks afresh, so that a test or a teacher may point a variable elsewhere at any time.
Nothing is created here: who writes, makes the folder.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from course_utils.errors import CourseError

APP = "pretrained-vision-course"


def _from_environment(variable: str) -> Path | None:
    value = os.environ.get(variable, "").strip()
    return Path(value).expanduser().resolve() if value else None


def repository() -> Path:
    """The checkout this package runs from: it holds `notebooks/` and `data/`.

    Raises:
        CourseError: the package was installed without its checkout.
    """
    root = Path(__file__).resolve().parent.parent
    if not (root / "pyproject.toml").is_file():
        raise CourseError(
            "The course needs its checkout, with notebooks/ and data/, but course_utils runs from "
            f"{root}. In the checkout, type: make setup")
    return root


def data() -> Path:
    """What ships with the course: image sets, figures with sources. `COURSE_DATA` names another folder."""
    return _from_environment("COURSE_DATA") or repository() / "data"


def results() -> Path:
    """Recorded results, each with seeds, versions and machine."""
    return data() / "results"


def notebooks() -> Path:
    """The lessons as shipped. Learners work on copies in `work()`."""
    return repository() / "notebooks"


def work() -> Path:
    """The learner's copies of the lessons. `COURSE_WORK` names another folder."""
    return _from_environment("COURSE_WORK") or repository() / "my_work"


def jupyter_config_path() -> str:
    """Where Jupyter looks for settings: the course's own first, then wherever it was told to look."""
    told = os.environ.get("JUPYTER_CONFIG_PATH", "")
    return os.pathsep.join(filter(None, [str(repository() / "jupyter"), told]))


def cache() -> Path:
    """Features and downloads that can be made again. `COURSE_CACHE` names another folder."""
    return _from_environment("COURSE_CACHE") or Path(platformdirs.user_cache_dir(APP))


def photos() -> bool:
    """Whether lessons run on photographs that are downloaded: `COURSE_PHOTOS=1`."""
    return os.environ.get("COURSE_PHOTOS", "").strip() not in ("", "0")


def progress() -> Path:
    """The SQLite file that keeps the learner's progress. `COURSE_PROGRESS` names another file."""
    return _from_environment("COURSE_PROGRESS") or Path(platformdirs.user_data_dir(APP)) / "progress.sqlite"


def test_photos() -> Path:
    """Real photographs for tests and benchmarks. `COURSE_TEST_PHOTOS` names another folder."""
    return _from_environment("COURSE_TEST_PHOTOS") or repository().parent / "shared" / "photos"

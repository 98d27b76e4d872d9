"""Every test, and every kernel a test starts, gets its own progress store and caches."""

import os

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "2")
SEED = 20240


@pytest.fixture(scope="session", autouse=True)
def private_folders(tmp_path_factory):
    """Nothing a test does may reach the developer's own progress or caches, nor those of another test run."""
    home = tmp_path_factory.mktemp("course-home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_PROGRESS", str(home / "progress.sqlite"))
        patch.setenv("COURSE_CACHE", str(home / "cache"))
        patch.setenv("COURSE_WORK", str(home / "my_work"))
        yield home


@pytest.fixture(autouse=True)
def seeded():
    """The same random numbers in every test, whatever ran before it."""
    import random
    import sys

    random.seed(SEED)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(SEED)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(SEED)

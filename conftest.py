"""Every test, and every kernel a test starts, gets its own progress store and caches."""

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "2")
SEED = 20240


def pytest_configure(config):
    """Nothing a test does may reach the developer's own progress or caches, nor those of another test run.

    A fixture would not do: the cells that nbval runs know no fixtures.
    """
    # A shell that starts this in the background lets it ignore Ctrl-C, and with it all that tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    home = Path(tempfile.mkdtemp(prefix="course-home-"))
    patch = pytest.MonkeyPatch()
    patch.setenv("COURSE_PROGRESS", str(home / "progress.sqlite"))
    patch.setenv("COURSE_CACHE", str(home / "cache"))
    patch.setenv("COURSE_WORK", str(home / "my_work"))
    patch.delenv("COURSE_PHOTOS", raising=False)
    config.add_cleanup(patch.undo)
    config.add_cleanup(lambda: shutil.rmtree(home, ignore_errors=True))


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

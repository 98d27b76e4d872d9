"""What may stand in the way of setting the course up, each with what to do about it.

Like setup.py, it uses the standard library alone, in words that Python 3.7 can read.
"""

import os
import shutil
import sys
from pathlib import Path

LOCKED = "requirements.lock"
NEEDED_PYTHON = (3, 11)
# .venv and uv's cache share their files where they lie on one disk. On Linux more than half of it is CUDA.
NEEDED_GB = 7 if sys.platform == "linux" else 3


class SetupProblem(Exception):
    """Why the course cannot be set up, and what to do."""


def check_whole(root: Path) -> None:
    missing = [name for name in (LOCKED, "pyproject.toml", "course_utils") if not (root / name).exists()]
    if missing:
        raise SetupProblem(f"{root} is not the whole course: {', '.join(missing)} is missing.\n"
                           "Clone it again, or type: git checkout -- .")


def check_python(found, executable: str) -> None:
    if tuple(found) < NEEDED_PYTHON:
        needed = ".".join(map(str, NEEDED_PYTHON))
        raise SetupProblem(
            f"it needs Python {needed} or newer, but {executable} is Python {'.'.join(map(str, found))}.\n"
            f"If a newer one is installed, name it: make lab PYTHON=python{needed}")


def check_venv_module() -> None:
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError as error:
        version = ".".join(map(str, sys.version_info[:2]))
        raise SetupProblem(
            f"this Python ({sys.executable}) cannot make virtual environments: {error}.\n"
            f"On Debian and Ubuntu, type: sudo apt install python{version}-venv\n"
            "Elsewhere, name a Python that can: make lab PYTHON=/path/to/python3") from None


def check_disk(folder: Path, needed_gb: float) -> None:
    free_gb = shutil.disk_usage(str(folder)).free / 1e9
    if free_gb < needed_gb and not os.environ.get("COURSE_SETUP_SKIP_DISK"):
        raise SetupProblem(
            f"it needs {needed_gb:.0f} GB of disk where {folder} lies, but only {free_gb:.1f} GB are free.\n"
            "Make room, or put the course on another disk. Where uv has these packages in its cache already, "
            "less will do: make lab COURSE_SETUP_SKIP_DISK=1")


def explain(tried: str, said: str, folder: Path) -> SetupProblem:
    """A failed command in words: what was tried, what it said last, what is likely the matter.

    Args:
        said: its output; "" where that went to the screen already.
        folder: where it was writing.
    """
    last = "\n".join("    " + line for line in said.strip().splitlines()[-6:])
    words = f"this failed: {tried}\n" + (last or "    (its own words stand above)")
    free_gb = shutil.disk_usage(str(folder)).free / 1e9
    if "No space left" in said or free_gb < 0.2:
        return SetupProblem(f"{words}\nThe disk is full: {free_gb:.1f} GB are free where {folder} lies; "
                            f"the set-up needs {NEEDED_GB} GB.")
    return SetupProblem(
        f"{words}\nMost often this is the network: the packages come from the index that pip uses here.\n"
        "Behind a proxy, set HTTPS_PROXY; with an index of your own, set PIP_INDEX_URL.\n"
        "Then type the same again. Nothing half-made is left.")

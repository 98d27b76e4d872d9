"""A small checkout to set up: the real set-up scripts, in a folder of their own, with nothing installed."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils import paths

ROOT = paths.repository()


class Checkout:
    """A copy of what set-up reads, and how to run it."""

    def __init__(self, root: Path):
        self.root, self.venv = root, root / ".venv"
        (root / "tools").mkdir(parents=True)
        (root / "course_utils").mkdir()
        for name in ("tools/setup.py", "tools/setup_checks.py", "requirements.lock", "pyproject.toml",
                     "Makefile"):
            shutil.copy(ROOT / name, root / name)

    def environment(self, **more: str) -> dict[str, str]:
        """Enough disk is taken for granted: it is tested by itself."""
        return os.environ | {"COURSE_SETUP_SKIP_DISK": "1"} | more

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, str(self.root / "tools" / "setup.py"), *arguments]

    def set_up(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(self.command(*arguments), env=self.environment(**environment),
                              capture_output=True, text=True, timeout=120)

    def module(self, monkeypatch):
        """setup.py of this checkout, imported."""
        monkeypatch.syspath_prepend(str(self.root / "tools"))
        monkeypatch.delitem(sys.modules, "setup_checks", raising=False)
        spec = importlib.util.spec_from_file_location("course_setup", self.root / "tools" / "setup.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def make_venv(self, *, pip: bool = False) -> None:
        """A real virtual environment; with `pip`, it has this Python's, because to install one takes long."""
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(self.venv)], check=True)
        if pip:
            own = Path(importlib.util.find_spec("pip").origin).parent
            shutil.copytree(own, next(self.venv.rglob("site-packages")) / "pip")


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path / "checkout")


@pytest.fixture
def shadow(tmp_path):
    """A function: put a module before all others of its name; returns the PYTHONPATH that does it."""
    folder = tmp_path / "shadows"

    def put(name: str, source: str) -> str:
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.py").write_text(source)
        return str(folder)
    return put

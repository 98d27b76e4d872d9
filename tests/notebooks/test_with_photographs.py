"""COURSE_PHOTOS=1: the lessons on rendered flowers run on photographs as well."""

from __future__ import annotations

import re

import nbformat
import pytest
from nbclient import NotebookClient

from course_utils import paths
from course_utils.teaching.content import notebook_of

LESSONS = sorted(path.stem for path in (paths.notebooks() / "source").rglob("*.py")
                 if re.search(r'load_dataset\("flowers"\)|in \("flowers",', path.read_text(encoding="utf-8")))


@pytest.fixture
def photographs(tmp_path, monkeypatch):
    """A cache in which the photographs of flowers lie as if they had been downloaded."""
    photos = paths.test_photos().resolve() / "flowers"
    if not photos.is_dir():
        pytest.skip(f"no photographs in {photos}; COURSE_TEST_PHOTOS says where they are")
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "flower_photos").symlink_to(photos)
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.sqlite"))
    monkeypatch.setenv("COURSE_PHOTOS", "1")


@pytest.mark.full
@pytest.mark.notebooks
@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_on_flowers_runs_on_photographs(lesson, photographs):
    path = paths.notebooks() / notebook_of(lesson)
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, kernel_name="python3", store_widget_state=False,
                   resources={"metadata": {"path": str(path.parent)}}).execute()
    printed = "".join(output.get("text", "") for cell in notebook.cells if cell.cell_type == "code"
                      for output in cell.outputs)
    assert "holds 950 pictures, not 3670" in printed        # photographs were read, not rendered pictures


def test_there_are_lessons_on_flowers():
    assert "05_feature_extraction" in LESSONS and len(LESSONS) >= 3

"""Notebooks without a number, solved: every cell runs without a network, every exercise gets full marks.

Lessons are solved in a browser (tests/browser). Here a kernel alone does it, which takes half the time.
"""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient

from course_utils import paths
from course_utils.teaching import ProgressStore, items, lessons
from course_utils.teaching.content import notebook_of
from tools.build_notebooks import fill_exercises

EXERCISES = {lesson: {item.id for item in items(lesson) if item.kind == "exercise"}
             for lesson in lessons() if not lesson[:2].isdigit()}

QUICK = ("coding_2_flower_pipeline", "coding_4_range_test")     # the others' pieces are graded in any case


@pytest.fixture
def no_network(monkeypatch):
    """Whoever asks for something outside this machine is refused at once."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")


@pytest.mark.notebooks
@pytest.mark.parametrize("lesson", [
    pytest.param(lesson, marks=[] if lesson in QUICK else pytest.mark.full)
    for lesson, exercises in EXERCISES.items() if exercises])
def test_a_solved_exercise_gets_full_marks(lesson, no_network, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.sqlite"))
    path = paths.notebooks() / notebook_of(lesson)
    notebook = fill_exercises(nbformat.read(path, as_version=4), "solution")
    NotebookClient(notebook, timeout=300, kernel_name="python3", store_widget_state=False,
                   resources={"metadata": {"path": str(path.parent)}}).execute()
    outcomes = {event.item: event.outcome for event in ProgressStore().events() if event.kind == "check"}
    assert outcomes == dict.fromkeys(EXERCISES[lesson], "right")

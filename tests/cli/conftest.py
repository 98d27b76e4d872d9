"""Work and shipped folders of a test's own."""

from __future__ import annotations

import json

import pytest

from course_utils import paths


def notebook_text(*cells: str, run: bool = False) -> str:
    """A notebook of code cells; `run` gives each a count, an output and metadata, as running it does."""
    output = [{"output_type": "stream", "name": "stdout", "text": "seen\n"}] if run else []
    return json.dumps({
        "nbformat": 4, "nbformat_minor": 5, "metadata": {"seen": run}, "cells": [
            {"cell_type": "code", "id": f"c{n}", "metadata": {"collapsed": True} if run else {},
             "execution_count": n if run else None, "outputs": output,
             "source": source.splitlines(keepends=True)}
            for n, source in enumerate(cells)]})


@pytest.fixture(name="notebook_text")
def notebook_text_fixture():
    return notebook_text


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A notebooks/ of two lessons and an exercise, that a test may change."""
    folder = tmp_path / "notebooks"
    (folder / "exercises").mkdir(parents=True)
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "00_start_here-checkpoint.ipynb").write_text(notebook_text("old"))
    for name in ("00_start_here", "05_feature_extraction", "exercises/learning_rates"):
        (folder / f"{name}.ipynb").write_text(notebook_text("first", f"# {name}", run=True))
    monkeypatch.setattr(paths, "notebooks", lambda: folder)
    return folder


@pytest.fixture
def work(tmp_path, monkeypatch):
    """Where the learner's copies go; not made yet."""
    folder = tmp_path / "my_work"
    monkeypatch.setenv("COURSE_WORK", str(folder))
    return folder

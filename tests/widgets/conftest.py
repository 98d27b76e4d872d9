"""What the tests of widgets share: a progress store of their own, and a browser that only sends messages."""

from __future__ import annotations

import json

import pytest


@pytest.fixture(autouse=True)
def fresh_progress(tmp_path, monkeypatch):
    """No test finds what another has recorded."""
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.sqlite"))


@pytest.fixture
def press():
    """Does what the browser does when a learner presses something: sends a message to the widget."""
    def send(panel, do: str, **values):
        panel._handle_custom_msg({"do": do, **values}, [])
    return send


@pytest.fixture
def sent_to_browser():
    """Everything the browser has been given by now, drawing included, as one text."""
    def state(panel) -> str:
        return json.dumps(panel.get_state(), default=str, ensure_ascii=False)
    return state

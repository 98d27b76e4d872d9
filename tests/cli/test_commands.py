"""The `course` command: quick, and errors in words."""

from __future__ import annotations

import importlib.metadata
import re

import pytest
from click.testing import CliRunner

from course_utils import __version__
from course_utils.cli import main


def course(*arguments: str):
    return CliRunner().invoke(main, arguments)


def test_the_installed_command_is_this_one():
    scripts = importlib.metadata.entry_points(group="console_scripts", name="course")
    assert [script.load() for script in scripts] == [main]


def test_help_names_every_command():
    done = course("--help")
    assert done.exit_code == 0
    listed = done.output.split("Commands:")[1]
    assert re.findall(r"^  (\w+) ", listed, flags=re.M) == ["audit", "doctor", "download", "lab", "progress",
                                                            "report", "reset", "study"]


def test_version():
    assert __version__ in course("--version").output


def test_an_unknown_lesson_is_an_error_in_words(shipped, work):
    done = course("reset", "05_feature_extrction")
    assert done.exit_code == 1 and "Did you mean '05_feature_extraction'" in done.output
    assert "Traceback" not in done.output


def test_reset_says_where_the_old_copy_is(shipped, work):
    assert "kept as" not in course("reset", "05").output
    done = course("reset", "05")
    assert done.exit_code == 0 and "kept as" in done.output and ".old" in done.output


@pytest.fixture
def store(tmp_path, monkeypatch):
    from course_utils.teaching import ProgressStore
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.sqlite"))
    return ProgressStore()


def tried(store, item, outcome, kind="check"):
    from course_utils.teaching import Event
    store.record(Event(kind=kind, item=item.id, lesson=item.id.split("/")[0], objective=item.objective,
                       outcome=outcome, score=float(outcome == "right")))


def test_progress_shows_what_is_done_what_is_wrong_and_where_to_go_on(store):
    from course_utils.teaching import items
    first, second, third, *rest = items("05_feature_extraction")
    tried(store, first, "right")
    tried(store, second, "wrong")
    tried(store, third, "wrong")
    tried(store, third, "right")
    said = course("progress").output
    assert f"05_feature_extraction: 2 of {3 + len(rest)}" in said and "00_start_here: 0 of" in said
    wrong = said.split("not right yet:")[1].split("\n\n")[0]
    assert second.title[:40] in wrong and third.title[:40] not in wrong and first.title[:40] not in wrong
    assert f"Go on in 05_feature_extraction with the {second.kind}" in said and str(store.path) in said


def test_progress_of_a_beginner_names_the_first_lesson(store):
    said = course("progress").output
    assert "Go on in 00_start_here" in said and "not right yet" not in said


def test_progress_that_cannot_be_read_is_an_error_in_words(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "file" / "progress.sqlite"))
    done = course("progress")
    assert done.exit_code == 1 and "COURSE_PROGRESS" in done.output and "Traceback" not in done.output


def test_where_to_go_on_is_told_only_to_who_has_begun(store, tmp_path, monkeypatch):
    from course_utils.cli.progress import continue_at
    from course_utils.teaching import items
    assert continue_at() is None and not store.path.exists()
    tried(store, items("05_feature_extraction")[0], "right")
    assert "Go on in 05_feature_extraction" in continue_at()


def test_trouble_with_progress_keeps_nobody_from_the_lessons(store, tmp_path, monkeypatch):
    from course_utils.cli.progress import continue_at
    store.path.write_bytes(b"no database at all, but long enough to be one" * 50)
    assert "damaged" in continue_at()
    assert continue_at() is None
    store.path.unlink()
    store.path.mkdir()
    assert "COURSE_PROGRESS" in continue_at()

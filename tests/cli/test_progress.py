"""`course progress`: what was missed and the way back to it, and progress carried to another machine."""

from __future__ import annotations

import sqlite3

import pytest
from click.testing import CliRunner

from course_utils.cli import main
from course_utils.teaching import Event, ProgressStore, items, lessons

LESSON = "05_feature_extraction"


def course(*arguments: str):
    return CliRunner().invoke(main, arguments)


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.sqlite"))
    return ProgressStore()


def record(store, item, outcome="wrong", confidence=""):
    store.record(Event(kind="answer", item=item.id, lesson=item.id.split("/")[0], objective=item.objective,
                       outcome=outcome, confidence=confidence))


def test_what_was_missed_is_listed_with_the_way_back_and_what_one_was_certain_of_first(store):
    first, second = items(LESSON)[:2]
    record(store, first)
    record(store, second, confidence="certain")
    lines = course("progress").output.split("not right yet:\n")[1].splitlines()
    assert lines[0].startswith(f"  You were certain: {second.title[:40]}")
    assert lines[1].strip() == f"look again at {LESSON}.ipynb, “Three switches”"
    assert lines[2].startswith(f"  {first.title[:40]}") and "“A new head”" in lines[3]


def test_how_much_is_done_is_said_for_nothing_something_and_everything(store):
    every = [item for lesson in lessons() for item in items(lesson)]
    assert "Nothing is done yet. Go on in 00_start_here" in course("progress").output
    record(store, every[0], "right")
    assert f"1 of {len(every)} done. Go on in 00_start_here" in course("progress").output
    for item in every[1:]:
        record(store, item, "right")
    said = course("progress").output
    assert f"Everything is done: {len(every)} of {len(every)}." in said and "Go on" not in said


def test_progress_from_a_newer_course_is_an_error_in_words(store):
    record(store, items(LESSON)[0])
    connection = sqlite3.connect(store.path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    done = course("progress")
    assert done.exit_code == 1 and "newer version of this course" in done.output
    assert "Traceback" not in done.output


def test_progress_is_carried_to_another_machine_by_export_and_merge(store, tmp_path, monkeypatch):
    for item in items(LESSON)[:2]:
        record(store, item, "right")
    carried = str(tmp_path / "mine.jsonl")
    said = course("progress", "--export", carried).output
    assert f"{carried} holds all that is recorded: 2 events" in said and f"--merge {carried}" in said
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "another-machine.sqlite"))
    assert "2 events added" in course("progress", "--merge", carried).output
    assert "0 events added" in course("progress", "--merge", carried).output
    assert f"{LESSON}: 2 of" in course("progress").output


@pytest.mark.parametrize("option", ["--export", "--merge"])
def test_what_cannot_be_exported_or_merged_is_an_error_in_words(store, tmp_path, option):
    done = course("progress", option, str(tmp_path / "no-such-folder" / "mine.jsonl"))
    assert done.exit_code == 1 and "mine.jsonl" in done.output and "Traceback" not in done.output

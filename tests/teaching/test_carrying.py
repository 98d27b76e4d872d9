"""Progress is carried to another machine by the learner alone: exported, merged, and never twice."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.errors import CourseError
from course_utils.teaching.progress import ProgressStore
from tests.teaching.toys import at, event, right

ADDED_IN = {2: ("response", "confidence"), 3: ("logical_at",)}


def ids(store) -> list[str]:
    return [one.id for one in store.events()]


def test_export_and_merge_carry_everything_and_twice_changes_nothing(store, tmp_path):
    carried = [event(response="2.5 µs \u2028 \x85"), right(confidence="certain"), event(kind="hint")]
    for one in carried:
        store.record(one)
    assert store.export(tmp_path / "mine.jsonl") == 3
    other = ProgressStore(tmp_path / "other.sqlite")
    other.record(here := event(at=at(7)))
    assert other.merge(tmp_path / "mine.jsonl") == 3
    assert other.merge(tmp_path / "mine.jsonl") == 0
    assert other.events() == [here, *carried]
    assert store.merge(tmp_path / "mine.jsonl") == 0 and store.events() == carried


def test_what_waits_in_memory_is_exported_too(tmp_path, store):
    store.record(event())
    writing = sqlite3.connect(store.path, isolation_level=None)
    writing.execute("BEGIN IMMEDIATE")          # so that nobody else may write, but all may read
    store.record(last := event())
    assert "another program" in store.notice() and store.export(tmp_path / "mine.jsonl") == 2
    writing.close()
    other = ProgressStore(tmp_path / "other.sqlite")
    assert other.merge(tmp_path / "mine.jsonl") == 2 and other.events()[-1] == last


@settings(derandomize=True, deadline=None, max_examples=20)
@given(hours=st.tuples(*[st.lists(st.integers(0, 23), min_size=1, max_size=5)] * 2))
def test_two_machines_that_exchange_their_progress_know_the_same_each_in_its_own_order(hours):
    with tempfile.TemporaryDirectory() as folder:
        stores = [ProgressStore(Path(folder) / f"{name}.sqlite") for name in "ab"]
        own = [[event(at=at(hour)) for hour in on_one] for on_one in hours]
        for store, recorded in zip(stores, own, strict=True):
            for one in recorded:
                store.record(one)
            store.export(store.path.with_suffix(".jsonl"))
        for store, other in zip(stores, reversed(stores), strict=True):
            store.merge(other.path.with_suffix(".jsonl"))
        for store in stores:
            assert set(ids(store)) == {one.id for recorded in own for one in recorded}
            for recorded in own:
                assert [one for one in store.events() if one in recorded] == recorded
            store.close()


@pytest.mark.parametrize("version", [1, 2])
def test_a_file_exported_by_an_older_version_is_merged_in_the_order_of_its_clock(store, tmp_path, version):
    lines = []
    for old in (event(at=at(9)), event(at=at(8))):
        line = json.loads(old.as_line())
        for later in range(version + 1, 4):
            for name in ADDED_IN[later]:
                del line[name]
        lines.append(json.dumps(line))
    (tmp_path / "old.jsonl").write_text("\n".join(lines))
    assert store.merge(tmp_path / "old.jsonl") == 2
    assert [(one.at, one.response) for one in store.events()] == [(at(8), ""), (at(9), "")]


def test_an_export_that_fails_leaves_nothing_half_written(store, tmp_path):
    store.record(event())
    target = tmp_path / "taken"
    target.mkdir()
    with pytest.raises(CourseError, match="Choose another place"):
        store.export(target)
    assert not list(tmp_path.glob(".*.partial"))


def test_an_export_never_takes_the_place_of_the_progress_itself(store, tmp_path, monkeypatch):
    store.record(one := event())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CourseError, match="Choose another name"):
        store.export(store.path.name)
    assert ProgressStore(store.path).events() == [one]


@pytest.mark.parametrize("bad, words", [
    ("{", "line 2"), pytest.param("[" * 9999, "line 2", id="nested"), ("[]", "not a JSON object"),
    ('{"id": "x"}', "fields should be"), ({"score": 7}, "from 0 to 1"), ({"score": "1"}, "from 0 to 1"),
    ({"kind": "cheat"}, "kind should be"), ({"item": 3}, "every other field text"),
    ({"mistake": {}}, "every other field text"), ({"at": "2025-01-01T00:00:00"}, "offset"),
    ({"at": "2025-01-01T00:00:00+02:00"}, "offset"), ({"at": "yesterday"}, "line 2"),
    ({"logical_at": "9"}, "line 2"), ({"id": "not-a-uuid"}, "line 2"),
    ({"id": "6F9619FF-8B86-4011-B42D-00CF4FC964FF"}, "UUID as it is usually written")])
def test_a_file_with_one_bad_line_is_refused_whole(store, tmp_path, bad, words):
    line = bad if isinstance(bad, str) else json.dumps(json.loads(event().as_line()) | bad)
    path = tmp_path / "mine.jsonl"
    path.write_text(event().as_line() + "\n" + line + "\n")
    with pytest.raises(CourseError, match=words) as refused:
        store.merge(path)
    assert "line 2" in str(refused.value) and store.events() == []


def test_a_file_that_is_not_there_or_no_export_is_said_in_words(store, tmp_path):
    store.record(event())
    for path in (tmp_path / "nothing.jsonl", store.path):
        with pytest.raises(CourseError, match="exported"):
            store.merge(path)


# Private

EVERYTHING = """
import sys
from pathlib import Path

heard = []
sys.addaudithook(lambda name, arguments: heard.append(name) if name.startswith("socket.") else None)

from course_utils.teaching import ProgressStore, lessons, load_quiz, practice
from course_utils.teaching.summary import summarise

quiz = load_quiz(lessons()[0])
for question in quiz.questions:
    quiz.answer(question.id, "a")
store = practice.default_store()
assert store.events()
summarise(store.events())
store.close()
print("files:", *sorted(path.name for path in store.path.parent.iterdir()))
store.export("mine.jsonl")
store.merge("mine.jsonl")
{also}
print("heard:", *heard)
"""


@pytest.mark.parametrize("also, heard", [
    ("", ""),
    ("import socket; socket.socket().connect_ex(('127.0.0.1', 9))", "socket.__new__ socket.connect")],
    ids=["the course", "a program that does ask another"])
def test_nothing_leaves_the_machine_and_only_an_export_writes_elsewhere(tmp_path, monkeypatch, also, heard):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.sqlite"))
    done = subprocess.run([sys.executable, "-c", EVERYTHING.replace("{also}", also)], cwd=tmp_path,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["files: progress.sqlite", f"heard: {heard}".rstrip()]

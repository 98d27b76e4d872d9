"""Progress is never lost: real SQLite files, real processes, real damage."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from course_utils.errors import CourseError
from course_utils.teaching.event_file import StoreUnavailable
from course_utils.teaching.events import Event
from course_utils.teaching.progress import ProgressStore
from course_utils.teaching.summary import by_lesson, where_to_go_on

WRITER = """
import sys
from course_utils.teaching.events import Event
from course_utils.teaching.progress import ProgressStore
store = ProgressStore(sys.argv[1])
for i in range(int(sys.argv[2])):
    event = Event(kind="check", item="a/x", lesson="a", outcome="wrong", score=0.0)
    store.record(event)
    store.flush()
    print(event.id, flush=True)       # said only once it is committed
"""


LOCKED_OUT = """
import sqlite3, sys
from course_utils.teaching.events import Event
from course_utils.teaching.progress import ProgressStore
other = sqlite3.connect(sys.argv[1], isolation_level=None)
other.execute("BEGIN EXCLUSIVE")
store = ProgressStore(sys.argv[1])
store.record(Event(kind="check", item="a/x", lesson="a"))
assert store.notice()
other.close()
"""


def event(item="01_numbers/triple", kind="check", **fields):
    given = {"outcome": "wrong", "score": 0.0} if kind in ("check", "answer") else {}
    return Event(**{"kind": kind, "item": item, "lesson": item.split("/")[0]} | given | fields)


def right(item="01_numbers/triple", **fields):
    return event(item, outcome="right", score=1.0, **fields)


def write_in_another_process(path, count) -> subprocess.Popen:
    command = [sys.executable, "-c", WRITER, str(path), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def in_a_fork(work) -> bool:
    """Whether `work` returns something true in a forked process."""
    child = os.fork()
    if not child:
        code = 1
        try:
            code = 0 if work() else 1
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def test_what_is_recorded_is_read_back_by_another_store(store):
    first, second = event(mistake="added"), right(objective="products")
    store.record(first), store.record(second)
    assert ProgressStore(store.path).events() == [first, second]


def test_the_default_file_is_where_paths_says(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "deep" / "mine.sqlite"))
    ProgressStore().record(event())
    assert (tmp_path / "deep" / "mine.sqlite").is_file()


def test_the_file_is_in_wal_mode(store):
    store.record(event())
    with sqlite3.connect(store.path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_the_same_event_is_kept_once(store):
    once = event()
    store.record(once), store.record(once)
    assert store.events() == [once]


def test_latest_and_best_look_at_one_item_since_its_reset(store):
    low, high, last = event(score=0.2), event(score=0.8), event(score=0.5)
    for e in (low, high, last, right("01_numbers/other"), event(kind="hint")):
        store.record(e)
    assert store.latest("01_numbers/triple") == last and store.best("01_numbers/triple") == high
    store.record(event(kind="reset"))
    assert store.latest("01_numbers/triple") is None and store.best("01_numbers/triple") is None
    assert len(store.events("01_numbers/triple")) == 5, "the history is kept"


# Summary and resume

def test_summary_counts_what_is_done_by_lesson_and_objective(store, toy_lessons):
    store.record(right("01_numbers/double"))
    store.record(event("01_numbers/two-and-two", kind="answer"))
    numbers, reading = by_lesson(store.events())
    assert (numbers.lesson, numbers.title, numbers.done, numbers.total) == ("01_numbers", "Numbers", 1, 2)
    goals = [(goal.id, goal.done, goal.total) for goal in numbers.objectives]
    assert goals == [("sums", 0, 1), ("products", 1, 1)]
    assert (reading.done, reading.total) == (0, 1)


def test_done_stays_done_after_a_later_slip_but_not_after_a_reset(store, toy_lessons):
    for e in (right("01_numbers/double"), event("01_numbers/double")):
        store.record(e)
    assert by_lesson(store.events())[0].done == 1
    store.record(event("01_numbers/double", kind="reset"))
    assert by_lesson(store.events())[0].done == 0


def test_an_item_that_is_no_longer_in_the_course_does_not_count(store, toy_lessons):
    store.record(right("01_numbers/long-gone"))
    assert by_lesson(store.events())[0].done == 0


def test_resume_leads_through_everything_that_is_not_done(store, toy_lessons):
    assert where_to_go_on(store.events()).item.id == "01_numbers/two-and-two"
    store.record(event("02_reading/two-and-two", kind="answer"))
    place = where_to_go_on(store.events())
    assert (place.lesson, place.lesson_title) == ("02_reading", "Reading")
    assert place.item.id == "02_reading/two-and-two"
    store.record(right("02_reading/two-and-two"))
    assert where_to_go_on(store.events()).item.id == "01_numbers/two-and-two", "then what was left out before"
    store.record(right("01_numbers/two-and-two"))
    assert where_to_go_on(store.events()).item.id == "01_numbers/double"
    store.record(right("01_numbers/double"))
    assert where_to_go_on(store.events()) is None


# Several at once

def test_two_processes_lose_nothing_and_write_nothing_twice(store):
    writers = [write_in_another_process(store.path, 200) for _ in range(2)]
    for writer in writers:
        writer.communicate(timeout=120)
        assert writer.returncode == 0
    ids = [e.id for e in store.events()]
    assert len(ids) == len(set(ids)) == 400


@pytest.mark.parametrize("moment", range(4))
def test_a_killed_process_loses_nothing_it_had_committed(store, moment):
    store.record(event())
    writer = write_in_another_process(store.path, 100_000)
    committed = [writer.stdout.readline().strip()]
    time.sleep(random.Random(moment).uniform(0.0, 0.3))
    os.kill(writer.pid, signal.SIGKILL)
    rest, _ = writer.communicate(timeout=20)
    committed += [line for line in rest.splitlines() if len(line) == 36]
    store.record(event())
    ids = [e.id for e in store.events()]
    assert set(committed) <= set(ids) and len(ids) == len(set(ids))
    assert store.notice() is None
    with sqlite3.connect(store.path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_threads_share_a_store(store):
    threads = [threading.Thread(target=lambda: [store.record(event()) for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.flush()
    assert len(store.events()) == 80


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_may_go_on_with_its_parents_store(store):
    store.record(event())
    assert in_a_fork(lambda: store.record(event()) is None)
    store.record(event())
    assert len(store.events()) == 3


def test_a_file_that_was_taken_away_is_begun_anew_and_not_written_blindly(store):
    store.record(event())
    store.path.unlink()
    store.record(event())
    store.record(event())
    assert len(ProgressStore(store.path).events()) == 2


# What may be wrong with the file

@pytest.fixture
def locked(store):
    """Another connection holds the file: calling this lets go."""
    store.record(event())
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    yield other.close
    other.close()


def test_a_locked_file_delays_little_and_gets_its_events_later(store, locked):
    start = time.monotonic()
    store.record(event())
    assert time.monotonic() - start < 0.8
    assert "another program holds" in store.notice() and store.notice() is None
    assert len(store.history("01_numbers/triple")) == 2, "it is still known here"
    locked()
    store.record(event())
    assert len(ProgressStore(store.path).events()) == 3


def test_a_new_file_that_is_locked_before_it_has_tables_does_not_fail(store):
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    store.record(event())
    other.close()
    assert "another program" in store.notice()
    store.flush()
    assert len(ProgressStore(store.path).events()) == 1


def test_what_waits_is_written_when_python_ends(store):
    store.record(event())
    subprocess.run([sys.executable, "-c", LOCKED_OUT, str(store.path)], check=True)
    assert len(store.events()) == 2


def test_trouble_is_said_once(store, locked):
    for _ in range(3):
        store.record(event())
    assert store.notice() and not store.notice()


@pytest.mark.parametrize("obstacle", ["a folder in its place", "a file in place of its folder"])
def test_where_nothing_can_be_written_events_stay_in_memory(tmp_path, obstacle):
    path = tmp_path / "place" / "progress.sqlite"
    if obstacle.startswith("a folder"):
        path.mkdir(parents=True)
    else:
        path.parent.write_text("")
    store = ProgressStore(path)
    store.record(event())
    assert "COURSE_PROGRESS" in store.notice()
    assert len(store.history("01_numbers/triple")) == 1
    with pytest.raises(StoreUnavailable, match="COURSE_PROGRESS"):
        store.events()


@pytest.mark.skipif(not os.path.exists("/proc/sys"), reason="needs a folder that even root cannot write")
def test_a_read_only_place_is_said_in_words():
    store = ProgressStore("/proc/sys/course/progress.sqlite")
    store.record(event())
    assert "cannot be used" in store.notice()


@pytest.fixture
def open_folder():
    """A folder that other users may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)
        os.chmod(folder, 0o755)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and users")
def test_a_read_only_file_answers_from_memory_and_is_not_changed(open_folder):
    store = ProgressStore(open_folder / "progress.sqlite")
    store.record(event())
    store.close()
    before = store.path.read_bytes()
    os.chmod(store.path, 0o444)
    os.chmod(open_folder, 0o555)

    def as_somebody_else():
        if os.getuid() == 0:
            os.setuid(65534)        # root may write anything; nobody may not
        store.record(event())
        return "COURSE_PROGRESS" in store.notice() and store.history("01_numbers/triple")

    assert in_a_fork(as_somebody_else)
    assert store.path.read_bytes() == before


@pytest.mark.parametrize("damage", ["header", "middle", "text"])
def test_a_damaged_file_is_kept_aside_and_a_new_one_begun(store, damage):
    for _ in range(200):
        store.record(event())
    store.close()
    content = bytearray(store.path.read_bytes())
    if damage == "header":
        content[:100] = os.urandom(100)
    elif damage == "middle":
        content[4096:] = os.urandom(len(content) - 4096)
    else:
        content = bytearray(b"this is no database at all, but long enough to be looked at" * 20)
    store.path.write_bytes(content)
    new = ProgressStore(store.path)
    new.record(event())
    assert len(new.events()) == 1
    aside = [path for path in store.path.parent.glob("progress.damaged-*.sqlite")]
    assert len(aside) == 1 and aside[0].read_bytes() == bytes(content)
    assert aside[0].name in new.notice() and new.notice() is None


def test_a_sound_file_is_never_kept_aside(store):
    store.record(event())
    ProgressStore(store.path).events()
    assert not list(store.path.parent.glob("*damaged*"))


def test_a_file_from_a_newer_course_is_refused_and_not_changed(store):
    store.record(event())
    with sqlite3.connect(store.path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    store.close()
    before = store.path.read_bytes()
    with pytest.raises(StoreUnavailable, match="newer version"):
        store.events()
    store.record(event())
    assert "newer version" in store.notice()
    assert store.path.read_bytes() == before


def test_a_file_of_the_first_version_is_widened_and_keeps_its_events(store):
    store.record(old := event())
    store.close()
    with sqlite3.connect(store.path) as connection:
        for column in ("response", "confidence"):
            connection.execute(f"ALTER TABLE events DROP COLUMN {column}")
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    again = ProgressStore(store.path)
    again.record(new := event(response="b", confidence="certain"))
    assert again.events() == [old, new] and again.notice() is None


# Carrying progress to another machine

def test_a_file_exported_by_the_first_version_is_merged(store, tmp_path):
    line = json.loads(event().as_line())
    del line["response"], line["confidence"]
    (tmp_path / "old.jsonl").write_text(json.dumps(line))
    assert store.merge(tmp_path / "old.jsonl") == 1 and store.events()[0].response == ""


def test_export_and_merge_carry_everything_and_twice_changes_nothing(store, tmp_path):
    for e in (event(), right(mistake=None), event(kind="hint")):
        store.record(e)
    assert store.export(tmp_path / "mine.jsonl") == 3
    other = ProgressStore(tmp_path / "other.sqlite")
    here = event()
    other.record(here)
    assert other.merge(tmp_path / "mine.jsonl") == 3
    assert other.merge(tmp_path / "mine.jsonl") == 0
    assert sorted(e.id for e in other.events()) == sorted([here.id, *(e.id for e in store.events())])


def test_an_export_that_fails_leaves_the_old_one(store, tmp_path):
    store.record(event())
    target = tmp_path / "taken"
    target.mkdir()
    with pytest.raises(CourseError, match="Choose another place"):
        store.export(target)
    assert not list(tmp_path.glob("*.partial")) and not list(tmp_path.glob(".*.partial"))


@pytest.mark.parametrize("line, words", [
    ("{", "line 2"), ("[]", "not a JSON object"), ('{"id": "x"}', "its fields should be"),
    (event().as_line().replace('"score": 0.0', '"score": 7'), "from 0 to 1"),
    (event().as_line().replace('"check"', '"cheat"'), "kind should be"),
    (event(at="2025-01-01T00:00:00").as_line(), "offset"),
    (event(id="not-a-uuid").as_line(), "line 2")])
def test_a_file_with_one_bad_line_is_refused_whole(store, tmp_path, line, words):
    path = tmp_path / "mine.jsonl"
    path.write_text(event().as_line() + "\n" + line + "\n")
    with pytest.raises(CourseError, match=words) as refused:
        store.merge(path)
    assert "line 2" in str(refused.value) and store.events() == []


def test_a_file_that_is_not_there_is_said_in_words(store, tmp_path):
    with pytest.raises(CourseError, match="cannot be read"):
        store.merge(tmp_path / "nothing.jsonl")

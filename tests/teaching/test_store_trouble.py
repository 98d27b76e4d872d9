"""What may be wrong with the file: held by another, not writable, damaged, newer. A lesson goes on."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from course_utils.teaching import practice
from course_utils.teaching.event_file import StoreUnavailable
from course_utils.teaching.progress import ProgressStore
from tests.teaching.toys import asked, at, event, in_a_fork, right

ITEM = "01_numbers/triple"
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


@contextmanager
def held(path: Path):
    """Another connection holds the file; calling what this gives lets go early."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield other.close
    finally:
        other.close()


@pytest.fixture
def locked(store):
    """Another connection holds the file: calling this lets go."""
    store.record(event())
    with held(store.path) as let_go:
        yield let_go


def test_a_locked_file_delays_little_and_gets_its_events_later(store, locked):
    start = time.monotonic()
    store.record(event())
    assert time.monotonic() - start < 0.8
    assert "another program holds" in store.notice() and store.notice() is None
    assert len(store.history(ITEM)) == 2, "it is still known here"
    locked()
    store.record(event())
    assert len(ProgressStore(store.path).events()) == 3


def test_a_new_file_that_is_locked_before_it_has_tables_does_not_fail(store):
    with held(store.path):
        store.record(event())
    assert "another program" in store.notice()
    store.flush()
    assert len(ProgressStore(store.path).events()) == 1


def test_what_waited_is_ordered_by_when_it_happened_not_by_when_it_was_written(store):
    store.record(event(at=at(8)))
    with held(store.path):
        store.record(event(at=at(9)))
    ProgressStore(store.path).record(event(kind="reset", at=at(10)))
    store.record(right(at=at(11)))
    assert [(e.kind, e.at) for e in ProgressStore(store.path).events()] == [
        ("check", at(8)), ("check", at(9)), ("reset", at(10)), ("check", at(11))]


def test_what_waited_keeps_its_order_though_the_clock_was_set_back(store):
    store.record(first := event(at=at(12)))
    waited = [event(at=at(hour)) for hour in (10, 9, 11)]
    with held(store.path):
        for one in waited:
            store.record(one)
    store.flush()
    assert ProgressStore(store.path).events() == [first, *waited]


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
    assert len(store.history(ITEM)) == 1
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
        return "COURSE_PROGRESS" in store.notice() and store.history(ITEM)

    assert in_a_fork(as_somebody_else)
    assert store.path.read_bytes() == before


def test_a_file_that_was_taken_away_is_begun_anew_and_not_written_blindly(store):
    store.record(event())
    store.path.unlink()
    store.record(event())
    store.record(event())
    assert len(ProgressStore(store.path).events()) == 2


# Damaged

@pytest.mark.parametrize("damage", ["header", "middle", "text", "cut off"])
def test_a_damaged_file_is_kept_aside_and_a_new_one_begun(store, damage):
    for _ in range(200):
        store.record(event())
    store.close()
    content = bytearray(store.path.read_bytes())
    if damage == "header":
        content[:100] = os.urandom(100)
    elif damage == "middle":
        content[4096:] = os.urandom(len(content) - 4096)
    elif damage == "text":
        content = bytearray(b"this is no database at all, but long enough to be looked at" * 20)
    else:
        del content[5000:]
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


# From a newer version of the course

@pytest.fixture
def newer(store):
    """The store, its file left by a course of a later version."""
    store.record(event())
    store.close()
    connection = sqlite3.connect(store.path, isolation_level=None)
    connection.execute("ALTER TABLE events ADD COLUMN mood TEXT NOT NULL DEFAULT 'cheerful'")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    return ProgressStore(store.path)


def test_a_file_from_a_newer_course_is_refused_kindly_and_not_changed(newer):
    before = newer.path.read_bytes()
    with pytest.raises(StoreUnavailable, match=r"newer version .* Update the course"):
        newer.events()
    newer.record(event())
    assert "newer version" in newer.notice() and newer.notice() is None
    newer.close()
    assert newer.path.read_bytes() == before and asked(newer.path, "SELECT mood FROM events") == "cheerful"
    assert [file.name for file in newer.path.parent.iterdir()] == [newer.path.name]


def test_a_lesson_goes_on_beside_a_file_from_a_newer_course(triple, newer):
    verdict = practice.check(triple, triple.wrongs["added"].function, newer)
    assert verdict.mistake == "added" and "newer version" in verdict.message
    assert practice.attempts_left(triple, newer) == 2, "attempts count from memory"
    assert practice.check(triple, triple.solution_function, newer).passed
    assert practice.solution(triple, newer) == triple.solution_source()


def test_once_the_course_is_updated_what_waited_is_stored(store, newer):
    newer.record(event())
    connection = sqlite3.connect(store.path, isolation_level=None)
    connection.execute("ALTER TABLE events DROP COLUMN mood")
    connection.execute("PRAGMA user_version = 3")
    connection.close()
    newer.record(event())
    assert len(ProgressStore(store.path).events()) == 3

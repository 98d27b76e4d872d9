"""What is recorded is there, in real SQLite files of this version and older ones, whatever the clock says."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import paths
from course_utils.teaching.events import since_reset
from course_utils.teaching.progress import ProgressStore
from tests.teaching.toys import asked, at, event, right

ITEM = "01_numbers/triple"
COLUMNS = ["id", "at", "kind", "item", "lesson", "objective", "item_hash", "outcome", "score", "mistake",
           "response_hash", "response", "confidence"]
COLUMNS_OF_VERSION = {1: COLUMNS[:11], 2: COLUMNS}


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
    assert asked(store.path, "PRAGMA journal_mode") == "wal"


def test_the_same_event_is_kept_once_and_never_changed(store):
    once = event()
    store.record(once), store.record(once), store.record(right(id=once.id))
    assert store.events() == [once]


def test_latest_and_best_look_at_one_item_since_its_reset(store):
    low, high, last = event(score=0.2), event(score=0.8), event(score=0.5)
    for e in (low, high, last, right("01_numbers/other"), event(kind="hint")):
        store.record(e)
    assert store.latest(ITEM) == last and store.best(ITEM) == high
    store.record(event(kind="reset"))
    assert store.latest(ITEM) is None and store.best(ITEM) is None
    assert len(store.events(ITEM)) == 5, "the history is kept"


def test_a_reset_begins_one_item_anew_and_no_other():
    other, before, reset, after = right("01_numbers/other"), right(), event(kind="reset"), event()
    assert since_reset([other, before, reset, after]) == [other, after]


def test_half_a_character_from_a_browser_is_stored_as_a_question_mark(store):
    store.record(event(response="12 \ud800 ms"))
    assert store.events()[0].response == "12 ? ms" and store.notice() is None


# The clock

def test_a_reset_holds_though_the_clock_was_set_back(store):
    store.record(right(at=at(12)))
    store.record(event(kind="reset", at=at(9)))
    assert store.best(ITEM) is None
    store.record(again := event(at=at(10)))
    assert store.latest(ITEM) == again and again.at == at(10), "the time itself is what the clock said"


def test_in_memory_too_a_reset_holds_though_the_clock_was_set_back(tmp_path):
    store = ProgressStore(tmp_path)         # a folder: nothing can be stored
    store.record(right(at=at(12)))
    store.record(event(kind="reset", at=at(9)))
    assert since_reset(store.history(ITEM)) == []


@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 23), min_size=1, max_size=8))
def test_events_are_read_in_the_order_they_were_recorded_whatever_the_clock_said(hours):
    recorded = [event(at=at(hour)) for hour in hours]
    with tempfile.TemporaryDirectory() as folder:
        store = ProgressStore(Path(folder) / "progress.sqlite")
        for one in recorded:
            store.record(one)
        assert store.events() == store.events(ITEM) == recorded
        assert ProgressStore(store.path).events() == recorded
        store.close()


# Files of older versions

def make_old_file(path: Path, version: int, events) -> None:
    """A file as that version of the course made it, with `events` in it."""
    columns = COLUMNS_OF_VERSION[version]
    required = [f"{name} TEXT NOT NULL" for name in columns if name not in ("score", "mistake")]
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"CREATE TABLE events ({', '.join(required)}, score FLOAT, mistake TEXT, "
                       "PRIMARY KEY (id))")
    connection.execute("CREATE INDEX ix_events_item ON events (item)")
    connection.execute(f"PRAGMA user_version = {version}")
    values = ", ".join("?" * len(columns))
    for one in events:
        connection.execute(f"INSERT INTO events ({', '.join(columns)}) VALUES ({values})",
                           [getattr(one, name) for name in columns])
    connection.close()


@pytest.mark.parametrize("version", COLUMNS_OF_VERSION)
def test_a_file_of_an_older_version_is_widened_and_keeps_its_events_in_their_order(store, version):
    early, late = event(at=at(8)), event(at=at(9))
    make_old_file(store.path, version, [late, early])       # merged: added later, happened before
    store.record(new := event(response="b", confidence="certain", at=at(7)))
    assert store.events() == [early, late, new] and store.notice() is None
    assert asked(store.path, "PRAGMA user_version") == 3
    assert ProgressStore(store.path).events() == [early, late, new]


# Speed is measured by tests/benchmarks/answers.py

def test_the_record_says_that_storing_a_check_takes_less_than_ten_milliseconds():
    record = json.loads((paths.results() / "answers.json").read_text())
    assert record["results"]["storing"]["slowest_ms"] < 10

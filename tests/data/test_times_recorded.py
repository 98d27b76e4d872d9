"""What the records say of waiting: lessons, checks, the store, the import. Nothing is timed here.

Recorded by `python tools/records/lesson_times.py` and `python -m tests.benchmarks.answers`.
"""

from __future__ import annotations

import json

from course_utils import paths
from course_utils.teaching import lessons, load_lesson


def read(name: str) -> dict:
    return json.loads((paths.results() / f"{name}.json").read_text(encoding="utf-8"))["results"]


def test_every_lesson_was_timed_and_computes_for_less_than_a_minute():
    times = read("lesson_times")
    assert set(times) == set(lessons())
    assert all(0 < lesson["seconds"] < 60 for lesson in times.values())


def test_every_exercise_was_timed_and_is_checked_within_two_seconds():
    checks = read("answers")["checks"]
    assert set(checks) == {exercise.id for name in lessons() for exercise in load_lesson(name).exercises()}
    assert all(0 < max(times.values()) < 2 for times in checks.values())


def test_storing_an_event_took_less_than_ten_milliseconds():
    assert 0 < read("answers")["storing"]["median_ms"] < 10


def test_importing_the_course_took_less_than_fifty_milliseconds():
    assert read("answers")["importing"]["import_ms"] < 50

"""The course engine: exercises, questions, verdicts, progress. It knows no torch and no lesson by name."""

from course_utils.teaching.content import (
    Item,
    Lesson,
    items,
    lessons,
    load_exercise,
    load_lesson,
    load_quiz,
)
from course_utils.teaching.exercises import Exercise
from course_utils.teaching.exhibits import Bars, Chart, Code, Line, Picture, Pictures, Table, Words
from course_utils.teaching.grading import expect
from course_utils.teaching.verdict import CheckResult, Verdict

__all__ = [
    "Bars", "Chart", "CheckResult", "Code", "Event", "Exercise", "Item", "Lesson", "Line", "Picture",
    "Pictures", "ProgressStore", "Quiz", "Table", "Verdict", "Words", "expect", "items", "lessons",
    "load_exercise", "load_lesson", "load_quiz",
]

# These bring SQLAlchemy and pydantic, half a second that a notebook pays only once it needs them.
_LATER = {"Event": "events", "ProgressStore": "progress", "Quiz": "quizzes"}


def __getattr__(name: str):
    if name in _LATER:
        import importlib
        return getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

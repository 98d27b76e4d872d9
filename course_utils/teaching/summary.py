"""From events to what a learner wants to know: how much is done, and where to go on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from course_utils.teaching.content import Item, Lesson
from course_utils.teaching.events import Event, since_reset


@dataclass(frozen=True)
class Tally:
    """How many items of one objective are done."""

    id: str
    text: str
    done: int
    total: int


@dataclass(frozen=True)
class LessonProgress:
    """How many items of one lesson are done, and of each of its objectives."""

    lesson: str
    title: str
    done: int
    total: int
    objectives: tuple[Tally, ...]


@dataclass(frozen=True)
class Place:
    """Where to go on: an item that is not done yet, and the lesson it is in."""

    lesson: str
    lesson_title: str
    item: Item


def done_items(events: Iterable[Event]) -> set[str]:
    """Items answered rightly at least once since they were last reset."""
    return {event.item for event in since_reset(events) if event.outcome == "right"}


def lesson_progress(lesson: Lesson, items: Sequence[Item], done: set[str]) -> LessonProgress:
    """Count one lesson."""
    def counted(some: list[Item]) -> tuple[int, int]:
        return sum(item.id in done for item in some), len(some)

    tallies = (Tally(goal.id, goal.text, *counted([item for item in items if item.objective == goal.id]))
               for goal in lesson.objectives)
    return LessonProgress(lesson.id, lesson.title, *counted(list(items)), tuple(tallies))


def place_to_continue(lessons: Sequence[tuple[Lesson, Sequence[Item]]],
                      events: Sequence[Event]) -> Place | None:
    """The first item not yet done of the lesson touched last, or else of the lessons after it, then before.

    None where nothing is left. `events` in the order in which they happened.
    """
    touched = [event.lesson for event in events]
    ids = [lesson.id for lesson, _ in lessons]
    at = next((ids.index(lesson) for lesson in reversed(touched) if lesson in ids), 0)
    done = done_items(events)
    for lesson, items in [*lessons[at:], *lessons[:at]]:
        for item in items:
            if item.id not in done:
                return Place(lesson.id, lesson.title, item)
    return None

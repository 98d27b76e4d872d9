"""From events to what a learner wants to know: how much is done, and where to go on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from course_utils.teaching.content import Item, Lesson, items, lessons, load_lesson
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


def by_lesson(events: Iterable[Event]) -> list[LessonProgress]:
    """How much of each lesson is done, in the order of the lessons."""
    done = done_items(events)
    return [lesson_progress(load_lesson(lesson), items(lesson), done) for lesson in lessons()]


def where_to_go_on(events: Sequence[Event]) -> Place | None:
    """The first item not done of the lesson touched last, else of the others; None where nothing is left."""
    return place_to_continue([(load_lesson(lesson), items(lesson)) for lesson in lessons()], events)


def lesson_progress(lesson: Lesson, own: Sequence[Item], done: set[str]) -> LessonProgress:
    """Count one lesson, whose items are `own`."""
    def counted(some: list[Item]) -> tuple[int, int]:
        return sum(item.id in done for item in some), len(some)

    tallies = (Tally(goal.id, goal.text, *counted([item for item in own if item.objective == goal.id]))
               for goal in lesson.objectives)
    return LessonProgress(lesson.id, lesson.title, *counted(list(own)), tuple(tallies))


def place_to_continue(outline: Sequence[tuple[Lesson, Sequence[Item]]],
                      events: Sequence[Event]) -> Place | None:
    """The first item not yet done of the lesson touched last, or else of the lessons after it, then before.

    None where nothing is left. `events` in the order in which they happened.
    """
    touched = [event.lesson for event in events]
    ids = [lesson.id for lesson, _ in outline]
    at = next((ids.index(lesson) for lesson in reversed(touched) if lesson in ids), 0)
    done = done_items(events)
    for lesson, own in [*outline[at:], *outline[:at]]:
        for item in own:
            if item.id not in done:
                return Place(lesson.id, lesson.title, item)
    return None

"""From events to what a learner wants to know: what is done, what was missed, and where to go on.

A right answer counts for good, also when its question is put differently later. A wrong one to a question
that was put differently then is history, and no longer held against anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from course_utils.teaching.content import Item, Lesson, called, lessons, load_lesson, notebook_of
from course_utils.teaching.events import Event, since_reset
from course_utils.teaching.questions import CONFIDENCE

Outline = Sequence[tuple[Lesson, Sequence[Item]]]


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
    """An item to go to, and the lesson to open for it."""

    lesson: str
    lesson_title: str
    item: Item

    @property
    def called(self) -> str:
        """The lesson as the screen names it."""
        return called(self.lesson, self.lesson_title)

    @property
    def notebook(self) -> str:
        """Where the lesson's notebook lies, below notebooks/."""
        return notebook_of(self.lesson)

    @property
    def heading(self) -> str:
        """The anchor of a heading in that lesson, with its #; empty where there is none."""
        elsewhere, mark, heading = self.item.see.partition("#")
        return mark + heading if elsewhere in ("", self.lesson) else ""

    @property
    def section(self) -> str:
        """The same in words."""
        return self.heading.removeprefix("#").replace("-", " ")


@dataclass(frozen=True)
class Missed(Place):
    """An item that was tried since its last reset and never answered rightly."""

    certain: bool       # of a wrong answer, the learner was certain


@dataclass(frozen=True)
class Summary:
    """The lessons in their order; what was missed, the certain ones first; where to go on, if any is left."""

    lessons: tuple[LessonProgress, ...]
    missed: tuple[Missed, ...]
    place: Place | None

    def in_words(self) -> str:
        """How much is done of everything, in a sentence."""
        done = sum(lesson.done for lesson in self.lessons)
        total = sum(lesson.total for lesson in self.lessons)
        if self.place is None:
            return f"Everything is done: {done} of {total}."
        return f"{done} of {total} done." if done or self.missed else "Nothing is done yet."


def summarise(events: Iterable[Event]) -> Summary:
    """What `events`, in the order in which they happened, say of the lessons as they are now."""
    events = list(events)
    outline = [(lesson, lesson.items()) for lesson in map(load_lesson, lessons())]
    done = {event.item for event in since_reset(events) if event.outcome == "right"}
    counted = tuple(_lesson_progress(lesson, own, done) for lesson, own in outline)
    return Summary(counted, tuple(_missed(outline, events, done)), _place_to_continue(outline, events, done))


def _lesson_progress(lesson: Lesson, own: Sequence[Item], done: set[str]) -> LessonProgress:
    """Count one lesson, whose items are `own`."""
    def counted(some: Sequence[Item]) -> tuple[int, int]:
        return sum(item.id in done for item in some), len(some)

    tallies = (Tally(goal.id, goal.text, *counted([item for item in own if item.objective == goal.id]))
               for goal in lesson.objectives)
    return LessonProgress(lesson.id, lesson.title, *counted(own), tuple(tallies))


def _missed(outline: Outline, events: Iterable[Event], done: set[str]) -> list[Missed]:
    """What was tried and is not done, as it is asked now: first what the learner was certain of."""
    wrong: dict[str, list[Event]] = {}
    for event in since_reset(events):
        if event.outcome in ("wrong", "partly right") and event.item not in done:
            wrong.setdefault(event.item, []).append(event)
    titles = {lesson.id: lesson.title for lesson, _ in outline}
    found = []
    for lesson, own in outline:
        for item in own:
            tries = [event for event in wrong.get(item.id, [])
                     if "" in (item.hash, event.item_hash) or event.item_hash == item.hash]
            certain = any(event.confidence == CONFIDENCE[-1] for event in tries)
            named = item.see.partition("#")[0]          # a final quiz asks what other lessons teach
            taught = named if named in titles else lesson.id
            found += [Missed(taught, titles[taught], item, certain)] if tries else []
    return sorted(found, key=lambda missed: not missed.certain)


def _place_to_continue(outline: Outline, events: Sequence[Event], done: set[str]) -> Place | None:
    """The first item not done of the lesson touched last, or else of those after it, then of those before."""
    ids = [lesson.id for lesson, _ in outline]
    at = next((ids.index(event.lesson) for event in reversed(events) if event.lesson in ids), 0)
    for lesson, own in [*outline[at:], *outline[:at]]:
        for item in own:
            if item.id not in done:
                return Place(lesson.id, lesson.title, item)
    return None

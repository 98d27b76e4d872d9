"""progress: what is done in each lesson, what to look at again, and where to go on."""

from __future__ import annotations

from textwrap import shorten

import traitlets as t

from course_utils.teaching import practice
from course_utils.teaching.event_file import StoreUnavailable
from course_utils.teaching.events import Event, since_reset
from course_utils.teaching.summary import LessonProgress, Place, by_lesson, done_items, where_to_go_on
from course_utils.widgets.panel import Panel, drawing

LONGEST_TITLE = 90      # characters; a question's title is all that it asks
NOTHING_LEFT = "Everything is done. Nothing is left to continue."


class Dashboard(Panel):
    """A look at the progress store, as it was when the cell ran."""

    _esm = drawing("dashboard")

    lessons = t.List().tag(sync=True)         # of {number, title, done, total, again: [objective]}
    place = t.Dict(default_value=None, allow_none=True).tag(sync=True)      # {lesson, what, notebook}
    notice = t.Unicode("").tag(sync=True)     # all done, or why nothing can be shown

    def __init__(self):
        store = practice.default_store()
        try:
            events = store.events()
        except StoreUnavailable as trouble:
            super().__init__(notice=str(trouble))
            return
        again, place = objectives_to_look_at(events), where_to_go_on(events)
        super().__init__(
            lessons=[_lesson(lesson, again) for lesson in by_lesson(events)],
            place=_place(place) if place else None, notice="" if place else NOTHING_LEFT)

    def text(self) -> str:
        """Where to go on, then one line for each lesson."""
        lines = [self.notice] if self.notice else []
        if self.place:
            lines += [f"Continue with {self.place['what']} in lesson {self.place['lesson']} "
                      f"({self.place['notebook']})"]
        for lesson in self.lessons:
            lines += [f"{lesson['number']} · {lesson['title']}: {lesson['done']} of {lesson['total']} done"]
            lines += [f"     look again: {objective}" for objective in lesson["again"]]
        return "\n".join(lines)


def objectives_to_look_at(events: list[Event]) -> set[tuple[str, str]]:
    """(lesson, objective) of every item that was answered, and never rightly."""
    done = done_items(events)
    return {(event.lesson, event.objective) for event in since_reset(events)
            if event.outcome in ("wrong", "partly right") and event.item not in done}


def _number(lesson: str) -> str:
    return lesson.split("_")[0]


def _lesson(lesson: LessonProgress, again: set[tuple[str, str]]) -> dict:
    return {"number": _number(lesson.lesson), "title": lesson.title,
            "done": lesson.done, "total": lesson.total,
            "again": [goal.text for goal in lesson.objectives if (lesson.lesson, goal.id) in again]}


def _place(place: Place) -> dict:
    title = shorten(place.item.title, LONGEST_TITLE, placeholder=" …")
    kind = "the exercise" if place.item.kind == "exercise" else "the question"
    return {"lesson": f"{_number(place.lesson)} · {place.lesson_title}",
            "what": f"{kind} “{title}”",
            "notebook": f"{place.lesson}.ipynb"}


def progress() -> Dashboard:
    """Your progress so far. Run the cell again to bring it up to date."""
    return Dashboard()

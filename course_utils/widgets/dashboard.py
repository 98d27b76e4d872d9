"""progress: what is done in each lesson, what was missed, and where to go on."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import traitlets as t

from course_utils.teaching import practice
from course_utils.teaching.content import called, lessons, notebook_of
from course_utils.teaching.event_file import StoreUnavailable
from course_utils.teaching.summary import LessonProgress, Missed, Place, summarise
from course_utils.widgets.panel import Panel, drawing
from course_utils.widgets.words import in_one_line


class Dashboard(Panel):
    """A look at the progress store, as it was when the cell ran."""

    _esm = drawing("dashboard")

    headline = t.Unicode("").tag(sync=True)   # "12 of 96 done."
    lessons = t.List().tag(sync=True)         # of {lesson, done, total, begun, goals}
    missed = t.List().tag(sync=True)          # of places with {certain}, the certain ones first
    place = t.Dict(default_value=None, allow_none=True).tag(sync=True)      # {what, lesson, section, …}
    notice = t.Unicode("").tag(sync=True)     # what is wrong with the store

    def __init__(self):
        store = practice.default_store()
        try:
            events = store.events()
        except StoreUnavailable as trouble:
            super().__init__(notice=str(trouble))
            return
        found = summarise(events)
        touched = {event.lesson for event in events}
        super().__init__(
            headline=found.in_words(), lessons=[_lesson(lesson, touched) for lesson in found.lessons],
            missed=[_missed(one) for one in found.missed], notice=store.notice() or "",
            place=_place(found.place, to_section=found.place.lesson in touched) if found.place else None)

    def text(self) -> str:
        """How much is done, where to go on, what to look at again; each lesson, by objective once begun."""
        lines = [line for line in (self.notice, self.headline) if line]
        if self.place:
            lines += [f"{self.place['verb']} with {self.place['what']} in {_where(self.place)}"]
        lines += ["", "Look again:"] if self.missed else []
        lines += [f"  {'You were certain: ' if one['certain'] else ''}{one['what']} in {_where(one)}"
                  for one in self.missed]
        lines += [""] if self.lessons else []
        for lesson in self.lessons:
            lines += [f"{lesson['lesson']}: {lesson['done']} of {lesson['total']} done"]
            lines += [f"     {goal['done']} of {goal['total']} · {goal['text']}"
                      for goal in lesson["goals"] if lesson["begun"]]
        return "\n".join(lines)


def _to_the_lessons() -> str:
    """From this notebook's folder, in which its kernel runs, to that of the lessons: "" or "../"."""
    here = Path.cwd().as_posix()
    folders = {notebook_of(lesson).rpartition("/")[0] for lesson in lessons()} - {""}
    return next(("../" * len(Path(folder).parts) for folder in folders if here.endswith(f"/{folder}")), "")


def _lesson(lesson: LessonProgress, touched: Collection[str]) -> dict:
    return {"lesson": called(lesson.lesson, lesson.title), "done": lesson.done, "total": lesson.total,
            "begun": lesson.lesson in touched,
            "goals": [{"text": goal.text, "done": goal.done, "total": goal.total}
                      for goal in lesson.objectives if goal.total]}


def _place(place: Place, *, to_section: bool = True) -> dict:
    """What a link to an item needs; a lesson that is not begun is read from its top."""
    title = in_one_line(place.item.title)
    kind = "the exercise" if place.item.kind == "exercise" else "the question"
    return {"verb": "Continue" if to_section else "Start", "what": f"{kind} “{title}”",
            "lesson": place.called, "notebook": _to_the_lessons() + place.notebook,
            "heading": place.heading if to_section else "", "section": place.section if to_section else ""}


def _missed(missed: Missed) -> dict:
    return _place(missed) | {"certain": missed.certain}


def _where(place: dict) -> str:
    section = f", “{place['section']}”" if place["section"] else ""
    return f"{place['lesson']} ({place['notebook']}{section})"


def progress() -> Dashboard:
    """Your progress so far. Run the cell again to bring it up to date."""
    return Dashboard()

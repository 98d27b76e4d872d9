"""score_by_objective: how a quiz went. export_progress: a page to keep of what is done, and what is not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from course_utils import paths
from course_utils.errors import CourseError
from course_utils.teaching import practice
from course_utils.teaching.content import called
from course_utils.teaching.exhibits import Table, Words
from course_utils.teaching.summary import LessonProgress, Missed, Place, Summary, summarise
from course_utils.widgets.explorer import Explorer, show_exhibits
from course_utils.widgets.figures import Still
from course_utils.widgets.words import day, in_one_line

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>
:root {{ color-scheme: light dark; }}
body {{ max-width: 50rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ padding: .3rem .8rem .3rem 0; border-bottom: 1px solid gray; text-align: left; }}
</style></head><body><h1>{title}</h1>
<p>{headline} As of {today}. This page holds no answer of yours, and was sent to nobody.</p>
<h2>Lessons</h2>
<table><thead><tr><th scope="col">Lesson</th><th scope="col">Done</th><th scope="col">By objective</th>
</tr></thead>
<tbody>{lessons}</tbody></table>
<h2>To revisit</h2>{missed}<h2>Next</h2><p>{place}</p></body></html>
"""


def score_by_objective(lesson: str) -> Explorer:
    """What of a lesson's questions and exercises is right by now, for each of its objectives.

    Run the cell again to bring it up to date.
    """
    found = summarise(practice.default_store().events())
    own = next((one for one in found.lessons if one.lesson == lesson), None)
    if own is None:
        raise CourseError(f"There is no lesson {lesson!r}: there are "
                          f"{', '.join(one.lesson for one in found.lessons)}.")
    goals = [goal for goal in own.objectives if goal.total]
    rows = [[goal.text, f"{goal.done} of {goal.total}", "" if goal.done == goal.total else "look again"]
            for goal in goals]
    weak = [i for i, goal in enumerate(goals) if goal.done < goal.total]
    share = own.done / own.total if own.total else 0.0
    return show_exhibits(f"{own.title}: {own.done} of {own.total} right, {share:.0%}",
                         Table("By objective", ["objective", "right", ""], rows, marked=weak),
                         Words("*Your progress* in lesson 00 leads from what you missed to what teaches it."))


def export_progress(path: str | Path | None = None, title: str = "My progress") -> Still:
    """Write a page with what is done, what was missed and where to go on. Only you decide who gets it.

    Args:
        path: where to; None is my_progress.html beside your lessons. An older page gives way, and the new
            one appears when it is whole.
    Raises:
        CourseError: it cannot be written there.
    """
    target = paths.work() / "my_progress.html" if path is None else Path(path).expanduser()
    events = practice.default_store().events()
    partial = target.with_name(f"{target.name}.partial")
    try:
        if path is None:
            target.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(page(summarise(events), title), encoding="utf-8")
        partial.replace(target)
    except OSError as error:
        raise CourseError(f"The page cannot be written to {target}: {error.strerror}. Name another place: "
                          'export_progress("somewhere/else.html")') from error
    link = escape(str(path or target.name))
    return Still(f'<p>Written: <a href="{link}" target="_blank">{escape(target.name)}</a></p>',
                 f"Written: {target}")


def page(found: Summary, title: str) -> str:
    """The page as HTML, without anything that it would have to load."""
    lessons = "".join(map(_row, found.lessons))
    place = _named(found.place) if found.place else "Everything is done."
    return PAGE.format(title=escape(title), headline=escape(found.in_words()), lessons=lessons,
                       missed=_to_revisit(found.missed), place=place,
                       today=escape(day(datetime.now(UTC).isoformat())))


def _row(lesson: LessonProgress) -> str:
    goals = "<br>".join(f"{goal.done} of {goal.total} · {escape(goal.text)}" for goal in lesson.objectives)
    return (f'<tr><th scope="row">{escape(called(lesson.lesson, lesson.title))}</th>'
            f"<td>{lesson.done} of {lesson.total}</td><td>{goals}</td></tr>")


def _named(place: Place) -> str:
    """An item and where it stands, as the dashboard calls them."""
    title = "".join(f"<code>{escape(part)}</code>" if i % 2 else escape(part)
                    for i, part in enumerate(in_one_line(place.item.title).split("`")))
    section = f", section “{escape(place.section)}”" if place.section else ""
    return f"{title}, in {escape(place.called)}{section}"


def _to_revisit(missed: Iterable[Missed]) -> str:
    items = "".join(f"<li>{'You were certain: ' if one.certain else ''}{_named(one)}</li>" for one in missed)
    return f"<ul>{items}</ul>" if items else "<p>Nothing was left wrong.</p>"

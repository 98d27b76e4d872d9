"""A learner's progress in the terminal."""

from __future__ import annotations

from course_utils import paths
from course_utils.teaching import ProgressStore
from course_utils.teaching.event_file import StoreUnavailable
from course_utils.teaching.summary import LessonProgress, Missed, Place, summarise
from course_utils.widgets.words import plural

BAR = 10      # characters


def overview() -> str:
    """What is done by lesson and objective, what was missed, where to go on.

    Raises:
        StoreUnavailable: the progress file cannot be read; says why and what to do.
    """
    store = ProgressStore()
    found = summarise(store.events())
    parts = [notice] if (notice := store.notice()) else []
    parts += [_lesson(lesson) for lesson in found.lessons]
    if found.missed:
        parts.append("\n".join(["Tried, and not right yet:", *(_missed(one) for one in found.missed)]))
    parts.append(found.in_words() + (f" {_place(found.place)}" if found.place else ""))
    return "\n\n".join([*parts, f"Kept in {store.path}"])


def continue_at() -> str | None:
    """Where a learner who has begun may go on, in a line; None for one who has not, or has done everything.

    Trouble with the progress file is told instead: it must not keep anybody from the lessons.
    """
    if not paths.progress().exists():
        return None
    store = ProgressStore()
    try:
        events = store.events()
    except StoreUnavailable as trouble:
        return str(trouble)
    place = summarise(events).place if events else None
    return store.notice() or (place and _place(place))


def export(path: str) -> str:
    """Write all events to a file; says how many and what to do with it."""
    events = plural(ProgressStore().export(path), "event")
    return f"{path} holds all that is recorded: {events}. On another machine: course progress --merge {path}"


def merge(path: str) -> str:
    """Add the events of an exported file; says how many were new."""
    return f"{plural(ProgressStore().merge(path), 'event')} added from {path}; the others were here already."


def _lesson(progress: LessonProgress) -> str:
    filled = round(BAR * progress.done / progress.total) if progress.total else 0
    head = f"{progress.lesson}: {progress.done} of {progress.total}  {'█' * filled}{'░' * (BAR - filled)}"
    goals = [f"  {goal.done} of {goal.total}  {goal.text}" for goal in progress.objectives if goal.total]
    return "\n".join([head, *goals])


def _missed(one: Missed) -> str:
    section = f", “{one.section}”" if one.section else ""
    sure = "You were certain: " if one.certain else ""
    return f"  {sure}{_short(one.item.title)}\n    look again at {one.notebook}{section}"


def _place(place: Place) -> str:
    return f"Go on in {place.lesson} with the {place.item.kind}: {_short(place.item.title)}"


def _short(title: str, width: int = 80) -> str:
    line = title.strip().splitlines()[0]
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"

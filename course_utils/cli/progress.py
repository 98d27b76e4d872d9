"""A learner's progress in the terminal."""

from __future__ import annotations

from course_utils import paths
from course_utils.teaching import Event, ProgressStore, items, lessons
from course_utils.teaching.event_file import StoreUnavailable
from course_utils.teaching.events import since_reset
from course_utils.teaching.summary import LessonProgress, Place, by_lesson, done_items, where_to_go_on

BAR = 10      # characters


def overview() -> str:
    """What is done by lesson and objective, what is still wrong, where to go on.

    Raises:
        StoreUnavailable: the progress file cannot be read; says why and what to do.
    """
    store = ProgressStore()
    events = store.events()
    place = where_to_go_on(events)
    parts = [notice] if (notice := store.notice()) else []
    parts += [_lesson(lesson) for lesson in by_lesson(events)]
    if wrong := still_wrong(events):
        parts.append("Tried, and not right yet:\n" + "\n".join(f"  {title}" for title in wrong))
    parts += [_place(place) if place else "Everything is done."]
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
        place = where_to_go_on(events) if events else None
    except StoreUnavailable as trouble:
        return str(trouble)
    return store.notice() or (place and _place(place))


def still_wrong(events: list[Event]) -> list[str]:
    """Titles of the items that were tried since their last reset and never answered rightly."""
    done = done_items(events)
    tried = {event.item for event in since_reset(events) if event.kind in ("check", "answer")}
    return [f"{lesson}: {_short(item.title)}" for lesson in lessons() for item in items(lesson)
            if item.id in tried - done]


def _lesson(progress: LessonProgress) -> str:
    filled = round(BAR * progress.done / progress.total) if progress.total else 0
    head = f"{progress.lesson}: {progress.done} of {progress.total}  {'█' * filled}{'░' * (BAR - filled)}"
    goals = [f"  {goal.done} of {goal.total}  {goal.text}" for goal in progress.objectives if goal.total]
    return "\n".join([head, *goals])


def _place(place: Place) -> str:
    return f"Go on in {place.lesson} with the {place.item.kind}: {_short(place.item.title)}"


def _short(title: str, width: int = 80) -> str:
    line = title.strip().splitlines()[0]
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"

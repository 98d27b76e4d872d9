"""ProgressStore: what a learner has done, kept in one file that several notebooks may share.

Storing never holds up a check for longer than BUSY_SECONDS and never fails it. What cannot be written now
(the file is read-only, or another program holds it) stays in memory and goes with the next event.
"""

from __future__ import annotations

import atexit
import os
from collections import deque
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from course_utils import paths
from course_utils.errors import CourseError
from course_utils.teaching.event_file import EventFile, StoreUnavailable
from course_utils.teaching.events import Event, read_lines, since_reset

BUSY_SECONDS = 0.25         # a check may wait this long for another program
PATIENT_SECONDS = 5.0       # merging and leaving may wait longer


class ProgressStore:
    """The events of one learner, in `path` or where `paths.progress()` says.

    Methods that read the whole file raise StoreUnavailable where it cannot be read.
    """

    def __init__(self, path: str | os.PathLike | None = None):
        self.path = Path(path) if path is not None else paths.progress()
        self._file = EventFile(self.path, self._say)
        self._waiting: deque[Event] = deque()       # not written yet; its methods are atomic, so no lock
        self._notices: deque[str] = deque()
        self._said: set[str] = set()

    def record(self, event: Event) -> None:
        """Store `event`, or keep it in memory until storing works. Never raises."""
        self._waiting.append(event)
        try:
            self.flush(BUSY_SECONDS)
        except StoreUnavailable as trouble:
            self._say(f"{trouble} It stays in this kernel's memory and is tried again with your next answer.")

    def flush(self, seconds: float = PATIENT_SECONDS) -> None:
        """Write what is still in memory.

        Raises:
            StoreUnavailable: it cannot be written within `seconds`; it stays in memory.
        """
        batch = []
        while self._waiting:
            batch.append(self._waiting.popleft())
        try:
            if batch:
                self._file.add(batch, seconds)
        except BaseException:
            self._waiting.extendleft(reversed(self._dated(batch)))
            atexit.unregister(self._flush_at_exit)
            atexit.register(self._flush_at_exit)
            raise

    def _dated(self, events: list[Event]) -> list[Event]:
        """The events with the time they are ordered by: when they happened, not when they can be written."""
        dated, last = [], self._file.latest
        for event in events:
            last = event.logical_at or max(last, event.at)
            dated.append(replace(event, logical_at=last))
        return dated

    def close(self) -> None:
        """Let go of the file, so that it can be moved or deleted; the next use takes it up again."""
        self._file.close()

    def _flush_at_exit(self) -> None:
        with suppress(StoreUnavailable):       # it was said when it happened; nobody is left to tell
            self.flush()

    def notice(self) -> str | None:
        """What the learner should be told about their store, each thing once; None where there is nothing."""
        return self._notices.popleft() if self._notices else None

    def _say(self, words: str) -> None:
        if words not in self._said:
            self._said.add(words)
            self._notices.append(words)

    def events(self, item: str | None = None) -> list[Event]:
        """All events, or those of one item, in the order in which they happened, wherever the clock stood."""
        return self._with_waiting(self._file.read(item, BUSY_SECONDS), item)

    def history(self, item: str) -> list[Event]:
        """The events of one item, from memory alone where the file cannot be read. Never raises."""
        try:
            return self.events(item)
        except StoreUnavailable:
            return self._with_waiting([], item)

    def _with_waiting(self, stored: list[Event], item: str | None) -> list[Event]:
        ids = {event.id for event in stored}
        return stored + [event for event in list(self._waiting)
                         if item in (None, event.item) and event.id not in ids]

    def latest(self, item: str) -> Event | None:
        """The last check or answer of an item since it was reset."""
        return next(reversed(self._judged(item)), None)

    def best(self, item: str) -> Event | None:
        """The check or answer with the highest score since the item was reset; the first of equals."""
        return max(self._judged(item), key=lambda event: event.score or 0.0, default=None)

    def _judged(self, item: str) -> list[Event]:
        return [event for event in since_reset(self.events(item)) if event.kind in ("check", "answer")]

    def export(self, path: str | os.PathLike) -> int:
        """Write all events to `path`, one JSON object a line, whole or not at all. Returns how many.

        Raises:
            CourseError: it cannot be written there, or `path` is the progress file itself.
        """
        events, target = self.events(), Path(path)
        if target.resolve() == self.path.resolve():
            raise CourseError(f"{target} is your progress file itself. Choose another name: mine.jsonl")
        partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
        try:
            with partial.open("w", encoding="utf-8", newline="\n") as file:
                file.writelines(event.as_line() + "\n" for event in events)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, target)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise CourseError(f"Your progress cannot be written to {target}: {error.strerror}. "
                              "Choose another place.") from None
        return len(events)

    def merge(self, path: str | os.PathLike) -> int:
        """Add the events of an exported file that are not here yet, all or none. Returns how many were new.

        Raises:
            CourseError: the file cannot be read, or a line of it holds no event.
        """
        try:
            lines = Path(path).read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise CourseError(f"{path} cannot be read as exported progress: {error}. Name a file that this "
                              "course exported.") from None
        return self._file.add(read_lines(Path(path).name, lines), PATIENT_SECONDS)

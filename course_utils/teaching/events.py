"""Event: one thing a learner did. Events are only ever added, so two stores can be merged."""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from course_utils.errors import CourseError

ADDED_LATER = ("response", "confidence", "logical_at")      # files exported by an older course lack them
KINDS = ("check", "answer", "predict", "hint", "solution", "reset")


def _now() -> str:
    return _as_written(datetime.now(UTC))


def _as_written(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True, kw_only=True)
class Event:
    """What happened to one item. Holds no code and no sentence of the learner's, only hashes of them."""

    kind: str                       # one of KINDS
    item: str                       # "05_feature_extraction/freeze-the-backbone"
    lesson: str
    objective: str = ""
    item_hash: str = ""             # of the item as it was then: an edited question does not corrupt history
    outcome: str = ""               # of checks and answers, as in Verdict
    score: float | None = None
    mistake: str | None = None
    response_hash: str = ""         # tells different attempts apart
    response: str = ""              # the option, order or number that was answered
    confidence: str = ""            # how sure the learner was, where that was asked
    at: str = field(default_factory=_now)                             # UTC, ISO 8601, sorts as text
    # What events are ordered by, given by the store: `at`, but never before what was in the store already, so
    # that a clock that is set back reorders nothing.
    logical_at: str = field(default="", compare=False)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def __post_init__(self) -> None:
        # Half of a surrogate pair can come from a browser, but no file can hold it.
        object.__setattr__(self, "response", self.response.encode("utf-8", "replace").decode())

    def as_line(self) -> str:
        """One line of JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_line(cls, line: str) -> Event:
        """The event of one line of JSON.

        Raises:
            ValueError: it is not one; says why.
        """
        said = json.loads(line)
        if not isinstance(said, dict):
            raise ValueError("it is not a JSON object")
        known = {f.name for f in dataclasses.fields(cls)}
        said = dict.fromkeys(ADDED_LATER, "") | said
        if set(said) != known:
            raise ValueError(f"its fields should be {', '.join(sorted(known))}")
        score = said["score"]
        if not (score is None or (isinstance(score, int | float) and 0 <= score <= 1)):
            raise ValueError(f"score is {score!r}, not a number from 0 to 1")
        texts = known - {"score"} - {name for name in ("mistake",) if said[name] is None}
        if not all(isinstance(said[name], str) for name in texts) or said["kind"] not in KINDS:
            raise ValueError(f"kind should be one of {', '.join(KINDS)}, and every other field text")
        if str(uuid.UUID(said["id"])) != said["id"]:
            raise ValueError(f"id is {said['id']!r}, not a UUID as it is usually written")
        said["logical_at"] = said["logical_at"] or said["at"]
        for name in ("at", "logical_at"):
            if _as_written(datetime.fromisoformat(said[name])) != said[name]:
                raise ValueError(f"{name} is {said[name]!r}, not a time with its offset, such as {_now()}")
        return cls(**said)


def read_lines(name: str, lines: Iterable[str]) -> list[Event]:
    """The events of an exported file, all or none.

    Raises:
        CourseError: names the first line that holds no event.
    """
    events = []
    for number, line in enumerate(lines, start=1):
        try:
            events += [Event.from_line(line)] if line.strip() else []
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise CourseError(f"{name} is not progress exported from this course: line {number} holds no "
                              f"event ({error}). Nothing was merged.") from None
    return events


def since_reset(events: Iterable[Event]) -> list[Event]:
    """Those events that come after the last reset of their item, from events in the order they happened."""
    events = list(events)
    resets = {event.item: number for number, event in enumerate(events) if event.kind == "reset"}
    return [event for number, event in enumerate(events) if number > resets.get(event.item, -1)]

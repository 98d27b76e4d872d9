"""What goes wrong, said in words: what was needed, what came, and what to type."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import TypeVar

Answer = TypeVar("Answer")


class CourseError(Exception):
    """A mistake the reader can mend. Its message names what was needed, what came, and what to type.

    In a notebook it shows as that message under the reader's own line, without the inside of any library.
    """

    def _render_traceback_(self) -> list[str]:
        # IPython's hook for exceptions that draw themselves.
        return [f"{type(self).__name__}: {self}"]


class UnknownName(CourseError):
    """A model, data set, exercise or layer by a name that does not exist."""


class WeightsUnavailable(CourseError):
    """Pretrained weights that are neither on this machine nor reachable from it."""


class DownloadFailed(CourseError):
    """A file that did not come: no network, a server that refuses, a disk that does not take it."""


class DamagedFile(CourseError):
    """A file whose content is not what its checksum or format promises."""


class BadImage(CourseError):
    """A file that should be a picture and is not, or one that no model can use. `kind` says why in a word."""

    def __init__(self, says: str, kind: str = "damaged"):
        super().__init__(says)
        self.kind = kind


class BadData(CourseError):
    """A data set that cannot be learned from: no images, an empty class, one class only."""


class TrainingDiverged(CourseError):
    """A loss that is no number any more, or out of all proportion: the learning rate was too high."""


def first_line(error: BaseException) -> str:
    """What an error of a library or of the system says, in its first line; its type where it says nothing."""
    said = getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
    return said.splitlines()[0].rstrip(".")


def or_none(ask: Callable[..., Answer], *given: object) -> Answer | None:
    """The answer of `ask`, or None where it refuses with a CourseError."""
    try:
        return ask(*given)
    except CourseError:
        return None


def nearest(name: str, known: Iterable[str], n: int = 3) -> list[str]:
    """The known names most like `name`, best first; compared without regard to case."""
    by_lower: dict[str, str] = {}
    for candidate in known:
        by_lower.setdefault(candidate.lower(), candidate)
    return [by_lower[hit] for hit in difflib.get_close_matches(str(name).lower(), by_lower, n=n, cutoff=0.5)]


def unknown_name(kind: str, name: object, known: Iterable[str], *, hint: str = "") -> UnknownName:
    """The error for `name`, with the nearest of the `known` names, or all of them where they are few."""
    known = list(known)
    close = nearest(str(name), known)
    if close:
        advice = f" Did you mean {' or '.join(repr(c) for c in close)}?"
    elif len(known) <= 12:
        advice = f" There is {', '.join(repr(k) for k in known)}."
    else:
        advice = ""
    return UnknownName(f"There is no {kind} called {name!r}.{advice}{' ' + hint if hint else ''}")

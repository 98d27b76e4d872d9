"""walkthrough: a listing with notes. Choose a note, and the lines it speaks of are lit."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from course_utils.errors import CourseError
from course_utils.teaching.exhibits import Code, Exhibit, Table
from course_utils.widgets.explorer import Choice, Explorer, explore

LABEL = 48      # characters of a line that name its note


@dataclass(frozen=True)
class Note:
    """What is said of some lines of a listing."""

    lit: tuple[int, ...]        # from 0
    said: str


def walkthrough(function: Callable, notes: Mapping[str | tuple[str, str], str]) -> Explorer:
    """The source of a function, with notes on its lines.

    Args:
        function: written in a cell or in a module.
        notes: what is said of a line, by words that stand in it; or of several lines, by words of the first
            and of the last. Notes are about the body: signature and docstring speak for themselves.
    Raises:
        CourseError: no line has these words, or the source cannot be read.
    """
    lines = lines_of(function)
    found = [Note(lines_with(key, lines, function), said) for key, said in notes.items()]
    options = {f"{number}. {lines[note.lit[0]].strip()[:LABEL]}": note
               for number, note in enumerate(found, start=1)}
    return explore(f"{function.__name__}, line by line", lambda note: _look(function, lines, found, note),
                   note=Choice("Note", options))


def lines_of(function: Callable) -> list[str]:
    """Its lines, as far to the left as they go."""
    try:
        return textwrap.dedent(inspect.getsource(function)).rstrip().splitlines()
    except (OSError, TypeError) as error:
        raise CourseError(f"There is no source of {function!r} to walk through: give a function that is "
                          "written in a cell or in a module.") from error


def lines_with(key: str | tuple[str, str], lines: list[str], function: Callable) -> tuple[int, ...]:
    """Positions of the lines that a note is about."""
    first, last = (key, key) if isinstance(key, str) else key
    begin = _find(first, lines, _body(lines, function), function)
    end = begin if isinstance(key, str) else _find(last, lines, begin, function)
    return tuple(range(begin, end + 1))


def _body(lines: list[str], function: Callable) -> int:
    """The first line behind the docstring; 0 where there is none."""
    quotes = [number for number, line in enumerate(lines) if '"""' in line]
    if not function.__doc__ or not quotes:
        return 0
    return quotes[0] + 1 if lines[quotes[0]].count('"""') == 2 else quotes[1] + 1


def _find(words: str, lines: list[str], start: int, function: Callable) -> int:
    found = next((number for number in range(start, len(lines)) if words in lines[number]), None)
    if found is None:
        raise CourseError(f"No line of {function.__name__} has {words!r}.")
    return found


def _look(function: Callable, lines: list[str], notes: list[Note], chosen: Note) -> list[Exhibit]:
    numbers = [f"{note.lit[0] + 1}" if len(note.lit) == 1 else f"{note.lit[0] + 1}–{note.lit[-1] + 1}"
               for note in notes]
    return [Code(f"{function.__name__}, {len(lines)} lines", lines, chosen.lit),
            Table("Notes", ("line", "what it does, and why"),
                  [(number, note.said) for number, note in zip(numbers, notes, strict=True)],
                  marked=[notes.index(chosen)])]

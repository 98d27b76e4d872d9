"""How verdicts, numbers and dates are put, the same in every widget."""

from __future__ import annotations

from datetime import datetime
from textwrap import shorten

from course_utils.teaching.verdict import SIGNS, Verdict

LONGEST_TITLE = 90      # characters; a question's title is all that it asks


def in_one_line(title: str) -> str:
    """What an item asks, cut where it is long; code that was cut off ends there."""
    title = shorten(title, LONGEST_TITLE, placeholder=" …")
    return title + "`" * (title.count("`") % 2)


def day(at: str) -> str:
    """The date of an event, ISO 8601, in the learner's own time zone: "7 March 2026"."""
    local = datetime.fromisoformat(at).astimezone()
    return f"{local.day} {local:%B %Y}"


def count(number: int) -> str:
    """A number of parameters in few characters: 6,405 · 84.2 K · 3.37 M."""
    if number < 10_000:
        return f"{number:,}"
    size, unit = (number / 1e6, "M") if number >= 999_500 else (number / 1e3, "K")
    return f"{size:.3g} {unit}"


def plural(number: int, thing: str) -> str:
    """ "1 attempt", "2 attempts"."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def shown(verdict: Verdict) -> dict:
    """What the browser needs of a verdict: sign and word first, then what was said."""
    sign, _, word = SIGNS[verdict.outcome].partition(" ")
    return {
        "outcome": verdict.outcome, "sign": sign, "word": word, "message": verdict.message,
        # the words of the first check that failed are the message
        "checks": [{"name": c.name, "passed": c.passed,
                    "message": "" if c.message in verdict.message else c.message} for c in verdict.checks],
        "details": verdict.details or "",
        "exhibits": [exhibit.drawn() for exhibit in verdict.exhibits],
    }

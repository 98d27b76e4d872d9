"""Verdict: what the course says about one answer, and how it prints."""

from __future__ import annotations

from dataclasses import dataclass

from course_utils.teaching.exhibits import Exhibit

SIGNS = {
    "right": "✔ Right",
    "partly right": "◐ Partly right",
    "wrong": "✘ Not yet",
    "not attempted": "… Not attempted yet",
    "our fault": "⚠ Our fault",
    "predicted": "✎ Noted",             # to be judged when the result is there
}


@dataclass(frozen=True)
class CheckResult:
    """One check of an exercise, after it ran."""

    name: str
    passed: bool
    points: int
    message: str = ""           # why it failed; empty where it passed

    def __str__(self) -> str:
        because = f": {self.message}" if self.message else ""
        return f"{'✔' if self.passed else '✘'} {self.name}{because}"


@dataclass(frozen=True)
class Verdict:
    """The outcome of one answer. Prints as text; a widget may draw it better, from the same fields."""

    outcome: str                            # a key of SIGNS
    score: float                            # 0 … 1
    message: str                            # the one thing to read first
    mistake: str | None = None              # id of the known mistake that was recognised
    checks: tuple[CheckResult, ...] = ()    # an exercise's, in order; a question has none
    details: str | None = None              # the learner's own lines in a traceback, and what they printed
    exhibits: tuple[Exhibit, ...] = ()      # what the check saw, to look at

    def __post_init__(self) -> None:
        if self.outcome not in SIGNS:
            raise ValueError(f"outcome must be one of {', '.join(SIGNS)}, but is {self.outcome!r}")

    @property
    def passed(self) -> bool:
        """Whether the answer is right, with nothing left to mend."""
        return self.outcome == "right"

    def __str__(self) -> str:
        lines = [f"{SIGNS[self.outcome]} — {self.message}"]
        for exhibit in self.exhibits:
            lines += ["", *(f"  {line}" for line in exhibit.text().splitlines())]
        if self.checks:
            # The first failing check's words already stand at the top.
            said = [CheckResult(c.name, c.passed, c.points, "" if c.message in self.message else c.message)
                    for c in self.checks]
            lines += ["", *(f"  {result}" for result in said)]
        if self.details:
            lines += ["", *(f"  {line}" for line in self.details.splitlines())]
        return "\n".join(lines)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/plain": str(self)}

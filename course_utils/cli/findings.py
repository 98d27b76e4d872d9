"""Finding: what one check of `course doctor` saw, and how it is said."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

FINE, LOOK, BROKEN = "fine", "look", "broken"
SIGNS = {FINE: "✔", LOOK: "!", BROKEN: "✘"}


@dataclass(frozen=True)
class Finding:
    """What one check saw."""

    check: str           # what was looked at
    outcome: str         # FINE; LOOK: lessons run, but …; BROKEN: lessons will fail
    says: str
    do: str = ""         # what to do about it

    def in_words(self) -> str:
        line = f"{SIGNS[self.outcome]} {self.outcome:<6}  {self.check}: {self.says}"
        return f"{line}\n          {self.do}" if self.do else line


def exit_code(findings: list[Finding]) -> int:
    return int(any(finding.outcome == BROKEN for finding in findings))


def conclusion(findings: list[Finding]) -> str:
    broken = [finding.check for finding in findings if finding.outcome == BROKEN]
    if broken:
        return f"\nMend this before you begin: {', '.join(broken)}."
    return "\nEverything that the lessons need is here."


def as_json(findings: list[Finding]) -> str:
    said = {"ok": not exit_code(findings), "findings": [asdict(finding) for finding in findings]}
    return json.dumps(said, ensure_ascii=False, indent=1)

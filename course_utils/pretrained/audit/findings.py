"""Finding: what an audit saw, how serious it is, and what is done about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

STOPS, MISLEADS, GOOD_TO_KNOW = SERIOUS = "stops learning", "will mislead", "good to know"
SHOWN = 5           # cases, and paths of one case, that are written out


@dataclass(frozen=True)
class Case:
    """One instance of a finding."""

    paths: tuple[str, ...]          # below the folder, as the system gives them; or the name of a class
    note: str = ""
    sign: str = "="                 # between paths: "=" the same bytes, "≈" nearly the same picture

    def __str__(self) -> str:
        more = [f"{len(self.paths) - SHOWN:,} more"] if len(self.paths) > SHOWN else []
        together = f" {self.sign} ".join([*map(shown, self.paths[:SHOWN]), *more])
        return f"{together} ({self.note})" if self.note else together


@dataclass(frozen=True)
class Finding:
    """What an audit saw in a folder."""

    kind: str                       # "damaged", "near duplicates" …
    serious: str                    # "stops learning", "will mislead" or "good to know"
    seen: str
    do: str                         # what will be done, or what to do
    cases: tuple[Case, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path it is about, in order."""
        return tuple(path for case in self.cases for path in case.paths)

    def __str__(self) -> str:
        more = [f"and {len(self.cases) - SHOWN:,} more"] if len(self.cases) > SHOWN else []
        lines = [f"    {line}" for line in [*self.cases[:SHOWN], *more]]
        return "\n".join([f"  {shown(self.seen)}", *lines, f"  → {self.do}"])


def finding(kind: str, serious: str, cases: Iterable[Case | str], seen: str, do: str) -> list[Finding]:
    """The finding as a list of one; where there is no case, none.

    Args:
        seen: may hold {n:file}, which becomes "1 file" or "12 files".
    """
    cases = tuple(Case((case,)) if isinstance(case, str) else case for case in cases)
    return [Finding(kind, serious, seen.format(n=Count(len(cases))), do, cases)] if cases else []


class Count(int):
    """A number that is written with its thing: f"{Count(2):file}" is "2 files"."""

    def __format__(self, thing: str) -> str:
        return f"1 {thing}" if self == 1 else f"{int(self):,} {thing}{'es' if thing.endswith('s') else 's'}"


def shown(path: str) -> str:
    """A path as it can be printed anywhere: line breaks, unseen signs and bytes that are no text as codes."""
    # U+200D stands between the parts of one emoji
    return "".join(c if c.isprintable() or c == "\u200d" else ascii(c)[1:-1] for c in path)

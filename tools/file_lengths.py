"""Files that can be read in one go: `make lint` warns above 250 lines and fails above 300."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("course_utils", "tools")
WARN, FAIL = 250, 300


def judge(lengths: Mapping[str, int]) -> tuple[list[str], list[str]]:
    """Warnings and failures, in words, for files of these numbers of lines."""
    def above(low: int, high: float) -> list[str]:
        return [f"{name} has {lines} lines" for name, lines in sorted(lengths.items()) if low < lines <= high]
    return above(WARN, FAIL), above(FAIL, float("inf"))


def main() -> int:
    files = [file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))]
    warnings, failures = judge({file.relative_to(ROOT).as_posix(): len(file.read_text("utf-8").splitlines())
                                for file in files})
    for line in warnings:
        print(f"warning: {line}; above {FAIL} it must be split by concept")
    for line in failures:
        print(f"error: {line}, more than {FAIL}; split it by concept")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

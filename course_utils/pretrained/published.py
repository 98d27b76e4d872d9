"""Published figures that no library tells: read from data/weights.csv, where each has its source and date."""

from __future__ import annotations

import csv
from functools import cache

from course_utils import paths


def published(name: str, column: str) -> str:
    """The value of `column` for the weights `name`: of the longest entry that `name` begins with."""
    values = _table(paths.data() / "weights.csv")[column]
    return values[max((start for start in values if name.startswith(start)), key=len)]


@cache
def _table(path) -> dict[str, dict[str, str]]:
    """{column: {beginning of a name: value}}"""
    table: dict[str, dict[str, str]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for fact in csv.DictReader(file):
            table.setdefault(fact["column"], {})[fact["applies_to"]] = fact["value"]
    return table

"""Figures that no library tells: from data/weights.csv, each with source and date; and costs counted once."""

from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path

from course_utils import paths


def published(name: str, column: str) -> str:
    """The value of `column` for weights or an architecture: of the longest entry that `name` begins with.

    An empty text where there is none: a library may have learned of a family that the table does not know.
    """
    values = _table(paths.data() / "weights.csv")[column]
    return values.get(max((start for start in values if name.startswith(start)), key=len, default=""), "")


def names_with(column: str, start: str) -> list[str]:
    """The entries that have a `column` and begin with `start`, as they stand in the table."""
    return [name for name in _table(paths.data() / "weights.csv")[column] if name.startswith(start)]


def counted(name: str) -> dict[str, int]:
    """ "parameters" and "multiply_adds" of a picture, as tools/records/model_costs.py counted them.

    Building some twenty models takes seconds, so it is done once; a test counts again.
    """
    return _costs(paths.results() / "model_costs.json")[name]


@cache
def _table(path: Path) -> dict[str, dict[str, str]]:
    """{column: {beginning of a name: value}}"""
    table: dict[str, dict[str, str]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for fact in csv.DictReader(file):
            table.setdefault(fact["column"], {})[fact["applies_to"]] = fact["value"]
    return table


@cache
def _costs(path: Path) -> dict[str, dict[str, int]]:
    return json.loads(path.read_text(encoding="utf-8"))["results"]

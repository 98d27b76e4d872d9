"""compare_recipes: what each way of fine-tuning gained in the recorded runs, beside one that is chosen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from statistics import mean

from course_utils import paths
from course_utils.teaching.exhibits import Exhibit, Table, Words
from course_utils.widgets.explorer import Choice, Explorer, explore

RECORD = "fine_tuning.json"
COLUMNS = ("recipe", "test accuracy", "lowest … highest", "difference", "by seed", "seconds")


def compare_recipes() -> Explorer:
    """A table of the recorded recipes: each with its spread, and its difference to the chosen one by seed.

    Raises:
        OSError: the record is not there. `python tools/records/fine_tuning.py` measures it.
    """
    record = json.loads((paths.results() / RECORD).read_text(encoding="utf-8"))
    recipes = record["results"]["recipes"]
    names = {recipe["name"]: recipe["id"] for recipe in recipes}
    return explore("What each recipe gained", partial(_look, record),
                   against=Choice("Compared with", names, record["results"]["base"]))


def _look(record: dict, against: str) -> list[Exhibit]:
    recipes, seeds = record["results"]["recipes"], record["seeds"]
    base = next(recipe for recipe in recipes if recipe["id"] == against)
    gains = {recipe["name"]: _differences(recipe, base) for recipe in recipes}
    title = (f"Mean over seeds {', '.join(map(str, seeds))}, {record['results']['pictures']['test']} test "
             f"pictures each. Recorded by: {record['command']}")
    table = Table(title, COLUMNS, [_row(recipe, gains[recipe["name"]]) for recipe in recipes],
                  marked=[recipes.index(base)])
    above = [name for name, gain in gains.items() if min(gain) > 0]
    below = [name for name, gain in gains.items() if max(gain) < 0]
    return [table, Words(f"Above “{base['name']}” with every seed: {_listed(above)}."),
            Words(f"Below it with every seed: {_listed(below)}. The others go both ways."),
            Words(f"A recipe that changes nothing would be above or below with all {len(seeds)} seeds once "
                  f"in {2 ** (len(seeds) - 1)} times, by chance.")]


def _differences(recipe: dict, base: dict) -> list[float]:
    """Seed by seed, so that an easy deal of the pictures favours neither."""
    return [one - other for one, other in zip(recipe["accuracy"], base["accuracy"], strict=True)]


def _row(recipe: dict, gain: Sequence[float]) -> tuple[str, ...]:
    found = recipe["accuracy"]
    signs = " ".join("+" if one > 0 else "−" if one < 0 else "=" for one in gain)
    return (recipe["name"], f"{mean(found):.1%}", f"{min(found):.1%} … {max(found):.1%}",
            f"{100 * mean(gain):+.1f} points", signs, f"{mean(recipe['seconds']):.0f}")


def _listed(names: Sequence[str]) -> str:
    return "; ".join(names) or "none"

"""Draw a picture set, or check the one that ships: `python -m tools.render NAME [--check]`."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from tools.render.shelf import damaged, redrawn_differently, write_shelf

SETS = sorted(path.parent.name for path in Path(__file__).parent.glob("*/__init__.py"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.render", description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=SETS)
    parser.add_argument("--check", action="store_true",
                        help="change nothing; exit 1 where the shipped set is not what the program draws")
    chosen = parser.parse_args()
    recipe = importlib.import_module(f"tools.render.{chosen.name}")
    if not chosen.check:
        print(write_shelf(chosen.name, recipe.draw, recipe.CLASSES, recipe.COUNTS, recipe.SEED, recipe.CARD))
        return 0
    faults = damaged(chosen.name) + redrawn_differently(chosen.name, recipe.draw)
    print("\n".join(faults) or f"{chosen.name}: as drawn")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

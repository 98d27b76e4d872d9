"""Run the experiments behind the lessons again, one after another: `make records ARGS="strategies mistakes"`.

Each writes data/results/NAME.json. Several take ten to thirty minutes and go on where they were interrupted,
because runs that are done stand in .bench/; to measure all anew, delete that folder.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
import time
from pathlib import Path

from course_utils.errors import unknown_name

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "tools" / "records"


def scripts() -> dict[str, str]:
    """Every script that writes a record, with the first sentence of what it says of itself."""
    found = {}
    for file in sorted(SCRIPTS.glob("*.py")):
        source = file.read_text(encoding="utf-8")
        if "__main__" in source:
            found[file.stem] = ast.get_docstring(ast.parse(source)).splitlines()[0].split(": `")[0]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {', '.join(scripts())}")
    parser.add_argument("--list", action="store_true", help="say what there is, and run nothing")
    asked, known = parser.parse_args(), scripts()
    for name in asked.names:
        if name not in known:
            print(unknown_name("record", name, known), file=sys.stderr)
            return 2
    for name in asked.names or known:
        print(f"{name}: {known[name]}", flush=True)
        if not asked.list:
            begin = time.monotonic()
            subprocess.run([sys.executable, "-m", f"tools.records.{name}"] if name == "grade_report" else
                           [sys.executable, str(SCRIPTS / f"{name}.py")], cwd=ROOT, check=True)
            print(f"{name}: done in {time.monotonic() - begin:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Run every test, in two lanes side by side, and count them all: `make test`, `make test-full`.

    python -m tools.run_tests [--full] [STAGE ...]

The last line counts what passed, failed and was skipped; the exit status is 0 only if nothing failed. With
`--full`, the long tests run too, and the result is recorded with the hashes of all files it speaks of.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tools.warm_kernels import warm_kernels

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "data" / "results" / "test_full.json"
WARM = sys.platform == "linux"          # elsewhere a process that has imported torch may not be forked
NBVAL = ["--nbval-lax", "--nbval-sanitize-with", "tests/notebooks/sanitize.cfg",
         *([] if WARM else ["--nbval-current-env"])]
SLOWEST = ["--durations=8", "--durations-min=5"]        # seconds; where the minutes go
ROOMS_OF_THEIR_OWN = ["tests/lessons", "tests/notebooks", "tests/browser"]
NO_LESSONS = ["notebooks/exercises", "notebooks/your_own_data.ipynb"]

# What pytest is given. "units" is everything that no other stage names, so nothing is left out.
STAGES = {
    "units": ["tests", *(f"--ignore={room}" for room in ROOMS_OF_THEIR_OWN)],
    "exercises": ["tests/lessons"],
    "notebooks": ["tests/notebooks"],
    "cells": [*NBVAL, "notebooks", *(f"--ignore={place}" for place in NO_LESSONS)],
    "more-cells": [*NBVAL, *NO_LESSONS],
    "browser": ["tests/browser"],
}

# Two lanes of about the same length: starting kernels and browsers is waiting, which leaves a core to others.
LANES = (("units", "exercises"), ("browser", "cells", "more-cells", "notebooks"))
# Beside another lane, threads that wait for work must sleep, and kernels compute on one.
CELLS = ("cells", "more-cells")          # each test of these is a cell of a notebook
KERNELS = ("cells", "more-cells", "browser", "notebooks")
PASSIVE, ONE_THREAD = {"OMP_WAIT_POLICY": "PASSIVE"}, {"OMP_NUM_THREADS": "1"}


def count(report: Path) -> Counter:
    """Passed, failed and skipped of one JUnit report of pytest; an error in set-up counts as failed."""
    counted = Counter(passed=0, failed=0, skipped=0)
    for case in ElementTree.parse(report).iter("testcase"):
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        counted[outcome] += 1
    return counted


def slowest_files(report: Path, most: int = 12) -> list[str]:
    """Where a stage spent its time: seconds of whole files, their fixtures' too."""
    spent = Counter()
    for case in ElementTree.parse(report).iter("testcase"):
        spent[case.get("classname")] += float(case.get("time", 0))
    return [f"{seconds:7.1f} s  {file}" for file, seconds in spent.most_common(most) if seconds >= 1]


@contextmanager
def kernels_for(names: list[str]) -> Iterator[dict[str, str]]:
    """Environment variables that let those who start kernels start warm ones, if any stage does."""
    if not WARM or not set(names) & set(KERNELS):
        yield {}
        return
    with warm_kernels(settings=PASSIVE | ONE_THREAD) as folder:
        yield {"JUPYTER_PATH": folder, "COURSE_TEST_KERNELS": folder}


def run_stage(name: str, *, full: bool, kernels: dict[str, str] | None = None) -> Counter:
    """Run one stage. One that breaks off, or finds no test, counts as failed."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", f"--junit-xml={report}", *STAGES[name]]
        command += [*SLOWEST, *([] if full else ["-m", "not full"])]
        begin = time.monotonic()
        settings = os.environ | PASSIVE | (ONE_THREAD | (kernels or {}) if name in KERNELS else {})
        done = subprocess.run(command, cwd=ROOT, env=settings, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        status, said = done.returncode, [f"\n== {name} ==", done.stdout]
        counted = Counter()
        if report.exists():
            counted, said = count(report), said + slowest_files(report)
    if status and not counted["failed"]:
        counted["failed"] += 1
        reason = "found no tests" if status == 5 else f"broke off: pytest ended with {status}"
        said += [f"The stage {name} {reason}."]
    said += [f"== {name}: {in_words(counted)}, {time.monotonic() - begin:.0f} s =="]
    print("\n".join(said), flush=True)         # at once, so that two lanes do not talk into each other
    return counted


def run_lanes(names: list[str], *, full: bool) -> dict[str, Counter]:
    """Run the stages, each lane on a thread of its own; the results in the order of STAGES."""
    def run_lane(lane: tuple[str, ...]) -> dict[str, Counter]:
        return {name: run_stage(name, full=full, kernels=kernels) for name in lane if name in names}

    print(f"Running {', '.join(names)}: minutes. What each has to say comes when it is done.", flush=True)
    with kernels_for(names) as kernels, ThreadPoolExecutor(len(LANES)) as lanes:
        found = dict(item for results in lanes.map(run_lane, LANES) for item in results.items())
    return {name: found[name] for name in STAGES if name in found}


def altogether(results: dict[str, Counter]) -> Counter:
    total = Counter(passed=0, failed=0, skipped=0)
    for counted in results.values():
        total.update(counted)
    return total


def cells_in_words(results: dict[str, Counter]) -> str:
    """How many cells of notebooks are among what passed; a stage that broke off counts what it came to."""
    stages = [results[name] for name in CELLS if name in results]
    return f"{sum(counted['passed'] for counted in stages)} of these are cells of notebooks" if stages else ""


def in_words(counted: Counter) -> str:
    return f"{counted['passed']} passed, {counted['failed']} failed, {counted['skipped']} skipped"


def file_hashes(files: Iterable[str]) -> dict[str, str]:
    """SHA-256 of each file. Pictures are left out: the `checksums.sha256` beside them is among the files."""
    return {name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in sorted(files)
            if not name.endswith(".jpg") and ROOT / name != RECORD}


def record(results: dict[str, Counter], seconds: float) -> None:
    """Write what was seen, and of which files, to data/results/test_full.json."""
    from tools.records._record import write_record

    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    write_record(RECORD, command="make test-full", seeds=[0], results={
        "stages": results, "total": altogether(results), "seconds": round(seconds),
        "files": file_hashes(filter(None, tracked.stdout.split("\0")))})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stages", nargs="*", metavar="STAGE", help=f"only these: {', '.join(STAGES)}")
    parser.add_argument("--full", action="store_true", help="the long tests too, and record the result")
    asked = parser.parse_args()
    if unknown := set(asked.stages) - set(STAGES):
        parser.error(f"there is no stage {', '.join(unknown)}; there are {', '.join(STAGES)}")
    begin = time.monotonic()
    results = run_lanes(asked.stages or list(STAGES), full=asked.full)
    if asked.full and not asked.stages:
        record(results, time.monotonic() - begin)
    total = altogether(results)
    print("\n" + "\n".join(filter(None, [cells_in_words(results), in_words(total)])), flush=True)
    return 1 if total["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())

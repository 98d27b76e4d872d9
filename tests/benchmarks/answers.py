"""How long a learner waits: for a check, for its record, for the course to be imported.

    python -m tests.benchmarks.answers

Every number is from this machine, in one run; the record goes to data/results/answers.json.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from course_utils import paths
from course_utils.teaching import Event, ProgressStore, lessons, load_lesson
from tools.records._record import write_record

RUNS = 5
IMPORTS = 21
EVENTS = 200


def seconds(work: Callable[[], object], runs: int) -> list[float]:
    """How long each of `runs` calls took, in order."""
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return taken


def checks() -> dict[str, dict[str, float]]:
    """Seconds of the first check of each solution in this process, and of the slowest of those after it.

    What the first cells of lessons do is done before the clock runs: libraries are imported, a model loaded.
    """
    import skimage.data  # noqa: F401

    from course_utils.pretrained import load_model, preprocessing
    preprocessing(load_model("efficientnet_lite0"))

    found = {}
    for lesson in lessons():
        for exercise in load_lesson(lesson).exercises():
            first, *later = seconds(lambda e=exercise: e.grade(e.solution_function), RUNS)
            found[exercise.id] = {"first": round(first, 3), "later": round(max(later), 3)}
    return found


def storing() -> dict[str, float]:
    """Milliseconds of one event: the median and the slowest."""
    with tempfile.TemporaryDirectory() as folder:
        store = ProgressStore(Path(folder) / "progress.sqlite")
        taken = seconds(lambda: store.record(Event(kind="check", item="benchmark/item", lesson="benchmark",
                                                   item_hash="0", outcome="right", score=1.0)), EVENTS)
        store.close()
    return {"median_ms": round(1000 * statistics.median(taken), 2), "slowest_ms": round(1000 * max(taken), 2)}


def importing() -> dict[str, float]:
    """Milliseconds of `import course_utils` beyond starting Python: medians of starts taken in turn."""
    taken = {"python": [], "course": []}
    for _ in range(IMPORTS):
        for name, code in (("python", "pass"), ("course", "import course_utils")):
            command = [sys.executable, "-c", code]
            taken[name] += seconds(lambda command=command: subprocess.run(command, check=True), 1)
    bare, course = (1000 * statistics.median(taken[name]) for name in ("python", "course"))
    return {"python_ms": round(bare, 1), "import_ms": round(course - bare, 1)}


def main() -> None:
    results = {"importing": importing(), "storing": storing(), "checks": checks()}
    print(results)
    write_record(paths.results() / "answers.json", command="python -m tests.benchmarks.answers", seeds=[0],
                 results=results)


if __name__ == "__main__":
    main()

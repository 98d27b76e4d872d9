"""How long each lesson computes on this machine: `python tools/records/lesson_times.py [LESSON ...]`.

Runs notebooks as shipped, in a fresh kernel with empty caches, and sums the seconds of their cells. Where
some are named, the others keep their times and dates. Headers and README quote the record.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from datetime import date, datetime

import nbformat
from _record import write_record
from nbclient import NotebookClient

from course_utils import paths
from course_utils.teaching.content import lessons, notebook_of


def seconds_of(path) -> tuple[float, float]:
    """Seconds of all cells, and of the slowest one."""
    with tempfile.TemporaryDirectory() as private:
        os.environ["COURSE_PROGRESS"] = f"{private}/progress.sqlite"
        os.environ["COURSE_CACHE"] = f"{private}/cache"
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(notebook, timeout=600, kernel_name="python3", store_widget_state=False,
                       resources={"metadata": {"path": str(path.parent)}}).execute()
    def span(cell):
        times = cell.metadata.get("execution", {})
        begin, end = times.get("iopub.execute_input"), times.get("iopub.status.idle")
        return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds() if end else 0.0
    spans = [span(cell) for cell in notebook.cells if cell.cell_type == "code"]
    return sum(spans), max(spans)


def main() -> None:
    target, chosen = paths.results() / "lesson_times.json", sys.argv[1:] or lessons()
    earlier = json.loads(target.read_text(encoding="utf-8")) if target.exists() else {"results": {}}
    results = {lesson: {"date": earlier["date"]} | times for lesson, times in earlier["results"].items()}
    for lesson in chosen:
        total, slowest = seconds_of(paths.notebooks() / notebook_of(lesson))
        results[lesson] = {"date": date.today().isoformat(), "seconds": round(total, 1),
                           "slowest_cell": round(slowest, 1)}
        print(lesson, results[lesson], flush=True)
    write_record(target, command="python tools/records/lesson_times.py", seeds=[0],
                 results={lesson: results[lesson] for lesson in lessons() if lesson in results})


if __name__ == "__main__":
    main()

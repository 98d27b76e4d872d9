"""How long each lesson computes on this machine: `python tools/records/lesson_times.py`.

Runs every notebook as shipped, in a fresh kernel with empty caches, and sums the seconds of its cells. The
lesson's header and README quote the record.
"""

from __future__ import annotations

import os
import tempfile
from datetime import datetime

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
    results = {}
    for lesson in lessons():
        total, slowest = seconds_of(paths.notebooks() / notebook_of(lesson))
        results[lesson] = {"seconds": round(total, 1), "slowest_cell": round(slowest, 1)}
        print(lesson, results[lesson])
    write_record(paths.results() / "lesson_times.json", command="python tools/records/lesson_times.py",
                 seeds=[0], results=results)


if __name__ == "__main__":
    main()

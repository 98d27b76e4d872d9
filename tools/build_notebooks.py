"""Build notebooks/*.ipynb from notebooks/source/*.py: `make notebooks`.

A source is a py:percent script. The build adds what must not be typed twice: the header from the lesson's
YAML, and in each cell tagged `exercise:LESSON/NAME` the exercise's starter. It then runs every lesson and
keeps the outputs of the cells that begin with `# NBVAL_CHECK_OUTPUT`, so that tests can compare them.
Run twice, it changes nothing.

    python -m tools.build_notebooks [05 ...] [--check]
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from course_utils import paths
from course_utils.teaching import load_exercise
from course_utils.teaching.content import position
from tools.lesson_header import header

SOURCE = paths.notebooks() / "source"
MARK = "# NBVAL_CHECK_OUTPUT"
EXERCISE = "exercise:"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def exercise_id(cell) -> str | None:
    """The exercise a cell is tagged with, if any."""
    tags = cell.metadata.get("tags", [])
    return next((tag.removeprefix(EXERCISE) for tag in tags if tag.startswith(EXERCISE)), None)


def fill_exercises(notebook, which: str = "starter"):
    """Write `which` version of each exercise into its tagged cell: starter, solution, wrong:ID …"""
    for cell in notebook.cells:
        if exercise := exercise_id(cell):
            cell.source = load_exercise(exercise).cell(which)
    return notebook


def build(source: Path):
    """The notebook of one source, not yet run: no outputs, stable cell ids, no jupytext metadata."""
    notebook = jupytext.read(source, fmt="py:percent")
    notebook.cells.insert(0, nbformat.v4.new_markdown_cell(header(source.stem, notebook)))
    fill_exercises(notebook)
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen = Counter()
    for cell in notebook.cells:
        digest = hashlib.sha256(cell.source.encode()).hexdigest()[:10]
        seen[digest] += 1
        cell.id = f"{digest}-{seen[digest]}"      # the same text keeps its id wherever it moves
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def run(notebook, folder: Path):
    """Execute `notebook` as a learner would; its errors are the author's to mend."""
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", store_widget_state=False,
                            coalesce_streams=True,     # how printing was cut into pieces depends on the load
                            resources={"metadata": {"path": str(folder)}})
    client.execute()
    return notebook


def keep_marked_outputs(notebook):
    """Drop every output but those that tests compare, and number these so that nbval does compare them."""
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type != "code":
            continue
        marked = cell.source.startswith(MARK)
        cell.execution_count = number if marked else None
        cell.outputs = cell.outputs if marked else []
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = number
        cell.metadata.pop("execution", None)
    return notebook


def write(notebook, target: Path) -> bool:
    """Write `notebook` whole or not at all. Returns whether the file changed."""
    nbformat.validate(notebook)
    text = nbformat.writes(notebook) + "\n"
    if target.exists() and target.read_text(encoding="utf-8") == text:
        return False
    partial = target.with_suffix(".ipynb.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(target)
    return True


def same_but_outputs(built, target: Path) -> bool:
    """Whether the committed notebook was built from this source, whatever its outputs say."""
    if not target.exists():
        return False
    stored = nbformat.read(target, as_version=4)
    def bare(notebook):
        return [(c.cell_type, c.id, c.source, c.metadata.get("tags")) for c in notebook.cells]
    return bare(built) == bare(stored)


def sources(chosen: list[str]) -> list[Path]:
    """All sources, or those whose name begins with one of `chosen`."""
    found = [path for path in SOURCE.rglob("*.py") if not chosen or path.stem.startswith(tuple(chosen))]
    if not found:
        sys.exit(f"There is no lesson source called {', '.join(chosen)} in {SOURCE}.")
    return sorted(found, key=lambda path: position(path.stem))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", help="beginnings of names, as 05; all when none is given")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where a source is newer")
    chosen = parser.parse_args()
    stale, broken = [], []
    for source in sources(chosen.lessons):
        target = paths.notebooks() / source.relative_to(SOURCE).with_suffix(".ipynb")
        notebook = build(source)
        if chosen.check:
            if not same_but_outputs(notebook, target):
                stale.append(source.stem)
            continue
        with tempfile.TemporaryDirectory() as private:    # an author's own progress stays out of it
            os.environ["COURSE_PROGRESS"] = f"{private}/progress.sqlite"
            try:
                target.parent.mkdir(exist_ok=True)
                run(notebook, target.parent)
            except CellExecutionError as error:         # the other lessons are built all the same
                print(f"{source.name}: {error}")
                broken.append(source.stem)
                continue
        changed = write(keep_marked_outputs(notebook), target)
        print(f"{target.name}: {'built' if changed else 'unchanged'}")
    if stale:
        print(f"Not built from their sources: {', '.join(stale)}. Type: make notebooks")
    if broken:
        print(f"Not built, because a cell raised an error: {', '.join(broken)}.")
    return 1 if stale or broken else 0


if __name__ == "__main__":
    sys.exit(main())

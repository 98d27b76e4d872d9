"""The first cell of a lesson: what it teaches, what it needs, how long it takes. Generated, never typed."""

from __future__ import annotations

import json
import math
import re

from course_utils import paths
from course_utils.teaching import load_lesson
from course_utils.teaching.content import called

WORDS_PER_MINUTE = 180      # a usual pace for technical prose
MINUTES_PER_CODE_CELL = 0.5
MINUTES_PER_QUESTION = 1


def words(notebook) -> int:
    """How many words of prose a notebook holds, code left out."""
    prose = " ".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return len(re.findall(r"[\w’'-]+", re.sub(r"```.*?```|\$.*?\$|<[^>]*>", " ", prose, flags=re.S)))


def minutes(notebook, lesson) -> int:
    """Minutes to read, run and answer, rounded up to five; exercises state their own minutes."""
    code = sum(cell.cell_type == "code" for cell in notebook.cells)
    exercises = sum(exercise.minutes for exercise in lesson.exercises())
    total = (words(notebook) / WORDS_PER_MINUTE + code * MINUTES_PER_CODE_CELL
             + len(lesson.questions) * MINUTES_PER_QUESTION + exercises)
    return 5 * math.ceil(total / 5)


def last_run(lesson_id: str) -> dict | None:
    """When the lesson was timed, its seconds and versions, from `tools/records/lesson_times.py`."""
    file = paths.results() / "lesson_times.json"
    record = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"results": {}}
    found = record["results"].get(lesson_id)
    return found and {
        "seconds": found["seconds"], "date": found.get("date", record["date"]),
        "versions": ", ".join(f"{name} {version}" for name, version in record["versions"].items())}


def header(lesson_id: str, notebook) -> str:
    """The Markdown of a lesson's first cell."""
    lesson = load_lesson(lesson_id)
    run = last_run(lesson_id)
    facts = [
        f"about {minutes(notebook, lesson)} minutes",
        f"{run['seconds']:.0f} seconds of computing on two cores" if run else None,
        f"{lesson.needs_download_mb} MB to download" if lesson.needs_download_mb else "nothing to download",
    ]
    lines = [f"# {called(lesson_id, lesson.title)}", "", lesson.summary, "",
             "**When you are done you can**", ""]
    lines += [f"- {objective.text}" for objective in lesson.objectives]
    if lesson.prerequisites:
        lines += ["", "**Before you start:** " + "; ".join(lesson.prerequisites) + "."]
    lines += ["", "**It takes** " + ", ".join(fact for fact in facts if fact) + "."]
    if run:
        lines += ["", f"**Last timed** on {run['date']} with {run['versions']}."]
    return "\n".join(lines)

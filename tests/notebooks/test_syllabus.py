"""Every item of the syllabus is taught somewhere: `syllabus/NN.yaml` lists them, a tag marks the cell.

    - {id: short-id, what: "in a few words", cell: tag, shows: ["text that the cell must contain"]}

or, in place of `cell`, `exercise: its-name` or `question: its-id`. `prints:` holds what the cell's stored
output must contain, where it has one. `exercises.yaml` is the list of all notebooks without a number; there
each item says `notebook: coding_4_range_test`.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
import yaml

from course_utils import paths
from course_utils.teaching import lessons, load_lesson
from course_utils.teaching.content import notebook_of

FILES = sorted((Path(__file__).parent / "syllabus").glob("*.yaml"))
LESSON = "05_feature_extraction"
ITEMS = [pytest.param(file.stem, item, id=f"{file.stem}:{item['id']}")
         for file in FILES for item in yaml.safe_load(file.read_text(encoding="utf-8"))]


def list_of(lesson: str) -> str:
    """The name of the list in which the items of a lesson stand."""
    return lesson[:2] if lesson[:2].isdigit() else "exercises"


def taught_by(list_name: str, item: dict) -> str:
    """The lesson that teaches an item of a list."""
    if list_name == "exercises":
        return item["notebook"]
    return next(lesson for lesson in lessons() if list_of(lesson) == list_name)


def read(lesson: str):
    return nbformat.read(paths.notebooks() / notebook_of(lesson), as_version=4)


def taught_in(notebook, tag: str) -> list:
    return [cell for cell in notebook.cells if f"teaches:{tag}" in cell.metadata.get("tags", [])]


def missing(lesson: str, notebook, item: dict) -> str:
    """What of the item is not there; empty where all is."""
    if "exercise" in item or "question" in item:
        details = load_lesson(lesson)
        known = {e.name for e in details.exercises()} | {question.id for question in details.questions}
        name = item.get("exercise") or item["question"]
        return "" if name in known else f"{lesson} has no {name}"
    cells = taught_in(notebook, item["cell"])
    if not cells:
        return f"no cell of {lesson} is tagged teaches:{item['cell']}"
    source = " ".join(" ".join(cell.source for cell in cells).split()).replace("# ", "")
    printed = " ".join(str(output) for cell in cells for output in cell.get("outputs", []))
    lost = [text for text in item.get("shows", []) if text not in source]
    lost += [text for text in item.get("prints", []) if text not in printed]
    return f"the cells teaches:{item['cell']} do not hold {lost}" if lost else ""


@pytest.mark.parametrize("list_name, item", ITEMS)
def test_an_item_of_the_syllabus_is_taught(list_name, item):
    lesson = taught_by(list_name, item)
    assert not missing(lesson, read(lesson), item)


def test_an_item_that_is_not_taught_is_found():
    lesson, notebook = LESSON, read(LESSON)
    assert "tagged" in missing(lesson, notebook, {"id": "x", "what": "x", "cell": "never"})
    assert "has no" in missing(lesson, notebook, {"id": "x", "what": "x", "exercise": "never"})
    tag = next(tag for cell in notebook.cells for tag in cell.metadata.get("tags", [])
               if tag.startswith("teaches:")).removeprefix("teaches:")
    assert "do not hold" in missing(lesson, notebook, {"id": "x", "what": "x", "cell": tag, "shows": ["§§"]})


@pytest.mark.parametrize("lesson", lessons())
def test_every_lesson_has_its_list_and_every_tag_stands_in_it(lesson):
    file = Path(__file__).parent / "syllabus" / f"{list_of(lesson)}.yaml"
    own = [item for item in yaml.safe_load(file.read_text(encoding="utf-8"))
           if item.get("notebook", lesson) == lesson]
    tagged = {tag.removeprefix("teaches:") for cell in read(lesson).cells
              for tag in cell.metadata.get("tags", []) if tag.startswith("teaches:")}
    assert own and tagged == {item["cell"] for item in own if "cell" in item}


def test_ids_differ():
    for file in FILES:
        ids = [item["id"] for item in yaml.safe_load(file.read_text(encoding="utf-8"))]
        assert len(set(ids)) == len(ids), file.name

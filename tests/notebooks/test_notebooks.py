"""The shipped notebooks: built from their sources, light, and with something stored where nbval compares."""

from __future__ import annotations

import copy
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
import yaml

from course_utils import paths
from course_utils.teaching.content import lessons, notebook_of

ROOT = paths.repository()
NOTEBOOKS = sorted(p for p in paths.notebooks().rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
MARK = "NBVAL_CHECK_OUTPUT"


def test_every_lesson_has_its_notebook_where_the_course_says_and_none_is_without_a_lesson():
    said = {paths.notebooks() / notebook_of(lesson) for lesson in lessons()}
    assert said == set(NOTEBOOKS) and paths.notebooks() / "05_feature_extraction.ipynb" in said


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


def never_compared(notebook) -> list[int]:
    """Cells marked for comparison that nbval would pass over: no count, or no output."""
    return [number for number, cell in enumerate(notebook.cells)
            if cell.cell_type == "code" and MARK in cell.source
            and (cell.execution_count is None or not cell.outputs)]


def test_marked_cells_have_something_to_compare(notebook):
    assert not never_compared(notebook)


def test_a_stripped_notebook_would_be_noticed():
    notebook = nbformat.read(paths.notebooks() / "05_feature_extraction.ipynb", as_version=4)
    stripped = copy.deepcopy(notebook)
    for cell in stripped.cells:
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = None, []
    assert never_compared(stripped) and not never_compared(notebook)


def test_only_marked_cells_keep_outputs(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code" and MARK not in cell.source:
            assert cell.outputs == [] and cell.execution_count is None


def test_notebooks_carry_no_pictures_widget_state_or_jupytext(notebook, path):
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert "image/png" not in path.read_text() and "widget-view" not in path.read_text()


def test_notebooks_are_built_from_their_sources():
    done = subprocess.run([sys.executable, "-m", "tools.build_notebooks", "--check"], cwd=ROOT,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_lesson_is_short_and_breathes(notebook, path):
    """25–40 cells, where it has no number 8–40; at most 2,500 words, at most two code cells in a row."""
    fewest = 25 if path.stem[:2].isdigit() else 8
    assert fewest <= len(notebook.cells) <= 40, f"{len(notebook.cells)} cells"
    prose = " ".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert len(prose.split()) <= 2500
    kinds = "".join("c" if cell.cell_type == "code" else "m" for cell in notebook.cells)
    assert "ccc" not in kinds, f"three code cells in a row: {kinds}"


def headings(notebook) -> list[int]:
    """The levels of a notebook's headings, in order."""
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    outside_code = re.sub(r"```.*?```", "", prose, flags=re.S)
    return [len(marks) for marks in re.findall(r"^(#+) ", outside_code, flags=re.M)]


def test_headings_go_down_one_step_at_a_time(notebook):
    levels = headings(notebook)
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels


FIGURE = re.compile(r"plt\.show|\.imshow\(|subplots\(")


def figures_without_words(notebook) -> list[str]:
    """Cells that draw with matplotlib and hand nothing to `show_figure`, which asks for alt text."""
    return [cell.source for cell in notebook.cells if cell.cell_type == "code" and FIGURE.search(cell.source)
            and "show_figure(" not in cell.source]


def test_figures_carry_alt_text(notebook):
    assert not figures_without_words(notebook)
    assert not any("show_pictures(" in cell.source and "alt=" not in cell.source for cell in notebook.cells
                   if cell.cell_type == "code" and "import" not in cell.source)


def test_a_figure_without_words_is_found():
    cell = nbformat.v4.new_code_cell("figure, axes = plt.subplots()\nplt.show()")
    assert figures_without_words(nbformat.v4.new_notebook(cells=[cell]))


def anchors(notebook) -> set[str]:
    """The links that JupyterLab makes of a notebook's headings."""
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return {"#" + text.strip().replace(" ", "-") for text in re.findall(r"^#+ (.+)$", prose, flags=re.M)}


def test_every_question_and_exercise_is_shown_and_leads_back_into_its_lesson(notebook, path):
    from course_utils.teaching import load_lesson

    lesson = load_lesson(path.stem)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    for question in lesson.questions:
        assert f'show_quiz("{path.stem}", "{question.id}")' in code
        elsewhere, _, heading = question.see.partition("#")
        taught = nbformat.read(paths.notebooks() / notebook_of(elsewhere), 4) if elsewhere else notebook
        assert "#" + heading in anchors(taught), f"{question.id}: no heading for {question.see}"
    for exercise in lesson.exercises():
        assert f'show_exercise("{exercise.id}"' in code
        assert exercise.see in anchors(notebook), f"{exercise.id}: no heading for {exercise.see}"


def dead_links(notebook, folder: Path) -> list[str]:
    """Links of a notebook in `folder` to files that are not there, or to headings that the file lacks."""
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    dead = []
    for target, heading in re.findall(r"\]\(([^)#:]*)(#[^)]+)?\)", prose):
        file = Path(os.path.normpath(folder / target))
        if not file.exists():
            dead.append(target)
        elif heading and (not target or file.suffix == ".ipynb"):
            there = nbformat.read(file, as_version=4) if target else notebook
            dead += [] if heading in anchors(there) else [target + heading]
    return dead


def test_links_between_lessons_are_alive(notebook, path):
    assert not dead_links(notebook, path.parent)


@pytest.mark.parametrize("folder, link, dead", [
    ("", "06_fine_tuning.ipynb", False), ("exercises", "../06_fine_tuning.ipynb", False),
    ("exercises", "06_fine_tuning.ipynb", True), ("", "../06_fine_tuning.ipynb", True),
    ("", "06_fine_tuning.ipynb#Which-learning-rate", False), ("", "06_fine_tuning.ipynb#Nowhere", True),
    ("", "#A-heading", False), ("", "#Nowhere", True)])
def test_a_link_is_followed_from_the_folder_of_its_notebook(folder, link, dead):
    cell = nbformat.v4.new_markdown_cell(f"## A heading\n\nSee [there]({link}).")
    found = dead_links(nbformat.v4.new_notebook(cells=[cell]), paths.notebooks() / folder)
    assert found == ([link] if dead else [])


def test_every_objective_is_practised():
    """Each objective of a lesson has a question or an exercise, and none refers to one that is not there."""
    from course_utils.teaching import load_lesson

    for path in NOTEBOOKS:
        lesson = load_lesson(path.stem)
        stated = {objective.id for objective in lesson.objectives}
        practised = {item.objective for item in [*lesson.questions, *lesson.exercises()]}
        assert practised <= stated, f"{path.stem}: unknown objectives {practised - stated}"
        assert stated - practised <= {"how-it-works"}, f"{path.stem}: not practised {stated - practised}"


def test_lesson_files_are_plain_yaml():
    for file in (ROOT / "course_utils" / "lessons").glob("*.yaml"):
        assert yaml.safe_load(file.read_text())["title"]

"""A solution works where it is handed in: every name it uses is there in its notebook, above its cell."""

from __future__ import annotations

import ast
import builtins

import nbformat
import pytest

from course_utils import paths
from course_utils.teaching.content import lessons, notebook_of
from tools.build_notebooks import exercise_id, fill_exercises

LESSONS = lessons()


def bound(tree: ast.AST) -> set[str]:
    """Names that a cell defines, at whatever depth: imports, functions, assignments, loops, arguments."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
    return found


def used(tree: ast.AST) -> set[str]:
    names = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
    return {name.id for name in names if isinstance(name.ctx, ast.Load)}


def plain(source: str) -> str:
    """Python without a notebook's own commands."""
    return "\n".join(line for line in source.splitlines() if not line.lstrip().startswith(("!", "%")))


def missing_names(notebook) -> dict[str, set[str]]:
    """By exercise, the names its cell uses that nothing above it defines."""
    known, missing = set(dir(builtins)) | {"display"}, {}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        tree = ast.parse(plain(cell.source))
        known |= bound(tree)
        if exercise := exercise_id(cell):
            missing[exercise] = used(tree) - known
    return {exercise: names for exercise, names in missing.items() if names}


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_solution_finds_its_names_in_the_notebook(lesson):
    notebook = nbformat.read(paths.notebooks() / notebook_of(lesson), as_version=4)
    assert not missing_names(fill_exercises(notebook, "solution"))


def test_a_name_that_is_missing_is_found():
    cell = nbformat.v4.new_code_cell("def f(x):\n    return math.sqrt(x)\n\nshow_exercise('a', f)",
                                     metadata={"tags": ["exercise:a/b"]})
    imports = nbformat.v4.new_code_cell("from course_utils.widgets import show_exercise")
    notebook = nbformat.v4.new_notebook(cells=[imports, cell])
    assert missing_names(notebook) == {"a/b": {"math"}}

"""The dashboard in a real JupyterLab: its links lead to the very section that was missed."""

from __future__ import annotations

import nbformat.v4
import pytest

pytestmark = pytest.mark.browser

CELLS = [
    """
%env COURSE_PROGRESS=dashboard.sqlite
from course_utils.teaching import load_quiz
from course_utils.teaching.predicting import resolve
load_quiz("05_feature_extraction").answer("what-still-moves", "nothing", "certain")
resolve(load_quiz("05_feature_extraction"), "what-still-moves");""",
    "from course_utils.widgets import progress\nprogress()",
]
PATH_IS = "(path) => jupyterapp.shell.currentWidget?.context?.path === path"
IN_VIEW = """() => {
    const headings = [...document.querySelectorAll(".jp-NotebookPanel:not(.lm-mod-hidden) h2")];
    const box = headings.find((node) => node.textContent.includes("Three switches"))?.getBoundingClientRect();
    return box && box.top >= 0 && box.bottom <= innerHeight;
}"""


def long_lesson():
    """The section that was missed stands far below the top."""
    filler = [nbformat.v4.new_code_cell("\n".join(["1 + 1"] * 40)) for _ in range(8)]
    heading = nbformat.v4.new_markdown_cell("## Three switches")
    return nbformat.v4.new_notebook(cells=[*filler[:4], heading, *filler[4:]], metadata={
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}})


@pytest.mark.parametrize("place", ["board/board.ipynb", "board ü/exercises/board.ipynb"])
def test_a_missed_question_is_named_in_words_and_leads_back_to_its_section_by_keyboard(
        place, lab, open_notebook):
    lesson = lab.add(f"{place.split('/')[0]}/05_feature_extraction.ipynb", long_lesson())
    notebook = open_notebook(lab.write(place, CELLS))
    notebook.run_all()
    panel = notebook.find(".course-progress")
    assert "You were certain" in panel.inner_text() and "0 of" in panel.inner_text()
    assert not notebook.page.evaluate(IN_VIEW)
    panel.locator("li a").filter(has_text="Three switches").focus()
    notebook.page.keyboard.press("Enter")
    notebook.page.wait_for_function(PATH_IS, arg=lesson)
    notebook.page.wait_for_function(IN_VIEW)
    assert notebook.outside_requests == []

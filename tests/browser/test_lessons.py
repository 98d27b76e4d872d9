"""Chromium walks the lessons in JupyterLab: solved to full marks, and as shipped with mistakes on the way."""

from __future__ import annotations

import ast

import nbformat
import pytest

from course_utils import paths, widgets
from course_utils.teaching import ProgressStore, lessons, load_exercise, load_lesson
from course_utils.teaching.summary import summarise
from tests.browser.answering import give_the_right_answer, plain
from tools.build_notebooks import exercise_id, fill_exercises

pytestmark = pytest.mark.browser
# Without numbers are the exercises; those are solved in tests/notebooks, where a minute costs less.
LESSONS = [lesson for lesson in lessons() if lesson[:2].isdigit()]
LESSON = "05_feature_extraction"
# What the widgets' room offers and shows no panel: what panels are made of, and what is no widget.
PANELS = set(widgets.__all__) - {
    "Bars", "Chart", "Code", "Line", "Picture", "Pictures", "Table", "Words", "Choice", "Field", "Slider",
    "Switch", "Upload", "export_progress", "not_right_yet", "show_figure", "show_pictures", "study_curves",
    "watch_study"}
VALUE = "(node) => node.type === 'checkbox' ? String(node.checked) : node.value"
# Keys that move a control; the second is for one that stands at its end.
KEYS = {"range": ("ArrowRight", "ArrowLeft"), "select-one": ("ArrowDown", "ArrowUp"), "checkbox": ("Space",),
        "text": ("x",)}


def shipped(lesson: str):
    return nbformat.read(paths.notebooks() / f"{lesson}.ipynb", as_version=4)


def answer(notebook, question, text: str) -> str:
    """Choose the option with `text` by keyboard alone; returns the outcome of the verdict."""
    quiz = notebook.find(".course-quiz").filter(has_text=plain(question.prompt)[:40])
    quiz.get_by_role("radio", name=plain(text), exact=True).focus()
    notebook.page.keyboard.press("Space")
    quiz.get_by_role("button", name="Check").focus()
    notebook.page.keyboard.press("Enter")
    right = "right" if next(o for o in question.options if o.text == text).right else "wrong"
    verdict = quiz.locator(f'.course-verdict[data-outcome="{right}"]')
    verdict.wait_for()
    return right


def shown_by(source: str) -> set[str]:
    """The widgets that a cell shows: those called in its last line or in `display(…)`, or made before it."""
    tree = ast.parse("\n".join(line for line in source.splitlines() if not line.startswith(("%", "!"))))
    made = {target.id: node.value for node in tree.body if isinstance(node, ast.Assign)
            for target in node.targets if isinstance(target, ast.Name)}
    shown = [node.value for node in tree.body[-1:] if isinstance(node, ast.Expr)]
    shown += [argument for node in ast.walk(tree) if isinstance(node, ast.Call)
              and getattr(node.func, "id", "") == "display" for argument in node.args]
    return {called(made.get(getattr(value, "id", ""), value)) for value in shown} & PANELS


def called(value: ast.expr) -> str:
    """The name of what is called first: "explore" in `explore(…).set(…)`."""
    while isinstance(value, (ast.Call, ast.Attribute)):
        value = value.func if isinstance(value, ast.Call) else value.value
    return getattr(value, "id", "")


def every_widget_is_drawn(notebook, cells) -> None:
    drawn = """(shown) => { const cells = jupyterapp.shell.currentWidget.content.widgets;
        return shown.filter(([at]) => !cells[at].node.querySelector(".course")).length === 0 }"""
    shown = [(at, sorted(names)) for at, cell in enumerate(cells)
             if cell.cell_type == "code" and (names := shown_by(cell.source))]
    assert shown
    notebook.page.wait_for_function(drawn, arg=shown)
    assert notebook.find("text=model not found").count() == 0


def use_every_explorer(notebook) -> None:
    """Move the first control of each by keyboard, and wait for what Python makes of it."""
    for panel in notebook.find(".course-explorer").all():
        control = panel.locator(".course-controls").locator("input:not([type=file]), select").first
        if not control.count():             # only something to look at, or a picture to choose
            continue
        before = control.evaluate(VALUE)
        for key in KEYS[control.evaluate("(node) => node.type")]:
            if control.evaluate(VALUE) == before:
                control.focus()
                notebook.page.keyboard.press(key)
        notebook.page.keyboard.press("Enter")           # a word is taken when it is typed to its end
        status = panel.locator(".course-live").first.element_handle()
        notebook.page.wait_for_function("(node) => !/Computing|No reply/.test(node.textContent)", arg=status)
        assert control.evaluate(VALUE) != before, panel.get_attribute("aria-label")
        assert "did not work" not in status.text_content(), panel.inner_text()
        assert panel.locator(".course-view > *").count()


def rerun_the_results(notebook, lesson: str, predicted: list) -> None:
    """Each prediction is judged when the cell that decides it runs."""
    for question in predicted:
        index = next(i for i, cell in enumerate(notebook.cells())
                     if f'show_result("{lesson}", "{question.id}"' in cell)
        notebook.run_cell(index)
        notebook.find(".course-result").filter(has_text=plain(question.prompt)[:60]).locator(
            ".course-verdict").wait_for()


def test_what_a_cell_shows_is_read_from_its_source():
    assert shown_by("x = 1\nshow_quiz('a', 'b')") == {"show_quiz"}
    assert shown_by("%env A=b\ncurves = training_curves(3)\ndisplay(curves)\nfit()") == {"training_curves"}
    assert shown_by("explore('a', look).set(a=1)") == {"explore"}
    for nothing in ("curves = training_curves(3)", "flow(model)\nx = 1", "show_pictures([])", "", "# a word"):
        assert not shown_by(nothing)


def test_a_cell_that_raises_is_found(lab, open_notebook):
    """The twin of every walk: `run_all` fails where a cell does."""
    notebook = open_notebook(lab.write("raises.ipynb", ["1 / 0", "print('after it')"]))
    with pytest.raises(AssertionError, match="ZeroDivisionError: division by zero"):
        notebook.run_all()
    notebook.run_cell(0, "1 / 2")
    assert notebook.errors() == []


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_solved_lesson_reaches_full_marks(lesson, lab, open_notebook):
    solved = fill_exercises(shipped(lesson), "solution")
    notebook = open_notebook(lab.add(f"solved/{lesson}.ipynb", solved), height=1600)
    notebook.run_all()
    every_widget_is_drawn(notebook, solved.cells)
    use_every_explorer(notebook)
    details = load_lesson(lesson)
    assert notebook.find('.course-exercise .course-verdict[data-outcome="right"]').count() == len(
        details.exercises())
    for question in details.questions:
        give_the_right_answer(notebook, question)
    rerun_the_results(notebook, lesson, [question for question in details.questions if question.predict])
    done = next(part for part in summarise(ProgressStore().events()).lessons if part.lesson == lesson)
    assert done.done == done.total
    assert notebook.outside_requests == []


def exercise_panel(notebook, exercise):
    return notebook.find(".course-exercise").filter(has_text=exercise.title)


def hand_in(notebook, exercise, which: str):
    """Write a version of the exercise into its cell and run it; returns the panel's verdict."""
    cells = shipped(LESSON).cells
    index = next(i for i, cell in enumerate(cells) if exercise_id(cell) == exercise.id)
    notebook.run_cell(index, exercise.cell(which))
    return exercise_panel(notebook, exercise).locator(".course-verdict")


def press_every_key_in_every_control(notebook) -> None:
    controls = notebook.find(".course").locator("button, input, summary, a")
    assert controls.count() > 20
    for control in controls.all():
        if control.is_visible():
            control.focus()
            for key in ("ArrowDown", "ArrowUp", "b", "d", "d", "a", "Enter", "Space", "Escape"):
                notebook.page.keyboard.press(key)
    notebook.wait_idle()


def test_a_learner_errs_learns_and_finds_the_progress_again(lab, open_notebook):
    notebook = open_notebook(lab.add(f"walked/{LESSON}.ipynb", shipped(LESSON)), height=1600)
    notebook.run_all()
    exercise = load_exercise(f"{LESSON}/freeze-the-backbone")
    untried = notebook.find('.course-exercise .course-verdict[data-outcome="not attempted"]')
    assert untried.count() == len(load_lesson(LESSON).exercises())

    question = next(one for one in load_lesson(LESSON).questions if one.kind == "single" and not one.predict)
    quiz = notebook.find(".course-quiz").filter(has_text=plain(question.prompt)[:40])
    for option in sorted(question.options, key=lambda option: option.right):      # wrong ones first
        answer(notebook, question, option.text)
        assert plain(option.reason)[:60] in quiz.inner_text()

    verdict = hand_in(notebook, exercise, "wrong:batchnorm-drifts")
    assert verdict.get_attribute("data-outcome") == "partly right"
    assert "in train mode they follow" in verdict.inner_text()
    verdict = hand_in(notebook, exercise, "solution")
    assert verdict.get_attribute("data-outcome") == "right"

    before = notebook.cells()
    press_every_key_in_every_control(notebook)
    assert notebook.cells() == before

    hand_in(notebook, exercise, "solution")         # one of the keys pressed was "Start over"
    notebook.restart()
    notebook.run_cell(2)
    hand_in(notebook, exercise, "starter")
    assert "You solved this on" in exercise_panel(notebook, exercise).inner_text()
    assert notebook.outside_requests == []

"""Chromium walks the lessons in JupyterLab: solved to full marks, and as shipped with mistakes on the way."""

from __future__ import annotations

import nbformat
import pytest

from course_utils import paths
from course_utils.teaching import ProgressStore, lessons, load_exercise, load_lesson
from course_utils.teaching.summary import summarise
from tests.browser.answering import give_the_right_answer, plain
from tools.build_notebooks import exercise_id, fill_exercises

pytestmark = pytest.mark.browser
# Without numbers are the exercises; those are solved in tests/notebooks, where a minute costs less.
LESSONS = [lesson for lesson in lessons() if lesson[:2].isdigit()]
LESSON = "05_feature_extraction"
ERRORS = '[data-mime-type="application/vnd.jupyter.error"]'


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


def every_widget_is_drawn(notebook, cells) -> None:
    shown = sum("show_quiz(" in cell.source or "show_exercise(" in cell.source for cell in cells)
    assert notebook.find(".course-quiz").count() + notebook.find(".course-exercise").count() == shown
    for name in ("explore(", "flow(", "freeze_map(", "predictions(", "progress(", "training_curves("):
        if any(line.startswith(name) for cell in cells for line in cell.source.splitlines()):
            assert notebook.find(".course").count() > shown, f"{name}) drew nothing"
    assert notebook.find("text=model not found").count() == 0


def rerun_the_results(notebook, lesson: str, predicted: list) -> None:
    """Each prediction is judged when the cell that decides it runs."""
    for question in predicted:
        index = next(i for i, cell in enumerate(notebook.cells())
                     if f'show_result("{lesson}", "{question.id}"' in cell)
        notebook.run_cell(index)
        notebook.find(".course-result").filter(has_text=plain(question.prompt)[:60]).locator(
            ".course-verdict").wait_for()


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_solved_lesson_reaches_full_marks(lesson, lab, open_notebook):
    solved = fill_exercises(shipped(lesson), "solution")
    notebook = open_notebook(lab.add(f"solved/{lesson}.ipynb", solved), height=1600)
    notebook.run_all()
    assert notebook.find(ERRORS).count() == 0
    every_widget_is_drawn(notebook, solved.cells)
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
    assert untried.count() == len(load_lesson(LESSON).exercises()) and notebook.find(ERRORS).count() == 0

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

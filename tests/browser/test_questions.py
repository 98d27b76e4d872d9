"""A quiz of all six kinds in a real JupyterLab, answered by keyboard alone."""

from __future__ import annotations

import pytest

from course_utils import paths
from course_utils.teaching.lesson_file import read_lesson_file

pytestmark = pytest.mark.browser

KINDS = paths.repository() / "tests" / "teaching" / "kinds.yaml"
QUESTIONS = read_lesson_file(KINDS).questions
CELL = """
%env COURSE_PROGRESS={name}.sqlite
from pathlib import Path
from course_utils.teaching.lesson_file import read_lesson_file
from course_utils.teaching.quizzes import Quiz
from course_utils.widgets.quiz import QuizPanel

quiz = Quiz("01_kinds", read_lesson_file(Path("kinds.yaml")).questions)
for question in quiz.questions:
    display(QuizPanel(quiz, question.id))"""
AT = """([number, control]) => document.activeElement.matches(control)
    && document.querySelectorAll(".course-quiz")[number].contains(document.activeElement)"""
CHECK = "button.course-primary"


@pytest.fixture
def quiz(lab, open_notebook, request):
    """The questions on one page, none answered, the focus before the first."""
    name = request.node.name
    path = lab.write(f"kinds/{name}.ipynb", [CELL.format(name=name)])
    (lab.root / "kinds" / "kinds.yaml").write_bytes(KINDS.read_bytes())
    notebook = open_notebook(path)
    notebook.run_all()
    notebook.find(".course-quiz").nth(len(QUESTIONS) - 1).wait_for()
    notebook.find(".course-quiz input").first.focus()
    notebook.page.keyboard.press("Shift+Tab")
    return notebook


def step_to(notebook, number: int, control: str, key: str = "Tab") -> None:
    """Press Tab until the focus is on such a control of that question."""
    for _ in range(40):
        notebook.page.keyboard.press(key)
        if notebook.page.evaluate(AT, [number, control]):
            return
    raise AssertionError(f"no {control} of question {number} within 40 steps")


def press(notebook, *keys: str) -> None:
    for key in keys:
        notebook.page.keyboard.press(key)


def put_in_order(notebook, number: int, question) -> None:
    """Move each step up to its place, from the first on."""
    now = [step["text"] for step in question.shown()["steps"]]
    for place, text in enumerate(question.steps):
        if (up := now.index(text) - place) > 0:
            step_to(notebook, number, f'[aria-label="Move up: {text}"]')
            press(notebook, *["Space"] * up)
            now.insert(place, now.pop(now.index(text)))
    heard = notebook.find(".course-quiz").nth(number).locator("ol + [role=status]")
    assert heard.text_content().endswith("of 4")


def test_a_whole_quiz_is_answered_by_keyboard_alone(quiz):
    verdicts = quiz.find(".course-quiz").locator(".course-verdict")
    step_to(quiz, 0, "input[type=radio]")
    press(quiz, "Space")
    step_to(quiz, 0, "input[value=guessing]")
    press(quiz, "ArrowDown", "ArrowDown")                   # certain
    step_to(quiz, 0, CHECK)
    press(quiz, "Enter")
    step_to(quiz, 1, "input[value=a]")
    press(quiz, "Space")
    step_to(quiz, 1, "input[value=c]")
    press(quiz, "Space")
    step_to(quiz, 1, CHECK)
    press(quiz, "Space")
    put_in_order(quiz, 2, QUESTIONS[2])
    step_to(quiz, 2, CHECK)
    press(quiz, "Enter")
    for number, words in [(3, "1,280"), (4, "eval")]:
        step_to(quiz, number, "input")
        quiz.page.keyboard.type(words)
        press(quiz, "Enter")
    step_to(quiz, 5, "textarea")
    quiz.page.keyboard.type("When there are many pictures, and they differ.")
    step_to(quiz, 5, CHECK)
    press(quiz, "Enter")
    quiz.find(".course-quiz").nth(5).locator("input").nth(1).wait_for()
    for value in ("b", "a"):
        step_to(quiz, 5, f"input[value={value}]", "Shift+Tab")
        press(quiz, "Space")
    step_to(quiz, 5, CHECK)
    press(quiz, "Enter")
    verdicts.nth(5).wait_for()
    assert [verdicts.nth(i).get_attribute("data-outcome") for i in range(6)] == ["right"] * 6
    assert len(quiz.cells()) == 1 and quiz.outside_requests == []


def test_wrong_answers_get_their_own_words_and_nothing_is_there_before(quiz):
    page = quiz.find(".jp-OutputArea").first
    secrets = ["side by side", "leaves one over", "Normalising", "number of classes", "pictures differ"]
    assert not any(secret in page.inner_html() for secret in secrets)
    panels = quiz.find(".course-quiz")
    panels.nth(0).locator(CHECK).click()
    assert "Choose one of the answers first." in panels.nth(0).locator(".course-live").text_content()
    panels.nth(0).locator("input[value=b]").check()
    panels.nth(3).locator("input").fill("1000 ms")
    panels.nth(4).locator("input").fill("Train")
    for number, words in [(0, "side by side"), (3, "number of classes"), (4, "it moves")]:
        panels.nth(number).locator(CHECK).click()
        panels.nth(number).locator(".course-verdict").filter(has_text=words).wait_for()

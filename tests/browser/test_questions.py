"""A quiz of all six kinds in a real JupyterLab, answered by keyboard alone."""

from __future__ import annotations

import base64

import pytest

from course_utils import paths
from course_utils.teaching.lesson_file import read_lesson_file

pytestmark = pytest.mark.browser

KINDS = paths.repository() / "tests" / "teaching" / "kinds.yaml"
QUESTIONS = read_lesson_file(KINDS).questions
SECRETS = [          # of each question: words that may come once it was answered, and not before
    ["Two and two are four", "puts the digits side by side"],
    ["2 is 2", "leaves one over"],
    ["Normalising needs numbers"],
    ["It is 1,280", "number of classes"],
    ["BatchNorm rests in it", "In train mode it moves", "eval mode"],
    ["When pictures differ", "how different pictures are"],
]
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
def received() -> list[bytes]:
    """All that has come to the browser over its connections to the kernel."""
    return []


@pytest.fixture
def quiz(lab, open_notebook, received, request):
    """The questions on one page, none answered. The cell was run by keyboard, and it still has the focus."""
    name = request.node.name
    path = lab.write(f"kinds/{name}.ipynb", [CELL.format(name=name)])
    (lab.root / "kinds" / "kinds.yaml").write_bytes(KINDS.read_bytes())
    notebook = open_notebook(path)
    listen(notebook.page, received)
    press(notebook, "Control+Enter")
    notebook.find(".course-quiz").nth(len(QUESTIONS) - 1).wait_for()
    return notebook


def listen(page, received: list[bytes]) -> None:
    def heard(event: dict) -> None:
        frame = event["response"]       # opcode 1 is text, 2 is binary
        received.append(frame["payloadData"].encode() if frame["opcode"] == 1
                        else base64.b64decode(frame["payloadData"]))
    session = page.context.new_cdp_session(page)
    session.on("Network.webSocketFrameReceived", heard)
    session.send("Network.enable")


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
    heard = notebook.find(".course-quiz").nth(number).locator("ol + [role=status]")
    for place, text in enumerate(question.steps):
        if (up := now.index(text) - place) > 0:
            step_to(notebook, number, f'[aria-label="Move up: {text}"]')
            press(notebook, *["Space"] * up)
            assert heard.text_content() == f"{text}: {place + 1} of 4"
            now.insert(place, now.pop(now.index(text)))


def said(notebook, number: int, received: list[bytes]) -> str:
    """What is read out after an answer, once it is there: the focus has stayed, later secrets are kept."""
    panel = notebook.find(".course-quiz").nth(number)
    panel.locator(".course-verdict").wait_for()
    assert notebook.page.evaluate(AT, [number, "button, input"])
    page, kernel = everywhere(notebook, received)
    for secrets in SECRETS[number + 1:]:
        assert not any(secret in page or secret in kernel for secret in secrets)
    assert SECRETS[number][0] in page and SECRETS[number][0] in kernel       # the twin
    return panel.locator(".course-live[role=status]").inner_text()


def everywhere(notebook, received: list[bytes]) -> tuple[str, str]:
    """The page as it is, and all that the kernel has sent."""
    return notebook.page.content(), b"\n".join(received).decode(errors="replace")


def test_a_whole_quiz_is_answered_by_keyboard_alone(quiz, received):
    step_to(quiz, 0, "input[type=radio]")
    press(quiz, "Space")
    step_to(quiz, 0, "input[value=guessing]")
    press(quiz, "ArrowDown", "ArrowDown")                   # certain
    step_to(quiz, 0, CHECK)
    press(quiz, "Enter")
    assert "Right" in said(quiz, 0, received)
    step_to(quiz, 1, "input[value=a]")
    press(quiz, "Space")
    step_to(quiz, 1, "input[value=c]")
    press(quiz, "Space")
    step_to(quiz, 1, CHECK)
    press(quiz, "Space")
    assert "Right" in said(quiz, 1, received)
    put_in_order(quiz, 2, QUESTIONS[2])
    step_to(quiz, 2, CHECK)
    press(quiz, "Enter")
    assert "Right" in said(quiz, 2, received)
    for number, words in [(3, "1,280"), (4, "eval")]:
        step_to(quiz, number, "input")
        quiz.page.keyboard.type(words)
        press(quiz, "Enter")
        assert "Right" in said(quiz, number, received)
    step_to(quiz, 5, "textarea")
    quiz.page.keyboard.type("When there are many pictures, and they differ.")
    step_to(quiz, 5, CHECK)
    press(quiz, "Enter")
    quiz.find(".course-quiz").nth(5).locator("input").nth(1).wait_for()
    assert quiz.page.evaluate(AT, [5, CHECK])
    for value in ("b", "a"):
        step_to(quiz, 5, f"input[value={value}]", "Shift+Tab")
        press(quiz, "Space")
    step_to(quiz, 5, CHECK)
    press(quiz, "Enter")
    assert "Right" in said(quiz, 5, received)
    assert len(quiz.cells()) == 1 and quiz.outside_requests == []


def test_wrong_answers_get_their_own_words_and_nothing_is_there_before(quiz, received):
    page, kernel = everywhere(quiz, received)
    assert "What is 2 + 2?" in kernel
    assert not any(secret in page or secret in kernel for secrets in SECRETS for secret in secrets)
    panels = quiz.find(".course-quiz")
    panels.nth(0).locator(CHECK).click()
    assert "Choose one of the answers first." in panels.nth(0).locator(".course-live").text_content()
    panels.nth(0).locator("input[value=b]").check()
    panels.nth(3).locator("input").fill("1000 ms")
    panels.nth(4).locator("input").fill("Train")
    for number, words in [(0, "side by side"), (3, "number of classes"), (4, "it moves")]:
        panels.nth(number).locator(CHECK).click()
        panels.nth(number).locator(".course-verdict").filter(has_text=words).wait_for()
    assert "Two and two are four" not in everywhere(quiz, received)[1]

"""show_result: prediction and result side by side, in the browser and in words."""

from __future__ import annotations

import pytest

from course_utils.teaching import Quiz, practice
from course_utils.teaching.predicting import resolve
from course_utils.teaching.questions import Numeric
from course_utils.widgets.quiz import QuizPanel
from course_utils.widgets.result import ResultPanel


@pytest.fixture
def quiz():
    question = Numeric(id="how-fast", kind="numeric", objective="speed", prompt="How fast?", answer=100,
                       tolerance="10 %", unit="ms", reason="As measured.", predict=True)
    return Quiz("none", (question,))


def result(quiz, found=None):
    return ResultPanel(quiz.question("how-fast").prompt, resolve(quiz, "how-fast", found))


def test_prediction_and_result_stand_side_by_side(quiz):
    practice.answer(quiz, "how-fast", "90 ms")
    panel = result(quiz, 92.0)
    assert (panel.predicted, panel.found, panel.verdict["outcome"]) == ("90 ms", "92 ms", "right")
    assert all(words in panel.text() for words in ("You predicted: 90 ms", "It came out: 92 ms", "✔ Right"))


def test_without_a_prediction_the_result_is_not_a_verdict(quiz):
    panel = result(quiz, 92.0)
    assert panel.predicted == "" and "You predicted nothing" in panel.text() and "✔" not in panel.text()


def test_the_question_notes_a_prediction_and_shows_no_reason(quiz, press, sent_to_browser):
    panel = QuizPanel(quiz, "how-fast")
    press(panel, "answer", response="300")
    assert panel.verdict["outcome"] == "predicted" and "300 ms" in panel.verdict["message"]
    assert "As measured" not in sent_to_browser(panel)
    again = QuizPanel(quiz, "how-fast")
    assert "You predicted 300 ms" in again.earlier and again.verdict is None
    assert "As measured" not in sent_to_browser(again)

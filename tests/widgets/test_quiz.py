"""A question on the screen: nothing is given away before an answer, and the answer is remembered."""

from __future__ import annotations

import ast
import re

import pytest

from course_utils.errors import UnknownName
from course_utils.teaching import lessons, load_quiz
from course_utils.widgets import show_quiz

LESSON, QUESTION = "05_feature_extraction", "when-cache-fails"


@pytest.fixture
def options():
    return load_quiz(LESSON).question(QUESTION).options


def right(options):
    return next(option for option in options if option.right)


def wrong(options):
    return next(option for option in options if not option.right)


def test_no_reason_and_no_mark_reaches_the_browser_before_an_answer(options, sent_to_browser):
    panel = show_quiz(LESSON, QUESTION)
    sent = sent_to_browser(panel)
    assert not any(option.reason in sent for option in options)
    assert panel.asked["options"] == [{"id": option.id, "text": option.text} for option in options]


def test_an_answer_brings_its_own_reason_and_no_other(options, press, sent_to_browser):
    panel = show_quiz(LESSON, QUESTION)
    press(panel, "answer", response=wrong(options).id)
    sent = sent_to_browser(panel)
    assert [o.id for o in options if o.reason in sent] == [wrong(options).id]
    assert panel.verdict["outcome"] == "wrong" and panel.replies == 1


def test_the_right_answer_is_right(options, press):
    panel = show_quiz(LESSON, QUESTION)
    press(panel, "answer", response=wrong(options).id)
    press(panel, "answer", response=right(options).id)
    assert panel.verdict["outcome"] == "right" and panel.verdict["message"] == right(options).reason


def test_an_earlier_answer_is_remembered(options, press):
    press(show_quiz(LESSON, QUESTION), "answer", response=right(options).id)
    again = show_quiz(LESSON, QUESTION)
    assert again.given == right(options).id and again.verdict["outcome"] == "right"
    assert right(options).text in again.earlier and "You answered" in again.text()


def test_without_an_earlier_answer_nothing_is_chosen():
    panel = show_quiz(LESSON, QUESTION)
    assert panel.given == "" and panel.verdict is None


def test_the_text_form_has_the_question_and_says_how_to_answer(options):
    text = show_quiz(LESSON, QUESTION).text()
    assert all(option.text in text for option in options)
    assert f'load_quiz("{LESSON}").answer("{QUESTION}", "a")' in text


def test_an_unknown_question_suggests_the_nearest():
    with pytest.raises(UnknownName, match=QUESTION):
        show_quiz(LESSON, "when-cache-fail")


def test_what_was_not_understood_is_said_with_how_to_answer(press):
    panel = show_quiz(LESSON, QUESTION)
    press(panel, "answer", response="x")
    text = panel.text()
    assert "Not attempted yet" in text and "Answer with: load_quiz(" in text and "You answered" not in text


def test_a_judged_answer_says_what_it_was_and_no_more_how_to_answer(options, press):
    """The twin of the test above."""
    panel = show_quiz(LESSON, QUESTION)
    press(panel, "answer", response=wrong(options).id)
    text = panel.text()
    assert f"You answered “{wrong(options).text}”." in text and "Answer with" not in text


def test_a_prediction_is_no_answer(press):
    quiz = load_quiz("07_choosing_a_strategy")
    question = quiz.question("five-per-class")
    panel = show_quiz(quiz.lesson, question.id)
    press(panel, "answer", response=question.options[0].id)
    assert "Noted — You predict" in panel.text() and "You answered" not in panel.text()
    again = show_quiz(quiz.lesson, question.id).text()
    assert "You predicted" in again and "Answer with" in again


@pytest.mark.parametrize("lesson", lessons())
def test_what_the_text_form_tells_to_type_is_understood(lesson):
    """Options may have names instead of letters; whether the answer is right is another matter."""
    quiz = load_quiz(lesson)
    for question in quiz.questions:
        told = show_quiz(lesson, question.id).text().rpartition("Answer with: ")[2]
        call = re.fullmatch(r'load_quiz\("(.+?)"\)\.answer\("(.+?)", (.+)\)', told)
        assert call and question.read(ast.literal_eval(call[3])) is not None, told

"""Every question of every lesson: its key is right, each other option is wrong for its own reason."""

from __future__ import annotations

import pytest

from course_utils.teaching import content

QUIZZES = [content.load_quiz(lesson) for lesson in content.lessons()]
QUESTIONS = [(quiz, question) for quiz in QUIZZES for question in quiz.questions]
each_question = pytest.mark.parametrize("quiz, question", QUESTIONS,
                                        ids=[f"{quiz.lesson}/{q.id}" for quiz, q in QUESTIONS])


@each_question
def test_the_key_is_right_by_id_and_by_text(quiz, question):
    key = next(option for option in question.options if option.right)
    for response in (key.id, key.text):
        verdict = quiz.grade(question.id, response)
        assert verdict.passed and verdict.score == 1.0 and verdict.message == key.reason


@each_question
def test_each_other_option_is_wrong_for_its_own_reason(quiz, question):
    reasons = [option.reason for option in question.options]
    assert len(set(reasons)) == len(reasons), "two options share a reason"
    for option in question.options:
        if not option.right:
            verdict = quiz.grade(question.id, option.id)
            assert (verdict.outcome, verdict.score, verdict.mistake) == ("wrong", 0.0, option.id)
            assert verdict.message == option.reason


@each_question
@pytest.mark.parametrize("response", [None, "", "  ", "no such option", 1, ["a"]])
def test_no_choice_is_not_attempted_and_gives_nothing_away(quiz, question, response):
    verdict = quiz.grade(question.id, response)
    assert verdict.outcome == "not attempted" and verdict.score == 0.0
    assert not any(option.reason in verdict.message for option in question.options)


@each_question
def test_a_question_leads_back_to_a_section(quiz, question):
    assert question.see.startswith("#")


@pytest.mark.parametrize("lesson", content.lessons())
def test_no_two_things_to_do_in_a_lesson_share_a_name(lesson):
    ids = [item.id for item in content.items(lesson)]
    assert len(set(ids)) == len(ids)

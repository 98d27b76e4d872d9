"""Every question of every lesson: its key is right, what it knows to be wrong is wrong for its own reason.

One question of each kind stands beside the lessons', so that every kind is tried whatever the lessons use.
"""

from __future__ import annotations

import pytest

from course_utils import paths
from course_utils.teaching import content
from course_utils.teaching.lesson_file import read_lesson_file
from course_utils.teaching.questions import Multiple, Numeric, Ordering, Question, Reflect, ShortText, Single
from course_utils.teaching.quizzes import Quiz

KINDS = paths.repository() / "tests" / "teaching" / "kinds.yaml"
QUIZZES = [*(content.load_quiz(lesson) for lesson in content.lessons()),
           Quiz("kinds", read_lesson_file(KINDS).questions)]
QUESTIONS = [(quiz, question) for quiz in QUIZZES for question in quiz.questions]
each_question = pytest.mark.parametrize("quiz, question", QUESTIONS,
                                        ids=[f"{quiz.lesson}/{q.id}" for quiz, q in QUESTIONS])
SURE_AND_WRONG = {"02_imagenet", "04_loading_models", "11_summary"}      # lessons that ask how sure one is
WRITTEN = "Some sentences, long enough to be an answer."


def keys(question: Question) -> list:
    """Responses that must be right."""
    match question:
        case Single():
            return [name for option in question.options if option.right for name in (option.id, option.text)]
        case Multiple():
            right = [option for option in question.options if option.right]
            return [[option.id for option in right], [option.text for option in right]]
        case Ordering():
            letters = {step["text"]: step["id"] for step in question.shown()["steps"]}
            return [[letters[text] for text in question.steps]]
        case Numeric():
            return [question.answer, f"{question.answer!r} {question.unit}"]
        case ShortText():
            return [*question.accepted, *(form.upper() for form in question.accepted)]
        case Reflect():
            return [{"text": WRITTEN, "met": [point["id"] for point in question.after_writing()["rubric"]]}]


def wrong(question: Question) -> list[tuple]:
    """Responses that must be wrong, each with words that must be said."""
    match question:
        case Single() | Multiple():
            return [(option.id, option.reason) for option in question.options if not option.right]
        case Ordering():
            return [(keys(question)[0][::-1], "does not come before")]
        case Numeric():
            far = 3 * abs(question.answer) + 1e3
            return [(far, "too high"), (-far, "too low"),
                    *((miss.value, miss.reason) for miss in question.near)]
        case ShortText():
            return [("something else", "not it"),
                    *((form, miss.reason) for miss in question.near for form in miss.forms)]
        case Reflect():
            return [({"text": WRITTEN, "met": []}, question.rubric[0])]


@each_question
def test_the_key_is_right(quiz, question):
    assert keys(question)
    for response in keys(question):
        verdict = quiz.grade(question.id, response)
        assert verdict.passed and verdict.score == 1.0 and verdict.message, response


@each_question
def test_what_is_wrong_is_wrong_for_its_own_reason(quiz, question):
    assert wrong(question)
    for response, words in wrong(question):
        verdict = quiz.grade(question.id, response)
        assert (verdict.outcome, verdict.score) == ("wrong", 0.0) and words in verdict.message, response


@each_question
def test_no_two_reasons_are_the_same(quiz, question):
    reasons = [part.reason for part in (*getattr(question, "options", ()), *getattr(question, "near", ()))]
    assert len(set(reasons)) == len(reasons)


@each_question
@pytest.mark.parametrize("response", [None, "", "  ", "no such option, nor number", [1], {"text": "short"}])
def test_what_is_no_answer_gives_nothing_away(quiz, question, response):
    verdict = quiz.grade(question.id, response)
    assert verdict.score == 0.0 and len(verdict.message) < 700
    if isinstance(question, Single | Multiple):
        assert not any(option.reason in verdict.message for option in question.options)


@each_question
def test_a_question_of_a_lesson_leads_back_to_a_section(quiz, question):
    lesson, mark, heading = question.see.partition("#")
    assert quiz.lesson == "kinds" or (mark and heading and (not lesson or lesson in content.lessons()))


@pytest.mark.parametrize("lesson", content.lessons())
def test_no_two_things_to_do_in_a_lesson_share_a_name(lesson):
    ids = [item.id for item in content.items(lesson)]
    assert len(set(ids)) == len(ids)


def test_some_lessons_ask_how_sure_one_is():
    """Not of a prediction, which is a guess in any case."""
    asked = [(quiz.lesson, question) for quiz, question in QUESTIONS if question.confidence]
    assert {lesson for lesson, _ in asked} - {"kinds"} == SURE_AND_WRONG
    assert not any(question.predict for _, question in asked)

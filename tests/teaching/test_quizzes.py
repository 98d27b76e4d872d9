"""Questions: what a lesson file may hold, what it is told where it may not, and how answers are judged."""

from __future__ import annotations

import copy

import pytest
import yaml

from course_utils.errors import CourseError, UnknownName
from course_utils.teaching.lesson_file import read_lesson_file
from course_utils.teaching.quizzes import Quiz

GOOD = yaml.safe_load("""
title: Numbers
summary: Sums.
objectives:
  - {id: sums, text: Add}
questions:
  - id: two-and-two
    kind: single
    objective: sums
    prompt: What is 2 + 2?
    options:
      - {text: "4", right: true, reason: Two and two are four.}
      - {text: "22", reason: That puts the digits side by side.}
      - {text: "0", reason: That is 2 − 2.}
""")


@pytest.fixture
def read(tmp_path):
    """Reads a lesson file after `change` was made to a good one."""
    def read(change=lambda lesson, question: None):
        data = copy.deepcopy(GOOD)
        change(data, data["questions"][0])
        path = tmp_path / "01_numbers.yaml"
        path.write_text(yaml.safe_dump(data))
        return read_lesson_file(path)
    return read


@pytest.fixture
def quiz(read):
    return Quiz("01_numbers", read().questions)


def test_options_are_lettered_by_order(quiz):
    assert [option.id for option in quiz.questions[0].options] == ["a", "b", "c"]


def test_a_given_option_id_is_kept(read):
    lesson = read(lambda lesson, question: question["options"][1].update(id="digits"))
    assert [option.id for option in lesson.questions[0].options] == ["a", "digits", "c"]


@pytest.mark.parametrize("response", ["a", " a ", "4"])
def test_the_key_is_right(quiz, response):
    verdict = quiz.grade("two-and-two", response)
    assert verdict.passed and verdict.message == "Two and two are four."


def test_a_wrong_option_is_wrong_with_its_reason(quiz):
    verdict = quiz.grade("two-and-two", "b")
    assert (verdict.outcome, verdict.mistake) == ("wrong", "b") and "side by side" in verdict.message


@pytest.mark.parametrize("response", [None, "", "   "])
def test_blank_is_not_attempted(quiz, response):
    assert str(quiz.grade("two-and-two", response)) == "… Not attempted yet — Choose one of a, b, c."


@pytest.mark.parametrize("response", ["d", "A4", 0, 1.5, ["a"], {"a"}, b"a", True])
def test_what_is_no_option_is_named(quiz, response):
    verdict = quiz.grade("two-and-two", response)
    assert verdict.outcome == "not attempted" and f"no option {str(response)!r}" in verdict.message


def test_an_unknown_question_suggests_the_nearest(quiz):
    with pytest.raises(UnknownName, match="two-and-two"):
        quiz.grade("two-and-too", "a")


def option(number, **change):
    return lambda lesson, question: question["options"][number].update(change)


@pytest.mark.parametrize("change, words", [
    (lambda lesson, q: q["options"][1].pop("reason"),
     "question 'two-and-two', option no. 2: `reason:` is missing. Add it."),
    (option(1, reason=" "), "option no. 2: `reason:`"),
    (option(1, reson="x"), "`reson:` is not a known field. Did you mean `reason:`?"),
    (option(1, right=True),
     "question 'two-and-two': exactly one option must have `right: true`, but 2 have."),
    (option(0, right=False), "exactly one option must have `right: true`, but 0 have."),
    (option(1, id="a"), "the option 'a' is there twice"),
    (option(1, text="4"), "the option '4' is there twice"),
    (option(1, text="a"), "the option 'a' is there twice"),
    (option(1, text=22), "option no. 2: `text:` Input should be a valid string; it is '22'."),
    (lambda lesson, q: q.update(kind="essay"),
     "question 'two-and-two': `kind:` is one of single, multiple, ordering, numeric, text, reflect."),
    (lambda lesson, q: q.update(kind="numeric", answer=4, tolerance=0, reason="So it is."),
     "question 'two-and-two': `options:` is not a known field here. Remove it."),
    (lambda lesson, q: q.update(kind=["single"]), "question 'two-and-two': `kind:` is one of"),
    (lambda lesson, q: q.update(options=q["options"][:1]), "`options:`"),
    (lambda lesson, q: q.update(options="a"), "`options:`"),
    (lambda lesson, q: q.update(objective="products"), "objective 'products', which is not among sums."),
    (lambda lesson, q: lesson["questions"].append(q), "the question 'two-and-two' is there twice"),
    (lambda lesson, q: lesson.pop("title"), "the file: `title:` is missing. Add it."),
    (lambda lesson, q: lesson.update(titel="x"), "Did you mean `title:`?"),
    (lambda lesson, q: lesson.update(needs_download_mb=-1), "`needs_download_mb:`"),
])
def test_a_faulty_file_is_refused_by_place_and_remedy(read, change, words):
    with pytest.raises(CourseError) as refused:
        read(change)
    assert "01_numbers.yaml must be mended" in str(refused.value) and words in str(refused.value)


def test_every_fault_of_a_file_is_said_at_once(read):
    def change(lesson, question):
        del question["options"][0]["reason"], question["options"][1]["reason"]
    with pytest.raises(CourseError) as refused:
        read(change)
    assert str(refused.value).count("`reason:` is missing") == 2


@pytest.mark.parametrize("text, words", [("title: [", "line 1"), ("", "the file"), ("- a", "the file")])
def test_what_is_no_lesson_at_all_is_refused(tmp_path, text, words):
    path = tmp_path / "01_numbers.yaml"
    path.write_text(text)
    with pytest.raises(CourseError, match=words):
        read_lesson_file(path)


def test_the_hash_follows_what_is_asked_but_not_its_reasons(read):
    def hashed(change):
        return read(change).questions[0].hash
    unchanged = hashed(lambda lesson, question: None)
    assert hashed(option(1, reason="Put better.")) == unchanged
    assert hashed(option(1, text="23")) != unchanged
    assert hashed(lambda lesson, question: question.update(prompt="What is 2 × 2?")) != unchanged

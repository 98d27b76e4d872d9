"""How an exercise is written down, and the sources it gives back."""

from __future__ import annotations

import functools

import pytest

from course_utils.errors import CourseError, UnknownName
from course_utils.teaching import Exercise


def test_the_starter_cell_is_its_source_and_the_call_that_hands_it_in(triple):
    assert triple.cell() == (
        'def three_times(x):\n    """Return three times `x`."""\n    ...\n\n'
        'show_exercise("01_numbers/triple", three_times)')


@pytest.mark.parametrize("which, body", [
    ("alternative:a-sum", "return x + x + x"), ("wrong:added", "return x + 3")])
def test_nameless_answers_take_the_starters_name(triple, which, body):
    assert triple.cell(which).startswith(f"def three_times(x):\n    {body}\n")


def test_comments_of_the_solution_are_kept(triple):
    assert "return 3 * x        # a product" in triple.solution_source()


def test_a_decorator_of_the_learners_kind_is_kept(triple):
    @triple.solved_by
    @functools.lru_cache(
        maxsize=9)
    def three_times(x):
        return 3 * x

    assert triple.solution_source() == ("@functools.lru_cache(\n    maxsize=9)\ndef three_times(x):\n"
                                        "    return 3 * x")


def test_an_unknown_version_suggests_the_known(triple):
    with pytest.raises(UnknownName, match="wrong:added"):
        triple.cell("wrong:addd")


def test_answers_need_a_starter_first():
    exercise = Exercise("x", lesson="l", title="", minutes=1, difficulty="easy", objective="o")
    with pytest.raises(CourseError, match="no starter"):
        exercise.solved_by(lambda: 1)


def test_the_solution_must_carry_the_starters_name(triple):
    with pytest.raises(CourseError, match="'three_times'"):
        @triple.solved_by
        def thrice(x):
            return 3 * x


def test_an_answer_must_take_what_the_starter_takes(triple):
    with pytest.raises(CourseError, match=r"\(x, y\)"):
        @triple.wrong("two-arguments", says="No.")
        def three_times(x, y):
            return x


def test_the_same_name_twice_is_refused(triple):
    with pytest.raises(CourseError, match="'added'"):
        triple.wrong("added", says="Again.")(lambda x: x)
    with pytest.raises(CourseError, match="'three times four'"):
        triple.checks("three times four")(lambda answer: None)


def test_the_item_hash_changes_with_what_is_asked(build_triple):
    one, same, more = build_triple(), build_triple(), build_triple()

    @more.checks("zero")
    def _(answer):
        answer(0)

    assert one.item_hash == same.item_hash != more.item_hash

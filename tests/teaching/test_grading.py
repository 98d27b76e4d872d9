"""What a learner may hand in, and what they are told."""

from __future__ import annotations

import functools
import os
import random
import sys

import pytest

from course_utils.errors import CourseError
from course_utils.teaching import expect


def quotient(x):
    doubled = x + x
    return helper(doubled)


def helper(x):
    return x / 0


def explain(x):
    return quotient.no_such_name


@pytest.mark.parametrize("seed", [0, 1])
def test_the_solution_and_the_alternative_get_full_marks(triple, seed):
    for answer in (triple.solution_function, triple.alternatives["a-sum"], lambda x: 3 * x):
        verdict = triple.grade(answer, seed=seed)
        assert verdict.outcome == "right" and verdict.score == 1.0
        assert verdict.message == "All 2 checks passed."


def test_a_known_wrong_answer_hears_its_diagnosis(triple):
    verdict = triple.grade(triple.wrongs["added"].function)
    assert (verdict.outcome, verdict.score, verdict.mistake) == ("wrong", 0.0, "added")
    assert verdict.message == "7 is 4 + 3. Multiply instead."


def test_a_wrong_answer_that_nobody_foresaw_hears_what_came(triple):
    verdict = triple.grade(lambda x: 5)
    assert verdict.mistake is None and verdict.message == "Three times 4 is 12, but you return 5."


def test_points_of_the_checks_that_pass_make_it_partly_right(triple):
    verdict = triple.grade(triple.wrongs["forgot-the-sign"].function)
    assert verdict.outcome == "partly right" and verdict.score == pytest.approx(2 / 3)
    assert [check.passed for check in verdict.checks] == [True, False]
    assert verdict.message == "Three times -2 is below zero."


def test_nothing_written_is_not_attempted(triple):
    for nothing in (None, ..., triple.starter_function, lambda x: None):
        verdict = triple.grade(nothing)
        assert verdict.outcome == "not attempted" and not verdict.checks


def test_something_written_is_attempted(triple):
    assert triple.grade(lambda x: ...).outcome == "wrong"


def test_a_starter_that_returns_something_is_not_attempted(build_triple):
    exercise = build_triple()

    @exercise.starter
    def three_times(x):
        return x

    assert exercise.grade(lambda x: x).outcome == "not attempted"
    assert exercise.grade(lambda x: 3 * x).passed


@pytest.mark.parametrize("thing, words", [
    (12, "type int"), ([1], "type list"), (dict, "a class"), (len, "type builtin_function_or_method"),
    (functools.partial(quotient, 1), "type partial")])
def test_what_is_no_function_is_refused_in_words(triple, thing, words):
    verdict = triple.grade(thing)
    assert verdict.outcome == "wrong" and words in verdict.message
    assert "your function `three_times` itself" in verdict.message


@pytest.mark.parametrize("answer", [lambda: 3, lambda x, y: 3, lambda *, x: 3])
def test_another_signature_is_refused_in_words(triple, answer):
    verdict = triple.grade(answer)
    assert verdict.outcome == "wrong" and "called with (x)" in verdict.message


@pytest.mark.parametrize("answer", [lambda net: 3 * net, lambda x, factor=3: factor * x, lambda *a: 3 * a[0]])
def test_a_signature_that_can_be_called_alike_is_accepted(triple, answer):
    assert triple.grade(answer).passed


def test_an_exception_is_the_learners_with_its_line_and_their_lines_only(triple):
    verdict = triple.grade(quotient)
    assert verdict.outcome == "wrong"
    assert verdict.message == "Your code raised ZeroDivisionError: division by zero (line 3 of your answer)."
    assert "line 3, in quotient" in verdict.details and "return x / 0" in verdict.details
    assert "grading.py" not in verdict.details and "in _" not in verdict.details


def test_an_exception_for_one_input_leaves_the_other_points(triple):
    verdict = triple.grade(lambda x: 3 * x if x > 0 else helper(x))
    assert verdict.outcome == "partly right" and "ZeroDivisionError" in verdict.message


def test_a_decorated_answer_is_still_the_learners(triple):
    assert "line 2 of your answer" in triple.grade(functools.lru_cache(explain)).message


def test_a_recursion_without_end_is_said_shortly(triple):
    def deep(x):
        return deep(x)
    verdict = triple.grade(deep)
    assert "RecursionError" in verdict.message and len(verdict.details.splitlines()) < 20


def test_leaving_the_program_is_said_in_words(triple):
    verdict = triple.grade(lambda x: sys.exit(1))
    assert verdict.outcome == "wrong" and "ended the program" in verdict.message


@pytest.mark.skipif(not sys.platform.startswith("linux") or os.path.exists("/dev/nvidiactl"),
                    reason="only Linux without a graphics card has such a limit")
def test_memory_without_end_is_said_in_words(build_triple):
    def hoards(x):
        return bytearray(2**31)
    verdict = build_triple(mib=512).grade(hoards)
    assert verdict.outcome == "wrong" and "more than 0.5 GB of memory" in verdict.message
    assert "line 2 of your answer" in verdict.message


def test_what_an_unforeseen_answer_does_is_recognised(build_triple):
    """Its check has no words for it; that it does as a known wrong answer does, is seen from outside."""
    triple = build_triple()

    @triple.wrong("squared", says="{x} · {x} is a square.", looks_like="a number is multiplied by itself")
    def _(x):
        return x * x

    assert triple.grade(lambda x: x ** 2).mistake is None

    @triple.fingerprint
    def _(answer):
        return [answer(x) for x in (2, 5, 7)]

    verdict = triple.grade(lambda x: x ** 2)
    assert verdict.mistake == "squared" and verdict.outcome == "wrong"
    assert verdict.message.endswith("This is what comes of it where a number is multiplied by itself.")
    assert triple.grade(lambda x: x ** 3).mistake is None, "the twin: nobody is known to do this"
    assert triple.grade(lambda x: x + 3).message == "7 is 4 + 3. Multiply instead."


def test_an_answer_that_fails_while_it_is_looked_at_is_only_not_recognised(build_triple):
    triple = build_triple()
    triple.fingerprint(lambda answer: answer(None))
    verdict = triple.grade(lambda x: x / 2)
    assert verdict.mistake is None and verdict.outcome == "wrong"


def test_an_endless_loop_is_said_in_words_and_the_rest_is_not_run(build_triple):
    def endless(x):
        while True:
            pass
    verdict = build_triple(seconds=0.2).grade(endless)
    assert verdict.outcome == "wrong" and "still running after 0.2 s" in verdict.message
    assert verdict.checks[1].message == "not run"


def test_a_message_that_cannot_be_read_does_not_break_the_check(triple):
    class Unreadable(Exception):
        def __str__(self):
            raise RuntimeError

    def answer(x):
        raise Unreadable

    assert "its message cannot be read" in triple.grade(answer).message


def test_a_very_long_message_is_cut(triple):
    def answer(x):
        raise ValueError("no " * 10_000)
    assert len(triple.grade(answer).message) < 500


def test_what_is_printed_is_shown_below(triple):
    def answer(x):
        print("x is", x)
        return 3 * x
    verdict = triple.grade(answer)
    assert verdict.passed and "x is 4" in verdict.details


def test_an_exception_inside_a_check_is_our_fault(build_triple):
    exercise = build_triple()

    @exercise.checks("broken")
    def _(answer):
        {}["missing"]

    verdict = exercise.grade(exercise.solution_function)
    assert (verdict.outcome, verdict.score) == ("our fault", 0.0)
    assert "not in your answer" in verdict.message and "report" in verdict.message
    assert "KeyError" in verdict.details


def test_a_failure_before_a_broken_check_is_still_the_learners(build_triple):
    exercise = build_triple()

    @exercise.checks("broken")
    def _(answer):
        {}["missing"]

    assert exercise.grade(exercise.wrongs["added"].function).mistake == "added"


def test_a_course_error_inside_a_check_is_said_as_it_is(build_triple):
    exercise = build_triple()

    @exercise.checks("needs weights")
    def _(answer):
        raise CourseError("The weights are not here. Type: course download x")

    verdict = exercise.grade(exercise.solution_function)
    assert verdict.outcome == "our fault" and "Type: course download x" in verdict.message


def test_a_slow_check_is_our_fault(build_triple):
    exercise = build_triple(seconds=0.2)

    @exercise.checks("slow")
    def _(answer):
        while True:
            pass

    verdict = exercise.grade(exercise.solution_function)
    assert verdict.outcome == "our fault" and "not because of your code" in verdict.message


def test_a_failed_expectation_inside_the_learners_call_is_a_failed_check(build_triple):
    """Checks may hand in objects that expect something when the answer uses them."""
    exercise = build_triple()

    class Watched:
        def __rmul__(self, other):
            expect(False, "Do not multiply me.")

    @exercise.checks("watched")
    def _(answer):
        answer(Watched())

    assert exercise.grade(exercise.solution_function).message == "Do not multiply me."


@pytest.mark.parametrize("evidence", [{"mistake": "undeclared"}, {"mistake": "added", "wrong_name": 1}])
def test_a_check_that_contradicts_its_exercise_is_our_fault(build_triple, evidence):
    exercise = build_triple()

    @exercise.checks("careless")
    def _(answer):
        expect(False, **evidence)

    assert exercise.grade(exercise.solution_function).outcome == "our fault"


def test_expect_needs_something_to_say():
    with pytest.raises(CourseError, match="mistake="):
        expect(True)


def test_each_check_starts_from_the_same_random_numbers(build_triple):
    exercise, drawn = build_triple(), []
    for name in ("one", "two"):
        exercise.checks(name)(lambda answer: drawn.append(random.random()))
    exercise.grade(exercise.solution_function, seed=1)
    assert drawn[0] == drawn[1]
    exercise.grade(exercise.solution_function, seed=2)
    assert drawn[2] != drawn[0]

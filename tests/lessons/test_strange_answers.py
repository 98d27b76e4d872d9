"""Answers that nobody foresaw, to every exercise: they are judged, and no fault is put on the course."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from course_utils.teaching import Exercise, content

EXERCISES = [exercise for lesson in content.lessons() for exercise in content.load_lesson(lesson).exercises()]
NUMBERS = (int, float, np.number, np.ndarray, Tensor)
FULL = pytest.mark.full
RETURNED = {
    "nothing": None, "a NumPy array": np.zeros(3), "a NumPy number": np.float64(2.0),
    "a 0-d tensor": torch.tensor(1.0), "a row": torch.ones(3), "a pair of nothing": (None, None),
    "a pair of numbers": (3, 3), "a list of nothing": [None] * 4, "a text": "a text", "an int": 3}


def within(found: object, change: Callable) -> object:
    """`found` with `change` made of each value in it; models, and what is no container, are one value."""
    if type(found) is dict:
        return {name: within(value, change) for name, value in found.items()}
    if type(found) in (list, tuple):
        return type(found)(within(value, change) for value in found)
    return change(found)


def plus_one(value):
    return value + 1 if isinstance(value, NUMBERS) and not isinstance(value, bool) else value


def in_double(value):
    return value.double() if isinstance(value, Tensor) else value


def of_that_shape(value):
    """Zeros where there were numbers."""
    return value * 0 if isinstance(value, NUMBERS) and not isinstance(value, bool) else value


def beside_itself(value):
    """Two where one was asked for."""
    return [value, value]


def solved_then(exercise: Exercise, change: Callable) -> tuple[Callable, list]:
    """The solution, of whose values something else is made; and a note for each value that it altered."""
    noted: list = []

    def note(value):
        changed = change(value)
        noted.extend([change] * (changed is not value is not None))
        return changed

    def answer(*given, **named):
        return within(exercise.solution_function(*given, **named), note)
    return answer, noted


def returning(value: object) -> Callable:
    def answer(*given, **named):
        len(given)          # not what a starter compiles to
        return value
    return answer


def with_models_in_double(exercise: Exercise, when: str) -> Callable:
    def answer(*given, **named):
        models = [one for one in given if isinstance(one, nn.Module)]
        if when == "before":
            within(models, nn.Module.double)
        found = exercise.solution_function(*given, **named)
        if when == "after":
            within([*models, *([found] if isinstance(found, nn.Module) else [])], nn.Module.double)
        return found
    return answer


def spoil(given: object) -> bool:
    """Overwrite tensors and plain lists in place; whether there were any."""
    if isinstance(given, Tensor):
        writable = given.is_floating_point() and not given.requires_grad
        return writable and given.zero_() is given
    if isinstance(given, list) and given and all(isinstance(value, (int, float, str)) for value in given):
        given[:] = given[:1] * len(given)
        return True
    inner = given.values() if isinstance(given, dict) else given if isinstance(given, (list, tuple)) else ()
    return any([spoil(one) for one in inner])


def each_exercise(long=()):
    """Every exercise; those of `long` only where there is time for it."""
    return pytest.mark.parametrize("exercise", [
        pytest.param(exercise, id=exercise.id, marks=[FULL] * (exercise.name in long))
        for exercise in EXERCISES])


# Half a second and more for each answer, with a bundled model.
LONG = ("measure-the-distance", "compare-models", "inference-done-right", "replace-the-head",
        "freeze-the-backbone", "extract-features", "prepare-a-picture", "catch-the-outputs", "a-row-for-each")


@pytest.mark.parametrize("kind", RETURNED)
@each_exercise(LONG)
def test_a_strange_value_is_wrong_and_no_fault_of_the_course(exercise, kind):
    verdict = exercise.grade(returning(RETURNED[kind]))
    assert verdict.outcome in ("wrong", "partly right"), verdict


@pytest.mark.parametrize("change", [plus_one, of_that_shape, pytest.param(beside_itself, marks=FULL)])
@each_exercise()
def test_other_values_than_the_solutions_get_no_full_marks(exercise, change):
    answer, noted = solved_then(exercise, change)
    verdict = exercise.grade(answer)
    assert verdict.outcome in ("wrong", "partly right", *(() if noted else ("right",))), verdict


@each_exercise()
def test_the_solutions_values_in_double_are_judged(exercise):
    """Whether precision counts is for the exercise to say."""
    answer, noted = solved_then(exercise, in_double)
    verdict = exercise.grade(answer)
    assert verdict.outcome in ("wrong", "partly right", "right"), verdict
    assert noted or verdict.outcome == "right", "the twin: with nothing altered it is the solution"


@pytest.mark.parametrize("when", [pytest.param("before", marks=FULL), "after"])
@each_exercise()
def test_a_model_that_an_answer_made_double_is_judged(exercise, when):
    verdict = exercise.grade(with_models_in_double(exercise, when))
    assert verdict.outcome in ("wrong", "partly right", "right"), verdict


@each_exercise()
def test_who_overwrites_what_was_given_gets_no_full_marks(exercise):
    """A check that compared with its own inputs, overwritten by then, would find the two equal."""
    spoiled = []

    def answer(*given, **named):
        spoiled.extend(one for one in (*given, *named.values()) if spoil(one))
        return exercise.solution_function(*given, **named)

    verdict = exercise.grade(answer)
    assert verdict.outcome in ("wrong", "partly right", *(() if spoiled else ("right",))), verdict


def test_what_is_altered_and_overwritten_is_noticed():
    """So that the tests above are about something."""
    exercise = content.load_exercise("coding_4_range_test/smooth-losses")
    for change in (plus_one, of_that_shape, beside_itself):
        answer, noted = solved_then(exercise, change)
        answer([1.0, 2.0], 0.5)
        assert len(noted) == 2
    losses, batch = [1.0, 2.0], {"images": torch.ones(2)}
    assert spoil(losses) and spoil(batch) and losses == [1.0, 1.0] and not batch["images"].any()
    assert not spoil("a text") and not spoil([]) and not spoil(nn.Linear(2, 2))

"""Scores stay from 0 to 1, and better is never less: of all kinds of question, and of exercises."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from course_utils.teaching import Exercise, expect
from course_utils.teaching.questions import AnyQuestion
from course_utils.teaching.questions.base import LETTERS
from course_utils.teaching.questions.writing import normalised

steadily = settings(derandomize=True, deadline=None)        # the same cases every time, however busy
ADAPTER = TypeAdapter(AnyQuestion)


def make(kind: str, **fields):
    return ADAPTER.validate_python({"id": "x", "kind": kind, "objective": "o", "prompt": "What?"} | fields)


def options(rights) -> list[dict]:
    return [{"text": f"Option {i}", "reason": "So it is.", "right": right} for i, right in enumerate(rights)]


def reflect(points: int):
    return make("reflect", model_answer="It depends.", rubric=[f"Point {i}" for i in range(points)])


singles = st.integers(2, 7).flatmap(lambda count: st.integers(0, count - 1).map(
    lambda key: make("single", options=options(i == key for i in range(count)))))
multiples = st.lists(st.booleans(), min_size=2, max_size=7).filter(lambda rights: len({*rights}) == 2).map(
    lambda rights: make("multiple", options=options(rights)))
orderings = st.integers(3, 7).map(
    lambda count: make("ordering", steps=[f"Step {i}" for i in range(count)], reason="Each needs the last."))
numerics = st.builds(
    lambda answer, tolerance: make("numeric", answer=answer, tolerance=tolerance, reason="Counted."),
    st.integers(-999, 999), st.one_of(st.integers(0, 99), st.sampled_from(["0 %", "5 %", "50 %"])))
texts = st.lists(st.sampled_from(["eval", "Eval mode", "train", "no grad"]), min_size=1, unique=True).map(
    lambda forms: make("text", accepted=forms, reason="So it is called."))
reflects = st.integers(1, 6).map(reflect)
letters = st.lists(st.sampled_from(LETTERS[:8]), max_size=8)
responses = st.one_of(
    st.none(), st.text(max_size=30), letters, letters.map(" ".join), st.floats(), st.integers(-2000, 2000),
    st.sampled_from(["eval", "Eval mode"]), st.binary(max_size=5),
    st.fixed_dictionaries({"text": st.just("A sentence that is long enough."), "met": letters}))


def score(question, response) -> float:
    """The score, once it was seen to be one."""
    verdict = question.grade(response)
    assert 0 <= verdict.score <= 1
    assert (verdict.outcome == "right") == (verdict.score == 1)
    assert (verdict.outcome == "partly right") == (0 < verdict.score < 1)
    return verdict.score


@steadily
@given(st.one_of(singles, multiples, orderings, numerics, texts, reflects), responses)
def test_whatever_is_answered_has_a_score_from_0_to_1_that_agrees_with_the_outcome(question, response):
    score(question, response)


@steadily
@given(singles)
def test_the_one_right_option_earns_all_and_every_other_nothing(question):
    assert all(score(question, option.id) == option.right for option in question.options)


@steadily
@given(multiples, st.data())
def test_one_more_right_choice_never_costs_and_one_more_wrong_one_never_pays(question, data):
    chosen = data.draw(st.sets(st.sampled_from([option.id for option in question.options])))
    before = score(question, chosen)
    for option in question.options:
        after = score(question, chosen | {option.id})
        assert after >= before if option.right else after <= before
    assert (before == 1) == (chosen == {option.id for option in question.options if option.right})


def in_letters(question, order) -> list[str]:
    shown = [step["text"] for step in question.shown()["steps"]]
    return [LETTERS[shown.index(question.steps[position])] for position in order]


def out_of_place(order: list[int]) -> list[int]:
    """Steps outside a longest rising run; found by trying all, from the longest down."""
    for length in range(len(order), 0, -1):
        for run in combinations(order, length):
            if list(run) == sorted(run):
                return [step for step in order if step not in run]
    return []


@steadily
@given(orderings, st.data())
def test_putting_two_neighbours_right_never_costs_and_putting_them_wrong_never_pays(question, data):
    order = data.draw(st.permutations(range(len(question.steps))))
    before = score(question, in_letters(question, order))
    for i in range(len(order) - 1):
        swapped = [*order[:i], order[i + 1], order[i], *order[i + 2:]]
        after = score(question, in_letters(question, swapped))
        assert after >= before if order[i] > order[i + 1] else after <= before


@steadily
@given(orderings, st.data())
def test_each_step_moved_to_its_place_among_those_in_order_earns_the_same_until_all_is_right(question, data):
    order = list(data.draw(st.permutations(range(len(question.steps)))))
    while astray := out_of_place(order):
        before, moved = score(question, in_letters(question, order)), astray[0]
        in_order = [step for step in order if step not in astray]
        order.remove(moved)
        after_it = next((step for step in in_order if step > moved), None)
        order.insert(len(order) if after_it is None else order.index(after_it), moved)
        gained = score(question, in_letters(question, order)) - before
        assert abs(gained - 1 / (len(order) - 1)) < 1e-9
    assert score(question, in_letters(question, order)) == 1


@steadily
@given(numerics, st.integers(-2000, 2000), st.integers(-2000, 2000))
def test_a_number_nearer_to_the_answer_never_earns_less(question, one, other):
    near, far = sorted((one, other), key=lambda number: abs(number - question.answer))
    assert score(question, near) >= score(question, far)
    assert score(question, question.answer) == 1


@steadily
@given(texts, st.sampled_from([" {} ", "`{}`", "“{}”.", "{}()"]), st.sampled_from([str.upper, str.title]))
def test_case_and_marks_around_an_accepted_form_never_cost(question, around, case):
    assert all(score(question, around.format(case(form))) == 1 for form in question.accepted)


@steadily
@given(texts, st.text(max_size=12))
def test_words_that_are_no_accepted_form_earn_nothing(question, words):
    assert score(question, words) == (normalised(words) in map(normalised, question.accepted))


@steadily
@given(reflects, st.data())
def test_one_more_point_met_never_costs(question, data):
    points = LETTERS[:len(question.rubric)]
    met = data.draw(st.sets(st.sampled_from(points)))
    written = {"text": "A sentence that is long enough."}
    before = score(question, written | {"met": sorted(met)})
    assert all(score(question, written | {"met": sorted(met | {point})}) >= before for point in points)
    assert score(question, written | {"met": list(points)}) == 1


def exercise_with(points: list[int]) -> Exercise:
    """Its check number i passes if the answer returns a collection with i in it."""
    exercise = Exercise("x", lesson="l", title="Any", minutes=1, difficulty="easy", objective="o")

    @exercise.starter
    def numbers():
        ...

    for number, worth in enumerate(points):
        exercise.checks(f"has {number}", points=worth)(
            lambda answer, number=number: expect(number in answer(), "It is not in there."))
    return exercise


@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=5), st.data())
def test_one_more_check_passed_never_costs_and_all_of_them_earn_all(points, data):
    exercise, numbers = exercise_with(points), range(len(points))
    passed = data.draw(st.frozensets(st.sampled_from(numbers)))
    before = exercise.grade(lambda: passed).score
    assert 0 <= before <= 1
    for number in numbers:
        assert exercise.grade(lambda n=number: passed | {n}).score >= before
    assert exercise.grade(lambda: set(numbers)).score == 1

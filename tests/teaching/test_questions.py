"""The six kinds of question: the key, wrong answers, blank and malformed; and what a file may not hold."""

from __future__ import annotations

import copy
from itertools import permutations
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from course_utils.teaching.questions import KINDS, AnyQuestion
from course_utils.teaching.questions.choosing import _longest_rising
from course_utils.teaching.questions.writing import normalised

FILE = Path(__file__).with_name("kinds.yaml")
EXAMPLES = {question["kind"]: question for question in yaml.safe_load(FILE.read_text())["questions"]}
ADAPTER = TypeAdapter(AnyQuestion)
steadily = settings(derandomize=True, deadline=None)        # the same cases every time, however busy


def make(kind, **change):
    return ADAPTER.validate_python(copy.deepcopy(EXAMPLES[kind]) | change)


def in_right_order(question) -> list[str]:
    shown = question.shown()["steps"]
    return [next(step["id"] for step in shown if step["text"] == text) for text in question.steps]


KEYS = {"single": "a", "multiple": ["a", "c"], "numeric": 1280, "text": "eval",
        "reflect": {"text": "It depends on both of them.", "met": ["a", "b"]}}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_key_is_right(kind):
    question = make(kind)
    verdict = question.grade(KEYS.get(kind) or in_right_order(question))
    assert verdict.outcome == "right" and verdict.score == 1 and verdict.message


def test_all_kinds_are_tried_here():
    assert list(EXAMPLES) == [kind.model_fields["kind"].annotation.__args__[0] for kind in KINDS]


@pytest.mark.parametrize("kind", EXAMPLES)
@pytest.mark.parametrize("response", [None, "", "   ", [], (), {}])
def test_blank_is_not_attempted(kind, response):
    assert make(kind).grade(response).outcome == "not attempted"


MALFORMED = [object(), b"a", True, ["zz"], {"a": 1}, float("nan"), [None], "\0", "z" * 5000, 10**400]


@pytest.mark.parametrize("kind", EXAMPLES)
@pytest.mark.parametrize("response", MALFORMED, ids=lambda response: str(response)[:9])
def test_a_malformed_response_is_never_right_and_never_an_error(kind, response):
    verdict = make(kind).grade(response)
    assert verdict.score == 0 and len(verdict.message) < 700


@pytest.mark.parametrize("kind, response, outcome, words", [
    ("single", "b", "wrong", "side by side"),
    ("multiple", "a", "partly right", "one more option is right too"),
    ("multiple", ["a", "b"], "wrong", "“three”: 3 leaves one over"),
    ("multiple", "a, b, c", "partly right", "3 leaves one over"),
    ("multiple", {"a", "b", "c", "d"}, "wrong", "leaves one over"),
    ("multiple", ["two", "four"], "right", "2 is 2 · 1. 4 is 2 · 2."),
    ("numeric", "1,280 ms", "right", "It is"), ("numeric", "1 300", "right", "It is"),
    ("numeric", 1344, "right", "It is"), ("numeric", 1345, "wrong", "too high"),
    ("numeric", "1.28e3 MS", "right", "It is"), ("numeric", "−5", "wrong", "too low"),
    ("numeric", "1.28 s", "wrong", "asked in ms; you gave 1.28 s"),
    ("numeric", 1000, "wrong", "the number of classes"), ("numeric", "1,28", "wrong", "1.28 is too low"),
    ("text", " `Eval()` ", "right", "rests"), ("text", "EVAL   mode.", "right", "rests"),
    ("text", "train", "wrong", "it moves"), ("text", "evaluate", "wrong", "not it"),
    ("reflect", "It depends on the pictures.", "not attempted", "One good answer: When pictures differ"),
    ("reflect", {"text": "It depends on the pictures.", "met": ["a"]}, "partly right", "how many there are"),
    ("reflect", {"text": "It depends on the pictures.", "met": []}, "wrong", "how different"),
    ("reflect", {"text": "Depends.", "met": ["a", "b"]}, "not attempted", "a sentence or two"),
])
def test_each_wrong_answer_gets_its_own_words(kind, response, outcome, words):
    verdict = make(kind).grade(response)
    assert (verdict.outcome, words in verdict.message) == (outcome, True), verdict


def test_steps_are_shown_in_another_order_the_same_every_time():
    question = make("ordering")
    assert question.shown() == make("ordering").shown()
    assert [step["text"] for step in question.shown()["steps"]] != list(question.steps)


def test_an_order_earns_what_can_stay_and_names_a_pair_that_cannot():
    question = make("ordering")
    a, b, c, d = in_right_order(question)
    verdict = question.grade([b, a, c, d])
    assert verdict.score == pytest.approx(2 / 3) and verdict.mistake == "1-before-0"
    assert "“resize it” does not come before “open the picture”" in verdict.message
    assert question.grade([d, c, b, a]).outcome == "wrong"
    assert question.grade(f"{a} {b} {c}").outcome == question.grade([a, a, b, c]).outcome == "not attempted"


@steadily
@given(st.permutations(range(6)))
def test_the_longest_rising_run_is_the_longest_common_subsequence(order):
    """With the sorted order, by the textbook's table."""
    table = [[0] * 7 for _ in range(7)]
    for i, number in enumerate(order):
        for j in range(6):
            table[i + 1][j + 1] = table[i][j] + 1 if number == j else max(table[i][j + 1], table[i + 1][j])
    assert _longest_rising(tuple(order)) == table[6][6]


def test_only_the_right_order_is_right_and_scores_stay_within_bounds():
    question = make("ordering")
    scores = {order: question.grade(list(order)).score for order in permutations(in_right_order(question))}
    assert [order for order, score in scores.items() if score == 1] == [tuple(in_right_order(question))]
    assert all(0 <= score <= 1 for score in scores.values())


@steadily
@given(st.sets(st.sampled_from("abcd"), min_size=1))
def test_one_more_right_choice_never_costs_and_one_more_wrong_one_never_pays(chosen):
    question = make("multiple")
    score = question.grade(chosen).score
    assert 0 <= score <= 1
    assert all(question.grade(chosen | {right}).score >= score for right in "ac")
    assert all(question.grade(chosen | {wrong}).score <= score for wrong in "bd")


@steadily
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_right_within_its_tolerance_only(number):
    off = abs(number - 1280)
    assert make("numeric").grade(number).passed == (off <= 64) or 64 < off < 64.001


@steadily
@given(st.text(st.characters(max_codepoint=0x24f)))
def test_normalising_twice_changes_nothing_more(text):
    assert normalised(normalised(text)) == normalised(text)


@pytest.mark.parametrize("kind, change, words", [
    ("multiple", {"options": [{"text": "x", "reason": "y"}, {"text": "z", "reason": "y"}]}, "0 of 2 have"),
    ("multiple", {"options": [{"text": t, "reason": "y", "right": True} for t in "xz"]}, "2 of 2 have"),
    ("multiple", {"options": [{"text": "x", "right": True}, {"text": "z", "reason": "y"}]}, "reason"),
    ("ordering", {"steps": ["x", "y", "x"]}, "the step 'x' is there twice"),
    ("ordering", {"steps": ["x", "y"]}, "steps"),
    ("numeric", {"tolerance": -1}, "tolerance"), ("numeric", {"tolerance": "a bit"}, "tolerance"),
    ("numeric", {"near": [{"value": 1281, "reason": "x"}]}, "the near miss 1281 is within the tolerance"),
    ("numeric", {"answer": "many"}, "answer"),
    ("text", {"accepted": []}, "accepted"),
    ("text", {"near": [{"forms": ["EVAL"], "reason": "x"}]}, "the form 'eval' is there twice"),
    ("reflect", {"rubric": []}, "rubric"), ("reflect", {"model_answer": " "}, "model_answer"),
])
def test_a_faulty_question_is_refused(kind, change, words):
    with pytest.raises(ValidationError, match=words):
        make(kind, **change)


@pytest.mark.parametrize("kind, field", [
    ("numeric", "tolerance"), ("numeric", "reason"), ("ordering", "reason"), ("text", "reason"),
    ("reflect", "model_answer")])
def test_what_a_kind_needs_is_missed(kind, field):
    content = {name: value for name, value in EXAMPLES[kind].items() if name != field}
    with pytest.raises(ValidationError, match=field):
        ADAPTER.validate_python(content)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_what_is_shown_gives_nothing_away(kind):
    question = make(kind)
    shown = str(question.shown())
    secrets = ["reason", "right", "1280", "eval", "many", "Normalising"]
    assert not any(secret in shown for secret in secrets)


@pytest.mark.parametrize("kind", ["single", "multiple", "ordering", "numeric"])
def test_a_kept_answer_is_read_again_as_the_same(kind):
    question = make(kind)
    answer = question.read(KEYS.get(kind) or in_right_order(question))
    assert question.read(question.kept(answer)) == answer and question.in_words(question.kept(answer))


@pytest.mark.parametrize("kind", ["text", "reflect"])
def test_a_learners_own_words_are_not_kept(kind):
    question = make(kind)
    assert question.kept(question.read(KEYS[kind])) == ""


def test_words_behind_a_number_are_not_kept_and_their_being_there_is():
    question = make("numeric")
    words = question.read("1280, says my neighbour")
    assert "neighbour" not in question.kept(words) and "1280" in question.kept(words)
    assert question.judge(question.read(question.kept(words))).outcome == "wrong"
    assert question.in_words(question.kept(words)) == "1280 (another unit)"
    right = question.kept(question.read("1280"))
    assert question.judge(question.read(right)).outcome == "right"
    assert "another unit" not in question.in_words(right)


def test_how_to_reflect_is_said_in_words():
    question = make("reflect")
    for too_short in ("", "yes", {"text": "yes", "met": []}, {"met": ["a"]}):
        assert question.how(too_short) == "Write a sentence or two first."
    assert question.how({"text": "It depends on what there is.", "met": ["q"]}) == (
        "Name the points that are in it by their letters, a, b.")

"""Predict, then run: what was predicted is kept unjudged, and judged once by what came out."""

from __future__ import annotations

import pytest
import yaml

from course_utils.errors import CourseError
from course_utils.teaching import ProgressStore, Quiz, practice
from course_utils.teaching.lesson_file import read_lesson_file
from course_utils.teaching.predicting import resolve

LESSON = """
title: Predicting
summary: To try predictions.
objectives: [{id: guess, text: Guess}]
questions:
  - id: which-wins
    kind: single
    predict: true
    objective: guess
    prompt: Which wins?
    options:
      - {text: the probe, right: true, reason: It has less to learn.}
      - {text: the network, reason: It overfits.}
  - {id: how-fast, kind: numeric, predict: true, objective: guess, prompt: "How fast?", answer: 100,
     tolerance: 10 %, unit: ms, reason: Convolutions take the time.}
  - {id: in-order, kind: ordering, predict: true, objective: guess, prompt: "Order?", reason: It counts.,
     steps: [one, two, three]}
"""


@pytest.fixture
def quiz(tmp_path):
    (tmp_path / "predicting.yaml").write_text(LESSON)
    return Quiz("predicting", read_lesson_file(tmp_path / "predicting.yaml").questions)


@pytest.fixture
def store(tmp_path):
    return ProgressStore(tmp_path / "progress.sqlite")


def outcomes(store):
    return [(event.kind, event.outcome) for event in store.events()]


def test_a_prediction_is_noted_and_gives_nothing_away(quiz, store):
    verdict = practice.answer(quiz, "which-wins", "b", store)
    assert verdict.outcome == "predicted" and "the network" in verdict.message
    assert "overfits" not in str(verdict) and "probe" not in str(verdict)
    assert outcomes(store) == [("predict", "")]


def test_it_is_judged_when_the_result_is_there_and_only_once(quiz, store):
    practice.answer(quiz, "which-wins", "b", store)
    result = resolve(quiz, "which-wins", store=store)
    assert (result.predicted, result.found) == ("“the network”", "“the probe”")
    assert result.verdict.outcome == "wrong" and "overfits" in result.verdict.message
    assert resolve(quiz, "which-wins", store=store).verdict.outcome == "wrong"
    assert outcomes(store) == [("predict", ""), ("answer", "wrong")]
    practice.answer(quiz, "which-wins", "a", store)        # a new prediction is judged anew
    assert resolve(quiz, "which-wins", store=store).verdict.passed
    assert outcomes(store)[2:] == [("predict", ""), ("answer", "right")]


def test_who_predicted_nothing_still_sees_what_came_out(quiz, store):
    result = resolve(quiz, "how-fast", 123.4, store)
    assert result.predicted == "" and result.found == "123.4 ms"
    assert "no prediction" in result.verdict.message and "Convolutions" in result.verdict.message
    assert outcomes(store) == []


@pytest.mark.parametrize("found, outcome", [(130, "right"), (100, "wrong")])
def test_a_number_is_judged_by_what_was_measured_not_by_the_file(quiz, store, found, outcome):
    practice.answer(quiz, "how-fast", "125 ms", store)
    result = resolve(quiz, "how-fast", found, store)
    assert result.verdict.outcome == outcome and result.found == f"{found} ms"
    assert "Convolutions" in result.verdict.message


@pytest.mark.parametrize("found, outcome, said", [("a", "wrong", "It overfits. It has less to learn."),
                                                  ("b", "right", "otherwise than usual")])
def test_a_run_may_come_out_otherwise_than_usual(quiz, store, found, outcome, said):
    practice.answer(quiz, "which-wins", "b", store)
    verdict = resolve(quiz, "which-wins", found, store).verdict
    assert verdict.outcome == outcome and said in verdict.message


def test_an_order_is_shown_in_words(quiz, store):
    letters = {step["text"]: step["id"] for step in quiz.question("in-order").shown()["steps"]}
    practice.answer(quiz, "in-order", [letters[text] for text in ("one", "two", "three")], store)
    result = resolve(quiz, "in-order", store=store)
    assert result.predicted == result.found == "“one” → “two” → “three”" and result.verdict.passed


@pytest.mark.parametrize("question, found", [("which-wins", "z"), ("how-fast", "fast"), ("in-order", 3)])
def test_a_result_that_is_no_answer_is_the_authors_slip(quiz, store, question, found):
    with pytest.raises(CourseError, match=question):
        resolve(quiz, question, found, store)


def test_a_blank_prediction_is_none(quiz, store):
    assert practice.answer(quiz, "which-wins", "", store).outcome == "not attempted" and outcomes(store) == []


@pytest.mark.parametrize("kind, more", [
    ("text", {"accepted": ["a word"], "reason": "So it is."}),
    ("reflect", {"model_answer": "So it is.", "rubric": ["one"]})])
def test_words_cannot_be_predictions_because_they_are_not_kept(tmp_path, kind, more):
    data = yaml.safe_load(LESSON)
    data["questions"] = [{"id": "in-words", "kind": kind, "predict": True, "objective": "guess",
                          "prompt": "Why?", **more}]
    (tmp_path / "words.yaml").write_text(yaml.safe_dump(data))
    with pytest.raises(CourseError, match="predict: true"):
        read_lesson_file(tmp_path / "words.yaml")

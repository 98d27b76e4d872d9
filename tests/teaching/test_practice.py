"""Practice: grading, and remembering it, whatever the store does."""

from __future__ import annotations

import sqlite3
import time

import pytest

from course_utils.errors import UnknownName
from course_utils.teaching import content, practice
from course_utils.teaching.progress import ProgressStore


def attempt(number):
    """A wrong answer unlike the others."""
    return eval(f"lambda x: x + {number}")


def test_a_check_is_recorded_with_its_diagnosis(triple, store):
    verdict = practice.check(triple, triple.wrongs["added"].function, store)
    event = store.latest(triple.id)
    assert (event.kind, event.lesson, event.objective) == ("check", "01_numbers", "products")
    assert (event.outcome, event.score, event.mistake) == (verdict.outcome, verdict.score, "added")
    assert event.item_hash == triple.item_hash and len(event.response_hash) == 64


def test_no_code_of_the_learners_is_stored(triple, store):
    practice.check(triple, lambda x: "my secret", store)
    assert b"secret" not in store.path.read_bytes()


def test_what_was_not_attempted_is_not_recorded(triple, store):
    practice.check(triple, triple.starter_function, store)
    assert store.events() == []


def test_an_answer_to_a_question_is_recorded(store, toy_lessons):
    quiz = content.load_quiz("01_numbers")
    verdict = practice.answer(quiz, "two-and-two", "b", store)
    event = store.latest("01_numbers/two-and-two")
    assert (event.kind, event.objective, event.mistake) == ("answer", "sums", "b") and not verdict.passed
    assert practice.answer(quiz, "two-and-two", " ", store).outcome == "not attempted"
    assert len(store.events()) == 1


def test_the_option_chosen_last_is_remembered(store, toy_lessons):
    quiz = content.load_quiz("01_numbers")
    assert practice.earlier_answer(quiz, "two-and-two", store) is None
    for response in ("c", "22"):
        practice.answer(quiz, "two-and-two", response, store)
    event = practice.earlier_answer(quiz, "two-and-two", ProgressStore(store.path))
    assert (event.response, event.outcome) == ("b", "wrong")


def test_how_sure_a_learner_was_is_remembered_and_answered(store, toy_lessons):
    quiz = content.load_quiz("01_numbers")
    verdict = practice.answer(quiz, "two-and-two", "b", store, confidence="certain")
    assert "look at this one again" in verdict.message
    for response, confidence in [("a", "certain"), ("b", "guessing")]:
        verdict = practice.answer(quiz, "two-and-two", response, store, confidence=confidence)
        assert "again" not in verdict.message
    assert [event.confidence for event in store.events()] == ["certain", "certain", "guessing"]
    with pytest.raises(UnknownName, match="fairly sure"):
        practice.answer(quiz, "two-and-two", "a", store, confidence="fairly shure")


def test_an_option_that_was_worded_anew_is_not_shown_as_chosen(store, toy_lessons):
    practice.answer(content.load_quiz("01_numbers"), "two-and-two", "b", store)
    file = toy_lessons / "01_numbers.yaml"
    file.write_text(file.read_text().replace('"22"', '"44"'))
    assert practice.earlier_answer(content.load_quiz("01_numbers"), "two-and-two", store) is None


def test_learners_own_methods_record_in_the_default_store(triple, toy_lessons, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "mine.sqlite"))
    triple.check(attempt(1))
    triple.hint()
    content.load_quiz("01_numbers").answer("two-and-two", "a")
    assert [event.kind for event in ProgressStore().events()] == ["check", "hint", "answer"]


def test_grading_alone_records_nothing(triple, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "mine.sqlite"))
    triple.grade(attempt(1))
    assert not (tmp_path / "mine.sqlite").exists()


def test_hints_come_in_order_and_the_last_again(triple, store):
    assert [practice.hint(triple, store) for _ in range(3)] == [
        "Hint 1 of 2: Which operator multiplies?", "Hint 2 of 2: It is `*`.", "Hint 2 of 2: It is `*`."]


def test_hints_go_on_after_a_restart(triple, store):
    practice.hint(triple, store)
    assert practice.hint(triple, ProgressStore(store.path)).startswith("Hint 2")


def test_the_solution_opens_after_three_different_attempts(triple, store):
    assert "3 to go" in practice.solution(triple, store)
    for number in (1, 1, 1):
        practice.check(triple, attempt(number), store)
    assert "2 to go" in practice.solution(triple, store), "the same attempt counts once"
    practice.check(triple, attempt(2), store)
    practice.check(triple, None, store)
    assert "1 to go" in practice.solution(triple, store)
    practice.check(triple, attempt(3), store)
    assert practice.solution(triple, store) == triple.solution_source()


def test_the_solution_opens_after_passing(triple, store):
    practice.check(triple, lambda x: 3 * x, store)
    assert practice.solution(triple, store) == triple.solution_source()


def test_our_fault_is_no_attempt(build_triple, store):
    exercise = build_triple()
    exercise.check_list.clear()
    exercise.checks("broken")(lambda answer: 1 / 0)
    practice.check(exercise, attempt(1), store)
    assert practice.attempts_left(exercise, store) == 3


def test_reset_counts_from_zero_and_keeps_the_history(triple, store):
    practice.check(triple, lambda x: 3 * x, store)
    practice.hint(triple, store)
    assert "begins anew" in practice.reset(triple, store)
    assert practice.attempts_left(triple, store) == 3
    assert practice.hint(triple, store).startswith("Hint 1")
    assert [event.kind for event in store.events()] == ["check", "hint", "reset", "hint"]


def test_a_check_answers_though_nothing_can_be_stored_and_says_so_once(triple, tmp_path):
    (tmp_path / "file").write_text("")
    store = ProgressStore(tmp_path / "file" / "progress.sqlite")
    first, second = (practice.check(triple, attempt(number), store) for number in (1, 2))
    assert first.outcome == second.outcome == "wrong"
    assert "COURSE_PROGRESS" in first.message and "COURSE_PROGRESS" not in second.message
    practice.check(triple, attempt(3), store)
    assert practice.solution(triple, store) == triple.solution_source(), "attempts count from memory"


def test_a_check_answers_within_a_second_though_another_program_holds_the_file(triple, store):
    practice.check(triple, attempt(1), store)
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        start = time.monotonic()
        verdict = practice.check(triple, triple.solution_function, store)
        assert time.monotonic() - start < 1
        assert verdict.passed and "another program" in verdict.message
    finally:
        other.close()
    practice.hint(triple, store)
    assert [event.kind for event in ProgressStore(store.path).events()] == ["check", "check", "hint"]


def test_a_check_answers_though_the_file_is_damaged(triple, store):
    practice.check(triple, attempt(1), store)
    store.close()
    store.path.write_bytes(b"no database " * 100)
    verdict = practice.check(triple, triple.solution_function, store)
    assert verdict.passed and "progress.damaged-" in verdict.message
    assert store.best(triple.id).outcome == "right"


def test_a_new_kernel_finds_what_was_done(triple, store):
    practice.check(triple, triple.solution_function, store)
    assert ProgressStore(store.path).best(triple.id).outcome == "right"

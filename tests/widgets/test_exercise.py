"""The panel below an answer: it grades and records, and helps only when asked."""

from __future__ import annotations

import pytest

from course_utils.teaching import load_exercise, practice
from course_utils.widgets import not_right_yet, show_exercise
from course_utils.widgets.exercise import ExercisePanel

ID = "00_start_here/scores-to-probabilities"


@pytest.fixture(scope="module")
def exercise():
    return load_exercise(ID)


@pytest.fixture
def wrongs(exercise):
    return [wrong.function for wrong in exercise.wrongs.values()]


def events(kind):
    return [event for event in practice.default_store().events(ID) if event.kind == kind]


def test_a_wrong_answer_is_graded_at_once_and_recorded(exercise, wrongs):
    panel = show_exercise(ID, wrongs[0])
    assert panel.verdict["outcome"] in ("wrong", "partly right")
    assert panel.verdict["message"] == exercise.grade(wrongs[0]).message
    assert len(events("check")) == 1


def test_the_starter_is_not_attempted_and_not_recorded(exercise):
    panel = show_exercise(ID, exercise.starter_function)
    assert panel.verdict["outcome"] == "not attempted" and "Where do I start" in panel.notice
    assert events("check") == []


def test_neither_hints_nor_solution_reach_the_browser_unasked(exercise, wrongs, sent_to_browser):
    sent = sent_to_browser(show_exercise(ID, wrongs[0]))
    assert not any(hint in sent for hint in exercise.hint_texts)
    assert exercise.solution_source() not in sent and "solved_by" not in sent


def test_hints_come_one_by_one_and_are_still_there_next_time(exercise, wrongs, press):
    panel = show_exercise(ID, wrongs[0])
    press(panel, "hint")
    assert panel.hints == [exercise.hint_texts[0]]
    press(panel, "hint")
    assert show_exercise(ID, wrongs[0]).hints == list(exercise.hint_texts[:2])


def test_the_solution_stays_shut_before_three_different_attempts(exercise, wrongs, press):
    panel = show_exercise(ID, wrongs[0])
    press(panel, "solution")
    assert panel.code is None and "2 to go" in panel.notice and "2 more" in panel.solution_note


def test_three_different_attempts_open_the_solution(exercise, wrongs, press):
    panels = [show_exercise(ID, wrong) for wrong in wrongs[:3]]
    press(panels[-1], "solution")
    assert panels[-1].code["source"] == exercise.solution_source()


def test_passing_is_said_again_later(exercise, wrongs):
    assert show_exercise(ID, exercise.solution_function).earlier == ""
    panel = show_exercise(ID, wrongs[0])
    assert panel.earlier.startswith("You solved this on ") and panel.earlier in panel.text()


def test_starting_over_forgets_attempts_and_hints(exercise, wrongs, press):
    panel = show_exercise(ID, exercise.solution_function)
    press(panel, "hint")
    press(panel, "reset")
    assert panel.hints == [] and "3 more" in panel.solution_note
    assert panel.code["source"] == exercise.cell("starter")
    assert show_exercise(ID, wrongs[0]).earlier == ""


def test_check_again_judges_the_same_answer_afresh(exercise, press):
    scale = {"by": 0}

    def answer(scores):
        return exercise.solution_function(scores) * scale["by"]

    panel = show_exercise(ID, answer)
    assert not panel.judged.passed
    scale["by"] = 1
    press(panel, "check")
    assert panel.judged.passed and panel.verdict["outcome"] == "right" and panel.replies == 1


def test_trouble_with_a_message_is_said_and_not_swallowed(wrongs, press, monkeypatch):
    panel = show_exercise(ID, wrongs[0])
    monkeypatch.setattr(practice, "hint", lambda exercise: 1 / 0)
    press(panel, "hint")
    assert "ZeroDivisionError" in panel.trouble and panel.replies == 1


def test_only_the_methods_meant_for_it_can_be_reached_by_a_message(wrongs):
    panel = show_exercise(ID, wrongs[0])
    with pytest.raises(ValueError, match="knows no message"):
        panel._heard(panel, {"do": "close"}, [])
    assert {name for name in dir(ExercisePanel) if name.startswith("do_")} == {
        "do_check", "do_hint", "do_reset", "do_solution"}


def test_the_text_form_says_everything_without_colour(exercise, wrongs):
    panel = show_exercise(ID, wrongs[0])
    text = panel.text()
    assert exercise.title in text and str(panel.judged) in text and ".hint()" in text


def test_what_is_not_right_yet_is_named_and_nothing_of_it_is_recorded(exercise, wrongs):
    other = load_exercise("00_start_here/read-a-prediction")
    answers = {ID: exercise.solution_function, other.id: other.starter_function}
    assert not_right_yet(answers) == [other.title]
    assert not_right_yet({ID: wrongs[0]}) == [exercise.title]
    assert not_right_yet({ID: exercise.solution_function}) == []
    assert events("check") == []

"""Progress by lesson and objective, what was missed with the way back to it, and where to go on."""

from __future__ import annotations

import sys

import pytest

from course_utils.teaching import practice
from course_utils.teaching.content import Item, load_lesson, load_quiz
from course_utils.teaching.summary import Missed, Place, summarise
from tests.teaching.toys import at, event, right

EVERYTHING = ("01_numbers/two-and-two", "01_numbers/double", "02_reading/two-and-two")


def missed(events):
    return [(one.item.id, one.certain) for one in summarise(events).missed]


def test_what_is_done_is_counted_by_lesson_and_objective(toy_lessons):
    numbers, reading = summarise([right("01_numbers/double"),
                                  event("01_numbers/two-and-two", kind="answer")]).lessons
    assert (numbers.lesson, numbers.title, numbers.done, numbers.total) == ("01_numbers", "Numbers", 1, 2)
    goals = [(goal.id, goal.done, goal.total) for goal in numbers.objectives]
    assert goals == [("sums", 0, 1), ("products", 1, 1)]
    assert (reading.done, reading.total) == (0, 1)


def test_done_stays_done_after_a_later_slip_but_not_after_a_reset(toy_lessons):
    events = [right("01_numbers/double"), event("01_numbers/double")]
    assert summarise(events).lessons[0].done == 1 and missed(events) == []
    events.append(event("01_numbers/double", kind="reset"))
    assert summarise(events).lessons[0].done == 0 and missed(events) == []


def test_an_item_that_is_no_longer_in_the_course_does_not_count(toy_lessons):
    found = summarise([right("01_numbers/long-gone"), event("01_numbers/gone-too"), event("99_gone/x")])
    assert found.lessons[0].done == 0 and found.missed == () and found.place.lesson == "01_numbers"


def test_resume_leads_through_everything_that_is_not_done(toy_lessons):
    events = []
    assert summarise(events).place.item.id == "01_numbers/two-and-two"
    events.append(event("02_reading/two-and-two", kind="answer"))
    place = summarise(events).place
    assert (place.lesson, place.lesson_title) == ("02_reading", "Reading")
    assert place.item.id == "02_reading/two-and-two"
    events.append(right("02_reading/two-and-two"))
    assert summarise(events).place.item.id == "01_numbers/two-and-two", "then what was left out before"
    events.append(right("01_numbers/two-and-two"))
    assert summarise(events).place.item.id == "01_numbers/double"
    events.append(right("01_numbers/double"))
    assert summarise(events).place is None


def test_the_lesson_touched_last_is_the_one_recorded_last_not_the_one_the_clock_says(store, toy_lessons):
    store.record(event("01_numbers/double", at=at(12)))
    store.record(event("02_reading/two-and-two", kind="answer", at=at(9)))
    assert summarise(store.events()).place.lesson == "02_reading"


# What was missed

def test_what_was_tried_and_is_not_right_is_missed_with_the_way_back(toy_lessons):
    tries = [event("01_numbers/double"), event("01_numbers/double", outcome="partly right")]
    one, = summarise(tries).missed
    assert (one.lesson, one.item.see, one.section) == ("01_numbers", "#products", "products")


def test_what_another_lesson_teaches_leads_there(toy_lessons):
    item = Item("02_reading/asked", "question", "What is twice two?", "sums", "01_numbers#products", "")
    missed = Missed("01_numbers", "Numbers", item, certain=False)
    assert (missed.heading, missed.section) == ("#products", "products")
    assert Place("02_reading", "Reading", item).heading == "", "to go on, its own lesson is opened"


def test_a_question_of_the_final_quiz_leads_to_the_lesson_that_teaches_it():
    wrong = event("11_summary/whose-mean-and-std", kind="answer")
    one, = summarise([wrong]).missed
    assert (one.lesson, one.heading) == ("05_feature_extraction", "#Preprocessing")
    assert one.lesson_title == load_lesson(one.lesson).title


def test_the_way_back_names_the_folder_of_the_notebook(toy_lessons):
    one, = summarise([event("01_numbers/double")]).missed
    assert (one.notebook, one.called) == ("01_numbers.ipynb", "01 · Numbers")
    sys.modules["toy_lessons"].AFTER_THE_LESSONS = ("more/01_numbers",)
    assert one.notebook == "more/01_numbers.ipynb"


@pytest.mark.parametrize("untried", [event("01_numbers/double", kind="hint"),
                                     event("01_numbers/double", kind="predict"),
                                     event("01_numbers/double", outcome="our fault")])
def test_what_was_not_tried_is_not_missed(toy_lessons, untried):
    assert missed([untried]) == []


def test_what_a_learner_was_certain_of_comes_first(toy_lessons):
    events = [event(EVERYTHING[0], confidence="guessing"), event(EVERYTHING[1]),
              event(EVERYTHING[2], confidence="certain"), event(EVERYTHING[2], confidence="guessing")]
    assert missed(events) == [(EVERYTHING[2], True), (EVERYTHING[0], False), (EVERYTHING[1], False)]
    assert missed([*events, right(EVERYTHING[2])]) == [(EVERYTHING[0], False), (EVERYTHING[1], False)]


def test_an_edited_question_does_not_corrupt_history(store, toy_lessons):
    for response in ("a", "b"):
        practice.answer(load_quiz("01_numbers"), "two-and-two", "b", store, confidence="certain")
        practice.answer(load_quiz("02_reading"), "two-and-two", response, store)
    before = store.events()
    assert missed(before) == [("01_numbers/two-and-two", True)] and summarise(before).lessons[1].done == 1
    for file in ("01_numbers.yaml", "02_reading.yaml"):
        lesson = toy_lessons / file
        lesson.write_text(lesson.read_text().replace("What is 2 + 2?", "What are two and two?"))
    assert store.events() == before, "what was recorded stands, under the hash of what was asked then"
    assert missed(before) == [], "nobody is blamed for an answer to another question"
    assert summarise(before).lessons[1].done == 1, "nor loses what they earned"
    practice.answer(load_quiz("01_numbers"), "two-and-two", "b", store)
    assert missed(store.events()) == [("01_numbers/two-and-two", False)]
    assert len({one.item_hash for one in store.events("01_numbers/two-and-two")}) == 2


def test_a_new_reason_leaves_a_question_the_same(store, toy_lessons):
    """The twin: a hash that changed with every edit would forget what was missed."""
    practice.answer(load_quiz("01_numbers"), "two-and-two", "b", store)
    lesson = toy_lessons / "01_numbers.yaml"
    lesson.write_text(lesson.read_text().replace("Two and two are four.", "It is four."))
    assert missed(store.events()) == [("01_numbers/two-and-two", False)]


@pytest.mark.parametrize("events, words", [
    ([], "Nothing is done yet."), ([event("01_numbers/double")], "0 of 3 done."),
    ([right("01_numbers/double")], "1 of 3 done."),
    ([right(item) for item in EVERYTHING], "Everything is done: 3 of 3.")])
def test_how_much_is_done_is_said_in_a_sentence(toy_lessons, events, words):
    assert summarise(events).in_words() == words

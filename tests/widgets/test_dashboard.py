"""Progress on the screen, from a real store."""

from __future__ import annotations

from course_utils import paths
from course_utils.teaching import items, lessons, load_quiz
from course_utils.widgets import progress

LESSON = "05_feature_extraction"


def answer(question_id: str, right: bool):
    quiz = load_quiz(LESSON)
    option = next(o for o in quiz.question(question_id).options if o.right == right)
    quiz.answer(question_id, option.id)


def lesson_05(panel):
    return next(lesson for lesson in panel.lessons if lesson["number"] == "05")


def test_nothing_done_starts_at_the_first_lesson():
    panel = progress()
    assert len(panel.lessons) == len(lessons()) and all(lesson["done"] == 0 for lesson in panel.lessons)
    assert panel.place["notebook"] == "00_start_here.ipynb"


def test_a_right_answer_counts_and_the_next_item_is_where_to_go_on():
    first, second = items(LESSON)[:2]
    answer(first.id.split("/")[1], right=True)
    panel = progress()
    assert lesson_05(panel)["done"] == 1 and lesson_05(panel)["total"] == len(items(LESSON))
    assert panel.place["notebook"] == f"{LESSON}.ipynb" and second.title[:40] in panel.place["what"]


def test_an_objective_answered_wrongly_is_to_be_looked_at_again_until_it_is_right():
    answer("what-still-moves", right=False)
    assert len(lesson_05(progress())["again"]) == 1
    answer("what-still-moves", right=True)
    assert lesson_05(progress())["again"] == []


def test_the_text_form_says_where_to_go_on():
    answer("what-still-moves", right=False)
    text = progress().text()
    assert "Continue with the question" in text and "look again: " in text and "05 · " in text


def test_a_store_that_cannot_be_read_is_said_in_words():
    paths.progress().mkdir()           # a folder where the file should be
    panel = progress()
    assert panel.lessons == [] and str(paths.progress()) in panel.notice

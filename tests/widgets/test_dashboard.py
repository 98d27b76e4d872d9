"""Progress on the screen, from a real store: when nothing is done, some of it, everything."""

from __future__ import annotations

import sqlite3

import pytest

from course_utils import lessons as content
from course_utils import paths
from course_utils.teaching import Event, items, lessons, load_quiz, practice
from course_utils.teaching.predicting import resolve
from course_utils.widgets import progress

LESSON = "05_feature_extraction"
QUESTION = "what-still-moves"


def answer(question_id: str, right: bool, confidence: str = ""):
    quiz = load_quiz(LESSON)
    option = next(o for o in quiz.question(question_id).options if o.right == right)
    quiz.answer(question_id, option.id, confidence)
    if quiz.question(question_id).predict:
        resolve(quiz, question_id)      # the cell that decides it has run


def record(item, outcome="right"):
    practice.default_store().record(Event(kind="answer", item=item.id, lesson=item.id.split("/")[0],
                                          objective=item.objective, outcome=outcome))


def lesson_05(panel):
    return next(lesson for lesson in panel.lessons if lesson["lesson"] == "05 · Feature extraction")


def test_nothing_done_starts_at_the_top_of_the_first_lesson():
    panel = progress()
    assert len(panel.lessons) == len(lessons()) and not any(lesson["begun"] for lesson in panel.lessons)
    assert (panel.headline, panel.missed) == ("Nothing is done yet.", [])
    assert (panel.place["verb"], panel.place["notebook"]) == ("Start", "00_start_here.ipynb")
    assert panel.place["heading"] == "", "who has not begun reads from the top"
    assert panel.text().startswith("Nothing is done yet.\nStart with the question “")


def test_a_right_answer_counts_and_the_next_item_is_where_to_go_on():
    first, second = items(LESSON)[:2]
    answer(first.id.split("/")[1], right=True)
    panel = progress()
    assert lesson_05(panel)["done"] == 1 and lesson_05(panel)["total"] == len(items(LESSON))
    assert panel.place["notebook"] == f"{LESSON}.ipynb" and second.title[:40] in panel.place["what"]
    assert (panel.place["verb"], panel.place["heading"]) == ("Continue", second.see)
    assert panel.headline == f"1 of {sum(len(items(lesson)) for lesson in lessons())} done."


def test_a_lesson_is_counted_by_objective():
    answer(QUESTION, right=True)
    goals = {goal["text"]: (goal["done"], goal["total"]) for goal in lesson_05(progress())["goals"]}
    of_switches = [item for item in items(LESSON) if item.objective == "three-switches"]
    switches = next(text for text in goals if "three switches" in text)
    assert goals.pop(switches) == (1, len(of_switches)) and all(done == 0 for done, _ in goals.values())
    assert f"1 of {len(of_switches)} · {switches}" in progress().text()


def test_what_was_missed_is_to_be_looked_at_again_until_it_is_right():
    answer(QUESTION, right=False)
    one, = progress().missed
    assert (one["notebook"], one["heading"], one["section"]) == (f"{LESSON}.ipynb", "#Three-switches",
                                                                 "Three switches")
    assert "requires_grad" in one["what"] and not one["certain"]
    answer(QUESTION, right=True)
    assert progress().missed == []


def test_what_a_learner_was_certain_of_comes_first_and_says_so_in_words():
    questions = load_quiz(LESSON).questions
    answer(questions[0].id, right=False, confidence="guessing")
    answer(QUESTION, right=False, confidence="certain")
    panel = progress()
    assert [one["certain"] for one in panel.missed] == [True, False]
    again = panel.text().split("Look again:\n")[1].splitlines()
    assert again[0].startswith("  You were certain: the question “You set `requires_grad")
    assert f"({LESSON}.ipynb, “Three switches”)" in again[0] and "certain" not in again[1]


def test_code_in_a_title_that_is_cut_off_ends_where_it_is_cut():
    for item in (item for lesson in lessons() for item in items(lesson)):
        record(item, "wrong")
    shown = [one["what"] for one in progress().missed]
    assert any(what.endswith("…”") for what in shown) and all(what.count("`") % 2 == 0 for what in shown)


def test_everything_done_is_said_and_leads_nowhere():
    every = [item for lesson in lessons() for item in items(lesson)]
    for item in every:
        record(item)
    panel = progress()
    assert panel.headline == f"Everything is done: {len(every)} of {len(every)}."
    assert panel.place is None and panel.missed == []
    assert panel.text().splitlines()[1] == "", "nowhere to go on, nothing to look at again"
    assert all(lesson["done"] == lesson["total"] for lesson in panel.lessons)


def test_links_lead_from_the_folder_of_the_notebook_that_shows_them(tmp_path, monkeypatch):
    answer(QUESTION, right=False)
    monkeypatch.setattr(content, "AFTER_THE_LESSONS", ("exercises/11_summary",))
    for folder, way in (("", ""), ("exercises", "../"), ("elsewhere", "")):
        (tmp_path / folder).mkdir(exist_ok=True)
        monkeypatch.chdir(tmp_path / folder)
        assert progress().missed[0]["notebook"] == f"{way}{LESSON}.ipynb"


# The file

def test_a_store_that_cannot_be_read_is_said_in_words():
    paths.progress().mkdir()           # a folder where the file should be
    panel = progress()
    assert panel.lessons == [] and str(paths.progress()) in panel.notice and panel.notice in panel.text()


def test_a_store_from_a_newer_course_is_said_in_words():
    answer(QUESTION, right=True)
    connection = sqlite3.connect(paths.progress())
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    assert "newer version of this course" in progress().notice


def test_a_damaged_store_is_not_shown_as_if_nothing_had_been_done():
    paths.progress().write_bytes(b"no database at all, but long enough to be one" * 50)
    panel = progress()
    assert "was damaged. It is kept as" in panel.notice and panel.notice in panel.text()


@pytest.mark.parametrize("confidence", ["certain", "guessing"])
def test_the_screen_learns_no_answer_from_the_dashboard(sent_to_browser, confidence):
    answer(QUESTION, right=False, confidence=confidence)
    question, panel = load_quiz(LESSON).question(QUESTION), progress()
    sent = sent_to_browser(panel)
    assert question.prompt[:30] in sent
    assert not any(option.reason[:30] in sent or option.text in sent for option in question.options)

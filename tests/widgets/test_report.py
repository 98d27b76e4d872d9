"""A score by objective, and a page to keep."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from course_utils.errors import CourseError
from course_utils.teaching import load_exercise, load_quiz, practice
from course_utils.teaching.content import Item
from course_utils.teaching.predicting import resolve
from course_utils.teaching.summary import Place
from course_utils.widgets import export_progress, score_by_objective
from course_utils.widgets.report import _named

LESSON = "05_feature_extraction"


def answer(question: str, right: bool, **more) -> None:
    quiz = load_quiz(LESSON)
    option = next(option for option in quiz.question(question).options if option.right == right)
    practice.answer(quiz, question, option.id, **more)
    if quiz.question(question).predict:
        resolve(quiz, question)         # the cell that decides it has run


def test_a_score_counts_what_is_right_and_marks_what_is_not():
    answer("how-many-learn", True)
    answer("what-still-moves", False)
    explorer = score_by_objective(LESSON)
    table = explorer.view[0]
    rows = {row[0]: row[1:] for row in table["rows"]}
    right = [row for row in rows.values() if not row[0].startswith("0")]
    assert len(right) == 1 and right[0][0].startswith("1 of")
    assert explorer.title.startswith("Feature extraction: 1 of")
    assert len(table["marked"]) == sum(row[1] == "look again" for row in rows.values()) > 0


def test_a_lesson_that_is_not_there_is_said():
    with pytest.raises(CourseError, match="05_feature_extraction"):
        score_by_objective("99_nothing")


class Balanced(HTMLParser):
    """Notes tags that are opened and not closed, and addresses that something would be loaded from."""

    def __init__(self):
        super().__init__()
        self.open, self.loads = [], []

    def handle_starttag(self, tag, attrs):
        self.loads += [value for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_holds_what_is_done_missed_and_next_and_loads_nothing(tmp_path):
    answer("how-many-learn", True)
    answer("what-still-moves", False, confidence="certain")
    practice.check(load_exercise(f"{LESSON}/replace-the-head"), lambda model, num_classes: model)
    said = export_progress(tmp_path / "mine.html")
    page = (tmp_path / "mine.html").read_text()
    parser = Balanced()
    parser.feed(page)
    assert parser.open == [] and parser.loads == []
    assert "You were certain: " in page and "1 of" in page and "Next" in page
    assert "mine.html" in said.text() and list(tmp_path.glob("*.partial")) == []
    right = load_quiz(LESSON).question("what-still-moves").options[1]
    assert right.reason not in page, "answers stay with the questions"
    assert "in 05 · Feature extraction" in page and LESSON not in page and "“”" not in page


def place(title: str, see: str) -> Place:
    return Place(LESSON, "Feature extraction", Item(f"{LESSON}/it", "question", title, "goal", see))


def test_an_item_is_called_as_on_the_dashboard():
    lesson, long = "in 05 · Feature extraction", "Which of " + 20 * "these words " + "`model.eval()`?"
    assert _named(place("What does `eval()` do to <b>?", "#Three-switches")) == (
        f"What does <code>eval()</code> do to &lt;b&gt;?, {lesson}, section “Three switches”")
    assert _named(place(long, "")).endswith(f" …, {lesson}") and len(_named(place(long, ""))) < 130


def test_titles_cannot_become_markup(tmp_path):
    export_progress(tmp_path / "mine.html", title="<script>alert(1)</script>")
    assert "<script>" not in (tmp_path / "mine.html").read_text()


def test_a_place_that_cannot_be_written_to_is_said(tmp_path):
    with pytest.raises(CourseError, match="Name another place"):
        export_progress(tmp_path / "nowhere" / "mine.html")

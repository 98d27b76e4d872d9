"""show_quiz: one question to answer. Which option is right, and why, stays in Python until one was chosen."""

from __future__ import annotations

import traitlets as t

from course_utils.teaching import load_quiz, practice
from course_utils.teaching.quizzes import Quiz
from course_utils.teaching.verdict import SIGNS, Verdict
from course_utils.widgets.panel import Panel, drawing
from course_utils.widgets.words import day, shown


class QuizPanel(Panel):
    """One question: its options, and the verdict on the one that was chosen."""

    _esm = drawing("quiz")

    prompt = t.Unicode().tag(sync=True)
    options = t.List().tag(sync=True)               # of {id, text}, nothing more
    chosen = t.Unicode("").tag(sync=True)           # the option answered before, by id
    earlier = t.Unicode("").tag(sync=True)          # when that was, in words
    verdict = t.Dict(default_value=None, allow_none=True).tag(sync=True)

    def __init__(self, quiz: Quiz, question_id: str):
        question = quiz.question(question_id)
        self.quiz, self.question = quiz, question
        super().__init__(prompt=question.prompt,
                         options=[{"id": option.id, "text": option.text} for option in question.options])
        self._remember()

    def _remember(self) -> None:
        before = practice.earlier_answer(self.quiz, self.question.id)
        if before is None:
            return
        option, event = before
        self.chosen = option.id
        self.earlier = f"You answered “{option.text}” on {day(event.at)}."
        self._show(self.quiz.grade(self.question.id, option.id))

    def _show(self, verdict: Verdict) -> None:
        self.verdict = shown(verdict)

    def do_answer(self, option: str) -> None:
        """The learner chose an option and pressed Check."""
        self.reply(lambda: self._answer(option))

    def _answer(self, option: str) -> None:
        verdict = self.quiz.answer(self.question.id, option)
        self.earlier, self.chosen = "", option
        self._show(verdict)

    def text(self) -> str:
        """The question, its options, and what was said to the last answer."""
        lines = ["Question: " + self.prompt, *(f"  ({o['id']}) {o['text']}" for o in self.options)]
        if self.verdict:
            said = f"{SIGNS[self.verdict['outcome']]} — {self.verdict['message']}"
            lines += [self.earlier or f"You answered ({self.chosen}).", said]
        else:
            lines += [f'Answer with: load_quiz("{self.quiz.lesson}").answer("{self.question.id}", "a")']
        return "\n".join(lines)


def show_quiz(lesson: str, question_id: str) -> QuizPanel:
    """A quick check: one question of a lesson, with its reason once it is answered.

    Args:
        lesson: name of the lesson, as "05_feature_extraction".
        question_id: name of the question in the lesson's file.
    Raises:
        UnknownName: no such lesson or question; the nearest are suggested.
    """
    return QuizPanel(load_quiz(lesson), question_id)

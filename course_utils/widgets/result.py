"""show_result: what a learner predicted beside what came out."""

from __future__ import annotations

import traitlets as t

from course_utils.teaching import load_quiz
from course_utils.teaching.predicting import Result, resolve
from course_utils.teaching.verdict import SIGNS
from course_utils.widgets.panel import Panel, drawing
from course_utils.widgets.words import shown


class ResultPanel(Panel):
    """A prediction, the result, and why."""

    _esm = drawing("result")

    prompt = t.Unicode().tag(sync=True)
    predicted = t.Unicode().tag(sync=True)
    found = t.Unicode().tag(sync=True)
    verdict = t.Dict().tag(sync=True)

    def __init__(self, prompt: str, result: Result):
        super().__init__(prompt=prompt, predicted=result.predicted, found=result.found,
                         verdict=shown(result.verdict))

    def text(self) -> str:
        """The same in lines."""
        said = f"You predicted: {self.predicted}" if self.predicted else "You predicted nothing."
        outcome = self.verdict["outcome"]
        sign = f"{SIGNS[outcome]} — " if self.predicted else ""
        return "\n".join([self.prompt, said, f"It came out: {self.found}",
                          f"{sign}{self.verdict['message']}"])


def show_result(lesson: str, question_id: str, found: object = None) -> ResultPanel:
    """Put the prediction that was made for a question beside its result.

    Args:
        lesson: name of the lesson, as "05_feature_extraction".
        question_id: a question of the lesson's file with `predict: true`.
        found: what came out, where the cell has computed it: a number, or the id of an option.
    Raises:
        UnknownName, CourseError: no such question, or `found` is no answer to it.
    """
    quiz = load_quiz(lesson)
    return ResultPanel(quiz.question(question_id).prompt, resolve(quiz, question_id, found))

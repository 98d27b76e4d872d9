"""Quiz: the questions of one lesson, graded in Python. Screens send a response and get a verdict."""

from __future__ import annotations

from dataclasses import dataclass

from course_utils.errors import unknown_name
from course_utils.teaching.questions import Question
from course_utils.teaching.verdict import Verdict


@dataclass(frozen=True)
class Quiz:
    """The questions of `lesson`, in the order of its notebook."""

    lesson: str
    questions: tuple[Question, ...]

    def question(self, question_id: str) -> Question:
        """One question.

        Raises:
            UnknownName: there is none of that name; the nearest are suggested.
        """
        for question in self.questions:
            if question.id == question_id:
                return question
        raise unknown_name(f"question in {self.lesson}", question_id, [q.id for q in self.questions])

    def answer(self, question_id: str, response: object, confidence: str | None = None) -> Verdict:
        """Judge a response and remember the outcome.

        Args:
            response: to a question with options, an id or exact text, or a list of them; to one of order, the
                letters as "c a b"; a number, or a text with its unit; a word or two; some sentences, and then
                {"text": …, "met": ["a", "c"]} with the points of the rubric that are in them.
            confidence: "guessing", "fairly sure" or "certain".
        """
        from course_utils.teaching import practice
        return practice.answer(self, question_id, response, confidence=confidence)

    def grade(self, question_id: str, response: object) -> Verdict:
        """The verdict alone, recorded nowhere."""
        return self.question(question_id).grade(response)

"""Quiz: the questions of one lesson, graded in Python. Screens send a response and get a verdict."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from course_utils.errors import unknown_name
from course_utils.teaching.lesson_file import SingleChoice
from course_utils.teaching.verdict import Verdict


@dataclass(frozen=True)
class Quiz:
    """The questions of `lesson`, in the order of its notebook."""

    lesson: str
    questions: tuple[SingleChoice, ...]

    def question(self, question_id: str) -> SingleChoice:
        """One question.

        Raises:
            UnknownName: there is none of that name; the nearest are suggested.
        """
        for question in self.questions:
            if question.id == question_id:
                return question
        raise unknown_name(f"question in {self.lesson}", question_id, [q.id for q in self.questions])

    def answer(self, question_id: str, response: object) -> Verdict:
        """Judge a response, an option's id or its exact text, and remember the outcome."""
        from course_utils.teaching import practice
        return practice.answer(self, question_id, response)

    def grade(self, question_id: str, response: object) -> Verdict:
        """The verdict alone, recorded nowhere."""
        question = self.question(question_id)
        chosen = chosen_option(question, response)
        if chosen is None:
            ids = ", ".join(option.id for option in question.options)
            blank = response is None or (isinstance(response, str) and not response.strip())
            got = "" if blank else f" There is no option {str(response)[:40]!r}."
            return Verdict("not attempted", 0.0, f"Choose one of {ids}.{got}")
        if chosen.right:
            return Verdict("right", 1.0, chosen.reason)
        return Verdict("wrong", 0.0, chosen.reason, mistake=chosen.id)


def chosen_option(question: SingleChoice, response: object):
    """The option that `response` names by its id or its exact text, or None."""
    if not isinstance(response, str):
        return None
    text = response.strip()
    return next((option for option in question.options if text in (option.id, option.text)), None)


def question_hash(question: SingleChoice) -> str:
    """Changes when what is asked changes, not when a reason is put better."""
    asked = [question.prompt, *([option.id, option.text, option.right] for option in question.options)]
    return hashlib.sha256(json.dumps(asked, ensure_ascii=False).encode()).hexdigest()

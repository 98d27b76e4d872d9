"""What all kinds of question share: the fields of their YAML, and how a response becomes a verdict."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from course_utils.errors import CourseError
from course_utils.teaching.verdict import Verdict

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
LETTERS = "abcdefghijklmnopqrstuvwxyz"
CONFIDENCE = ("guessing", "fairly sure", "certain")


class Part(BaseModel):
    """A part of a lesson file. A field it does not know is a slip of the author's, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Question(Part):
    """One question. A kind says what it understands (`read`) and what it makes of that (`judge`)."""

    id: Id
    objective: Id
    prompt: Text
    see: str = ""
    confidence: bool = False        # ask also how sure the learner is
    predict: bool = False           # keep the answer until a cell has run that decides it

    @property
    def section(self) -> str:
        """The heading in `see`, in words."""
        lesson, _, heading = self.see.partition("#")
        words, number = f"“{heading.replace('-', ' ')}”", lesson.partition("_")[0]
        where = f"lesson {number}" if number.isdigit() else lesson
        return f"{words} in {where}" if lesson else words

    def read(self, response: object) -> object | None:
        """`response` as this kind understands it; None where it is blank or something else."""
        raise NotImplementedError

    def judge(self, answer: object) -> Verdict:
        """The verdict on what `read` understood."""
        raise NotImplementedError

    def how(self, response: object) -> str:
        """What to give instead of a `response` that `read` does not understand."""
        raise NotImplementedError

    def shown(self) -> dict:
        """What a screen may know before an answer: nothing that gives one away."""
        return {}

    def kept(self, answer: object) -> str:
        """The answer as text that the progress store may keep; empty where it is the learner's own words."""
        raise NotImplementedError

    def in_words(self, kept: str) -> str:
        """A kept answer, as the learner saw it."""
        return kept

    def decided(self, found: object) -> Question:
        """The same question, its key what a run found.

        Raises:
            CourseError: `found` could not be an answer.
        """
        raise CourseError(f"What a run finds cannot decide {self.id!r}, a question of kind {self.kind}. "
                          "Leave `found` out.")

    def key_in_words(self) -> str:
        """What is right, as the learner would see it."""
        raise NotImplementedError

    def key_reason(self) -> str:
        """Why that is right."""
        raise NotImplementedError

    def asked(self) -> list:
        """All that makes it this question; its reasons may be put better without making it another."""
        raise NotImplementedError

    def grade(self, response: object) -> Verdict:
        """The verdict on a response, recorded nowhere."""
        answer = self.read(response)
        if answer is None:
            return Verdict("not attempted", 0.0, self.how(response))
        return self.judge(answer)

    @property
    def hash(self) -> str:
        """Changes when what is asked changes."""
        return text_hash(json.dumps([self.prompt, *self.asked()], ensure_ascii=False))


def text_hash(text: str) -> str:
    """Tells one answer from another without keeping it."""
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def is_blank(response: object) -> bool:
    return response is None or (isinstance(response, str) and not response.strip())


def in_short(response: object) -> str:
    """A response that was not understood, as it may be repeated."""
    return repr(str(response)[:40])


def all_different(what: str, names: list[str]) -> None:
    """Raises ValueError, with the first name that is there twice."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"the {what} {twice[0]!r} is there twice: give each its own")


def scored(score: float, message: str, mistake: str | None = None) -> Verdict:
    """Right at 1, partly right above 0, wrong at 0."""
    outcome = "right" if score == 1 else "partly right" if score > 0 else "wrong"
    return Verdict(outcome, score, message, mistake=mistake)

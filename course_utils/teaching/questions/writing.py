"""Questions answered with what the learner writes: a number, a word or two, some sentences."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, FiniteFloat, StringConstraints, model_validator

from course_utils.errors import CourseError
from course_utils.teaching.questions.base import (
    LETTERS,
    Part,
    Question,
    Text,
    all_different,
    in_short,
    is_blank,
    scored,
)
from course_utils.teaching.questions.choosing import names_in
from course_utils.teaching.verdict import Verdict

Percent = Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)? ?%$")]
NUMBER = re.compile(r"([-+−]?(?:\d[\d,.'\u00a0\u202f ]*\d|\d)(?:[eE][-+−]?\d+)?)\s*(.*)", re.DOTALL)
MARKS = "`'\"“”‘’.,;:!?() "
ANOTHER_UNIT = "(another unit)"
SENTENCE = 20       # characters; less is no answer to reflect on


class Number(NamedTuple):
    """What a learner wrote for a number."""

    value: float
    unit: str


class NearMiss(Part):
    """A wrong number that says what went wrong."""

    value: FiniteFloat
    reason: Text


class Numeric(Question):
    """A number, right within a tolerance: 0.5, in the unit asked for, or "5 %" of the answer."""

    kind: Literal["numeric"]
    answer: FiniteFloat
    tolerance: Annotated[float, Field(ge=0)] | Percent
    reason: Text
    unit: str = ""
    near: tuple[NearMiss, ...] = ()

    @model_validator(mode="after")
    def _near_misses_are_wrong(self):
        right = [miss.value for miss in self.near if self._is_near(miss.value, self.answer)]
        if right:
            raise ValueError(f"the near miss {right[0]:g} is within the tolerance of the answer")
        all_different("near miss", [f"{miss.value:g}" for miss in self.near])
        return self

    def _is_near(self, value: float, target: float) -> bool:
        if isinstance(self.tolerance, str):
            margin = float(self.tolerance.rstrip("% ")) / 100 * abs(target)
        else:
            margin = self.tolerance
        return math.isclose(value, target, rel_tol=1e-9, abs_tol=margin)

    def shown(self) -> dict:
        return {"unit": self.unit}

    def asked(self) -> list:
        return [self.answer, self.tolerance, self.unit]

    def read(self, response: object) -> Number | None:
        if isinstance(response, str):
            return _number_in(response)
        try:
            value = math.nan if isinstance(response, bool) else float(response)
        except (TypeError, ValueError, OverflowError):
            return None
        return Number(value, "") if math.isfinite(value) else None

    def how(self, response: object) -> str:
        unit = f", in {self.unit}" if self.unit else ""
        return f"Give a number{unit}." + ("" if is_blank(response) else f" {in_short(response)} is none.")

    def judge(self, answer: Number) -> Verdict:
        if answer.unit and answer.unit.casefold() != self.unit.casefold():
            wanted = f"in {self.unit}" if self.unit else "as a number without a unit"
            return scored(0.0, f"This is asked {wanted}; you gave {answer.value:g} {answer.unit}.", "unit")
        if self._is_near(answer.value, self.answer):
            return scored(1.0, self.reason)
        for miss in self.near:
            if self._is_near(answer.value, miss.value):
                return scored(0.0, miss.reason, f"near-{miss.value:g}")
        return scored(0.0, f"{answer.value:g} is too {'high' if answer.value > self.answer else 'low'}.")

    def kept(self, answer: Number) -> str:
        """The number, with the unit asked for; that there was another is kept, and what it said is not."""
        known = answer.unit.casefold() in ("", self.unit.casefold())
        return f"{answer.value!r} {answer.unit if known else ANOTHER_UNIT}".strip()

    def in_words(self, kept: str) -> str:
        answer = self.read(kept)
        if answer.unit == ANOTHER_UNIT:
            return f"{answer.value:g} {ANOTHER_UNIT}"
        return self._with_unit(answer.value)

    def decided(self, found: object) -> Numeric:
        number = self.read(found)
        if number is None:
            raise CourseError(f"{self.id!r} is answered with a number, but what was found is {found!r}.")
        return self.model_copy(update={"answer": number.value})

    def key_in_words(self) -> str:
        return self._with_unit(self.answer)

    def key_reason(self) -> str:
        return self.reason

    def _with_unit(self, value: float) -> str:
        shown = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
        return f"{shown} {self.unit}".strip()


def _number_in(text: str) -> Number | None:
    """ "1,280", "1 280.5", "2,5 ms", "3e-4": one number, and what stands behind it."""
    found = NUMBER.fullmatch(text.strip())
    if not found:
        return None
    digits = re.sub(r"['\u00a0\u202f ]", "", found[1]).replace("−", "-")
    groups_of_three = re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?", digits)
    if "," in digits and (groups_of_three or "." in digits):
        digits = digits.replace(",", "")
    try:
        value = float(digits.replace(",", "."))
    except ValueError:
        return None
    return Number(value, found[2].strip()) if math.isfinite(value) else None


def not_predicted(question: Question) -> None:
    """Raises ValueError for a prediction in words: words are not kept, so there is nothing to judge later."""
    if question.predict:
        raise ValueError(f"`predict: true` is for choices, orders and numbers, not for kind {question.kind}")


class NearText(Part):
    """Wrong answers in words, and what they confuse."""

    forms: Annotated[tuple[Text, ...], Field(min_length=1)]
    reason: Text


class ShortText(Question):
    """A word or two, in one of the accepted forms; case, spaces and quotation marks do not count."""

    kind: Literal["text"]
    accepted: Annotated[tuple[Text, ...], Field(min_length=1)]
    reason: Text
    near: tuple[NearText, ...] = ()

    @model_validator(mode="after")
    def _forms_differ(self):
        not_predicted(self)
        forms = [*self.accepted, *(form for miss in self.near for form in miss.forms)]
        all_different("form", [normalised(form) for form in forms])
        return self

    def asked(self) -> list:
        return sorted(map(normalised, self.accepted))

    def read(self, response: object) -> str | None:
        return normalised(response) or None if isinstance(response, str) else None

    def how(self, response: object) -> str:
        return "Write a word or two." + ("" if is_blank(response) else f" {in_short(response)} is none.")

    def judge(self, answer: str) -> Verdict:
        if answer in map(normalised, self.accepted):
            return scored(1.0, self.reason)
        for number, miss in enumerate(self.near, start=1):
            if answer in map(normalised, miss.forms):
                return scored(0.0, miss.reason, f"near-{number}")
        again = f" Look again at {self.section}." if self.see else ""
        return scored(0.0, f"That is not it.{again}")

    def kept(self, answer: str) -> str:
        return ""


def normalised(text: str) -> str:
    """Without what does not matter: case, spaces, brackets of a call, marks around it."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(text.split()).strip(MARKS)


class Reflection(NamedTuple):
    """What a learner wrote, and which points of the rubric they find in it; None before they looked."""

    text: str
    met: tuple[int, ...] | None


class Reflect(Question):
    """Some sentences. Once written, a model answer and a rubric are shown: learners judge their own."""

    kind: Literal["reflect"]
    model_answer: Text
    rubric: Annotated[tuple[Text, ...], Field(min_length=1, max_length=len(LETTERS))]

    @model_validator(mode="after")
    def _points_differ(self):
        not_predicted(self)
        all_different("point of the rubric", list(self.rubric))
        return self

    def asked(self) -> list:
        return list(self.rubric)

    def after_writing(self) -> dict:
        """What is shown once something was written."""
        return {"model_answer": self.model_answer,
                "rubric": [{"id": letter, "text": point} for letter, point in zip(LETTERS, self.rubric,
                                                                                  strict=False)]}

    def read(self, response: object) -> Reflection | None:
        given = response if isinstance(response, Mapping) else {"text": response}
        text, met = given.get("text"), given.get("met")
        if not isinstance(text, str) or len(text.strip()) < SENTENCE:
            return None
        if met is None:
            return Reflection(text.strip(), None)
        found = [LETTERS.find(name) if isinstance(name, str) and len(name) == 1 else -1
                 for name in names_in(met)]
        if not all(0 <= point < len(self.rubric) for point in found):
            return None
        return Reflection(text.strip(), tuple(sorted(set(found))))

    def how(self, response: object) -> str:
        text = response.get("text") if isinstance(response, Mapping) else response
        if not isinstance(text, str) or len(text.strip()) < SENTENCE:
            return "Write a sentence or two first."
        return f"Name the points that are in it by their letters, {', '.join(LETTERS[:len(self.rubric)])}."

    def judge(self, answer: Reflection) -> Verdict:
        if answer.met is None:
            points = [f"  ({point['id']}) {point['text']}" for point in self.after_writing()["rubric"]]
            return Verdict("not attempted", 0.0, "\n".join([
                f"One good answer: {self.model_answer}", "Which of these are in yours?", *points]))
        missing = [point for i, point in enumerate(self.rubric) if i not in answer.met]
        if not missing:
            return scored(1.0, "By your own reading, all of it is there.")
        return scored(len(answer.met) / len(self.rubric), f"By your own reading, this is not there yet: "
                                                          f"{missing[0]}")

    def kept(self, answer: Reflection) -> str:
        return ""

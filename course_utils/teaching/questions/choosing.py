"""Questions answered with what is there: one option, several, or steps in their order."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from course_utils.errors import CourseError
from course_utils.teaching.questions.base import (
    LETTERS,
    Id,
    Part,
    Question,
    Text,
    all_different,
    in_short,
    is_blank,
    scored,
)
from course_utils.teaching.verdict import Verdict


class Option(Part):
    """One answer to choose, and why it is right or wrong."""

    text: Text
    reason: Text
    right: bool = False
    id: Id = ""       # a, b, c … by order unless given


class Choice(Question):
    """A question with options."""

    options: Annotated[tuple[Option, ...], Field(min_length=2, max_length=len(LETTERS))]

    @model_validator(mode="before")
    @classmethod
    def _letter_the_options(cls, data):
        options = data.get("options") if isinstance(data, dict) else None
        if not isinstance(options, list) or not all(isinstance(option, dict) for option in options):
            return data
        return data | {"options": [{"id": letter} | option
                                   for letter, option in zip(LETTERS, options, strict=False)]
                       + options[len(LETTERS):]}

    @model_validator(mode="after")
    def _names_differ(self):
        all_different("option", [name for option in self.options for name in {option.id, option.text}])
        return self

    def shown(self) -> dict:
        return {"options": [{"id": option.id, "text": option.text} for option in self.options]}

    def asked(self) -> list:
        return [[option.id, option.text, option.right] for option in self.options]

    def option(self, named: object) -> Option | None:
        """The option of that id or that exact text."""
        text = named.strip() if isinstance(named, str) else None
        return next((option for option in self.options if text in (option.id, option.text)), None)

    def _ids(self) -> str:
        return ", ".join(option.id for option in self.options)

    def _none_such(self, response: object) -> str:
        return "" if is_blank(response) else f" There is no option {in_short(response)}."


class Single(Choice):
    """Exactly one option is right."""

    kind: Literal["single"]

    @model_validator(mode="after")
    def _one_is_right(self):
        right = [option.id for option in self.options if option.right]
        if len(right) != 1:
            raise ValueError(f"exactly one option must have `right: true`, but {len(right)} have")
        return self

    def read(self, response: object) -> Option | None:
        return self.option(response)

    def how(self, response: object) -> str:
        return f"Choose one of {self._ids()}.{self._none_such(response)}"

    def judge(self, answer: Option) -> Verdict:
        return scored(float(answer.right), answer.reason, None if answer.right else answer.id)

    def kept(self, answer: Option) -> str:
        return answer.id

    def in_words(self, kept: str) -> str:
        return f"“{self.option(kept).text}”"

    def decided(self, found: object) -> Single:
        came_true, usual = self.option(found), self._key()
        if came_true is None:
            raise CourseError(f"{self.id!r} has no option {found!r}; there are {self._ids()}.")
        if came_true is usual:
            return self
        otherwise = (f"This time it came out otherwise than usual. Usually it is {self.in_words(usual.id)}: "
                     f"{usual.reason}")
        options = [option.model_copy(update={"right": option is came_true, "reason": otherwise})
                   for option in self.options]
        return self.model_copy(update={"options": tuple(options)})

    def _key(self) -> Option:
        return next(option for option in self.options if option.right)

    def key_in_words(self) -> str:
        return self.in_words(self._key().id)

    def key_reason(self) -> str:
        return self._key().reason


class Multiple(Choice):
    """Any number of options are right, but not none and not all."""

    kind: Literal["multiple"]

    @model_validator(mode="after")
    def _some_are_right(self):
        right = sum(option.right for option in self.options)
        if right in (0, len(self.options)):
            raise ValueError("some options, not none and not all, must have `right: true`, but "
                             f"{right} of {len(self.options)} have")
        return self

    def read(self, response: object) -> tuple[Option, ...] | None:
        chosen = [self.option(name) for name in names_in(response)]
        return tuple(option for option in self.options if option in chosen) \
            if chosen and None not in chosen else None

    def how(self, response: object) -> str:
        such = ", ".join(f'"{option.id}"' for option in self.options[:2])
        return f"Choose all that apply of {self._ids()}, such as [{such}].{self._none_such(response)}"

    def judge(self, answer: tuple[Option, ...]) -> Verdict:
        """A wrong choice takes away as much as a right one gives, so that choosing all earns little."""
        right = [option for option in self.options if option.right]
        wrong = [option for option in answer if not option.right]
        found = len(answer) - len(wrong)
        score = max(0.0, (found - len(wrong)) / len(right))
        if wrong:
            return scored(score, f"“{wrong[0].text}”: {wrong[0].reason}", wrong[0].id)
        if found < len(right):
            missing = len(right) - found
            more = "one more option is" if missing == 1 else f"{missing} more options are"
            return scored(score, f"What you chose is right, but {more} right too.", "incomplete")
        return scored(score, " ".join(option.reason for option in right))

    def kept(self, answer: tuple[Option, ...]) -> str:
        return " ".join(option.id for option in answer)

    def in_words(self, kept: str) -> str:
        return " and ".join(f"“{self.option(id).text}”" for id in kept.split())

    def key_in_words(self) -> str:
        return self.in_words(" ".join(option.id for option in self.options if option.right))

    def key_reason(self) -> str:
        return " ".join(option.reason for option in self.options if option.right)


class Ordering(Question):
    """Steps that are written down in their right order and shown in another, the same every time."""

    kind: Literal["ordering"]
    steps: Annotated[tuple[Text, ...], Field(min_length=3, max_length=len(LETTERS))]
    reason: Text

    @model_validator(mode="after")
    def _steps_differ(self):
        all_different("step", list(self.steps))
        return self

    @property
    def mixed(self) -> list[int]:
        """Positions in `steps`, in the order in which they are shown."""
        right = list(range(len(self.steps)))
        draws, mixed = random.Random(self.id), right
        while mixed == right:
            mixed = draws.sample(right, len(right))
        return mixed

    def shown(self) -> dict:
        return {"steps": [{"id": letter, "text": self.steps[position]}
                          for letter, position in zip(LETTERS, self.mixed, strict=False)]}

    def asked(self) -> list:
        return list(self.steps)

    def read(self, response: object) -> tuple[int, ...] | None:
        by_letter = dict(zip(LETTERS, self.mixed, strict=False))
        names = names_in(response)
        order = tuple(by_letter.get(name, -1) for name in names)
        return order if sorted(order) == list(range(len(self.steps))) else None

    def how(self, response: object) -> str:
        letters = " ".join(LETTERS[:len(self.steps)])
        return f"Put all of {letters} in order, each once." + (
            "" if is_blank(response) else f" {in_short(response)} is not that.")

    def judge(self, answer: tuple[int, ...]) -> Verdict:
        """By the longest run of steps, not necessarily neighbours, that are in order: one alone always is."""
        in_order, count = _longest_rising(answer), len(answer)
        score = (in_order - 1) / (count - 1)
        if score == 1:
            return scored(score, self.reason)
        before, after = next(pair for pair in pairwise(answer) if pair[0] > pair[1])
        return scored(score, f"{in_order} of {count} steps are in order. “{self.steps[before]}” does not come"
                             f" before “{self.steps[after]}”.", f"{before}-before-{after}")

    def kept(self, answer: tuple[int, ...]) -> str:
        return " ".join(LETTERS[self.mixed.index(position)] for position in answer)

    def in_words(self, kept: str) -> str:
        return " → ".join(f"“{self.steps[position]}”" for position in self.read(kept))

    def key_in_words(self) -> str:
        return " → ".join(f"“{step}”" for step in self.steps)

    def key_reason(self) -> str:
        return self.reason


def names_in(response: object) -> list:
    """The names in a list, or in a text with spaces or commas between them."""
    if isinstance(response, str):
        return re.findall(r"[^\s,]+", response)
    if isinstance(response, Iterable) and not isinstance(response, (bytes, dict)):
        return list(response)
    return []


def _longest_rising(numbers: tuple[int, ...]) -> int:
    """Of numbers in some order, how many can stay where they are: the longest common subsequence with their
    sorted order."""
    best: list[int] = []
    for at, number in enumerate(numbers):
        best.append(1 + max((best[i] for i in range(at) if numbers[i] < number), default=0))
    return max(best)

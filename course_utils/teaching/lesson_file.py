"""What the YAML of a lesson may hold, and how it is refused where it holds something else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from course_utils.errors import CourseError, nearest

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Part(BaseModel):
    """A part of the file. A field it does not know is a slip of the author's, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Objective(Part):
    """What a learner can do afterwards."""

    id: Id
    text: Text


class Option(Part):
    """One answer to choose, and why it is right or wrong."""

    text: Text
    reason: Text
    right: bool = False
    id: Id = ""       # a, b, c … by order unless given


class SingleChoice(Part):
    """A question of which exactly one option is right."""

    id: Id
    kind: Literal["single"]
    objective: Id
    prompt: Text
    options: Annotated[tuple[Option, ...], Field(min_length=2, max_length=len(LETTERS))]
    see: str = ""

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
    def _one_is_right(self):
        right = [option.id for option in self.options if option.right]
        if len(right) != 1:
            raise ValueError(f"exactly one option must have `right: true`, but {len(right)} have")
        _all_different("option", [name for option in self.options for name in {option.id, option.text}])
        return self


class LessonFile(Part):
    """A whole lesson file."""

    title: Text
    summary: Text
    objectives: Annotated[tuple[Objective, ...], Field(min_length=1)]
    prerequisites: tuple[Text, ...] = ()
    needs_download_mb: Annotated[float, Field(ge=0)] = 0
    questions: tuple[SingleChoice, ...] = ()

    @model_validator(mode="after")
    def _names_agree(self):
        objectives = [objective.id for objective in self.objectives]
        _all_different("objective", objectives)
        _all_different("question", [question.id for question in self.questions])
        for question in self.questions:
            if question.objective not in objectives:
                raise ValueError(f"question {question.id!r} has the objective {question.objective!r}, which "
                                 f"is not among {', '.join(objectives)}")
        return self


def _all_different(what: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"the {what} {twice[0]!r} is there twice: give each its own")


def read_lesson_file(path: Path) -> LessonFile:
    """Read one lesson file.

    Raises:
        CourseError: names the file, the question, and what to write instead.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise CourseError(f"{path.name} is not valid YAML. {' '.join(str(error).split())}") from None
    try:
        return LessonFile.model_validate(data)
    except ValidationError as error:
        faults = "\n".join(f"  {_said(data, fault)}" for fault in error.errors())
        raise CourseError(f"{path.name} must be mended before it can be used:\n{faults}") from None


def _said(data: object, fault: dict) -> str:
    """One of pydantic's findings, in the words of the file's author."""
    field, kind = str(fault["loc"][-1]) if fault["loc"] else "", fault["type"]
    if kind == "missing":
        what = f"`{field}:` is missing. Add it."
    elif kind == "extra_forbidden":
        known = {name for part in (LessonFile, Objective, SingleChoice, Option) for name in part.model_fields}
        close = nearest(field, known, n=1)
        advice = f"Did you mean `{close[0]}:`?" if close else "Remove it."
        what = f"`{field}:` is not a known field. {advice}"
    elif kind == "value_error":
        what = f"{fault['ctx']['error']}."
    else:
        what = f"`{field}:` {fault['msg']}; it is {str(fault['input'])[:60]!r}."
    return f"{_place(data, fault['loc'])}: {what}"


def _place(data: object, path: tuple) -> str:
    """Where in the file: a question by its id, an option by its number."""
    words, here = [], data
    for step in path:
        here = here[step] if isinstance(here, list) or (isinstance(here, dict) and step in here) else None
        if isinstance(step, int):
            name = here.get("id") if isinstance(here, dict) else None
            words[-1] = f"{words[-1].removesuffix('s')} {repr(name) if name else f'no. {step + 1}'}"
        elif isinstance(here, list):
            words.append(step)
    return ", ".join(words) or "the file"

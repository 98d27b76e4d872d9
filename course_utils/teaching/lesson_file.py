"""What the YAML of a lesson may hold, and how it is refused where it holds something else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, ValidationError, model_validator

from course_utils.errors import CourseError, nearest
from course_utils.teaching import questions
from course_utils.teaching.questions import KINDS, AnyQuestion, Id, Part, Text, all_different

KIND_NAMES = tuple(kind.model_fields["kind"].annotation.__args__[0] for kind in KINDS)


class Objective(Part):
    """What a learner can do afterwards."""

    id: Id
    text: Text


class LessonFile(Part):
    """A whole lesson file."""

    title: Text
    summary: Text
    objectives: Annotated[tuple[Objective, ...], Field(min_length=1)]
    prerequisites: tuple[Text, ...] = ()
    needs_download_mb: Annotated[float, Field(ge=0)] = 0
    questions: tuple[AnyQuestion, ...] = ()

    @model_validator(mode="after")
    def _names_agree(self):
        objectives = [objective.id for objective in self.objectives]
        all_different("objective", objectives)
        all_different("question", [question.id for question in self.questions])
        for question in self.questions:
            if question.objective not in objectives:
                raise ValueError(f"question {question.id!r} has the objective {question.objective!r}, which "
                                 f"is not among {', '.join(objectives)}")
        return self


PARTS = (LessonFile, Objective, *KINDS, questions.Option, questions.NearMiss, questions.NearText)


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
        faults = "\n".join(dict.fromkeys(f"  {_said(data, fault)}" for fault in error.errors()))
        raise CourseError(f"{path.name} must be mended before it can be used:\n{faults}") from None


def _said(data: object, fault: dict) -> str:
    """One of pydantic's findings, in the words of the file's author."""
    place, kind = _inside(data, fault["loc"]), fault["type"]
    field = str(place[-1]) if place else ""
    if kind == "missing":
        what = f"`{field}:` is missing. Add it."
    elif kind == "extra_forbidden":
        known = {name for part in PARTS for name in part.model_fields}
        close = nearest(field, known - {field}, n=1)
        advice = f"Did you mean `{close[0]}:`?" if close and field not in known else "Remove it."
        what = f"`{field}:` is not a known field{' here' if field in known else ''}. {advice}"
    elif kind in ("union_tag_invalid", "union_tag_not_found"):
        what = f"`kind:` is one of {', '.join(KIND_NAMES)}."
    elif kind == "value_error":
        what = f"{fault['ctx']['error']}."
    else:
        what = f"`{field}:` {fault['msg']}; it is {str(fault['input'])[:60]!r}."
    where = place[:-1] if field and isinstance(place[-1], str) else place       # the field is named itself
    return f"{_place(data, where)}: {what}"


def _inside(data: object, path: tuple) -> list:
    """The steps of a path that are in the file: pydantic adds the kind of a question, and of a number."""
    steps, here = [], data
    for step in path:
        if isinstance(here, dict) and step not in here and step == here.get("kind"):
            continue
        steps.append(step)
        known = isinstance(here, list) or (isinstance(here, dict) and step in here)
        here = here[step] if known else None
        if known and not isinstance(here, (list, dict)):
            break
    return steps


def _place(data: object, path: list) -> str:
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

"""Find lessons, and what they hold, without knowing any by name.

A package that offers lessons says so by an entry point in the group `course.lessons`. Each of its `NAME.yaml`
is a lesson; the module or package `NAME` beside it, if there is one, holds the exercises, in the order of its
tuple EXERCISES if it has one; the notebook is `NAME.ipynb`. Lessons come in the order of their names. What
follows them, in which order and in which folder of the notebooks, the package may say:
`AFTER_THE_LESSONS = ("exercises/NAME", …)`.
"""

from __future__ import annotations

import ast
import importlib
import importlib.resources
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.errors import CourseError, unknown_name
from course_utils.teaching.exercises import Exercise

if TYPE_CHECKING:
    from course_utils.teaching.lesson_file import Objective
    from course_utils.teaching.questions import Question
    from course_utils.teaching.quizzes import Quiz

GROUP = "course.lessons"


@dataclass(frozen=True)
class Lesson:
    """What a lesson is about. Its exercises are loaded only when asked for: they bring torch."""

    id: str
    title: str
    summary: str
    objectives: tuple[Objective, ...]
    prerequisites: tuple[str, ...]
    needs_download_mb: float
    questions: tuple[Question, ...]

    @property
    def notebook(self) -> str:
        """Where its notebook lies, below notebooks/."""
        return notebook_of(self.id)

    def exercises(self) -> tuple[Exercise, ...]:
        """The exercises, in the order of the notebook."""
        package = _lesson_files()[self.id].package
        try:
            module = importlib.import_module(f"{package}.{self.id}")
        except ModuleNotFoundError as error:
            if error.name == f"{package}.{self.id}":       # a lesson without exercises
                return ()
            raise
        named = getattr(module, "EXERCISES", None)
        return tuple(named) if named else tuple(
            value for value in vars(module).values()
            if isinstance(value, Exercise) and value.lesson == self.id)

    def items(self) -> list[Item]:
        """Everything to do: its questions, then its exercises.

        Exercises are read from their source, not imported: importing them brings torch, many seconds that a
        look at one's progress should not cost.
        """
        questions = [Item(f"{self.id}/{q.id}", "question", q.prompt, q.objective, q.see, q.hash)
                     for q in self.questions]
        folder = _lesson_files()[self.id].yaml.parent
        for source in (folder / f"{self.id}.py", folder / self.id / "__init__.py"):
            if source.is_file():
                return [*questions, *_exercises_in(source).values()]
        return questions


@dataclass(frozen=True)
class Item:
    """One thing to do in a lesson: a question or an exercise."""

    id: str               # "05_feature_extraction/freeze-the-backbone"
    kind: str             # "question" | "exercise"
    title: str
    objective: str
    see: str
    hash: str = ""        # of a question as it is asked now; finding out an exercise's would bring torch


@dataclass(frozen=True)
class _Files:
    """Where a lesson comes from, and where its notebook lies."""

    package: str
    yaml: Path
    place: str          # "exercises/conceptual": its notebook's path below notebooks/, without the ending


@cache
def _packages(group: str, search_path: tuple[str, ...]) -> tuple[str, ...]:
    """The packages that offer lessons. Looking through everything installed takes a while: once is enough."""
    return tuple(dict.fromkeys(entry.value for entry in entry_points(group=group)))


def _lesson_files() -> dict[str, _Files]:
    """Every lesson by its name, in order."""
    found: dict[str, _Files] = {}
    last: list[str] = []
    for package in _packages(GROUP, tuple(sys.path)):
        after = getattr(importlib.import_module(package), "AFTER_THE_LESSONS", ())
        places = {place.rpartition("/")[2]: place for place in after}
        last += places
        for file in Path(str(importlib.resources.files(package))).glob("*.yaml"):
            if file.stem in found:
                raise CourseError(f"Two packages offer the lesson {file.stem!r}: {found[file.stem].package} "
                                  f"and {package}. Uninstall one of them.")
            found[file.stem] = _Files(package, file, places.get(file.stem, file.stem))
    return {name: found[name] for name in sorted(found.keys() - set(last)) + [n for n in last if n in found]}


def lessons() -> list[str]:
    """The names of all lessons, in order."""
    return list(_lesson_files())


def notebook_of(lesson: str) -> str:
    """Where a lesson's notebook lies, below notebooks/: "exercises/conceptual.ipynb"."""
    return f"{_lesson_files()[lesson].place}.ipynb"


def called(lesson: str, title: str) -> str:
    """What a screen calls a lesson: "05 · Feature extraction", or only its title if it has no number."""
    number = lesson.partition("_")[0]
    return f"{number} · {title}" if number.isdigit() else title


def position(name: str) -> int:
    """For sorting: where a lesson stands among all; what is no lesson comes last."""
    return [*lessons(), name].index(name)


def load_lesson(lesson: str) -> Lesson:
    """What a lesson is about, and its questions.

    Raises:
        UnknownName: there is no such lesson; the nearest are suggested.
        CourseError: its YAML must be mended; says where and how.
    """
    from course_utils.teaching.lesson_file import read_lesson_file
    files = _lesson_files()
    if lesson not in files:
        raise unknown_name("lesson", lesson, files)
    return Lesson(id=lesson, **dict(read_lesson_file(files[lesson].yaml)))


def load_quiz(lesson: str) -> Quiz:
    """The questions of a lesson. Raises as `load_lesson` does."""
    from course_utils.teaching.quizzes import Quiz
    return Quiz(lesson, load_lesson(lesson).questions)


def load_exercise(id: str) -> Exercise:
    """One exercise by its id, "LESSON/NAME".

    Raises:
        UnknownName: there is no such lesson or exercise; the nearest are suggested.
    """
    lesson, _, name = str(id).partition("/")
    exercises = {exercise.name: exercise for exercise in load_lesson(lesson).exercises()}
    if name not in exercises:
        raise unknown_name("exercise", id, [exercise.id for exercise in exercises.values()])
    return exercises[name]


def items(lesson: str) -> list[Item]:
    """Everything to do in a lesson. Raises as `load_lesson` does."""
    return load_lesson(lesson).items()


def _exercises_in(source: Path) -> dict[str, Item]:
    """The `name = Exercise("…", lesson="…", …)` of a module and of those it imports from beside it, by name.

    In the order of its EXERCISES, where it has them.
    """
    found: dict[str, Item] = {}
    for statement in ast.parse(source.read_text(encoding="utf-8")).body:
        match statement:
            case ast.ImportFrom(module=str(name), level=1):
                found |= _exercises_in(source.parent / f"{name}.py")
            case ast.Assign(targets=[ast.Name(id="EXERCISES")], value=ast.Tuple(elts=names)):
                return {name.id: found[name.id] for name in names}
            case ast.Assign(targets=[ast.Name(id=variable)], value=ast.Call(
                    func=ast.Name(id="Exercise"), args=[ast.Constant(value=name)], keywords=keywords)):
                said = {k.arg: k.value.value for k in keywords if isinstance(k.value, ast.Constant)}
                found[variable] = Item(f"{said['lesson']}/{name}", "exercise", said["title"],
                                       said["objective"], said.get("see", ""))
    return found

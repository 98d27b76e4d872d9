"""Exercise: a small task, its right and wrong answers, and the checks that tell them apart.

    triple = Exercise("triple", lesson="01_numbers", title="Three times", minutes=2, difficulty="easy",
                      objective="products", see="#products")

    @triple.starter                                     # what the learner's cell holds
    def three_times(x):
        \"\"\"Return three times `x`.\"\"\"
        ...

    @triple.solved_by                                   # real code, shown from its source
    def three_times(x):
        return 3 * x

    @triple.wrong("added", says="{got} is {x} + 3. Multiply instead.")      # an error seen in practice
    def three_times(x):
        return x + 3

    @triple.checks("three times four", points=2)        # each check calls the answer on inputs of its own
    def _(answer):
        got = answer(4)
        expect(got != 7, mistake="added", got=got, x=4)
        expect(got == 12, f"Three times 4 is 12, but you return {got}.")

    triple.hints("Which operator multiplies?")

Learners use `check(answer)`, `hint()`, `solution()` and `reset()`; these are recorded. `grade` is not.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from course_utils.errors import CourseError, unknown_name
from course_utils.teaching.grading import accepts_like, grade
from course_utils.teaching.sources import source_of
from course_utils.teaching.verdict import Verdict


@dataclass(frozen=True)
class Check:
    """One question put to the answer, and what it is worth."""

    name: str
    points: int
    function: Callable


@dataclass(frozen=True)
class Wrong:
    """A known wrong answer, and the words that whoever gives it should read."""

    id: str
    says: str
    function: Callable
    looks_like: str = ""        # "normalisation is skipped": said where an answer only behaves like this one


class Exercise:
    """See the top of this module. `seconds` limits all checks together, `mib` the memory that each may take;
    `guard` is a factory of a context manager, entered around each check, that puts back what an answer may
    change outside itself."""

    def __init__(self, name: str, *, lesson: str, title: str, minutes: int, difficulty: str, objective: str,
                 see: str = "", seconds: float = 10.0, mib: int = 2048,
                 guard: Callable[[], AbstractContextManager] | None = None):
        self.name, self.lesson, self.title, self.see = name, lesson, title, see
        self.minutes, self.difficulty, self.objective = minutes, difficulty, objective
        self.seconds, self.mib, self.guard = seconds, mib, guard
        self.starter_function: Callable | None = None
        self.solution_function: Callable | None = None
        self.alternatives: dict[str, Callable] = {}
        self.wrongs: dict[str, Wrong] = {}
        self.check_list: list[Check] = []
        self.observe: Callable | None = None
        self.hint_texts: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.lesson}/{self.name}"

    def __repr__(self) -> str:
        return f"<Exercise {self.id}: {self.title}, {self.difficulty}, about {self.minutes} min>"

    # What an author writes

    def starter(self, function: Callable) -> Callable:
        """What the learner's cell holds at first. It comes before the answers."""
        self.starter_function = function
        return function

    def solved_by(self, function: Callable) -> Callable:
        """The solution, under the starter's name: learners may see its source."""
        if function.__name__ != self._starter().__name__:
            raise CourseError(f"{self.id}: the solution must be called {self._starter().__name__!r}, as the "
                              f"starter is, but is called {function.__name__!r}.")
        self.solution_function = self._answer(function)
        return function

    def alternative(self, id: str) -> Callable[[Callable], Callable]:
        """Another right answer: it must get full marks."""
        def add(function: Callable) -> Callable:
            self._unused(id, self.alternatives)
            self.alternatives[id] = self._answer(function)
            return function
        return add

    def wrong(self, id: str, *, says: str, looks_like: str = "") -> Callable[[Callable], Callable]:
        """A known wrong answer. `says` is its diagnosis, with {names} for the evidence `expect` is given;
        `looks_like` what was done, for answers that are found to do the same (see `fingerprint`)."""
        def add(function: Callable) -> Callable:
            self._unused(id, self.wrongs)
            self.wrongs[id] = Wrong(id, says, self._answer(function), looks_like)
            return function
        return add

    def checks(self, name: str, *, points: int = 1) -> Callable[[Callable], Callable]:
        """A check: a function of the answer, which calls it on fresh inputs and `expect`s something."""
        def add(function: Callable) -> Callable:
            self._unused(name, [check.name for check in self.check_list])
            self.check_list.append(Check(name, points, function))
            return function
        return add

    def fingerprint(self, function: Callable) -> Callable:
        """A function of the answer that gives what it does, as a value to be compared with `==`.

        Where a check has no words of its own for a wrong answer, this is compared with what the known wrong
        ones with `looks_like` do. Round numbers: equal is equal.
        """
        self.observe = function
        return function

    @functools.cached_property
    def known_fingerprints(self) -> dict[str, object]:
        """What each known wrong answer with `looks_like` does, by its id."""
        return {wrong.id: self.observe(wrong.function) for wrong in self.wrongs.values() if wrong.looks_like}

    def hints(self, *texts: str) -> None:
        """Up to three, each saying more than the one before."""
        self.hint_texts = texts

    def _starter(self) -> Callable:
        if self.starter_function is None:
            raise CourseError(f"{self.id} has no starter yet: write @….starter above its answers.")
        return self.starter_function

    def _answer(self, function: Callable) -> Callable:
        if not accepts_like(function, self._starter()):
            raise CourseError(f"{self.id}: an answer takes {inspect.signature(function)}, but the starter "
                              f"{inspect.signature(self._starter())}.")
        return function

    def _unused(self, id: str, used) -> None:
        if id in used:
            raise CourseError(f"{self.id} already has {id!r}: give each answer and check its own name.")

    # What a learner uses: graded, and recorded

    def grade(self, answer: object, *, seed: int = 0) -> Verdict:
        """The verdict alone, recorded nowhere. The same seed gives the same verdict."""
        return grade(self, answer, seed=seed)

    def check(self, answer: object) -> Verdict:
        """Judge `answer` and remember the outcome. Raises nothing but your own Ctrl-C."""
        from course_utils.teaching import practice
        return practice.check(self, answer)

    def hint(self) -> str:
        """The next hint; after the last, the last again."""
        from course_utils.teaching import practice
        return practice.hint(self)

    def solution(self) -> str:
        """The solution's source once you passed or made three different attempts; before, what is left."""
        from course_utils.teaching import practice
        return practice.solution(self)

    def reset(self) -> str:
        """Begin this exercise anew: attempts and hints count from zero. Your history is kept."""
        from course_utils.teaching import practice
        return practice.reset(self)

    # Sources

    def version(self, which: str) -> Callable:
        """The function behind "starter", "solution", "alternative:ID" or "wrong:ID"."""
        known = {"starter": self._starter(), "solution": self.solution_function,
                 **{f"alternative:{id}": function for id, function in self.alternatives.items()},
                 **{f"wrong:{wrong.id}": wrong.function for wrong in self.wrongs.values()}}
        if which not in known:
            raise unknown_name(f"version of {self.id}", which, known)
        return known[which]

    def starter_source(self) -> str:
        """What the learner's cell holds at first."""
        return self._source("starter")

    def solution_source(self) -> str:
        """The solution as its author wrote it."""
        return self._source("solution")

    def cell(self, which: str = "starter") -> str:
        """The notebook cell of one version: its function, and the call that hands it in."""
        return f'{self._source(which)}\n\nshow_exercise("{self.id}", {self._starter().__name__})'

    def _source(self, which: str) -> str:
        return source_of(self.version(which), self._starter().__name__)

    @functools.cached_property
    def item_hash(self) -> str:
        """Changes when the task or what is asked of an answer changes."""
        asked = [self.starter_source()] + [f"{c.name} {c.points} {inspect.getsource(c.function)}"
                                           for c in self.check_list]
        return hashlib.sha256("\n".join(asked).encode()).hexdigest()

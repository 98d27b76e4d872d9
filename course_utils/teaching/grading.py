"""From an answer to a verdict: run an exercise's checks, and say whose fault each failure is."""

from __future__ import annotations

import inspect
import linecache
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import CodeType, FunctionType
from typing import TYPE_CHECKING

from course_utils.errors import CourseError
from course_utils.teaching.bytecode import code_and_inner, same_code, written_function
from course_utils.teaching.exhibits import Exhibit
from course_utils.teaching.running import Printed, TimeUp, run
from course_utils.teaching.verdict import CheckResult, Verdict

if TYPE_CHECKING:
    from course_utils.teaching.exercises import Check, Exercise

LONGEST_MESSAGE = 300
SHOWN_FRAMES = 6        # a recursion error has a thousand


class CheckFailed(Exception):
    """What `expect` raises: the answer did not do what a check asks."""

    def __init__(self, message: str | None, mistake: str | None, evidence: dict, exhibits: Sequence[Exhibit]):
        super().__init__(message or mistake)
        self.message, self.mistake, self.evidence = message, mistake, evidence
        self.exhibits = tuple(exhibits)


def expect(condition: object, message: str | None = None, *, mistake: str | None = None,
           show: Callable[[], Sequence[Exhibit]] | None = None, **evidence) -> None:
    """Inside a check: the answer passes only if `condition` is true.

    Args:
        message: what the learner reads if it is not.
        mistake: id of the known wrong answer this gives away; its `says` is the message unless one is given.
        show: makes exhibits of what the check saw, such as the expected picture beside the learner's. It is
            called only where the answer fails.
        evidence: values for the {names} in `says`.
    """
    if message is None and mistake is None:
        raise CourseError("expect needs a message, or mistake= with the id of a known wrong answer.")
    if not condition:
        raise CheckFailed(message, mistake, evidence, show() if show else ())


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    result: CheckResult
    mistake: str | None = None
    details: str | None = None
    exhibits: tuple[Exhibit, ...] = ()
    is_fault: bool = False       # the check itself broke
    ends: bool = False           # no time is left for the checks that follow


def grade(exercise: Exercise, answer: object, *, seed: int = 0) -> Verdict:
    """Judge `answer`. Raises nothing but the learner's own Ctrl-C."""
    refusal = _refuse(exercise, answer)
    if refusal:
        return refusal
    function = written_function(answer)
    printed, findings = Printed(), []
    deadline = time.monotonic() + exercise.seconds
    for check in exercise.check_list:
        if findings and findings[-1].ends:
            findings.append(Finding(CheckResult(check.name, False, check.points, "not run"), ends=True))
            continue
        error = run(partial(check.function, answer), seconds=max(deadline - time.monotonic(), 0.01),
                    mib=exercise.mib, seed=seed, printed=printed, guard=exercise.guard)
        findings.append(_finding(exercise, check, function, error))
    verdict = _verdict(findings, str(printed))
    if exercise.observe and verdict.mistake is None and verdict.outcome in ("wrong", "partly right"):
        verdict = _recognised(exercise, answer, verdict, max(deadline - time.monotonic(), 0.01), seed)
    return verdict


def _recognised(exercise: Exercise, answer: object, verdict: Verdict, seconds: float, seed: int) -> Verdict:
    """The verdict with the known mistake that does what `answer` does, if there is one."""
    found: list[str] = []

    def look() -> None:
        known, seen = exercise.known_fingerprints, exercise.observe(answer)
        found.extend(id for id, fingerprint in known.items() if fingerprint == seen)

    run(look, seconds=seconds, mib=exercise.mib, seed=seed, printed=Printed(), guard=exercise.guard)
    if not found:
        return verdict
    like = exercise.wrongs[found[0]].looks_like
    return replace(verdict, mistake=found[0],
                   message=f"{verdict.message} This is what comes of it where {like}.")


def _refuse(exercise: Exercise, answer: object) -> Verdict | None:
    """A verdict that needs no check: nothing was written, or it is not a function of the right form."""
    starter = written_function(exercise.starter_function)
    name = starter.__name__
    if answer is None or answer is ... or answer is exercise.starter_function:
        return Verdict("not attempted", 0.0, f"Write your code in `{name}`, then run the cell again.")
    function = written_function(answer)
    if function is None or isinstance(answer, type):
        got = "a class" if isinstance(answer, type) else f"an object of type {type(answer).__name__}"
        return Verdict("wrong", 0.0, f"Hand in your function `{name}` itself, without brackets after its "
                                     f"name. This is {got}.")
    if same_code(function, starter):
        return Verdict("not attempted", 0.0, f"Write your code in `{name}`, then run the cell again.")
    if not accepts_like(answer, starter):
        return Verdict("wrong", 0.0, f"`{name}` is called with {inspect.signature(starter)}, but yours takes "
                                     f"{inspect.signature(answer)}. Keep the first line as it was given.")
    return None


def accepts_like(answer: Callable, starter: FunctionType) -> bool:
    """Whether `answer` can be called as `starter` is: as many arguments by position, the same by keyword."""
    parameters = inspect.signature(starter).parameters.values()
    by_name = {p.name: None for p in parameters if p.kind is p.KEYWORD_ONLY}
    by_position = [None for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    try:
        inspect.signature(answer).bind(*by_position, **by_name)
    except TypeError:
        return False
    return True


def _finding(exercise: Exercise, check: Check, function: FunctionType,
             error: BaseException | None) -> Finding:
    """Sort what a check raised: nothing, a failed expectation, the learner's error, or ours."""
    def result(message: str) -> CheckResult:
        return CheckResult(check.name, error is None, check.points, message)

    if error is None:
        return Finding(result(""))
    if isinstance(error, CheckFailed):
        try:
            return Finding(result(_words(exercise, error)), mistake=error.mistake, exhibits=error.exhibits)
        except (CourseError, LookupError, TypeError, ValueError) as broken:    # in the exercise's words
            error = broken
    ends = isinstance(error, TimeUp)
    codes = code_and_inner(function.__code__)
    if any(frame.f_code in codes for frame, _ in traceback.walk_tb(error.__traceback__)):
        return Finding(result(_what_happened(exercise, function, codes, error)),
                       details=_own_lines(function, codes, error), ends=ends)
    return Finding(result(_our_fault(exercise, check, error)), is_fault=True, ends=ends,
                   details="".join(traceback.format_exception(error, limit=-SHOWN_FRAMES)))


def _words(exercise: Exercise, failed: CheckFailed) -> str:
    if failed.mistake is not None and failed.mistake not in exercise.wrongs:
        raise CourseError(f"{exercise.id} has no known wrong answer called {failed.mistake!r}.")
    return failed.message or exercise.wrongs[failed.mistake].says.format(**failed.evidence)


def _what_happened(exercise: Exercise, function: FunctionType, codes: set[CodeType],
                   error: BaseException) -> str:
    line = [number for frame, number in traceback.walk_tb(error.__traceback__) if frame.f_code in codes][-1]
    where = f"(line {line - function.__code__.co_firstlineno + 1} of your answer)"
    if isinstance(error, TimeUp):
        return (f"Your code was still running after {exercise.seconds:g} s, so it was stopped {where}. "
                "Is there a loop that never ends?")
    if is_short_of_memory(error):
        return (f"Your code asked for more than {exercise.mib / 1024:g} GB of memory, so it was stopped "
                f"{where}. Does something grow without end, or is something far too large?")
    if isinstance(error, SystemExit):
        return f"Your code ended the program {where}. Leave out the exit, and return instead."
    return f"Your code raised {_named(error)} {where}."


def is_short_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: torch says so in a RuntimeError."""
    return isinstance(error, MemoryError) or "allocate memory" in _named(error)


def _named(error: BaseException) -> str:
    """`TypeError: what it says`, cut where it is long."""
    try:
        text = str(error)
    except Exception:
        text = "(its message cannot be read)"
    text = text if len(text) <= LONGEST_MESSAGE else text[:LONGEST_MESSAGE] + "…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _own_lines(function: FunctionType, codes: set[CodeType], error: BaseException) -> str:
    """A traceback of the learner's own lines only: their answer and what it calls in their notebook."""
    frames = list(traceback.walk_tb(error.__traceback__))
    first = next(i for i, (frame, _) in enumerate(frames) if frame.f_code in codes)
    own = [(frame.f_code, line) for frame, line in frames[first:] if frame.f_globals is function.__globals__]
    lines = []
    for code, line in own[-SHOWN_FRAMES:]:
        number = line - function.__code__.co_firstlineno + 1 if code in codes else line
        lines += [f"line {number}, in {code.co_name}",
                  f"    {linecache.getline(code.co_filename, line).strip()}"]
    return "\n".join([*lines, "" if isinstance(error, TimeUp) else _named(error)]).rstrip()


def _our_fault(exercise: Exercise, check: Check, error: BaseException) -> str:
    if isinstance(error, TimeUp):
        return (f"The check “{check.name}” did not finish within {exercise.seconds:g} s, and not because of "
                "your code. Run it again; if that does not help, please report it.")
    if isinstance(error, CourseError):
        return f"The check “{check.name}” could not run. {error}"
    return (f"The check “{check.name}” itself failed, with {_named(error)}. That is a fault in the course, "
            "not in your answer, and nothing counts against you. Please report it with the lines below.")


def _verdict(findings: list[Finding], printed: str) -> Verdict:
    """The first failing check decides what is said, the points decide how right it is."""
    results = tuple(finding.result for finding in findings)
    first = next((finding for finding in findings if not finding.result.passed), None)
    own_print = f"Your code printed:\n{printed}" if printed else None
    if first is None:
        message = "The check passed." if len(results) == 1 else f"All {len(results)} checks passed."
        return Verdict("right", 1.0, message, checks=results, details=own_print)
    details = "\n\n".join(filter(None, [first.details, own_print])) or None
    if first.is_fault:
        return Verdict("our fault", 0.0, first.result.message, checks=results, details=details)
    score = sum(r.points for r in results if r.passed) / sum(r.points for r in results)
    return Verdict("partly right" if score else "wrong", score, first.result.message, first.mistake, results,
                   details, first.exhibits)

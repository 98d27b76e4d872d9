"""What a learner does, graded and recorded. Storing never blocks or fails a check: see `ProgressStore`."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils import paths
from course_utils.errors import unknown_name
from course_utils.teaching.bytecode import response_hash
from course_utils.teaching.events import Event, since_reset
from course_utils.teaching.progress import ProgressStore
from course_utils.teaching.questions import CONFIDENCE, text_hash
from course_utils.teaching.verdict import Verdict

if TYPE_CHECKING:
    from course_utils.teaching.exercises import Exercise
    from course_utils.teaching.quizzes import Quiz

ATTEMPTS_BEFORE_SOLUTION = 3


@cache
def _store_at(path: Path) -> ProgressStore:
    return ProgressStore(path)


def default_store() -> ProgressStore:
    """The learner's own store, one in each process."""
    return _store_at(paths.progress())


def check(exercise: Exercise, answer: object, store: ProgressStore | None = None) -> Verdict:
    """Judge `answer` and record the outcome, unless nothing was attempted."""
    verdict = exercise.grade(answer)
    event = Event(kind="check", item=exercise.id, lesson=exercise.lesson, objective=exercise.objective,
                  item_hash=exercise.item_hash, outcome=verdict.outcome, score=verdict.score,
                  mistake=verdict.mistake, response_hash=response_hash(answer))
    return recorded(verdict, event, store or default_store())


def answer(quiz: Quiz, question_id: str, response: object, store: ProgressStore | None = None, *,
           confidence: str | None = None) -> Verdict:
    """Judge a response and record the outcome, unless there was nothing to judge."""
    if confidence not in (None, "", *CONFIDENCE):
        raise unknown_name("confidence", confidence, CONFIDENCE)
    question = quiz.question(question_id)
    understood = question.read(response)
    kept = "" if understood is None else question.kept(understood)
    if question.predict and understood is not None:      # judged later, by `predicting.resolve`
        verdict = Verdict("predicted", 0.0, f"You predict {question.in_words(kept)}. Run on to see.")
        judged = {"kind": "predict"}
    else:
        verdict = question.grade(response)
        judged = {"kind": "answer", "outcome": verdict.outcome, "score": verdict.score,
                  "mistake": verdict.mistake}
    event = Event(item=f"{quiz.lesson}/{question.id}", lesson=quiz.lesson, objective=question.objective,
                  item_hash=question.hash, confidence=confidence or "", response=kept,
                  response_hash="" if understood is None else text_hash(repr(understood)), **judged)
    if confidence == CONFIDENCE[-1] and verdict.outcome in ("wrong", "partly right"):
        verdict = replace(verdict, message=f"{verdict.message} You were certain: look at this one again.")
    return recorded(verdict, event, store or default_store())


def earlier_answer(quiz: Quiz, question_id: str, store: ProgressStore | None = None) -> Event | None:
    """The last answer or prediction to the question as it is asked now; None where there is none."""
    question = quiz.question(question_id)
    events = since_reset((store or default_store()).history(f"{quiz.lesson}/{question.id}"))
    return next((event for event in reversed(events)
                 if event.kind == ("predict" if question.predict else "answer")
                 and event.item_hash == question.hash), None)


def recorded(verdict: Verdict, event: Event, store: ProgressStore) -> Verdict:
    """Store `event`; trouble with that is said once, below the verdict's own words."""
    if verdict.outcome == "not attempted":
        return verdict
    store.record(event)
    notice = store.notice()
    return replace(verdict, message=f"{verdict.message}\n{notice}") if notice else verdict


def hint(exercise: Exercise, store: ProgressStore | None = None) -> str:
    """The next hint; after the last, the last again."""
    texts = exercise.hint_texts
    if not texts:
        return f"This exercise has no hints. Look again at {exercise.see or 'the lesson'}."
    store = store or default_store()
    seen = sum(event.kind == "hint" for event in since_reset(store.history(exercise.id)))
    number = min(seen + 1, len(texts))
    if seen < len(texts):
        store.record(_event("hint", exercise))
    return f"Hint {number} of {len(texts)}: {texts[number - 1]}"


def attempts_left(exercise: Exercise, store: ProgressStore | None = None) -> int:
    """How many more different attempts open the solution; 0 where it is open."""
    checks = [event for event in since_reset((store or default_store()).history(exercise.id))
              if event.kind == "check"]
    if any(event.outcome == "right" for event in checks):
        return 0
    different = {event.response_hash for event in checks if event.outcome in ("wrong", "partly right")}
    return max(0, ATTEMPTS_BEFORE_SOLUTION - len(different))


def solution(exercise: Exercise, store: ProgressStore | None = None) -> str:
    """The solution's source where it is open; otherwise how many different attempts open it."""
    store = store or default_store()
    left = attempts_left(exercise, store)
    if left:
        return (f"The solution opens once you pass, or after {ATTEMPTS_BEFORE_SOLUTION} different attempts: "
                f"{left} to go. Try a hint first.")
    store.record(_event("solution", exercise))
    return exercise.solution_source()


def reset(exercise: Exercise, store: ProgressStore | None = None) -> str:
    """Count attempts and hints of `exercise` from zero. What was recorded stays in the history."""
    (store or default_store()).record(_event("reset", exercise))
    return f"“{exercise.title}” begins anew. Your earlier attempts stay in your history."


def _event(kind: str, exercise: Exercise) -> Event:
    return Event(kind=kind, item=exercise.id, lesson=exercise.lesson, objective=exercise.objective,
                 item_hash=exercise.item_hash)

"""Predict, then run: a prediction is kept as it is made, and judged when the cell that decides it has run."""

from __future__ import annotations

from dataclasses import dataclass, replace

from course_utils.teaching.events import Event, since_reset
from course_utils.teaching.practice import default_store, recorded
from course_utils.teaching.progress import ProgressStore
from course_utils.teaching.questions import Question
from course_utils.teaching.quizzes import Quiz
from course_utils.teaching.verdict import Verdict

NO_PREDICTION = "You made no prediction. Before the next one, do: a result that surprises is remembered."


@dataclass(frozen=True)
class Result:
    """A prediction beside what came out, both in words, and the verdict."""

    predicted: str      # empty where nothing was predicted
    found: str
    verdict: Verdict


def latest_prediction(quiz: Quiz, question: Question, store: ProgressStore) -> tuple[Event | None, bool]:
    """The last prediction for the question as it is asked now, and whether it was judged already."""
    events = [event for event in since_reset(store.history(f"{quiz.lesson}/{question.id}"))
              if event.item_hash == question.hash]
    last = next((event for event in reversed(events) if event.kind == "predict"), None)
    judged = last is not None and any(event.kind == "answer" for event in events[events.index(last):])
    return last, judged


def resolve(quiz: Quiz, question_id: str, found: object = None, store: ProgressStore | None = None) -> Result:
    """Judge the last prediction by what came out, and record that once.

    Args:
        found: the number that was measured, or the id of the option that came true; None where the lesson's
            file holds it.
    Raises:
        UnknownName, CourseError: no such question, or `found` is nothing it could be answered with.
    """
    store, question = store or default_store(), quiz.question(question_id)
    decided = question if found is None else question.decided(found)
    event, judged = latest_prediction(quiz, question, store)
    if event is None:
        verdict = Verdict("not attempted", 0.0, f"{NO_PREDICTION} {decided.key_reason()}")
        return Result("", decided.key_in_words(), verdict)
    verdict = decided.grade(event.response)
    if verdict.outcome in ("wrong", "partly right") and decided.key_reason() not in verdict.message:
        verdict = replace(verdict, message=f"{verdict.message} {decided.key_reason()}")
    if not judged:
        verdict = recorded(verdict, Event(
            kind="answer", item=event.item, lesson=event.lesson, objective=event.objective,
            item_hash=event.item_hash, outcome=verdict.outcome, score=verdict.score, mistake=verdict.mistake,
            response=event.response, response_hash=event.response_hash, confidence=event.confidence), store)
    return Result(question.in_words(event.response), decided.key_in_words(), verdict)

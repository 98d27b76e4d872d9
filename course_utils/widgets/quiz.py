"""show_quiz: one question to answer. What is right, and why, stays in Python until an answer was given."""

from __future__ import annotations

import traitlets as t

from course_utils.teaching import load_quiz, practice
from course_utils.teaching.questions import CONFIDENCE, Question, Reflect
from course_utils.teaching.quizzes import Quiz
from course_utils.teaching.verdict import SIGNS, Verdict
from course_utils.widgets.panel import Panel, drawing
from course_utils.widgets.words import day, shown

EXAMPLES = {"numeric": "4.2", "text": '"a word"', "reflect": '"what you think, in your words"'}


class QuizPanel(Panel):
    """One question: what there is to answer with, and the verdict on the answer."""

    _esm = drawing("quiz")

    kind = t.Unicode().tag(sync=True)
    prompt = t.Unicode().tag(sync=True)
    asked = t.Dict().tag(sync=True)                 # options or steps, of {id, text}; unit; how sure
    given = t.Unicode("").tag(sync=True)            # the answer before this one, as the store keeps it
    earlier = t.Unicode("").tag(sync=True)          # what it was and when, in words
    after = t.Dict().tag(sync=True)                 # model answer and rubric, once something was written
    verdict = t.Dict(default_value=None, allow_none=True).tag(sync=True)

    def __init__(self, quiz: Quiz, question_id: str):
        question = quiz.question(question_id)
        self.quiz, self.question = quiz, question
        sure = {"confidence": list(CONFIDENCE)} if question.confidence else {}
        super().__init__(kind=question.kind, prompt=question.prompt, asked=question.shown() | sure)
        self._remember()

    def _remember(self) -> None:
        event = practice.earlier_answer(self.quiz, self.question.id)
        if event is None:
            return
        what = self.question.in_words(event.response) if event.response else ""
        did = "predicted" if self.question.predict else "answered"
        self.earlier = f"You {did} {what} on {day(event.at)}.".replace("  ", " ")
        self.given = event.response
        if event.response and not self.question.predict:
            self._show(self.question.grade(event.response))

    def _show(self, verdict: Verdict) -> None:
        self.verdict = shown(verdict)

    def do_answer(self, response: object, confidence: str = "") -> None:
        """The learner answered and pressed Check."""
        self.reply(lambda: self._answer(response, confidence))

    def _answer(self, response: object, confidence: str) -> None:
        verdict = self.quiz.answer(self.question.id, response, confidence or None)
        understood = self.question.read(response)
        self.earlier, self.given = "", "" if understood is None else self.question.kept(understood)
        if isinstance(self.question, Reflect) and understood is not None:
            self.after = self.question.after_writing()
            if understood.met is None:          # the rubric says it, with boxes to tick
                self.verdict = None
                return
        self._show(verdict)

    def text(self) -> str:
        """The question, what there is to answer with, and what was said to the last answer."""
        lines = ["Question: " + self.prompt, *in_print(self.question)]
        outcome = self.verdict["outcome"] if self.verdict else ""
        if self.earlier:
            lines += [self.earlier]
        elif outcome not in ("", "not attempted", "predicted"):        # of a prediction the verdict says it
            lines += [f"You answered {self._answered()}.".replace(" .", ".")]
        if outcome:
            lines += [f"{SIGNS[outcome]} — {self.verdict['message']}"]
        if outcome in ("", "not attempted"):
            lines += [f'Answer with: load_quiz("{self.quiz.lesson}").answer("{self.question.id}", '
                      f"{self._example()})"]
        return "\n".join(lines)

    def _example(self) -> str:
        """An answer as it is typed, which need not be right."""
        names = [one["id"] for one in self.asked.get("options", self.asked.get("steps", []))]
        match self.kind:
            case "single":
                return f'"{names[0]}"'
            case "multiple":
                return f'["{names[0]}", "{names[1]}"]'
            case "ordering":
                return f'"{" ".join(names)}"'
        return EXAMPLES[self.kind]

    def _answered(self) -> str:
        return self.question.in_words(self.given) if self.given else ""


def in_print(question: Question) -> list[str]:
    """What there is to answer with, a line each."""
    asked = question.shown()
    lines = [f"  ({one['id']}) {one['text']}" for one in asked.get("options", asked.get("steps", []))]
    return lines + ([f"  in {asked['unit']}"] if asked.get("unit") else [])


def show_quiz(lesson: str, question_id: str) -> QuizPanel:
    """A quick check: one question of a lesson, with its reason once it is answered.

    Args:
        lesson: name of the lesson, as "05_feature_extraction".
        question_id: name of the question in the lesson's file.
    Raises:
        UnknownName: no such lesson or question; the nearest are suggested.
    """
    return QuizPanel(load_quiz(lesson), question_id)

"""show_exercise: the panel below an answer. It grades, explains, and helps step by step."""

from __future__ import annotations

from collections.abc import Mapping

import traitlets as t

from course_utils.teaching import Exercise, load_exercise, practice
from course_utils.teaching.events import since_reset
from course_utils.teaching.verdict import Verdict
from course_utils.widgets.panel import Panel, drawing, on_main_thread
from course_utils.widgets.words import day, plural, shown

START = ("Where do I start? Read what the function should return, replace the `...` by your code, and run "
         "the cell. A first try may be wrong: the checks then say what to look at.")


class ExercisePanel(Panel):
    """One exercise and the answer handed in; hints and solution come only when asked for."""

    _esm = drawing("exercise", "exhibits.js")

    title = t.Unicode().tag(sync=True)
    facts = t.Unicode().tag(sync=True)                  # "medium · about 8 min"
    see = t.Unicode().tag(sync=True)                    # where in the lesson: "#Three-switches"
    verdict = t.Dict(default_value=None, allow_none=True).tag(sync=True)
    earlier = t.Unicode("").tag(sync=True)              # "Solved on 7 March 2026."
    hints = t.List().tag(sync=True)                     # those asked for so far
    hints_total = t.Int(0).tag(sync=True)
    solution_note = t.Unicode("").tag(sync=True)        # how many attempts open the solution
    code = t.Dict(default_value=None, allow_none=True).tag(sync=True)     # {title, source}
    notice = t.Unicode("").tag(sync=True)               # what the last button had to say

    def __init__(self, exercise: Exercise, answer: object):
        self.exercise, self.answer = exercise, answer
        super().__init__(title=exercise.title, see=exercise.see, hints_total=len(exercise.hint_texts),
                         facts=f"{exercise.difficulty} · about {exercise.minutes} min")
        self._recall()
        self._check()
        if self.judged.outcome == "not attempted":
            self.notice = START

    def _history(self) -> list:
        return since_reset(practice.default_store().history(self.exercise.id))

    def _recall(self) -> None:
        """What was solved and shown in earlier sessions."""
        events = self._history()
        solved = [event.at for event in events if event.outcome == "right"]
        self.earlier = f"You solved this on {day(solved[0])}." if solved else ""
        seen = sum(event.kind == "hint" for event in events)
        self.hints = list(self.exercise.hint_texts[:seen])

    def _check(self) -> None:
        self.judged: Verdict = practice.check(self.exercise, self.answer)
        self.verdict = shown(self.judged)
        self._count_attempts()

    def _count_attempts(self) -> None:
        left = practice.attempts_left(self.exercise)
        self.solution_note = (f"The solution opens after {plural(left, 'more different attempt')}."
                              if left else "The solution is open.")

    def do_check(self) -> None:
        """Judge the same answer again, as after running another cell that it uses."""
        on_main_thread(lambda: self.reply(self._check_again))

    def _check_again(self) -> None:
        self._check()
        self.notice = "Checked again. Changed your code? Then run its cell instead."

    def do_hint(self) -> None:
        """Show one hint more."""
        self.reply(self._hint)

    def _hint(self) -> None:
        practice.hint(self.exercise)
        self.hints = list(self.exercise.hint_texts[:len(self.hints) + 1])
        self.notice = ""

    def do_solution(self) -> None:
        """Show the solution, if enough was tried."""
        self.reply(self._solution)

    def _solution(self) -> None:
        words = practice.solution(self.exercise)
        if practice.attempts_left(self.exercise):
            self.notice = words
        else:
            self.code = {"title": "Solution", "source": words}
            self.notice = "The solution stands below."

    def do_reset(self) -> None:
        """Count attempts and hints from zero."""
        self.reply(self._reset)

    def _reset(self) -> None:
        self.notice = practice.reset(self.exercise) + " Your cell stays as it is."
        self.code = {"title": "The cell as it was at first", "source": self.exercise.cell("starter")}
        self.hints, self.earlier = [], ""
        self._count_attempts()

    def text(self) -> str:
        """Title, verdict, and how to get on without buttons."""
        lines = [f"Exercise: {self.title} ({self.facts})"]
        lines += [self.earlier] if self.earlier else []
        lines += [str(self.judged)]
        if self.judged.outcome == "not attempted":
            lines += [START]
        lines += [f"Hint {i} of {self.hints_total}: {hint}" for i, hint in enumerate(self.hints, start=1)]
        if not self.judged.passed:
            lines += [f'For help: load_exercise("{self.exercise.id}") has .hint(), .solution() and .reset(). '
                      f"{self.solution_note}"]
        return "\n".join(lines)


def show_exercise(exercise_id: str, answer: object) -> ExercisePanel:
    """Hand in `answer` and see what the checks say. What was attempted is recorded, an empty cell is not.

    Args:
        exercise_id: "LESSON/NAME".
        answer: your function itself, without brackets.
    Raises:
        UnknownName: no such exercise; the nearest are suggested. Nothing else, whatever the answer does.
    """
    return ExercisePanel(load_exercise(exercise_id), answer)


def not_right_yet(answers: Mapping[str, object]) -> list[str]:
    """Titles of the exercises whose answer does not pass, for a cell that puts several answers to work.

    Args:
        answers: your functions by the ids of their exercises. They are graded once more, recorded nowhere.
    """
    exercises = {load_exercise(id): answer for id, answer in answers.items()}
    return [exercise.title for exercise, answer in exercises.items() if not exercise.grade(answer).passed]

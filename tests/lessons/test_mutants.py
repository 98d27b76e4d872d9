"""Checks are tested by mutants of the solutions; the record of that and the exercises are held together."""

from __future__ import annotations

import inspect
import os
import signal
import textwrap
from collections.abc import Callable

import pytest

from course_utils.teaching import Exercise, expect
from tools.mutants import mutants
from tools.records import grade_report

EXERCISES = grade_report.exercises()
RECORDED, REVIEWED = grade_report.recorded(), grade_report.reviewed()


def each_exercise():
    return pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)


# The errors that are made

def made(body: str) -> set[str]:
    """The bodies of a function of `x`, `y` and `model` after one error."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return {textwrap.dedent("\n".join(source.splitlines()[1:]))
            for _, source in mutants(f"def f(x, y, model):\n{lines}")}


@pytest.mark.parametrize("body, errors", [
    ("return x + y", {"return x - y"}),
    ("return x < y", {"return x <= y", "return x > y"}),
    ("return x and (not y)", {"return x or not y", "return x and y"}),
    ("return 0", {"return 1", "return -1"}),
    ("return True", {"return False"}),
    ("return 0.5", {"return 0.55"}),
    ("return -x", {"return x"}),
    ("return x if y else 'no'", {"return x if not y else 'no'"}),
    ("return x[y]", {"return x"}),
    ("return x.size", {"return x"}),
    ("return [x, y]", {"return [x]", "return [y]", "return [y, x]"}),
    ("return torch.cat(x, dim=y)", {"return torch.cat(x)", "return x", "return torch.cat(y, dim=y)"}),
    ("return torch.where(x, y)", {
        "return torch.where(y, x)", "return x", "return torch.where(y, y)", "return torch.where(x, model)"}),
    ("z = [1]\nreturn f(z)", {"z = [2]\nreturn f(z)", "z = [0]\nreturn f(z)", "z = [1]\nreturn z",
                             "z = [1]\nreturn f(x)"}),
    ("return max(0, 1)", {"return min(0, 1)", "return max(1, 1)", "return max(-1, 1)", "return max(0, 2)",
                         "return max(0, 0)"}),
    ("return x.detach()", {"return x"}),
    ("model.eval()\nreturn x", {"pass\nreturn x", "model.train()\nreturn x"}),
    ("with torch.no_grad():\n    x = f(y)\nreturn x", {
        "x = f(y)\nreturn x", "pass\nreturn x", "with torch.no_grad():\n    pass\nreturn x",
        "with torch.enable_grad():\n    x = f(y)\nreturn x", "with torch.no_grad():\n    x = y\nreturn x",
        "with torch.no_grad():\n    x = f(model)\nreturn x"}),
    ("with x, torch.no_grad():\n    return y", {
        "with torch.no_grad():\n    return y", "with x:\n    return y",
        "with x, torch.enable_grad():\n    return y"}),
    ("if x:\n    y += x\nreturn y", {
        "if not x:\n    y += x\nreturn y", "if x:\n    y -= x\nreturn y", "if x:\n    pass\nreturn y",
        "pass\nreturn y"}),
    ("return f(x, 'mean')", {
        "return f(x, 'sum')", "return f('mean', x)", "return x", "return f(y, 'mean')"}),
])
def test_each_kind_of_error_is_made(body, errors):
    assert made(body) == errors


@pytest.mark.parametrize("body", [
    '"""What it does."""\nreturn "a word"', "return x", "import copy\nreturn copy", "return torch.int64",
    "z = x\nreturn z", "return zip(strict=True)", "mean = x\nreturn mean"])
def test_words_and_what_must_be_there_to_run_stay(body):
    assert not made(body)


def test_what_gives_a_name_another_value_is_left_out():
    assert made("x = y\nreturn x") == {"pass\nreturn x"}


def test_equal_errors_in_two_places_have_different_words():
    words = [change for change, _ in mutants("def f(x):\n    return g(1) + g(1)")]
    assert len(set(words)) == len(words) and {"1 → 2 in g(1)", "1 → 2 in g(1) (2)"} <= set(words)


@each_exercise()
def test_every_mutant_of_a_solution_has_words_of_its_own(exercise):
    words = [change for change, _ in mutants(exercise.solution_source())]
    assert len(words) == len(set(words)) >= 5


# What is counted

def parity(check: Callable, name: str = "parity") -> Exercise:
    """A small exercise: what is left of a number when twos are taken away. `check` is its only one."""
    exercise = Exercise(name, lesson="01_numbers", title="Parity", minutes=2, difficulty="easy",
                        objective="parity", seconds=0.2)

    @exercise.starter
    def left_over(n):
        ...

    @exercise.solved_by
    def left_over(n):                                                                   # noqa: F811
        while n > 1:
            n = n - 2
        return n

    exercise.checks("what is left")(check)
    return exercise


def strict(answer) -> None:
    expect([answer(n) for n in range(6)] == [0, 1, 0, 1, 0, 1], "Something else is left.")


def lenient(answer) -> None:
    expect(answer(3) in (0, 1), "Too much is left.")


def of_each(exercise: Exercise) -> list[str]:
    return grade_report.survivors(exercise, grade_report.functions(exercise)[0].items())


def test_mutants_that_do_wrong_raise_or_never_end_are_killed_by_a_strict_check():
    changes = grade_report.functions(parity(strict))[0]
    assert {"n - 2 → n + 2", "n = n - 2 → left out", "n > 1 → n >= 1", "while n > 1: → not"} <= set(changes)
    assert of_each(parity(strict)) == []


def test_a_lenient_check_lets_mutants_live():
    assert "n > 1 → n >= 1" not in (alive := of_each(parity(lenient))) and "2 → 3 in n = n - 2" in alive


def test_a_check_that_breaks_has_not_killed():
    def broken(answer):
        expect(1 / (answer(2) - 1) == -1, "Something else is left.")
    assert "2 → 1 in n = n - 2: our fault" in of_each(parity(broken))


def test_what_compiles_to_the_solution_or_the_starter_is_not_counted():
    exercise = parity(strict)

    @exercise.starter
    def left_over(n):
        pass
        return n

    assert "while n > 1: → left out" in grade_report.functions(parity(strict))[0]
    assert "while n > 1: → left out" not in grade_report.functions(exercise)[0]


def test_too_many_are_sampled_always_the_same_and_the_rest_is_counted(monkeypatch):
    every, none_left_out = grade_report.functions(parity(strict))
    monkeypatch.setattr(grade_report, "MOST", 4)
    some, left_out = grade_report.functions(parity(strict))
    assert none_left_out == 0 and left_out == len(every) - 4 and len(some) == 4
    assert [change for change in every if change in some] == list(grade_report.functions(parity(strict))[0])


# What an author is told

ROW = {"mutants": 20, "killed": 18, "survived": ["a", "b"]}


def test_a_row_whose_survivors_are_all_reviewed_is_fine():
    known = [{"mutant": "a"}, {"mutant": "b"}]
    assert grade_report.complaints(ROW, known) == [] and grade_report.score(ROW, known) == 1.0


@pytest.mark.parametrize("row, known, words", [
    (ROW, [{"mutant": "a"}], "full marks for “b”"),
    (ROW, [{"mutant": "a"}, {"mutant": "b"}, {"mutant": "c"}], "“c” is no mutant with full marks"),
    (ROW | {"mutants": 19}, [{"mutant": "a"}, {"mutant": "b"}], "at most one in ten"),
])
def test_what_is_wrong_with_a_row_is_said(row, known, words):
    assert words in " ".join(grade_report.complaints(row, known))


# The report

@pytest.fixture
def report(tmp_path, monkeypatch):
    """Runs the report on these exercises, with a record of its own, and gives its exit status."""
    monkeypatch.setattr(grade_report, "RECORD", tmp_path / "grade_report.json")

    def run(*exercises: Exercise, arguments: tuple[str, ...] = ()) -> int:
        monkeypatch.setattr(grade_report, "exercises", lambda: list(exercises))
        return grade_report.main(arguments)
    return run


def test_ctrl_c_keeps_what_is_done_and_the_next_run_goes_on_from_there(report, capsys):
    asked = []

    def interrupted(answer):
        asked.append(answer)
        if len(asked) == 1:
            os.kill(os.getpid(), signal.SIGINT)
        strict(answer)

    first, second = parity(strict, "first"), parity(interrupted, "second")
    assert report(first, second) == 130
    assert "goes on from there" in capsys.readouterr().out
    kept = grade_report.recorded()
    assert list(kept) == [first.id]
    assert report(first, second) == 0
    assert list(grade_report.recorded()) == [first.id, second.id]
    assert grade_report.recorded()[first.id] == kept[first.id], "not measured again"


def test_the_report_fails_and_says_why_where_a_check_is_missing(report, capsys):
    assert report(parity(strict)) == 0
    text = capsys.readouterr().out
    assert "100.0%" in text and "what is left" in text and "all 1 exercises" in text
    assert report(parity(lenient), arguments=("--all",)) == 1
    assert "01_numbers/parity: full marks for “" in capsys.readouterr().out


def test_an_exercise_that_is_gone_leaves_the_record(report):
    report(parity(strict, "first"), parity(strict, "second"))
    report(parity(strict, "second"))
    assert list(grade_report.recorded()) == ["01_numbers/second"]


def test_a_row_holds_while_its_exercise_helpers_and_kinds_of_errors_are_the_same(tmp_path):
    freezing = next(e for e in EXERCISES if e.name == "freeze-the-backbone")
    assert [file.name for file in grade_report.files_of(freezing)] == [
        "freeze_the_backbone.py", "_guards.py", "mutants.py"]
    copies = [tmp_path / file.name for file in grade_report.files_of(freezing)]
    for copy, file in zip(copies, grade_report.files_of(freezing), strict=True):
        copy.write_bytes(file.read_bytes())
    row = {"hash": grade_report.hash_of(copies)}
    assert grade_report.is_current(row, freezing) and not grade_report.is_current(None, freezing)
    for copy in copies:
        copy.write_text(copy.read_text() + "# changed\n")
        assert grade_report.hash_of(copies) != row["hash"]


# The exercises that ship

@each_exercise()
def test_every_mutant_is_killed_or_known_to_be_equivalent(exercise):
    """From the record where nothing has changed since; otherwise the mutants run now."""
    row = RECORDED.get(exercise.id)
    if not grade_report.is_current(row, exercise):
        row = grade_report.measured(exercise)
    equivalent = REVIEWED.get(exercise.id, [])
    assert grade_report.complaints(row, equivalent) == []
    assert grade_report.score(row, equivalent) >= 0.95 and row["mutants"] >= 5


@pytest.mark.full
@each_exercise()
def test_the_record_is_what_comes_out_when_it_is_run_again(exercise):
    again = grade_report.measured(exercise)
    assert grade_report.is_current(RECORDED.get(exercise.id), exercise), "run `make grade-report`"
    facts = [name for name in again if name not in ("slowest_check", "seconds")]
    assert {name: again[name] for name in facts} == {name: RECORDED[exercise.id][name] for name in facts}


@each_exercise()
def test_what_is_called_equivalent_is_shown_to_be(exercise):
    changes = grade_report.functions(exercise)[0] if exercise.id in REVIEWED else {}
    module = vars(inspect.getmodule(exercise.check_list[0].function))
    for entry in REVIEWED.get(exercise.id, []):
        assert set(entry) == {"mutant", "why", "shown_by"} and entry["why"]
        names = {"solution": exercise.solution_function, "mutant": changes[entry["mutant"]]}
        assert eval(entry["shown_by"], module | names) is True, entry


def test_the_record_and_the_reviewed_list_name_exercises_that_ship():
    shipped = {exercise.id for exercise in EXERCISES}
    assert set(REVIEWED) <= shipped and set(RECORDED) <= shipped


def test_no_check_of_the_record_took_two_seconds():
    assert RECORDED and max(row["seconds"] for row in RECORDED.values()) < 2

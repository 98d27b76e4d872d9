"""A toy exercise of numbers, and a toy lesson package that is installed as real ones are."""

from __future__ import annotations

import sys
import textwrap

import pytest

from course_utils.teaching import Exercise, expect
from course_utils.teaching.progress import ProgressStore


def make_triple(**settings) -> Exercise:
    """Return three times x: two checks, three points, one known wrong answer for each check."""
    triple = Exercise("triple", lesson="01_numbers", title="Three times", minutes=2, difficulty="easy",
                      objective="products", see="#products", **settings)

    @triple.starter
    def three_times(x):
        """Return three times `x`."""
        ...

    @triple.solved_by
    def three_times(x):     # noqa: F811
        """Three times."""
        return 3 * x        # a product

    @triple.alternative("a-sum")
    def _(x):
        return x + x + x

    @triple.wrong("added", says="{got} is {x} + 3. Multiply instead.")
    def _(x):
        return x + 3

    @triple.wrong("forgot-the-sign", says="Three times {x} is below zero.")
    def _(x):
        return abs(3 * x)

    @triple.checks("three times four", points=2)
    def _(answer):
        got = answer(4)
        expect(got != 7, mistake="added", got=got, x=4)
        expect(got == 12, f"Three times 4 is 12, but you return {got}.")

    @triple.checks("a number below zero")
    def _(answer):
        expect(answer(-2) == -6, mistake="forgot-the-sign", x=-2)

    triple.hints("Which operator multiplies?", "It is `*`.")
    return triple


@pytest.fixture
def triple() -> Exercise:
    return make_triple()


@pytest.fixture
def build_triple():
    return make_triple


@pytest.fixture
def store(tmp_path) -> ProgressStore:
    return ProgressStore(tmp_path / "progress.sqlite")


LESSON = """\
    title: Numbers
    summary: Sums and products.
    objectives:
      - {id: sums, text: "Add"}
      - {id: products, text: "Multiply"}
    questions:
      - id: two-and-two
        kind: single
        objective: sums
        see: "#sums"
        prompt: "What is 2 + 2?"
        options:
          - {text: "4", right: true, reason: "Two and two are four."}
          - {text: "22", reason: "That puts the digits side by side."}
          - {text: "0", reason: "That is 2 − 2."}
    """
EXERCISES = """\
    from course_utils.teaching import Exercise, expect

    double = Exercise("double", lesson="01_numbers", title="Twice", minutes=1, difficulty="easy",
                      objective="products", see="#products")

    @double.starter
    def twice(x):
        ...

    @double.solved_by
    def twice(x):
        return 2 * x

    @double.checks("twice three")
    def _(answer):
        expect(answer(3) == 6, "Twice 3 is 6.")
    """


@pytest.fixture
def toy_lessons(tmp_path, monkeypatch):
    """A folder of lessons, found through an entry point of its own; the shipped ones are out of sight."""
    package = "toy_lessons"
    folder = tmp_path / "site" / package
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "01_numbers.yaml").write_text(textwrap.dedent(LESSON))
    (folder / "01_numbers.py").write_text(textwrap.dedent(EXERCISES))
    (folder / "02_reading.yaml").write_text(textwrap.dedent(LESSON).replace("Numbers", "Reading"))
    installed = folder.parent / "toy-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(f"[course.toys]\ntoys = {package}\n")
    monkeypatch.syspath_prepend(folder.parent)
    monkeypatch.setattr("course_utils.teaching.content.GROUP", "course.toys")
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        del sys.modules[name]

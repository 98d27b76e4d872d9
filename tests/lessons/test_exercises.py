"""Graders are tested by wrong answers: every exercise of every lesson, found as the course finds them."""

from __future__ import annotations

import ast
import contextlib
import functools
import inspect
import re
import string
from pathlib import Path

import nbformat
import pytest
import torch
from torchvision.transforms import v2

from course_utils import lessons as shipped
from course_utils import paths
from course_utils.teaching import content
from tools.build_notebooks import exercise_id

EXERCISES = [exercise for lesson in content.lessons() for exercise in content.load_lesson(lesson).exercises()]
SEEDS = (0, 1, *(pytest.param(seed, marks=pytest.mark.full) for seed in (2, 3, 4)))


def each_exercise():
    return pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)


def each(what: str):
    """Every alternative or known wrong answer, as (exercise, its id)."""
    pairs = [(exercise, id) for exercise in EXERCISES for id in getattr(exercise, what)]
    return pytest.mark.parametrize("exercise, id", pairs, ids=[f"{e.id}:{id}" for e, id in pairs])


@functools.cache
def verdict_on_wrong(exercise, id: str):
    return exercise.grade(exercise.wrongs[id].function)


def fits(says: str, message: str) -> bool:
    """Whether `message` is `says` with its {names} filled in."""
    pieces = [re.escape(text) + (".+" if name is not None else "")
              for text, name, _, _ in string.Formatter().parse(says)]
    return re.fullmatch("".join(pieces), message, flags=re.DOTALL) is not None


def test_every_file_of_exercises_is_collected():
    """An exercise that these tests do not see is an exercise without tests."""
    folder = Path(shipped.__file__).parent
    written = {node.args[0].value
               for source in folder.rglob("*.py") for node in ast.walk(ast.parse(source.read_text()))
               if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Exercise"}
    assert written and written <= {exercise.name for exercise in EXERCISES}


@each_exercise()
def test_the_starter_is_not_attempted(exercise):
    assert exercise.grade(exercise.starter_function).outcome == "not attempted"


@pytest.mark.parametrize("seed", SEEDS)
@each_exercise()
def test_the_solution_gets_full_marks(exercise, seed):
    verdict = exercise.grade(exercise.solution_function, seed=seed)
    assert verdict.passed and verdict.score == 1.0, verdict


@pytest.mark.parametrize("seed", SEEDS)
@each("alternatives")
def test_an_alternative_gets_full_marks(exercise, id, seed):
    verdict = exercise.grade(exercise.alternatives[id], seed=seed)
    assert verdict.passed and verdict.score == 1.0, verdict


@each("wrongs")
def test_a_known_wrong_answer_gets_its_own_diagnosis(exercise, id):
    verdict = verdict_on_wrong(exercise, id)
    assert verdict.outcome in ("wrong", "partly right"), verdict
    assert verdict.mistake == id, verdict
    assert fits(exercise.wrongs[id].says, verdict.message), verdict


@each_exercise()
def test_every_check_is_why_some_wrong_answer_fails(exercise):
    reasons = set()
    for id in exercise.wrongs:
        reasons |= {next(c.name for c in verdict_on_wrong(exercise, id).checks if not c.passed)}
    assert reasons == {check.name for check in exercise.check_list}


def prepared_with(resize: v2.Transform, mean: float):
    """An answer to “Prepare a picture” with a mean that is nobody's: no check has words for that."""
    steps = v2.Compose([resize, v2.CenterCrop(224), v2.ToImage(), v2.ToDtype(torch.float32, scale=True),
                        v2.Normalize([mean] * 3, [0.5] * 3)])

    def prepare(picture):
        return steps(picture.convert("RGB"))[None]
    return prepare


def as_tokens(model, images):
    """An answer to “Read the features”: maps in the form that transformers have, (N, places, 1280)."""
    model.eval()
    with torch.inference_mode():
        return model.forward_features(images).flatten(2).transpose(1, 2)


def strongest_places(model, images):
    """Another that no check has words for, and whose behaviour is none of the known ones."""
    model.eval()
    with torch.inference_mode():
        return model.forward_features(images).amax(dim=(2, 3))


BICUBIC = v2.InterpolationMode.BICUBIC


@pytest.mark.parametrize("name, answer, mistake", [
    ("prepare-a-picture", prepared_with(v2.Resize((224, 224), BICUBIC), 0.1), "squashed"),
    ("prepare-a-picture", prepared_with(v2.Resize(224, BICUBIC), 0.1), "resized-to-the-crop"),
    ("prepare-a-picture", prepared_with(v2.Resize(256, BICUBIC), 0.1), None),
    ("extract-features", as_tokens, "not-pooled"),
    ("extract-features", strongest_places, None),
])
def test_an_answer_without_words_of_its_own_is_known_by_what_it_does(name, answer, mistake):
    exercise = content.load_exercise(f"05_feature_extraction/{name}")
    verdict = exercise.grade(answer)
    assert verdict.mistake == mistake and verdict.outcome in ("wrong", "partly right"), verdict
    like = exercise.wrongs[mistake].looks_like if mistake else ""
    assert verdict.message.endswith(f" This is what comes of it where {like}.") == bool(mistake), verdict


@pytest.mark.parametrize("exercise", [e for e in EXERCISES if e.observe], ids=lambda exercise: exercise.id)
def test_fingerprints_tell_known_wrong_answers_from_right_ones(exercise):
    right = [exercise.solution_function, *exercise.alternatives.values()]
    with (exercise.guard or contextlib.nullcontext)():
        wrong = list(exercise.known_fingerprints.values())
        assert wrong and not any(exercise.observe(answer) in wrong for answer in right)


@each_exercise()
def test_every_mistake_that_a_check_names_has_words(exercise):
    tree = ast.parse(inspect.getsource(inspect.getmodule(exercise.check_list[0].function)))
    named = {k.value.value for node in ast.walk(tree) if isinstance(node, ast.Call)
             for k in node.keywords if k.arg == "mistake" and isinstance(k.value, ast.Constant)}
    declared = {id for other in EXERCISES if other.lesson == exercise.lesson for id in other.wrongs}
    assert named <= declared


@each_exercise()
def test_an_exercise_is_complete(exercise):
    assert exercise.solution_function and exercise.check_list
    assert len(exercise.wrongs) >= 3, "at least three errors seen in practice"
    assert 1 <= len(exercise.hint_texts) <= 3
    assert exercise.see.startswith("#") and exercise.minutes > 0
    assert exercise.difficulty in ("easy", "medium", "hard")
    assert exercise.objective in {o.id for o in content.load_lesson(exercise.lesson).objectives}


@each_exercise()
def test_every_version_makes_a_cell_that_defines_the_answer(exercise):
    name = exercise.starter_function.__name__
    versions = ["starter", "solution", *(f"alternative:{id}" for id in exercise.alternatives),
                *(f"wrong:{id}" for id in exercise.wrongs)]
    for version in versions:
        body = ast.parse(exercise.cell(version)).body
        assert [type(part) for part in body] == [ast.FunctionDef, ast.Expr], version
        assert body[0].name == name and ast.unparse(body[1]) == f"show_exercise('{exercise.id}', {name})"


@pytest.mark.parametrize("lesson", content.lessons())
def test_exercises_come_in_the_order_of_the_notebook(lesson):
    cells = nbformat.read(paths.notebooks() / content.notebook_of(lesson), as_version=4).cells
    assert [exercise.id for exercise in EXERCISES if exercise.lesson == lesson] == [
        id for id in map(exercise_id, cells) if id]


@pytest.mark.parametrize("lesson", content.lessons())
def test_the_outline_read_from_source_is_what_importing_gives(lesson):
    imported = [(e.id, e.title, e.objective, e.see) for e in content.load_lesson(lesson).exercises()]
    outline = [(i.id, i.title, i.objective, i.see) for i in content.items(lesson) if i.kind == "exercise"]
    assert outline == imported

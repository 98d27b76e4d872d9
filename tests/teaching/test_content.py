"""Lessons are found by their entry points, as those of any installed package would be."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from course_utils.errors import CourseError, UnknownName
from course_utils.teaching import content


def test_lessons_are_the_yaml_files_of_packages_that_offer_them(toy_lessons):
    assert content.lessons() == ["01_numbers", "02_reading"]


def test_the_shipped_lessons_are_found_too():
    assert content.load_lesson("05_feature_extraction").title == "Feature extraction"


def test_a_package_says_what_follows_its_lessons_in_which_order_and_in_which_folder(toy_lessons):
    for name in ("about", "practice"):
        shutil.copy(toy_lessons / "02_reading.yaml", toy_lessons / f"{name}.yaml")
    by_name = ["01_numbers", "02_reading", "about", "practice"]
    assert content.lessons() == by_name, "where the package says nothing"
    package = sys.modules["toy_lessons"]
    package.AFTER_THE_LESSONS = ("exercises/practice", "exercises/not_yet_written", "about")
    assert content.lessons() == ["01_numbers", "02_reading", "practice", "about"]
    assert content.notebook_of("01_numbers") == "01_numbers.ipynb"
    assert content.load_lesson("practice").notebook == "exercises/practice.ipynb"
    assert sorted(["unknown", "about", "practice"], key=content.position) == ["practice", "about", "unknown"]


@pytest.mark.parametrize("lesson, name", [
    ("05_numbers", "05 · Numbers"), ("conceptual", "Numbers"), ("coding_1_compare_models", "Numbers")])
def test_a_lesson_is_called_by_its_number_if_it_has_one(lesson, name):
    assert content.called(lesson, "Numbers") == name


def test_a_lesson_says_what_it_is_about(toy_lessons):
    lesson = content.load_lesson("01_numbers")
    assert (lesson.title, lesson.summary, lesson.needs_download_mb) == ("Numbers", "Sums and products.", 0)
    assert [objective.text for objective in lesson.objectives] == ["Add", "Multiply"]


def test_an_exercise_is_found_by_its_id(toy_lessons):
    exercise = content.load_exercise("01_numbers/double")
    assert exercise.id == "01_numbers/double" and exercise.grade(lambda x: x + x).passed


def test_a_lesson_may_have_no_exercises(toy_lessons):
    assert content.load_lesson("02_reading").exercises() == ()


def test_a_lesson_whose_exercises_cannot_be_imported_is_not_empty_in_silence(toy_lessons):
    (toy_lessons / "02_reading.py").write_text("import no_such_module_anywhere")
    with pytest.raises(ModuleNotFoundError, match="no_such_module_anywhere"):
        content.load_lesson("02_reading").exercises()


def test_an_exercise_borrowed_from_another_lesson_is_not_this_ones(toy_lessons):
    (toy_lessons / "02_reading.py").write_text(
        "import importlib\ndouble = importlib.import_module('toy_lessons.01_numbers').double\n")
    assert content.load_lesson("02_reading").exercises() == ()


@pytest.mark.parametrize("load, name, suggestion", [
    (content.load_lesson, "01_number", "01_numbers"), (content.load_quiz, "1_numbers", "01_numbers"),
    (content.load_exercise, "01_numbers/dubble", "01_numbers/double"),
    (content.load_exercise, "double", "lesson"), (content.load_exercise, None, "lesson")])
def test_an_unknown_name_suggests_the_nearest(toy_lessons, load, name, suggestion):
    with pytest.raises(UnknownName, match=suggestion):
        load(name)


def test_items_are_questions_then_exercises(toy_lessons):
    assert [(item.id, item.kind, item.objective) for item in content.items("01_numbers")] == [
        ("01_numbers/two-and-two", "question", "sums"), ("01_numbers/double", "exercise", "products")]


def test_items_of_a_folder_of_exercises_come_in_the_order_of_its_init(toy_lessons):
    folder = toy_lessons / "01_numbers"
    folder.mkdir()
    source = (toy_lessons / "01_numbers.py").read_text()
    (toy_lessons / "01_numbers.py").unlink()
    (folder / "b.py").write_text(source)
    (folder / "a.py").write_text(source.replace("double", "halve"))
    (folder / "__init__.py").write_text(
        "from .a import halve\nfrom .b import double\nEXERCISES = (double, halve)\n")
    expected = ["01_numbers/double", "01_numbers/halve"]
    assert [item.id for item in content.items("01_numbers") if item.kind == "exercise"] == expected
    assert [exercise.id for exercise in content.load_lesson("01_numbers").exercises()] == expected


def test_two_packages_with_one_lesson_are_refused(toy_lessons):
    (toy_lessons / "05_feature_extraction.yaml").write_text("title: x")
    installed = toy_lessons.parent / "toy-1.0.dist-info" / "entry_points.txt"
    installed.write_text(installed.read_text() + "shipped = course_utils.lessons\n")
    with pytest.raises(CourseError, match="Two packages"):
        content.lessons()


def test_looking_at_the_items_of_every_lesson_imports_no_exercise_and_no_torch():
    code = ("import sys; from course_utils.teaching import items, lessons\n"
            "found = [item.kind for lesson in lessons() for item in items(lesson)]\n"
            "assert 'exercise' in found and 'question' in found\n"
            "print('torch' in sys.modules)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_importing_the_engine_leaves_the_database_and_the_validator_for_later():
    code = ("import sys, course_utils.teaching as teaching\n"
            "print(sorted({'sqlalchemy', 'pydantic', 'yaml', 'torch', 'numpy'} & set(sys.modules)))\n"
            "teaching.ProgressStore; print('sqlalchemy' in sys.modules)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "True"]

"""Copies of lessons: missing ones come, untouched ones follow, changed ones are never overwritten."""

from __future__ import annotations

import json

import pytest

from course_utils import lessons, paths
from course_utils.cli import copies
from course_utils.errors import CourseError, UnknownName

LESSON = "05_feature_extraction"
FILE = f"{LESSON}.ipynb"


@pytest.fixture
def copied(shipped, work):
    """Lessons that were copied once."""
    copies.bring_up_to_date()
    return work


def kinds(changes) -> dict[str, str]:
    return {change.lesson: change.kind for change in changes}


def files(folder) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


# Copying

def test_every_lesson_is_copied_without_its_outputs(shipped, work):
    assert set(kinds(copies.bring_up_to_date()).values()) == {"new"}
    assert files(work) == {"00_start_here.ipynb", FILE, "exercises/learning_rates.ipynb", copies.MANIFEST}
    for cell in json.loads((work / FILE).read_text())["cells"]:
        assert cell["outputs"] == [] and cell["execution_count"] is None
    assert json.loads((shipped / FILE).read_text())["cells"][0]["outputs"]      # the shipped one is as it was


def test_a_second_time_changes_nothing(copied):
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in copied.rglob("*.ipynb")}
    assert copies.bring_up_to_date() == []
    assert before == {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in copied.rglob("*.ipynb")}


def test_a_deleted_copy_comes_back(copied):
    (copied / FILE).unlink()
    assert kinds(copies.bring_up_to_date()) == {LESSON: "new"}


def test_lessons_come_in_the_order_of_the_course_not_of_the_alphabet(shipped, monkeypatch):
    assert copies.shipped() == ["00_start_here.ipynb", FILE, "exercises/learning_rates.ipynb"]
    monkeypatch.setattr(lessons, "AFTER_THE_LESSONS", (LESSON, "00_start_here"))
    assert copies.shipped() == [FILE, "00_start_here.ipynb", "exercises/learning_rates.ipynb"]


def test_the_real_lessons_can_be_copied(work):
    copies.bring_up_to_date()
    real = {path.relative_to(paths.notebooks()).as_posix() for path in paths.notebooks().rglob("*.ipynb")}
    assert "00_start_here.ipynb" in real and real <= files(work)


# A newer lesson

def test_an_untouched_copy_follows_a_newer_lesson(shipped, copied, notebook_text):
    (shipped / FILE).write_text(notebook_text("first", "newer"))
    assert kinds(copies.bring_up_to_date()) == {LESSON: "updated"}
    assert "newer" in (copied / FILE).read_text()


def test_running_a_lesson_is_not_changing_it(shipped, copied, notebook_text):
    """Outputs, counts, metadata, and the empty cell that JupyterLab adds after the last."""
    (copied / FILE).write_text(notebook_text("first", f"# {LESSON}", "", run=True))
    (shipped / FILE).write_text(notebook_text("first", "newer"))
    assert kinds(copies.bring_up_to_date()) == {LESSON: "updated"}


@pytest.mark.parametrize("mine", [("first", "my answer"), (f"# {LESSON}", "first"), ("first",),
                                  ("first", f"# {LESSON}", "one more")])
def test_a_changed_copy_stays_and_the_newer_lesson_lies_beside_it(shipped, copied, notebook_text, mine):
    mine = notebook_text(*mine)
    (copied / FILE).write_text(mine)
    (shipped / FILE).write_text(notebook_text("first", "newer"))
    changes = copies.bring_up_to_date()
    assert kinds(changes) == {LESSON: "beside"}
    assert (copied / FILE).read_text() == mine
    assert "newer" in (copied / f"{LESSON}.new.ipynb").read_text()
    assert f"{LESSON}.new.ipynb" in " ".join(copies.in_words(changes))


def test_a_newer_lesson_is_told_of_once(shipped, copied, notebook_text):
    (copied / FILE).write_text(notebook_text("my answer"))
    (shipped / FILE).write_text(notebook_text("newer"))
    assert copies.bring_up_to_date()
    (copied / f"{LESSON}.new.ipynb").unlink()           # seen, and not wanted
    assert copies.bring_up_to_date() == [] and not (copied / f"{LESSON}.new.ipynb").exists()


def test_the_next_newer_lesson_is_told_of_again(shipped, copied, notebook_text):
    (copied / FILE).write_text(notebook_text("my answer"))
    for version in ("newer", "newest"):
        (shipped / FILE).write_text(notebook_text(version))
        assert kinds(copies.bring_up_to_date()) == {LESSON: "beside"}
    assert "newest" in (copied / f"{LESSON}.new.ipynb").read_text()
    assert not (copied / f"{LESSON}.new-2.ipynb").exists()


def test_work_in_the_newer_lesson_is_not_overwritten_either(shipped, copied, notebook_text):
    (copied / FILE).write_text(notebook_text("my answer"))
    (shipped / FILE).write_text(notebook_text("newer"))
    copies.bring_up_to_date()
    (copied / f"{LESSON}.new.ipynb").write_text(notebook_text("newer", "my answer here"))
    (shipped / FILE).write_text(notebook_text("newest"))
    copies.bring_up_to_date()
    assert "my answer here" in (copied / f"{LESSON}.new.ipynb").read_text()
    assert "newest" in (copied / f"{LESSON}.new-2.ipynb").read_text()


def test_taking_the_newer_lesson_makes_it_follow_again(shipped, copied, notebook_text):
    (copied / FILE).write_text(notebook_text("my answer"))
    (shipped / FILE).write_text(notebook_text("newer"))
    copies.bring_up_to_date()
    (copied / f"{LESSON}.new.ipynb").replace(copied / FILE)
    assert copies.bring_up_to_date() == []
    (shipped / FILE).write_text(notebook_text("newest"))
    assert kinds(copies.bring_up_to_date()) == {LESSON: "updated"}


# What may be broken

@pytest.mark.parametrize("manifest", [None, "{ torn", '{"copied": 1, "offered": 2}', "[]"])
def test_without_a_readable_manifest_nothing_is_overwritten(shipped, copied, notebook_text, manifest):
    mine = notebook_text("my answer")
    (copied / FILE).write_text(mine)
    if manifest is None:
        (copied / copies.MANIFEST).unlink()
    else:
        (copied / copies.MANIFEST).write_text(manifest)
    assert kinds(copies.bring_up_to_date()) == {LESSON: "beside"}
    assert (copied / FILE).read_text() == mine
    (shipped / "00_start_here.ipynb").write_text(notebook_text("newer"))     # its copy was recognised
    assert kinds(copies.bring_up_to_date()) == {"00_start_here": "updated"}


@pytest.mark.parametrize("torn", [b"", b"{ torn", b'{"cells": 3}', b"\xff\xfe"])
def test_a_copy_that_is_no_notebook_any_more_is_kept(shipped, copied, notebook_text, torn):
    (copied / FILE).write_bytes(torn)
    (shipped / FILE).write_text(notebook_text("newer"))
    assert kinds(copies.bring_up_to_date()) == {LESSON: "beside"}
    assert (copied / FILE).read_bytes() == torn


def test_a_folder_that_cannot_be_written_is_named(shipped, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COURSE_WORK", str(tmp_path / "file" / "my_work"))
    with pytest.raises(CourseError, match=r"cannot be written.*COURSE_WORK"):
        copies.bring_up_to_date()


def test_an_interrupted_copy_leaves_the_old_one_whole(shipped, copied, notebook_text, monkeypatch):
    before = (copied / FILE).read_bytes()
    (shipped / FILE).write_text(notebook_text("newer"))

    def interrupted(*_):
        raise KeyboardInterrupt
    monkeypatch.setattr(copies.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        copies.bring_up_to_date()
    assert (copied / FILE).read_bytes() == before
    assert not list(copied.glob("*.partial")) and not list(copied.glob(".*.partial"))


def test_the_shipped_lessons_are_no_place_to_work(shipped, monkeypatch):
    for place in (shipped, shipped / "mine"):
        monkeypatch.setenv("COURSE_WORK", str(place))
        with pytest.raises(CourseError, match="Name another folder"):
            copies.bring_up_to_date()


def test_a_checkout_without_lessons_says_how_to_get_them(tmp_path, work, monkeypatch):
    monkeypatch.setattr(paths, "notebooks", lambda: tmp_path / "nothing")
    with pytest.raises(CourseError, match="git checkout -- notebooks"):
        copies.bring_up_to_date()


# Reset

@pytest.mark.parametrize("name", ["05", "5", LESSON, FILE, "05_feat", "feature"])
def test_reset_gives_a_fresh_copy_and_keeps_the_old_one(copied, notebook_text, name):
    mine = notebook_text("my answer")
    (copied / FILE).write_text(mine)
    fresh, old = copies.reset(name)
    assert fresh == copied / FILE and "first" in fresh.read_text()
    assert old.parent == copied / ".old" and old.name.startswith(f"{LESSON}-") and old.read_text() == mine


def test_resetting_twice_keeps_both(copied, notebook_text):
    kept = {}
    for answer in ("one answer", "another answer"):
        (copied / FILE).write_text(notebook_text(answer))
        kept[answer] = copies.reset("05")[1]
    assert all(answer in old.read_text() for answer, old in kept.items())


def test_a_fresh_copy_follows_newer_lessons(shipped, copied, notebook_text):
    (copied / FILE).write_text(notebook_text("my answer"))
    copies.reset("05")
    (shipped / FILE).write_text(notebook_text("newer"))
    assert kinds(copies.bring_up_to_date()) == {LESSON: "updated"}


def test_a_lesson_never_copied_can_be_reset(shipped, work):
    fresh, old = copies.reset("05")
    assert fresh.exists() and old is None


@pytest.mark.parametrize("name", ["learning_rates", "learning", "exercises/learning_rates",
                                  "exercises/learning_rates.ipynb"])
def test_a_lesson_in_a_folder_keeps_its_folder(copied, name):
    fresh, old = copies.reset(name)
    assert fresh == copied / "exercises" / "learning_rates.ipynb"
    assert old.parent == copied / ".old" / "exercises"


def test_an_unknown_lesson_is_refused_with_the_nearest(copied):
    with pytest.raises(UnknownName, match="Did you mean '05_feature_extraction'"):
        copies.reset("05_feature_extrction")
    with pytest.raises(UnknownName, match="00_start_here"):
        copies.reset("7")
    with pytest.raises(CourseError, match="00_start_here or 05_feature_extraction or learning_rates"):
        copies.reset("r")

"""What DESIGN says a study costs is what was measured, shortfalls included."""

from __future__ import annotations

import json

import pytest

from course_utils import paths


@pytest.fixture(scope="module")
def results() -> dict:
    return json.loads((paths.results() / "study.json").read_text(encoding="utf-8"))["results"]


@pytest.fixture(scope="module")
def said() -> str:
    text = (paths.repository() / "DESIGN.md").read_text(encoding="utf-8")
    return next(part for part in text.split("\n\n") if part.startswith("**What a study costs"))


def test_the_whole_plan_was_run(results, said):
    plan = results["plan"]
    assert (plan["runs"], plan["failures"]) == (120, 0)
    assert f"{plan['whole_seconds']:.0f} s" in said and f"{plan['computing']:.0f} s of one core" in said


def test_the_textbook_loop_did_the_same_runs(results, said):
    found = results["textbook"]
    assert found["runs"] == len(found["accuracy"]) == 20
    assert found["times_faster"] == pytest.approx(found["textbook_seconds"] / found["study_seconds"], abs=0.1)
    for words in (f"{found['study_seconds']:.0f} s", f"{found['textbook_seconds']:.0f} s",
                  f"{found['times_faster']} times"):
        assert words in said


def test_the_study_is_nowhere_far_behind_the_loop_but_from_scratch(results):
    """One seed: nothing is claimed of who is better."""
    for run, found in results["textbook"]["accuracy"].items():
        assert " scratch " in run or found["study"] > found["textbook"] - 0.03, run


def test_two_workers_are_nearly_twice_as_fast_and_what_breaks_first_is_said(results, said):
    found = results["cluster"]
    paper = found["on_paper"]
    one, two = found["one_worker_seconds"], found["two_workers_seconds"]
    assert found["equal_runs"] >= 16 and found["of_ideal"] == pytest.approx(one / two / 2, abs=0.005)
    assert found["of_ideal"] >= 0.8 and (paper["runs"], paper["workers"]) == (1000, 50)
    for words in (f"{one:.0f} s on one", f"{two:.0f} on two", f"{found['of_ideal']:.2f} of ideal",
                  f"{paper['seconds']:.0f} s", f"{paper['begin_seconds']:.0f} s of them",
                  f"{paper['workers_kept_busy']:,} workers",
                  f"{paper['workers_kept_busy_while_watching']:,} while"):
        assert words in said

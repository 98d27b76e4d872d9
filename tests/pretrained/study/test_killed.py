"""A study that is killed at any moment and run again ends with what an undisturbed one found."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import psutil
import pytest

from course_utils.errors import CourseError
from course_utils.pretrained import Study
from tests.pretrained.forks import orders
from tests.pretrained.study.conftest import FOUND


@pytest.fixture(scope="module")
def order(tmp_path_factory):
    """Start a study in a process of its own, kill it after some seconds, and hear what became of it."""
    patch = pytest.MonkeyPatch()
    patch.setenv("COURSE_CACHE", str(tmp_path_factory.mktemp("cache")))
    with orders(Path(__file__).with_name("killable_study.py")) as give:
        yield give
    patch.undo()


@pytest.fixture(scope="module")
def undisturbed(order, tmp_path_factory):
    """What the study finds, and the seconds it takes."""
    file = tmp_path_factory.mktemp("undisturbed") / "study.jsonl"
    seconds = order(file)["seconds"]
    return Study.open(file).results()[FOUND], seconds


def kill_and_run_again(order, undisturbed, file: Path, kills: int, rng: random.Random) -> None:
    """Kill it at moments drawn from its length, and go on; where it was quicker, begin another."""
    results, seconds = undisturbed
    done = 0
    while done < kills:
        killed = order(file, kill_after=rng.uniform(0.02, 0.6) * seconds)["killed"]
        done += killed
        if not killed:
            assert Study.open(file).results()[FOUND].equals(results)
            shutil.rmtree(file.parent)
    order(file)
    assert Study.open(file).results()[FOUND].equals(results)


def test_killed_three_times_it_finds_the_same(order, undisturbed, tmp_path):
    kill_and_run_again(order, undisturbed, tmp_path / "killed" / "study.jsonl", 3, random.Random(0))


@pytest.mark.full
@pytest.mark.parametrize("seed", range(1, 6))
def test_killed_at_twenty_moments_it_finds_the_same(order, undisturbed, tmp_path, seed):
    """Four in each of five studies."""
    kill_and_run_again(order, undisturbed, tmp_path / "killed" / "study.jsonl", 4, random.Random(seed))


def end_a_worker() -> None:
    """SIGKILL for one of joblib's worker processes, as the system does when memory runs out."""
    workers = [process for process in psutil.Process().children()
               if any("popen_loky" in part for part in process.cmdline())]
    workers[0].kill()


def test_a_worker_that_the_system_ends_is_said_and_what_is_done_is_kept(small):
    study, came = small(seeds=range(8)), []

    def end_one(so_far):
        if not came:
            end_a_worker()
        came.append(len(so_far))

    with pytest.raises(CourseError, match=r"The system ended a worker .* fewer than 2 workers, workers=1"):
        study.run(workers=2, on_result=end_one)
    assert 0 < len(study.results()) < 16
    assert len(study.run(workers=1)) == 16

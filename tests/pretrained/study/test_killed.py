"""A study that is killed at any moment and run again ends with what an undisturbed one found."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from course_utils import paths
from course_utils.pretrained import Study

FOUND = ["strategy", "share", "seed", "accuracy", "loss", "low", "high", "n_train", "n_test"]
PROGRAM = [sys.executable, "-m", "tests.pretrained.study.killable_study"]


def start(file: Path, cache: Path) -> subprocess.Popen:
    return subprocess.Popen([*PROGRAM, str(file)], cwd=paths.repository(), start_new_session=True,
                            env=os.environ | {"COURSE_CACHE": str(cache), "TQDM_DISABLE": "1"},
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What the study finds, and the seconds it takes."""
    folder = tmp_path_factory.mktemp("undisturbed")
    begin = time.monotonic()
    assert start(folder / "study.jsonl", folder / "cache").wait() == 0
    return Study.open(folder / "study.jsonl").results()[FOUND], time.monotonic() - begin


def killed_and_run_again(tmp_path: Path, kills: int, seconds: float, seed: int):
    """Kill it, with its workers, at moments drawn from its whole length; each next one goes on."""
    file, rng, ended = tmp_path / "study.jsonl", random.Random(seed), 0
    for _ in range(kills):
        running = start(file, tmp_path / "cache")
        try:
            running.wait(rng.uniform(0.3, 1) * seconds)
            ended += 1
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
    assert start(file, tmp_path / "cache").wait() == 0
    return Study.open(file), ended


def test_killed_and_run_again_it_finds_the_same(tmp_path, undisturbed):
    results, seconds = undisturbed
    study, ended = killed_and_run_again(tmp_path, 3, seconds, seed=0)
    assert study.results()[FOUND].equals(results) and ended < 3


@pytest.mark.full
def test_killed_at_twenty_moments_it_finds_the_same(tmp_path, undisturbed):
    results, seconds = undisturbed
    for round_ in range(5):         # a study is done after a few kills: so several, four kills each
        study, _ = killed_and_run_again(tmp_path / str(round_), 4, seconds, seed=round_ + 1)
        assert study.results()[FOUND].equals(results)

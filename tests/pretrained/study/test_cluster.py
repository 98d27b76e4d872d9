"""The same study on a real Dask cluster of this machine: the same results, also where a worker is lost."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from course_utils.errors import CourseError
from course_utils.pretrained import Study
from tests.pretrained.study.clusters import Cluster
from tests.pretrained.study.conftest import FOUND


@pytest.fixture
def cluster(tmp_path):
    pytest.importorskip("distributed", reason="Dask is not installed")
    made = Cluster(tmp_path)
    try:
        yield made
    finally:
        made.close()


def test_a_cluster_finds_the_same_though_a_worker_is_lost(small, cluster):
    plan = {"strategies": ["probe", "partial"], "shares": [1.0]}
    here = small("here.jsonl", **plan).run(workers=1)
    cluster.add_worker(), cluster.add_worker()
    lost = []

    def lose_a_worker(so_far):
        """One that is at work just then: the first time there is one when a result comes in."""
        if not lost and (busy := cluster.busy()):
            worker, lost[:] = next(iter(busy.items()))
            os.killpg(worker, signal.SIGKILL)

    study = small("there.jsonl", **plan)
    there = study.run(scheduler=cluster.address, on_result=lose_a_worker)
    assert len(lost) == 1, "it was killed in the middle of a run"
    assert there[FOUND].equals(here[FOUND])
    lines = Path(study.path).read_text().count('{"run"')
    assert lines == len(here), "nothing is counted twice"


def test_a_scheduler_that_is_not_there_is_said(small, monkeypatch):
    monkeypatch.setattr("course_utils.pretrained.study.workers.REACH_SECONDS", 1)
    with pytest.raises(CourseError, match="cannot be reached"):
        small().run(scheduler="tcp://127.0.0.1:1")


def test_a_scheduler_without_workers_is_said(small, cluster, monkeypatch):
    monkeypatch.setattr("course_utils.pretrained.study.workers.REACH_SECONDS", 1)
    with pytest.raises(CourseError, match="has no workers"):
        small().run(scheduler=cluster.address)


@pytest.mark.full
def test_a_scheduler_that_dies_leaves_what_is_done(small, cluster):
    cluster.add_worker()
    study = small(seeds=[0, 1, 2])

    def end_the_scheduler(so_far):
        if cluster.scheduler.poll() is None:
            os.killpg(cluster.scheduler.pid, signal.SIGKILL)
            cluster.scheduler.wait()

    with pytest.raises(CourseError, match="has ended"):
        study.run(scheduler=cluster.address, on_result=end_the_scheduler)
    assert 0 < len(study.results()) < 6
    assert len(study.run(workers=1)) == 6


@pytest.mark.full
def test_a_worker_without_the_pictures_says_so(small, cluster, tmp_path):
    """The folder is there for whoever asks, and not for the worker."""
    from PIL import Image

    own = tmp_path / "own"
    for split in ("train", "val", "test"):
        for name, light in [("dark", 0), ("light", 200)]:
            (own / split / name).mkdir(parents=True)
            for number in range(3):
                picture = Image.new("RGB", (40, 40), (light, light, 9 * number))
                picture.save(own / split / name / f"{number}.png")
    cluster.add_worker()
    study = Study(tmp_path / "study.jsonl", datasets=[f"folder:{own}", "faces"], strategies=["probe"],
                  shares=[1.0], seeds=[0, 1], size=32, steps=1)

    def hide(so_far):
        if own.exists():
            own.rename(tmp_path / "elsewhere")

    study.run(scheduler=cluster.address, on_result=hide)
    assert all("does not exist" in failure.reason for failure in study.failures)

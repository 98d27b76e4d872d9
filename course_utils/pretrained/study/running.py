"""One run of a study, from its row to its record. What comes out depends on nothing else."""

from __future__ import annotations

import hashlib
import os
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from course_utils.errors import CourseError, first_line
from course_utils.pretrained.data.datasets import load_dataset
from course_utils.pretrained.data.images import ImageData, Images
from course_utils.pretrained.data.randomness import seeded
from course_utils.pretrained.inference.processor import one_thread
from course_utils.pretrained.study.plan import Row
from course_utils.pretrained.study.records import Record
from course_utils.pretrained.study.strategies import STRATEGIES, drawn

LOOK_EVERY = 0.02       # seconds between looks at the memory
_one_at_a_time = threading.Lock()       # torch's threads and random numbers belong to the whole process


@dataclass(frozen=True)
class Failure:
    """A run that could not be done, and why."""

    row: Row
    reason: str


def attempt(row: Row, pictures: str) -> Record | Failure:
    """`run_row`, with what went wrong in words: one bad run must not end the others."""
    try:
        return run_row(row, pictures)
    except CourseError as error:
        return Failure(row, str(error))
    except Exception as error:          # a library's own; the study goes on, and says so at its end
        return Failure(row, f"{type(error).__name__}: {first_line(error)}")


def run_row(row: Row, pictures: str) -> Record:
    """Do one run on one thread, so that it gives the same bits however many run beside it.

    Args:
        pictures: the digest that the data set must have here.
    Raises:
        CourseError: the data set is not here or holds other pictures, the model is not here, or training
            diverged.
    """
    with _one_at_a_time, one_thread(), seeded("study", row.seed), _watched_memory() as memory:
        start = time.perf_counter()
        data = load_dataset(row.dataset)
        if digest(data) != pictures:
            raise CourseError(f"The data set {row.dataset!r} holds other pictures here, or at this moment, "
                              "than when the study began. Every worker needs the same ones.")
        chosen = drawn(data.train, row.share, row.seed)
        metrics, seen = STRATEGIES[row.strategy](row, data, chosen)
        seconds = time.perf_counter() - start
    from scipy.stats import binomtest  # half a second, which only studies should wait for

    interval = binomtest(round(metrics.accuracy * metrics.n), metrics.n).proportion_ci(0.95, "wilson")
    return Record(row=row, pictures=pictures, n_train=len(chosen), n_test=metrics.n,
                  accuracy=metrics.accuracy, low=interval.low, high=interval.high, loss=metrics.loss,
                  seconds=round(seconds, 3), peak_mib=memory.peak_mib,
                  images_per_second=round(seen / seconds, 1))


def digest(data: ImageData) -> str:
    """The same text for the same pictures on any machine: names and sizes of files, or pixels in memory."""
    parts = [[_about(images, position) for position in range(len(images))] for images in data.splits()]
    if not os.path.exists(data.train.paths[0]):         # pictures in memory; see Images.fingerprint
        parts = [images.fingerprint for images in data.splits()]
    return hashlib.sha256(repr((data.classes, parts)).encode("utf-8", "surrogateescape")).hexdigest()[:12]


def machine_in_words() -> str:
    """What seconds and memory are those of; nothing that names the machine."""
    memory = round(psutil.virtual_memory().total / 2**30)
    return f"{platform.system()}, {platform.machine()}, {os.cpu_count()} cores, {memory} GiB"


def _about(images: Images, position: int) -> tuple:
    path = Path(images.paths[position])
    return images.labels[position], path.name, path.stat().st_size if path.exists() else None


class _Memory:
    peak_mib = 0


@contextmanager
def _watched_memory() -> Iterator[_Memory]:
    """The largest resident memory of this process while the block runs."""
    process, done, memory = psutil.Process(), threading.Event(), _Memory()

    def look() -> None:
        memory.peak_mib = max(memory.peak_mib, process.memory_info().rss // 2**20)

    def watch() -> None:
        while not done.wait(LOOK_EVERY):
            look()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield memory
    finally:
        look()
        done.set()
        watcher.join()

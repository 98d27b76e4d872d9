"""Who does the runs: processes of this machine, or the workers of a Dask cluster. Both through joblib."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psutil
from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky.process_executor import BrokenProcessPool

from course_utils.errors import CourseError
from course_utils.pretrained.study.plan import Row
from course_utils.pretrained.study.records import Record
from course_utils.pretrained.study.running import Failure, attempt

REACH_SECONDS = 10
ROOM_FOR_ONE = 1.5 * 2**30      # bytes that a run of the bundled models needs at most, its libraries included
Job = tuple[Row, str]           # and the digest of its data set


def here(jobs: Sequence[Job], workers: int | None = None) -> Iterator[Record | Failure]:
    """Results as they come, from processes of this machine with one thread each.

    Args:
        workers: None is one for each core, fewer where memory is short.
    Raises:
        CourseError: the system ended a worker.
    """
    count = min(len(jobs), workers or how_many())
    try:
        with _quiet(), parallel_config(backend="loky", inner_max_num_threads=1):
            yield from _shared_out(jobs, count)
    except BrokenProcessPool as error:
        raise CourseError("The system ended a worker of the study, most likely because memory ran out. What "
                          f"is done is kept: run again with fewer than {count} workers, workers=1."
                          ) from error


def how_many() -> int:
    """One worker for each core, as far as free memory reaches."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, int(psutil.virtual_memory().available // ROOM_FOR_ONE)))


def on_cluster(jobs: Sequence[Job], address: str) -> Iterator[Record | Failure]:
    """Results as they come, from the workers of the Dask scheduler at `address`. A lost worker's run is
    given to another.

    Raises:
        CourseError: Dask is not installed, the scheduler cannot be reached, or it ended.
    """
    try:
        from distributed import Client
    except ImportError:
        raise CourseError("A study on a cluster needs Dask. In the course's environment, type: "
                          "python -m pip install 'distributed>=2024.1'") from None
    try:
        client = Client(address, timeout=REACH_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise CourseError(f"The Dask scheduler at {address!r} cannot be reached ({error}). Start one with "
                          "`dask scheduler`, and workers with `dask worker ADDRESS --nthreads 1`; or leave "
                          "scheduler out to run here.") from None
    with client:
        try:
            with parallel_config(backend="dask", client=client, wait_for_workers_timeout=REACH_SECONDS):
                yield from _shared_out(jobs, None)
        except CourseError:
            raise
        except Exception as error:          # comm errors, cancelled futures, killed workers: Dask has many
            raise CourseError(f"The cluster at {address!r} stopped answering ({type(error).__name__}: "
                              f"{error}). What is done is kept: run again.") from error


def _shared_out(jobs: Sequence[Job], count: int | None) -> Iterator[Record | Failure]:
    runs = (delayed(attempt)(row, pictures) for row, pictures in jobs)
    yield from Parallel(n_jobs=count, return_as="generator_unordered", batch_size=1)(runs)


@contextmanager
def _quiet() -> Iterator[None]:
    """Workers started meanwhile draw no progress bars: the study has its own."""
    before = os.environ.get("TQDM_DISABLE")
    os.environ["TQDM_DISABLE"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["TQDM_DISABLE"]
        else:
            os.environ["TQDM_DISABLE"] = before

"""Who does the runs: processes of this machine, through joblib, or the workers of a Dask cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psutil
from joblib import Parallel, cpu_count, delayed, parallel_config
from joblib.externals.loky.process_executor import BrokenProcessPool

from course_utils.errors import CourseError, first_line
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
    count, came = min(len(jobs), workers or how_many()), 0
    ended = CourseError("The system ended a worker of the study, most likely because memory ran out. What is "
                        f"done is kept: run again with fewer than {count} workers, workers=1.")
    try:
        with _quiet(), parallel_config(backend="loky", inner_max_num_threads=1):
            for result in Parallel(n_jobs=count, return_as="generator_unordered", batch_size=1)(
                    delayed(_attempt)(job) for job in jobs):
                came += 1
                yield result
    except BrokenProcessPool as error:
        raise ended from error
    if came < len(jobs):        # joblib stops without a word if it looks just before it knows the reason
        raise ended


def how_many() -> int:
    """One worker for each core, as far as free memory reaches."""
    return max(1, min(cpu_count(), int(psutil.virtual_memory().available // ROOM_FOR_ONE)))


def on_cluster(jobs: Sequence[Job], address: str) -> Iterator[Record | Failure]:
    """Results as they come, from the workers of the Dask scheduler at `address`.

    The run of a worker that is lost is given to another. This asks Dask itself, because joblib computes here
    where a cluster has but one thread.

    Raises:
        CourseError: Dask is not installed, the scheduler cannot be reached, has no workers, or ended.
    """
    client = _reach(address)
    with client:
        from distributed import as_completed

        try:
            client.wait_for_workers(1, timeout=REACH_SECONDS)
        except TimeoutError:
            raise CourseError(f"The Dask scheduler at {address!r} has no workers. Start some: "
                              f"dask worker {address} --nthreads 1") from None
        futures = dict(zip(client.map(_attempt, jobs, pure=False), jobs, strict=True))
        for future in as_completed(list(futures), loop=client.loop):
            if future.status == "finished":
                yield future.result()
            elif future.status == "error":      # the worker could not even begin, or was lost several times
                error = future.exception()
                yield Failure(futures[future][0], f"{type(error).__name__}: {first_line(error)}")
            else:
                raise CourseError(f"The Dask scheduler at {address!r} has ended. What is done is kept: run "
                                  "again, with another address or without.")


def _reach(address: str):
    """A client of the scheduler at `address`."""
    try:
        from distributed import Client
    except ImportError:
        raise CourseError("A study on a cluster needs Dask. In the course's environment, type: "
                          "python -m pip install 'distributed>=2024.8'") from None
    try:
        return Client(address, timeout=REACH_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise CourseError(f"The Dask scheduler at {address!r} cannot be reached ({first_line(error)}). Start "
                          "one with `dask scheduler`, and workers with `dask worker ADDRESS --nthreads 1`; "
                          "or leave scheduler out to run here.") from None


def _attempt(job: Job) -> Record | Failure:
    return attempt(*job)


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

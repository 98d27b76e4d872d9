"""Runs that are to be killed, each a fork of one process, so that torch is imported once.

A program calls `serve(work)` and is started by `orders(program)`. Over its pipes go lines of {"path",
"kill_after": seconds or null}, and back lines of {"killed", "failed", "seconds"}.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from course_utils import paths

Order = Callable[..., dict]


def serve(work: Callable[[str], None]) -> None:
    """Fork `work(path)` for each order, and kill it when its time is over."""
    import torch

    torch.set_num_threads(1)       # more would not survive a fork
    for line in sys.stdin:
        order = json.loads(line)
        start, child = time.monotonic(), os.fork()
        if child == 0:
            os.dup2(2, 1)          # what it prints is no answer
            work(order["path"])
            os._exit(0)
        while not (ended := os.waitpid(child, os.WNOHANG))[0]:
            if order["kill_after"] and time.monotonic() - start > order["kill_after"]:
                os.kill(child, signal.SIGKILL)
                ended = os.waitpid(child, 0)
                break
            time.sleep(0.001)
        killed = os.WIFSIGNALED(ended[1])
        print(json.dumps({"killed": killed, "failed": not killed and ended[1] != 0,
                          "seconds": time.monotonic() - start}), flush=True)


@contextmanager
def orders(program: Path) -> Iterator[Order]:
    """A function that starts `program`'s work on a path, kills it after some seconds, and tells."""
    environment = {**os.environ, "PYTHONPATH": str(paths.repository()), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen([sys.executable, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          env=environment) as warm:
        def give(path: Path, kill_after: float | None = None) -> dict:
            print(json.dumps({"path": str(path), "kill_after": kill_after}), file=warm.stdin, flush=True)
            answer = json.loads(warm.stdout.readline())
            assert not answer["failed"]
            return answer
        yield give
        warm.stdin.close()

"""A real Dask cluster of this machine."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path


class Cluster:
    """A scheduler and workers with one thread each, as processes."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        self.address = self._said(self.scheduler, r"(tcp://[\d.]+:\d+)")
        self.workers = []

    def _start(self, kind: str, *options: str) -> subprocess.Popen:
        return subprocess.Popen([sys.executable, "-m", "dask", kind, *options], stderr=subprocess.PIPE,
                                text=True, cwd=self.folder, start_new_session=True, env=os.environ)

    @staticmethod
    def _said(process: subprocess.Popen, pattern: str) -> str:
        for line in process.stderr:
            if found := re.search(pattern, line):
                return found[1]
        raise AssertionError(f"{process.args} ended")

    def add_worker(self) -> subprocess.Popen:
        worker = self._start("worker", self.address, "--nthreads", "1", "--no-dashboard", "--no-nanny",
                             "--name", f"worker {len(self.workers)}", "--local-directory", str(self.folder))
        self._said(worker, r"(Registered to)")
        self.workers.append(worker)
        return worker

    def busy(self) -> dict[int, list[str]]:
        """What runs at this moment, by the process that runs it; a run that only waits is not among it."""
        from distributed import Client

        def executing(dask_worker) -> list[str]:
            return [str(task.key) for task in dask_worker.state.executing]

        with Client(self.address) as client:
            names = {address: worker["name"]
                     for address, worker in client.scheduler_info(n_workers=-1)["workers"].items()}
            found = client.run(executing)
        return {self.workers[int(names[address].split()[1])].pid: keys
                for address, keys in found.items() if keys}

    def close(self):
        for process in [*self.workers, self.scheduler]:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            process.stderr.close()

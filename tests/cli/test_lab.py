"""course lab: a real JupyterLab, quiet and offline, at the first lesson."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

from course_utils import paths
from course_utils.cli import lab

SECONDS_TO_START = 90
COURSE = "from course_utils.cli import main; main()"


@dataclass
class Server:
    """A JupyterLab that `course lab` started, and what it printed until it was ready."""

    said: str
    process: subprocess.Popen

    @property
    def address(self) -> re.Match:
        return re.search(r"http://(?:localhost|127\.0\.0\.1):(\d+)(/lab/\S*)\?token=(\w+)", self.said)

    def get(self, path: str) -> str:
        port, _, token = self.address.groups()
        request = urllib.request.Request(f"http://localhost:{port}{path}",
                                         headers={"Authorization": f"token {token}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read().decode()

    def wait_until_serving(self) -> None:
        """It prints its address a moment before it listens there."""
        end = time.monotonic() + SECONDS_TO_START
        while True:
            try:
                self.get("/api/status")
                return
            except urllib.error.URLError:
                assert time.monotonic() < end and self.process.poll() is None, self.said
                time.sleep(0.1)


@pytest.fixture
def start(tmp_path):
    """A function: options and environment to a Server; all are ended afterwards, by their group."""
    processes = []

    def start_it(*options: str, **environment: str) -> Server:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
        process = subprocess.Popen(
            [sys.executable, "-c", COURSE, "lab", "--no-browser", *options],
            env=clean | {"HOME": str(tmp_path / "home"), "PYTHONUNBUFFERED": "1"} | environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        processes.append(process)
        watchdog = threading.Timer(SECONDS_TO_START, process.kill)
        watchdog.start()
        server = Server("", process)
        for line in process.stdout:
            server.said += line
            if server.address:
                break
        watchdog.cancel()
        assert server.address, server.said
        server.wait_until_serving()
        return server

    yield start_it
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def test_a_work_folder_elsewhere_is_served_quietly_and_offline(start, tmp_path):
    work = tmp_path / "my own work"
    server = start(COURSE_WORK=str(work))
    _, opens, _ = server.address.groups()
    assert opens == "/lab/tree/00_start_here.ipynb"
    assert json.loads(server.get("/api/contents/00_start_here.ipynb?content=0"))["type"] == "notebook"
    assert "Copied to" in server.said and (work / "00_start_here.ipynb").exists()
    assert not re.search(r"^\[[IWE] ", server.said, flags=re.M), server.said     # copies, and where to look

    page = server.get("/lab")
    config = json.loads(re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', page, flags=re.S).group(1))
    assert {"@jupyterlab/apputils-extension:announcements", "@jupyterlab/extensionmanager-extension:plugin",
            "jupyterlab-jupytext"} <= set(config["disabledExtensions"])
    assert config["news"] == {"disabled": True} and config["extensionManager"]["can_install"] is False
    settings = json.loads(server.get("/lab/api/settings/@jupyterlab/apputils-extension:notification"))
    properties = settings["schema"]["properties"]
    assert properties["checkForUpdates"]["default"] is False and properties["fetchNews"]["default"] == "false"


def test_one_interrupt_ends_it(start, tmp_path):
    server = start(COURSE_WORK=str(tmp_path / "work"))
    os.killpg(server.process.pid, signal.SIGINT)
    assert server.process.wait(timeout=30) == 0


def test_a_taken_port_is_said_and_the_next_one_used(start, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server = start(f"--port={port}", COURSE_WORK=str(tmp_path / "work"))
        used = int(server.address.group(1))
    assert f"Port {port} is taken" in server.said and used != port


def test_a_free_port_is_not_talked_about():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert lab.port_taken([f"--port={port}"]) == lab.port_taken([f"--ServerApp.port={port}"]) == port
        assert lab.port_taken(["--port", str(port), "--no-browser"]) == port
    assert lab.port_taken([f"--port={port}"]) is None


@pytest.mark.parametrize("work, root, opens", [
    ("my_work", "", "my_work/00_start_here.ipynb"),
    ("deep/er/work", "", "deep/er/work/00_start_here.ipynb"),
    (".hidden/work", ".hidden/work", "00_start_here.ipynb"),
    ("/elsewhere/mine ü", "/elsewhere/mine ü", "00_start_here.ipynb")])
def test_jupyterlab_serves_the_checkout_or_the_work_folder_alone(monkeypatch, work, root, opens):
    checkout = paths.repository()
    monkeypatch.setenv("COURSE_WORK", str(checkout / work))
    command = lab.command(["--no-browser"])
    assert f"--ServerApp.root_dir={checkout / root}" in command
    assert f"--LabApp.default_url=/lab/tree/{opens}" in command
    assert command[-1] == "--no-browser"


def test_the_courses_settings_come_first_and_the_users_own_stay(monkeypatch):
    ours = str(paths.repository() / "jupyter")
    monkeypatch.delenv("JUPYTER_CONFIG_PATH", raising=False)
    assert paths.jupyter_config_path() == ours
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", os.pathsep.join(["/a", "/b"]))
    assert paths.jupyter_config_path().split(os.pathsep) == [ours, "/a", "/b"]


def test_cells_and_terminals_of_jupyterlab_find_the_course_program(monkeypatch):
    monkeypatch.setenv("PATH", os.pathsep.join(["/usr/bin", "/bin"]))
    assert shutil.which("course") is None
    found = shutil.which("course", path=lab.search_path())
    assert found and Path(found).parent == Path(sys.executable).parent
    assert lab.search_path().endswith(os.environ["PATH"])


def test_every_file_of_the_settings_is_where_jupyter_looks():
    """A renamed file would be ignored in silence."""
    settings = paths.repository() / "jupyter"
    found = {path.relative_to(settings).as_posix() for path in settings.rglob("*.*")
             if path.suffix in (".py", ".json")}
    assert found == {"jupyter_lab_config.py", "jupyter_server_config.d/jupytext.json", "lab/overrides.json",
                     "lab/page_config.json"}
    for name in found:
        if name.endswith(".json"):
            json.loads(Path(settings, name).read_text())

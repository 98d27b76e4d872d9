"""A real JupyterLab, with folders of its own, and Chromium to look at it.

    def test_something(lab, open_notebook):
        notebook = open_notebook(lab.write("mine.ipynb", ["1 + 1"]))
        notebook.run_all()
        assert notebook.outside_requests == []
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest

from course_utils import paths

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]
PANEL = ".jp-NotebookPanel:not(.lm-mod-hidden)"
SHELL = "#jp-main-content-panel"            # JupyterLab gives it its width in pixels
SECONDS_TO_START = 90


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: where it answers, and the folder it serves."""

    address: str
    token: str
    root: Path

    def add(self, name: str, notebook) -> str:
        """Put `notebook` into the served folder; returns its path there."""
        target = self.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, target)
        return name

    def write(self, name: str, cells: list[str]) -> str:
        """A notebook of code cells in the served folder; returns its path there."""
        return self.add(name, nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(home: Path) -> dict[str, str]:
    """Nothing of the developer's own settings reaches this JupyterLab, and nothing of it reaches theirs."""
    folders = {"HOME": home, "IPYTHONDIR": home / "ipython", "JUPYTER_CONFIG_DIR": home / "config",
               "JUPYTER_DATA_DIR": home / "data", "JUPYTER_RUNTIME_DIR": home / "runtime",
               "JUPYTERLAB_SETTINGS_DIR": home / "settings", "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
               "JUPYTER_CONFIG_PATH": paths.repository() / "jupyter"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "XDG_"))}
    kernels = os.environ.get("COURSE_TEST_KERNELS")         # those of tools/warm_kernels.py, in `make test`
    return kept | {name: str(folder) for name, folder in folders.items()} | (
        {"JUPYTER_PATH": kernels} if kernels else {})


def wait_until_serving(process: subprocess.Popen, address: str, token: str, log: Path) -> None:
    request = urllib.request.Request(f"{address}/api/status", headers={"Authorization": f"token {token}"})
    end = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(request, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


def end_group(process: subprocess.Popen) -> None:
    """End the server and its kernels: the process group it was started in."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            continue


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """JupyterLab with the course's own settings, serving an empty folder."""
    home, root = tmp_path_factory.mktemp("lab-home"), tmp_path_factory.mktemp("lab-root")
    port, token, log = free_port(), secrets.token_hex(16), home / "lab.log"
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
               f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={root}",
               f"--IdentityProvider.token={token}", "--LabApp.expose_app_in_browser=True",
               # should this process be killed, it ends by itself
               "--MappingKernelManager.cull_idle_timeout=600", "--ServerApp.shutdown_no_activity_timeout=900"]
    with log.open("w") as output:
        process = subprocess.Popen(command, env=environment(home), cwd=root, stdout=output, stderr=output,
                                   start_new_session=True)
        try:
            address = f"http://127.0.0.1:{port}"
            wait_until_serving(process, address, token, log)
            yield Lab(address, token, root)
        finally:
            end_group(process)


@pytest.fixture(scope="session")
def chromium():
    """One Chromium for all tests; each test gets a fresh context in it."""
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.fail(f"There is no browser here. Install one of {', '.join(BROWSERS)}; on Debian and Ubuntu: "
                    "sudo apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Notebook:
    """An open notebook, and what can be done with it."""

    page: object                                        # playwright's Page
    outside_requests: list[str] = field(default_factory=list)

    def record(self, request) -> None:
        """Remember a request that leaves this machine."""
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
            self.outside_requests.append(request.url)

    def command(self, name: str, **arguments):
        """Run one of JupyterLab's commands; returns what it returns."""
        return self.page.evaluate("([name, args]) => jupyterapp.commands.execute(name, args)",
                                  [name, arguments])

    def wait_idle(self, seconds: float = 60) -> None:
        """Wait for a kernel that has nothing to do. The status bar is right where the indicator is not."""
        self.page.wait_for_function(
            "() => /Python 3.*\\| Idle/.test(document.getElementById('jp-main-statusbar')?.textContent)",
            timeout=1000 * seconds)

    def run_all(self) -> None:
        """Run every cell to its end.

        Raises:
            AssertionError: a cell raised; with its words.
        """
        self.command("notebook:run-all-cells")
        self.wait_idle()
        assert not self.errors(), "\n".join(self.errors())

    def errors(self) -> list[str]:
        """What the cells raised. Their outputs are asked: on the screen an error looks like any stderr."""
        return self.page.evaluate("""() => jupyterapp.shell.currentWidget.content.widgets
            .filter((cell) => cell.model.type === "code").flatMap((cell) => cell.model.outputs.toJSON())
            .filter((output) => output.output_type === "error")
            .map((output) => `${output.ename}: ${output.evalue}`)""")

    def run_cell(self, index: int, source: str | None = None) -> None:
        """Run one cell to its end, with other text in it if `source` is given."""
        self.page.evaluate("""([index, source]) => {
            const notebook = jupyterapp.shell.currentWidget.content;
            if (source !== null) notebook.widgets[index].model.sharedModel.setSource(source);
            notebook.deselectAll();
            notebook.activeCellIndex = index;
        }""", [index, source])
        self.command("notebook:run-cell")
        self.wait_idle()

    def cells(self) -> list[str]:
        """The sources of all cells: what a stray shortcut would change."""
        return self.page.evaluate(
            "() => jupyterapp.shell.currentWidget.content.model.sharedModel.cells.map((cell) => cell.source)")

    def find(self, selector: str):
        """A locator inside the visible notebook."""
        return self.page.locator(PANEL).locator(selector)

    def close_tab(self) -> None:
        """Close the visible tab and end its kernel."""
        self.page.evaluate("""async () => {
            const widget = jupyterapp.shell.currentWidget;
            await widget.sessionContext.shutdown();
            widget.dispose();
        }""")

    def close(self) -> None:
        """End the kernel and close the window."""
        self.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        self.page.context.close()

    def restart(self) -> None:
        """A fresh kernel, without the question whether one is sure."""
        self.page.evaluate(
            "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
        self.wait_idle()

    def resize(self, width: int, height: int) -> None:
        """A window of another size, and JupyterLab laid out in it: it does that a moment later."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.wait_for_function(
            "([width, shell]) => innerWidth === width && "
            "document.querySelector(shell).getBoundingClientRect().right === width", arg=[width, SHELL])

    def theme(self, name: str) -> None:
        """ "Light" or "Dark"."""
        self.command("apputils:change-theme", theme=f"JupyterLab {name}")
        self.page.wait_for_function(
            "(light) => document.body.dataset.jpThemeLight === light", arg=str(name == "Light").lower())


@pytest.fixture(scope="module")
def open_notebook(lab, chromium):
    """A function: path in the served folder, and the width of the window, to an open Notebook.

    Its kernel ends with the module: importing torch anew for each test would take longer than the tests.
    """
    opened = []

    def open_it(path: str, width: int = 1280, height: int = 900) -> Notebook:
        context = chromium.new_context(viewport={"width": width, "height": height})
        page = context.new_page()
        page.set_default_timeout(30_000)
        notebook = Notebook(page)
        opened.append(notebook)
        page.on("request", notebook.record)
        page.on("websocket", notebook.record)
        page.goto(f"{lab.address}/lab/tree/{path}?token={lab.token}&reset", timeout=60_000)
        page.wait_for_selector(PANEL, timeout=60_000)
        notebook.wait_idle(seconds=90)
        return notebook

    yield open_it
    for notebook in opened:
        notebook.close()

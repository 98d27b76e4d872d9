"""JupyterLab, quiet and offline, at the first lesson. Its settings are in the checkout's jupyter/ folder."""

from __future__ import annotations

import errno
import os
import re
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

from course_utils import paths

START = "00_start_here.ipynb"
USUAL_PORT = 8888


def command(arguments: Sequence[str] = ()) -> list[str]:
    """The command that starts JupyterLab. `arguments` come last, so they win."""
    root = root_folder()
    start = (paths.work() / START).relative_to(root).as_posix()
    return [sys.executable, "-m", "jupyterlab", "--log-level=WARN", f"--ServerApp.root_dir={root}",
            f"--LabApp.default_url=/lab/tree/{quote(start)}", *arguments]


def root_folder() -> Path:
    """What JupyterLab shows: the whole checkout, or the work folder alone where that lies elsewhere or is
    hidden from JupyterLab by a dot."""
    work, checkout = paths.work(), paths.repository()
    if not work.is_relative_to(checkout):
        return work
    hidden = any(part.startswith(".") for part in work.relative_to(checkout).parts)
    return work if hidden else checkout


def port_taken(arguments: Sequence[str] = ()) -> int | None:
    """The port JupyterLab would like, if another program listens on it."""
    asked = re.search(r"--(?:ServerApp\.)?port[= ](\d+)", " ".join(arguments))
    port = int(asked.group(1)) if asked else USUAL_PORT
    with socket.socket() as trial:
        if os.name == "posix":      # as JupyterLab does: a port just left by its last user is free
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError as error:
            return port if error.errno == errno.EADDRINUSE else None
    return None


def search_path() -> str:
    """PATH with the course's programs first, so that `course doctor` works in cells and in terminals."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def become_jupyterlab(arguments: Sequence[str]) -> NoReturn:
    """Replace this process by JupyterLab."""
    sys.stdout.flush()
    environment = os.environ | {"JUPYTER_CONFIG_PATH": paths.jupyter_config_path(), "PATH": search_path()}
    if os.name == "nt":             # there, a replaced process would leave the terminal at once
        sys.exit(subprocess.call(command(arguments), env=environment))
    os.execve(sys.executable, command(arguments), environment)

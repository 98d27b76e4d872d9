"""Kernels that begin with torch imported: tests start some fifty, and importing it is most of many.

    with warm_kernels() as path:        # JUPYTER_PATH for whoever starts kernels named python3

One process, the mother, imports the libraries once. What Jupyter starts is this file with a connection file;
it asks the mother for a kernel, which is forked from her, and stands in for it: signals are passed on, and
the one ends with the other. The course itself, its lessons and IPython run in it as in any kernel.

    python warm_kernels.py mother SOCKET PARENT MODULE ...
    python warm_kernels.py CONNECTION_FILE ...      # with the socket in COURSE_WARM_KERNELS
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

# What takes seconds and looks at nothing of the place where it is imported. matplotlib and pandas ask whether
# they are in a notebook; so does tqdm, which timm brings: it must find ipykernel there.
LIBRARIES = ("ipykernel.kernelapp", "ipykernel.zmqshell", "torch", "torch._dynamo",
             "torchvision.transforms.v2", "timm", "scipy.stats")
ADDRESS = "COURSE_WARM_KERNELS"
READY = "ready"
DIE_WITH_PARENT = 1         # PR_SET_PDEATHSIG, from Linux's prctl.h


@contextmanager
def warm_kernels(libraries: Sequence[str] = LIBRARIES,
                 settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """A mother of kernels while the block runs, and the folder that tells Jupyter of her.

    Args:
        libraries: modules that she imports.
        settings: environment variables, such as numbers of threads, which libraries read when imported.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "socket"
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "XDG_"))}
        command = [sys.executable, __file__, "mother", str(place), str(os.getpid()), *libraries]
        mother = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True,
                                  env=plain | {"HOME": folder} | dict(settings or {}))
        try:
            if mother.stdout.readline().strip() != READY:
                raise RuntimeError("The process that imports libraries for kernels ended.")
            write_spec(Path(folder) / "kernels" / "python3", place)
            yield folder
        finally:
            with suppress(ProcessLookupError):
                os.killpg(mother.pid, signal.SIGKILL)
            mother.wait()
            mother.stdout.close()


def write_spec(folder: Path, place: Path) -> None:
    """The usual kernel, by its usual name, but for the command."""
    from ipykernel.kernelspec import get_kernel_dict

    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps(get_kernel_dict() | {
        "argv": [sys.executable, "-I", "-S", __file__, "{connection_file}"], "env": {ADDRESS: str(place)}}))


# What Jupyter starts ------------------------------------------------------------------------------------

def stand_in(arguments: Sequence[str]) -> None:
    """Ask for a kernel, pass signals on to it, and end as it ends."""
    parent, mother = os.getppid(), socket.socket(socket.AF_UNIX)
    mother.connect(os.environ[ADDRESS])
    socket.send_fds(mother, [b"\0"], [0, 1, 2])
    wish = {"arguments": list(arguments), "folder": os.getcwd(), "environment": dict(os.environ)}
    said = mother.makefile("rw")
    print(json.dumps(wish), file=said, flush=True)
    kernel = int(said.readline())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: send(kernel, number))
    while not select.select([mother], [], [], 1)[0]:
        if os.getppid() != parent:      # who started this ended; the keeper sees that this ends, too
            sys.exit(1)
    ended = int(said.readline() or 1)
    if ended < 0:                       # by a signal
        with suppress(OSError):         # SIGKILL takes no handler
            signal.signal(-ended, signal.SIG_DFL)
        os.kill(os.getpid(), -ended)
    sys.exit(ended)


def send(kernel: int, number: int) -> None:
    """A signal to a kernel and what it started, as Jupyter would."""
    try:
        os.killpg(kernel, number)
    except ProcessLookupError:                  # until it leads a group there is only itself
        with suppress(ProcessLookupError):
            os.kill(kernel, number)


# The mother ---------------------------------------------------------------------------------------------

def be_mother(place: str, parent: int, libraries: Sequence[str]) -> None:
    """Import, then fork a keeper for each that asks; she has no threads, so forking is safe."""
    die_with(parent)
    for library in libraries:
        __import__(library)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)       # nobody asks how keepers ended
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(place)
        door.listen()
        assert threading.active_count() == 1
        print(READY, flush=True)
        mother = os.getpid()
        while True:
            asked, _ = door.accept()
            if not os.fork():
                door.close()
                keep(asked, mother)
            asked.close()


def keep(asked: socket.socket, mother: int) -> None:
    """Fork the kernel, tell its number and how it ended; who asked for it takes it along."""
    die_with(mother)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, streams, _, _ = socket.recv_fds(asked, 1, 3)
    wish = json.loads(asked.makefile().readline())
    keeper, kernel = os.getpid(), os.fork()
    if not kernel:
        asked.close()
        be_kernel(wish, streams, keeper)

    def take_along() -> None:
        with suppress(OSError):
            while asked.recv(1):
                pass
        send(kernel, signal.SIGKILL)

    for stream in streams:
        os.close(stream)
    with suppress(OSError):
        asked.sendall(f"{kernel}\n".encode())
    threading.Thread(target=take_along, daemon=True).start()
    _, status = os.waitpid(kernel, 0)
    with suppress(OSError):
        asked.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def be_kernel(wish: Mapping, streams: Sequence[int], keeper: int) -> None:
    """What `python -m ipykernel_launcher` does, in the folder and environment of who asked."""
    os.setsid()
    die_with(keeper)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(wish["environment"])
    os.chdir(wish["folder"])
    sys.path[:] = [part for part in sys.path if part != str(Path(__file__).parent)]
    forget_the_mother()
    file, *more = wish["arguments"]
    if "ipywidgets" in sys.modules:     # tqdm brings it, and it found no kernel then to tell of itself
        more.append("--IPKernelApp.extra_extensions=ipywidgets")
    sys.argv = ["ipykernel_launcher", "-f", file, *more, f"--IPKernelApp.parent_handle={keeper}"]
    from ipykernel.kernelapp import launch_new_instance

    sys.exit(launch_new_instance())


def forget_the_mother() -> None:
    """Random numbers of one's own, and for processes started from here the folder that is here."""
    import multiprocessing.process

    multiprocessing.process.ORIGINAL_DIR = os.getcwd()
    if torch := sys.modules.get("torch"):
        torch.seed()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()


def die_with(parent: int) -> None:
    """End at once when the parent ends, however it does."""
    ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


if __name__ == "__main__":
    if sys.argv[1] == "mother":
        be_mother(sys.argv[2], int(sys.argv[3]), sys.argv[4:])
    else:
        stand_in(sys.argv[1:])

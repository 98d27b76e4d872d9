"""Kernels forked from a process that has imported the libraries: like any other, but for the waiting."""

from __future__ import annotations

import os
import signal
import sys
import time

import psutil
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from tools.warm_kernels import warm_kernels

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux alone")
LIBRARY = "colorsys"            # no kernel needs it by itself


@pytest.fixture(scope="module")
def kernels():
    """A folder with a warm kernel, and one with the usual."""
    libraries = ["ipykernel.kernelapp", "ipykernel.zmqshell", LIBRARY, "tqdm.auto", "numpy"]
    with warm_kernels(libraries, {"COURSE_TEST_SETTING": "mother"}) as folder:
        yield f"{folder}/kernels"


class Kernel:
    """A running kernel, and what cells in it give."""

    def __init__(self, folders: list[str], **options: object):
        specs = KernelSpecManager(kernel_dirs=folders)
        self.manager = KernelManager(kernel_name="python3", kernel_spec_manager=specs)
        self.manager.start_kernel(**options)
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def __call__(self, cell: str) -> str:
        """What the cell prints, or the name of its error."""
        said = []
        reply = self.client.execute_interactive(
            cell, timeout=60, output_hook=lambda message: said.append(message["content"].get("text", "")))
        return reply["content"].get("ename") or "".join(said).strip()

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(int(self("import os; print(os.getpid())")))

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def start(kernels):
    """A function that starts a warm kernel, or a usual one."""
    started = []

    def start_one(*, warm: bool = True, **options: object) -> Kernel:
        started.append(Kernel([kernels] if warm else [], **options))
        return started[-1]

    yield start_one
    for kernel in started:
        kernel.close()


def ended(process: psutil.Process, seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("warm", [True, False])
def test_libraries_are_there_but_no_names(start, warm):
    kernel = start(warm=warm)
    assert kernel(f"import sys; print({LIBRARY!r} in sys.modules)") == str(warm)
    assert kernel(f"{LIBRARY}.rgb_to_hsv") == "NameError"
    assert kernel("print(get_ipython().__class__.__name__, __name__)") == "ZMQInteractiveShell __main__"
    assert "tools" not in kernel("print([part for part in sys.path if part.endswith('tools')])")


def test_each_has_the_folder_and_the_environment_of_who_asked_and_its_own_memory(start, tmp_path):
    where = "import os; print(os.getcwd(), os.environ.get('COURSE_TEST_SETTING'), 'mine' in vars())"
    one = start(cwd=str(tmp_path), env=os.environ | {"COURSE_TEST_SETTING": "one"})
    one("mine = 1")
    other = start(cwd="/")
    assert one(where) == f"{tmp_path} one True" and other(where) == "/ None False"


def test_each_draws_its_own_random_numbers(start):
    drawn = {start()("import numpy.random, random; print(numpy.random.rand(), random.random())")
             for _ in range(2)}
    assert len(drawn) == 2


def test_a_notebook_is_told_from_a_terminal(start):
    """What tqdm and ipywidgets find out when they are imported is the same as in a usual kernel."""
    ask = "from tqdm.auto import tqdm; import ipywidgets; print(tqdm.__mro__[1].__module__, " \
          "sorted(get_ipython().kernel.comm_manager.targets))"
    warm, usual = start()(ask), start(warm=False)(ask)
    assert warm == usual and "tqdm.notebook" in warm and "jupyter.widget" in warm


def test_what_a_client_adds_to_the_command_reaches_the_kernel(start):
    kernel = start(extra_arguments=["--HistoryManager.hist_file=:memory:"])
    assert kernel("print(get_ipython().history_manager.hist_file)") == ":memory:"


def test_a_cell_can_be_interrupted_and_the_kernel_goes_on(start):
    kernel = start()
    asked = kernel.client.execute("import time\nprint('begun', flush=True)\ntime.sleep(60)")
    while kernel.client.get_iopub_msg(timeout=30)["content"].get("text") != "begun\n":
        pass
    kernel.manager.interrupt_kernel()
    reply = kernel.client.get_shell_msg(timeout=30)
    assert reply["parent_header"]["msg_id"] == asked and reply["content"]["ename"] == "KeyboardInterrupt"
    assert kernel("print(1 + 1)") == "2"


def test_a_kernel_that_dies_takes_its_stand_in_along(start):
    kernel = start()
    process = kernel.process
    process.kill()
    assert ended(process)
    assert kernel.manager.provisioner.process.wait(timeout=10) == -signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_stand_in_that_is_ended_takes_its_kernel_along(start, number):
    kernel = start()
    process = kernel.process
    kernel.manager.provisioner.process.send_signal(number)
    assert ended(process)


def test_kernels_end_with_their_mother():
    with warm_kernels([LIBRARY]) as folder:
        kernel = Kernel([f"{folder}/kernels"])
        process = kernel.process
        assert process.is_running()
    assert ended(process)
    kernel.close()


def test_a_library_that_is_not_there_is_no_cold_kernel(capfd):
    with pytest.raises(RuntimeError, match="imports libraries for kernels ended"), \
            warm_kernels(["no_such_library"]):
        pass
    assert "No module named 'no_such_library'" in capfd.readouterr().err

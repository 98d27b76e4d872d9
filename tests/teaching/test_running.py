"""A learner's code cannot run away: time, printing, exits, random numbers."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from contextlib import contextmanager, suppress

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from course_utils.teaching import running
from course_utils.teaching.running import Printed, TimeUp, run


def attempt(work, seconds=2.0, **settings):
    return run(work, **{"seconds": seconds, "mib": 512, "seed": 0, "printed": Printed()} | settings)


def endless():
    while True:
        pass


def endless_catching_exceptions():
    while True:
        with suppress(Exception):
            endless()


def endless_catching_everything_once():
    try:
        endless()
    except BaseException:
        endless()


def in_a_thread(work):
    got = []
    thread = threading.Thread(target=lambda: got.append(work()))
    thread.start()
    thread.join(timeout=10)
    assert got, "it is still running"
    return got[0]


@pytest.mark.parametrize("work", [endless, endless_catching_exceptions, endless_catching_everything_once])
def test_an_endless_loop_ends_at_the_limit(work):
    start = time.monotonic()
    assert isinstance(attempt(work, seconds=0.2), TimeUp)
    assert time.monotonic() - start < 2


def grows_without_end():
    held = []
    while True:
        held.append(bytearray(2**24))


@pytest.mark.skipif(not sys.platform.startswith("linux") or os.path.exists("/dev/nvidiactl"),
                    reason="only Linux without a graphics card has such a limit")
# 8 GiB: what earlier tests have freed may still lie ready in this process, and is no growth.
@pytest.mark.parametrize("work", [grows_without_end, lambda: bytearray(2**33)])
def test_memory_beyond_the_limit_is_refused_and_the_kernel_lives(work):
    import resource
    before = resource.getrlimit(resource.RLIMIT_AS)
    assert isinstance(attempt(work, seconds=20), MemoryError)
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    assert attempt(lambda: bytearray(2**28)) is None, "the twin: half of what is allowed"


@pytest.mark.parametrize("work", [endless, endless_catching_exceptions])
def test_an_endless_loop_ends_in_another_thread_too(work):
    assert isinstance(in_a_thread(lambda: attempt(work, seconds=0.2)), TimeUp)


def test_sleeping_is_interrupted():
    start = time.monotonic()
    assert isinstance(attempt(lambda: time.sleep(5), seconds=0.2), TimeUp)
    assert time.monotonic() - start < 2


def test_code_that_ends_in_time_is_left_alone():
    assert attempt(lambda: 1) is None
    assert in_a_thread(lambda: attempt(lambda: 1)) is None


def test_no_alarm_rings_afterwards():
    handler = signal.getsignal(signal.SIGALRM)
    attempt(lambda: None, seconds=0.1)
    attempt(endless, seconds=0.1)
    time.sleep(0.4)
    assert signal.getsignal(signal.SIGALRM) is handler
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_an_alarm_between_the_work_and_its_end_leaves_nothing_behind(monkeypatch):
    handler, set_timer, calls = signal.getsignal(signal.SIGALRM), signal.setitimer, []

    def late(*arguments):
        calls.append(arguments)
        if len(calls) == 2:         # the work is done, and its timer not yet put back
            os.kill(os.getpid(), signal.SIGALRM)
        return set_timer(*arguments)

    monkeypatch.setattr(running.signal, "setitimer", late)
    assert attempt(lambda: None) is None and len(calls) == 2
    assert signal.getsignal(signal.SIGALRM) is handler
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_work_that_takes_as_long_as_it_may_leaves_nothing_behind():
    """The alarm then rings now before its end, now after it."""
    handler, outcomes = signal.getsignal(signal.SIGALRM), set()

    def until(end: float) -> None:
        while time.monotonic() < end:
            pass

    for i in range(150):
        end = time.monotonic() + 0.004 + 0.00002 * (i % 50)
        outcomes.add(type(attempt(lambda end=end: until(end), seconds=0.004)))
        assert signal.getsignal(signal.SIGALRM) is handler
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert TimeUp in outcomes


def test_an_alarm_somebody_else_set_is_kept():
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        attempt(lambda: None)
        time.sleep(0.7)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert rung == [1]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), MemoryError(), ValueError("no")])
def test_what_code_raises_is_returned(error):
    def work():
        raise error
    assert attempt(work) is error


def test_a_real_interrupt_is_not_swallowed():
    """The twin of KeyboardInterrupt above: this one is the learner pressing stop."""
    with pytest.raises(KeyboardInterrupt):
        attempt(lambda: os.kill(os.getpid(), signal.SIGINT))


def test_printing_is_captured_and_its_beginning_kept(capsys):
    printed = Printed()
    attempt(lambda: print("hello"), printed=printed)
    assert str(printed) == "hello"
    assert capsys.readouterr() == ("", "")


def test_ten_megabytes_of_printing_cost_little():
    printed = Printed()
    attempt(lambda: [print("x" * 1_000_000) for _ in range(10)], printed=printed)
    assert len(str(printed)) < 3000 and "characters more" in str(printed)


def test_random_numbers_start_from_the_seed_and_are_put_back():
    random.seed(5), np.random.seed(5)
    expected = random.random(), np.random.rand()
    random.seed(5), np.random.seed(5)
    drawn = []
    for seed in (0, 0, 1):
        attempt(lambda: drawn.append((random.random(), np.random.rand())), seed=seed)
    assert drawn[0] == drawn[1] != drawn[2]
    assert (random.random(), np.random.rand()) == expected


def test_the_guard_surrounds_the_work_and_leaves_after_an_error():
    seen = []

    @contextmanager
    def guard():
        seen.append("in")
        try:
            yield
        finally:
            seen.append("out")

    def work():
        seen.append("work")
        raise ValueError

    assert isinstance(attempt(work, guard=guard), ValueError)
    assert seen == ["in", "work", "out"]


def test_a_guard_that_breaks_is_returned_as_an_error():
    @contextmanager
    def guard():
        raise OSError("no room")
        yield

    assert isinstance(attempt(lambda: None, guard=guard), OSError)


LEAVING = """
from course_utils.teaching.running import Printed, run

def outcome(work):
    return repr(run(work, seconds=2.0, mib=512, seed=0, printed=Printed()))

print(outcome(exit), outcome(quit), outcome(lambda: exit()), outcome(lambda: exit(True)))
"""


def printed_by(*cells: str) -> list[str]:
    """What the cells of a notebook print, in a real kernel."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    return [cell.outputs[0].text.strip() for cell in notebook.cells]


def test_exit_in_a_notebook_ends_the_work_and_not_the_kernel():
    assert printed_by(LEAVING, "import time; time.sleep(1.5); print('alive')",
                      "print('ask_exit' in vars(get_ipython()))") == [
        " ".join(4 * ["SystemExit()"]), "alive", "False"]

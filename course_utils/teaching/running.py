"""Run a learner's code without letting it run away: time, memory, printing, exits and random numbers.

What this does not stop: a call into C that never returns, a bare `except:` that swallows every alarm, and
a process that ends itself. For those there is the kernel's own stop button.
"""

from __future__ import annotations

import io
import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, redirect_stderr, redirect_stdout

import psutil

KEPT_CHARACTERS = 2000


class TimeUp(BaseException):
    """The time limit. Not an Exception, because learners catch those."""


class Printed(io.TextIOBase):
    """Keeps the beginning of what is printed and counts the rest, so that ten megabytes cost nothing."""

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._room = KEPT_CHARACTERS
        self._dropped = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        kept = text[:self._room]
        self._kept.append(kept)
        self._room -= len(kept)
        self._dropped += len(text) - len(kept)
        return len(text)

    def __str__(self) -> str:
        rest = f"\n… and {self._dropped:,} characters more" if self._dropped else ""
        return "".join(self._kept).rstrip() + rest


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _until_alarm(work: Callable[[], object], seconds: float) -> None:
    """SIGALRM raises TimeUp, and again every 0.2 s, for code that caught the first one.

    No context manager: an alarm between the end of the work and the way into its second half would leave the
    timer running. Here nothing can come between the two.
    """
    done = False

    def ring(signum, frame):
        if not done:
            raise TimeUp

    handler = signal.signal(signal.SIGALRM, ring)
    timer = signal.setitimer(signal.ITIMER_REAL, seconds, 0.2)
    try:
        work()
    finally:
        done = True
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, handler)


def _until_watchdog(work: Callable[[], object], seconds: float) -> None:
    """The same where there is no SIGALRM (Windows, other threads): a timer raises TimeUp in this thread.

    It takes effect at the next Python instruction, so `time.sleep(100)` is waited for.
    """
    import ctypes
    raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc
    me, lock, finished = ctypes.c_ulong(threading.get_ident()), threading.Lock(), False

    def ring():
        with lock:
            if not finished:
                raise_in(me, ctypes.py_object(TimeUp))

    timer = threading.Timer(seconds, ring)
    timer.daemon = True
    timer.start()
    try:
        work()
    finally:
        with lock:
            finished = True
            raise_in(me, None)        # rung, but not yet heard
        timer.cancel()


def within_time(work: Callable[[], object], seconds: float) -> None:
    """Call `work`; TimeUp is raised in it after `seconds` of wall time."""
    if _in_main_thread() and hasattr(signal, "setitimer"):
        _until_alarm(work, seconds)
    else:
        _until_watchdog(work, seconds)


@contextmanager
def _exit_raises() -> Iterator[None]:
    """`exit()` raises SystemExit inside. In a notebook it would raise nothing, and end the kernel later."""
    ipython = sys.modules.get("IPython")
    shell = ipython and ipython.get_ipython()
    if shell is None:
        yield
        return

    def raise_it() -> None:
        raise SystemExit

    before = vars(shell).get("ask_exit")        # usually none: it is a method of the class
    shell.ask_exit = raise_it
    try:
        yield
    finally:
        vars(shell).pop("ask_exit", None)
        if before:
            shell.ask_exit = before


@contextmanager
def memory_limit(mib: int) -> Iterator[None]:
    """Inside, at most `mib` MiB more than now: beyond, Python and torch say that there is no memory.

    So the learner reads that, where otherwise the system would end the kernel. Only Linux has such a limit.
    It counts addresses, of which the driver of a graphics card reserves far more than there is memory: with
    a card, nothing is limited.
    """
    if not sys.platform.startswith("linux") or os.path.exists("/dev/nvidiactl"):
        yield
        return
    import resource
    before, hard = resource.getrlimit(resource.RLIMIT_AS)
    allowed = psutil.Process().memory_info().vms + mib * 2**20
    tightest = min([allowed, *(limit for limit in (before, hard) if limit != resource.RLIM_INFINITY)])
    resource.setrlimit(resource.RLIMIT_AS, (tightest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (before, hard))


@contextmanager
def _real_interrupts() -> Iterator[list]:
    """Counts Ctrl-C, so that it can be told from a KeyboardInterrupt that code raised by itself."""
    pressed: list = []
    handler = signal.getsignal(signal.SIGINT)
    if not _in_main_thread() or not callable(handler):
        yield pressed
        return

    def note(signum, frame):
        pressed.append(signum)
        return handler(signum, frame)

    signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, handler)


@contextmanager
def random_numbers(seed: int) -> Iterator[None]:
    """`random` and NumPy, where loaded, start from `seed` inside and are as they were afterwards."""
    numpy = sys.modules.get("numpy")
    state, numpy_state = random.getstate(), numpy and numpy.random.get_state()
    random.seed(seed)
    if numpy:
        numpy.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)
        if numpy:
            numpy.random.set_state(numpy_state)


def run(work: Callable[[], object], *, seconds: float, mib: int, seed: int, printed: Printed,
        guard: Callable[[], AbstractContextManager] | None = None) -> BaseException | None:
    """Call `work` and return what it raised, or None.

    Args:
        seconds: wall time it may take.
        mib: memory it may take, beyond what is taken already.
        seed: where random numbers start; `guard` draws the seeds of what it guards from `random`.
        printed: receives what `work` writes to stdout and stderr.
        guard: makes a context manager that puts back what `work` may change, entered after seeding.
    Raises:
        KeyboardInterrupt: the learner pressed Ctrl-C, or stop.
    """
    with _real_interrupts() as pressed:
        try:
            with ExitStack() as stack:
                stack.enter_context(random_numbers(seed))
                stack.enter_context(redirect_stdout(printed))
                stack.enter_context(redirect_stderr(printed))
                if guard:
                    stack.enter_context(guard())
                with _exit_raises(), memory_limit(mib):
                    within_time(work, seconds)
        except BaseException as error:
            if pressed and isinstance(error, KeyboardInterrupt):
                raise
            return error
    return None

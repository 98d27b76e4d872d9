"""Several processes at once, and killed ones: no committed event is lost, none is there twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from course_utils.teaching.progress import ProgressStore
from tests.teaching.toys import event, in_a_fork, is_sound

BEGIN = """
import sys
from course_utils.teaching.events import Event
from course_utils.teaching.progress import ProgressStore

def attempt(number):
    return Event(kind="check", item="a/x", lesson="a", outcome="wrong", score=0.0, mistake=number)
"""
RECORDER = BEGIN + """
store = ProgressStore(sys.argv[1])
for number in range(int(sys.argv[3])):
    store.record(attempt(f"{sys.argv[2]}-{number}"))
"""
ENDLESS = BEGIN + """
print("ready", flush=True)
store = ProgressStore(sys.argv[1])
while True:
    event = attempt("")
    store.record(event)
    store.flush()
    print(event.id, flush=True)       # said only once it is committed
"""


def another_process(code: str, *arguments) -> subprocess.Popen:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_eight_processes_with_500_events_each_lose_nothing_and_write_nothing_twice(store):
    writers = [another_process(RECORDER, store.path, name, 500) for name in range(8)]
    for writer in writers:
        writer.communicate(timeout=300)
        assert writer.returncode == 0
    found = Counter(one.mistake for one in store.events())
    assert len(found) == 4000 and found == Counter(f"{name}-{i}" for name in range(8) for i in range(500))


def committed_before_the_kill(path: Path, draws: random.Random, *, while_it_begins: bool) -> set[str]:
    """Start a writer and kill it at a random moment; the ids of the events that it saw committed."""
    writer = another_process(ENDLESS, path)
    lines = [writer.stdout.readline()]
    if not while_it_begins:
        lines.append(writer.stdout.readline())
    time.sleep(draws.uniform(0, 0.03 if while_it_begins else 0.4))
    os.kill(writer.pid, signal.SIGKILL)
    rest, _ = writer.communicate(timeout=20)
    assert writer.returncode == -signal.SIGKILL
    return {line.strip() for line in [*lines, *rest.splitlines()] if len(line.strip()) == 36}


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.full)])
def test_killed_at_random_moments_the_store_opens_and_has_every_committed_event(tmp_path, kills):
    draws, committed = random.Random(kills), {}
    for kill in range(kills):
        path = tmp_path / f"{kill // 5}.sqlite"         # five kills for each file, the first while it is made
        known = committed.setdefault(path, set())
        known |= committed_before_the_kill(path, draws, while_it_begins=kill % 5 in (0, 3))
        store = ProgressStore(path)
        ids = [one.id for one in store.events()]
        assert known <= set(ids) and len(ids) == len(set(ids))
        assert store.notice() is None and is_sound(path)
        store.record(event())
        assert len(ProgressStore(path).events()) == len(ids) + 1, "and goes on"
    assert sum(map(len, committed.values())) > kills, "the writers had time to write"


def test_threads_share_a_store(store):
    threads = [threading.Thread(target=lambda: [store.record(event()) for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.flush()
    assert len(store.events()) == 80


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_may_go_on_with_its_parents_store(store):
    store.record(event())
    assert in_a_fork(lambda: store.record(event()) is None)
    store.record(event())
    assert len(store.events()) == 3

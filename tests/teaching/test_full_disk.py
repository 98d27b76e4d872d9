"""A disk that is full: the lesson goes on, nothing is torn, and what waited is stored once there is room."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from course_utils import paths

BEGIN = """
import sys
from pathlib import Path
from course_utils.errors import CourseError
from course_utils.teaching.progress import ProgressStore
from tests.teaching.toys import event, is_sound

folder = Path(sys.argv[1])
store = ProgressStore(folder / "progress.sqlite")

def record_until_it_is_noticed():
    for _ in range(2000):
        store.record(event())
        count.append(1)
        if said := store.notice():
            return said

count = []
"""
# A file system of one megabyte, seen by this process alone.
FULL_DISK = BEGIN + """
def fill():
    with open(folder / "filler", "wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))

store.record(event())
count.append(1)
try:
    fill()
except OSError as error:
    assert error.errno == 28, error
print(record_until_it_is_noticed())
for _ in range(20):
    store.record(event())
    count.append(1)
assert len(store.history("01_numbers/triple")) == len(count), "known here, though not all is stored"
stored = len(ProgressStore(store.path).events())
assert 1 <= stored < len(count), stored
try:
    store.export(folder / "mine.jsonl")
    raise AssertionError("there was room")
except CourseError as error:
    print(error)
assert not list(folder.glob("*mine*"))
(folder / "filler").unlink()
store.record(event())
assert len(ProgressStore(store.path).events()) == len(count) + 1 and is_sound(store.path)
assert store.export(folder / "mine.jsonl") == len(count) + 1
"""
NO_ROOM_TO_BEGIN = BEGIN + """
filler = folder / "filler"
try:
    with filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
except OSError:
    pass
print(record_until_it_is_noticed())
filler.unlink()
store.record(event())
assert len(ProgressStore(store.path).events()) == 2 and is_sound(store.path)
"""
# Files may grow to 100 kB and no further: a write ends half-way, as at the end of a quota.
QUOTA = BEGIN + """
import resource
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
print(record_until_it_is_noticed())
for _ in range(20):
    store.record(event())
    count.append(1)
assert len(store.history("01_numbers/triple")) == len(count)
stored = len(ProgressStore(store.path).events())
assert 1 <= stored < len(count), stored
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
store.record(event())
assert len(ProgressStore(store.path).events()) == len(count) + 1 and is_sound(store.path)
"""
MOUNT = 'mount -t tmpfs -o size=1m none "$0" && exec "$@"'


def ran(command: list) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120,
                          cwd=paths.repository())
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def small_disk(tmp_path):
    """Runs code in a process for which `tmp_path` is a disk of one megabyte."""
    alone = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", MOUNT, str(tmp_path)]
    if not shutil.which("unshare") or subprocess.run([*alone, "true"], capture_output=True).returncode:
        pytest.skip("this system lets nobody mount a file system of their own")
    return lambda code: ran([*alone, sys.executable, "-c", code, str(tmp_path)])


def test_a_disk_that_fills_up_tears_nothing_and_what_waited_is_stored_later(small_disk):
    said = small_disk(FULL_DISK)
    assert "disk is full. Make some room. It stays in this kernel's memory" in said
    assert "mine.jsonl: No space left on device. Choose another place." in said


def test_a_disk_without_room_to_begin_on_is_said_in_words(small_disk):
    assert "full" in small_disk(NO_ROOM_TO_BEGIN)


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits on the size of files")
def test_a_quota_that_is_used_up_tears_nothing_and_what_waited_is_stored_later(tmp_path):
    assert "quota used up, make some room" in ran([sys.executable, "-c", QUOTA, str(tmp_path)])

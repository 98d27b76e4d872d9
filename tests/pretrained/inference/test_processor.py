"""Memory that is used again, and threads that are given back."""

from __future__ import annotations

import json
import platform
import subprocess
import sys

import pytest
import torch

from course_utils.pretrained.inference.processor import memory_reused, one_thread

glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="this C library keeps its own counsel")

# In a process of its own: what the C library was once told holds as long as the process.
PROGRAM = """
import json, resource, sys
from contextlib import nullcontext
import psutil, torch
from course_utils.pretrained.inference.processor import memory_reused

faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
held = lambda: psutil.Process().memory_info().rss / 2**20
layer = lambda: torch.zeros(16 * 2**20)                       # 64 MiB
with memory_reused() if sys.argv[1] == "reused" else nullcontext():
    layer()
    before = faults()
    for _ in range(10):
        layer()
    new_pages, inside = faults() - before, held()
print(json.dumps({"new_pages": new_pages, "given_back_mib": inside - held()}))
"""


def found(how: str) -> dict:
    done = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@glibc
def test_large_tensors_take_the_memory_that_earlier_ones_left():
    reused, plain = found("reused"), found("plain")
    assert plain["new_pages"] >= 10 * 64 * 2**20 / 2**16, "the twin: each gets new pages, of 64 KiB at most"
    assert reused["new_pages"] <= plain["new_pages"] / 10


@glibc
def test_what_is_free_at_the_end_goes_back_to_the_system():
    assert found("reused")["given_back_mib"] >= 60


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr("platform.libc_ver", lambda: ("", ""))
    monkeypatch.setattr("ctypes.CDLL", None)        # calling it would be an error
    with memory_reused():
        assert torch.zeros(3).sum() == 0


def test_one_thread_and_then_as_many_as_before():
    before = torch.get_num_threads()
    with pytest.raises(KeyError), one_thread():
        assert torch.get_num_threads() == 1
        raise KeyError
    assert torch.get_num_threads() == before

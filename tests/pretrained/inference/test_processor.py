"""Memory that is used again, threads that are given back, and weights in the order of the pictures."""

from __future__ import annotations

import json
import platform
import subprocess
import sys

import pytest
import torch
from torch import nn

from course_utils.pretrained import evaluate
from course_utils.pretrained.inference.processor import memory_reused, one_thread, weights_in_order

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


def kernels(model) -> list[torch.Tensor]:
    return [weight.data for weight in model.parameters() if weight.ndim == 4]


def in_order(kernel: torch.Tensor) -> bool:
    """All strides, also of a kernel of one pixel or channel, which `is_contiguous` finds in either order."""
    _, channels, _, width = kernel.shape
    return kernel.stride()[1:] == (1, width * channels, channels)


@torch.inference_mode()
def test_weights_are_in_order_inside_and_the_scores_have_the_same_bits(lite0):
    inputs = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    inputs = inputs.contiguous(memory_format=torch.channels_last)
    plain = lite0(inputs)
    assert not any(map(in_order, kernels(lite0)))
    with weights_in_order(lite0):
        assert all(map(in_order, kernels(lite0))) and len(kernels(lite0)) == 49
        assert torch.equal(lite0(inputs), plain)


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
def test_weights_lie_where_they_were_afterwards_whatever_happened(lite0, order):
    lite0.to(memory_format=order)
    before = [(kernel.data_ptr(), kernel.stride()) for kernel in kernels(lite0)]
    with pytest.raises(KeyError), weights_in_order(lite0):
        moved = [kernel.data_ptr() for kernel in kernels(lite0)]
        raise KeyError
    assert [(each.data_ptr(), each.stride()) for each in kernels(lite0)] == before
    assert (moved == [place for place, _ in before]) == (order is torch.channels_last)


def test_a_loader_may_differentiate_through_the_model_that_is_evaluated(lite0):
    """As those do that make the pictures on which a model errs most."""
    def batches():
        inputs = torch.rand(2, 3, 32, 32, requires_grad=True)
        lite0(inputs).sum().backward()
        yield (inputs + inputs.grad.sign() / 100).detach(), torch.tensor([0, 1])

    assert evaluate(lite0, batches()).n == 2


def test_a_model_for_grey_pictures_may_flatten_by_view():
    """Pictures of one channel lie in either order, and torch would take the kernels' from there on."""
    class Grey(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3)
            self.head = nn.Linear(16, 2)

        def forward(self, x):
            return self.head(self.second(self.first(x)).view(len(x), -1))

    batch = torch.rand(3, 1, 6, 6), torch.tensor([0, 1, 1])
    assert evaluate(Grey(), [batch]).n == 3

"""How networks use this machine's processor: its threads, its memory, and the order of their weights."""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3     # options of mallopt, from glibc's malloc.h
KEPT, OLD_GLIBC = 2**30, 2**25              # bytes; versions before 2.35 take no larger threshold


@contextmanager
def memory_reused() -> Iterator[None]:
    """From here on large tensors take memory that earlier ones left; at the end, what is free is given back.

    Left alone, Linux's C library gives large blocks back at once, and the system fills every new one with
    zeros before it can be used: a sixth to a quarter of the time of training and of reading features, see
    DESIGN.md. Elsewhere nothing changes.
    """
    if platform.libc_ver()[0] != "glibc":
        yield
        return
    library = ctypes.CDLL(None)             # what this process has loaded already
    if library.mallopt(MMAP_THRESHOLD, KEPT) or library.mallopt(MMAP_THRESHOLD, OLD_GLIBC):
        library.mallopt(TRIM_THRESHOLD, KEPT)
    try:
        yield
    finally:
        library.malloc_trim(0)


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside, torch computes on one thread; in threads that are made inside, too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def weights_in_order(model: nn.Module) -> Iterator[None]:
    """Inside, the model's kernels lie in channels_last memory, as batches do; afterwards where they were.

    Otherwise each convolution puts its weights in order anew for each batch, which on pictures of 32 pixels
    takes longer than to compute. The numbers are the same, to the bit. Grey pictures have one order only:
    models for them are left alone.

    It is `to`, because `contiguous` leaves kernels of one pixel or one channel as they are: in either order.
    """
    before = [(weight, weight.data) for weight in model.parameters() if weight.ndim == 4]
    if before and before[0][1].shape[1] == 1:
        before = []
    try:
        with torch.inference_mode(False), torch.no_grad():      # a loader may differentiate through them
            for weight, data in before:
                weight.data = data.to(memory_format=torch.channels_last)
        yield
    finally:
        for weight, data in before:
            weight.data = data

"""Random numbers that depend on what they are for, not on what ran before."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_of(*key: object) -> int:
    """A seed for what `key` names, as seed_of(0, "epoch", 3): 32 bits, the same on every machine."""
    return int.from_bytes(hashlib.sha256(repr(key).encode()).digest()[:4], "big")


def generators_of(loader: object) -> list[torch.Generator]:
    """Random numbers of its own that a loader draws from; most draw from torch's."""
    owners = (loader, getattr(loader, "sampler", None))
    found = (getattr(owner, "generator", None) for owner in owners)
    return list(dict.fromkeys(one for one in found if isinstance(one, torch.Generator)))


@contextmanager
def given_back(generators: list[torch.Generator]) -> Iterator[None]:
    """Afterwards they go on as if nothing had been drawn from them."""
    before = [generator.get_state() for generator in generators]
    try:
        yield
    finally:
        for generator, state in zip(generators, before, strict=True):
            generator.set_state(state)


@contextmanager
def seeded(*key: object) -> Iterator[None]:
    """Random numbers of torch, NumPy and Python that follow from `key`; afterwards the caller's go on."""
    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        try:
            seed = seed_of(*key)
            torch.manual_seed(seed)
            np.random.seed(seed)
            random.seed(seed)
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)

"""Learning rates that change from step to step: one factor for every group's own rate."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from course_utils.errors import CourseError, unknown_name
from course_utils.pretrained.models.freezing import base_rate

Schedule = Callable[[float], float]     # share of all steps that are done, 0 … 1 -> factor

WARM_UP = 0.1       # share of the steps in which "cosine" rises
RISE = 0.3          # the same of "one-cycle"; this and the next two as in torch's OneCycleLR
START = 1 / 25      # its first factor
END = START / 1e4   # and its last


def cosine(progress: float) -> float:
    """Up in a straight line, so that a new head's first large gradients do little harm; then down to 0.

    The fall is half a cosine (Loshchilov and Hutter, 2017): fast in the middle, gentle at both ends.
    """
    if progress < WARM_UP:
        return progress / WARM_UP
    return _eased(1.0, 0.0, (progress - WARM_UP) / (1 - WARM_UP))


def one_cycle(progress: float) -> float:
    """From a low rate up to the group's own and down to almost nothing (Smith and Topin, 2018)."""
    if progress < RISE:
        return _eased(START, 1.0, progress / RISE)
    return _eased(1.0, END, (progress - RISE) / (1 - RISE))


SCHEDULES = {"cosine": cosine, "one-cycle": one_cycle}


def _eased(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def choose_schedule(asked: str | Schedule | None) -> Schedule | None:
    """The schedule of that name, or a function of one's own."""
    if asked is None or callable(asked):
        return asked
    if not isinstance(asked, str) or asked not in SCHEDULES:
        raise unknown_name("schedule", asked, SCHEDULES,
                           hint="A function of your own takes the share of training that is done, 0 … 1, and "
                                "gives a factor for every group's rate: lambda done: 1 - done")
    return SCHEDULES[asked]


def set_rates(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Every group's own rate times `factor`. Its own rate is remembered as "base_lr"."""
    if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not 0 <= factor < math.inf:
        raise CourseError(f"A schedule gives a factor, a number from 0, but this one gave {factor!r}.")
    for group in optimizer.param_groups:
        group["base_lr"] = base_rate(group)
        group["lr"] = group["base_lr"] * factor


def rates_of(optimizer: torch.optim.Optimizer) -> tuple[float, ...]:
    """The rate of each group at this step."""
    return tuple(float(group["lr"]) for group in optimizer.param_groups)


def reset_rates(optimizer: torch.optim.Optimizer) -> None:
    """Every group's own rate again, as it was before the schedule."""
    for group in optimizer.param_groups:
        group["lr"] = group.pop("base_lr", group["lr"])

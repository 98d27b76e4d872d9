"""The learning rate range test: what the loss does while the rate rises from far too low to far too high."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm.auto import tqdm

from course_utils.errors import BadData, CourseError
from course_utils.pretrained.data.batches import batches_of, check_count, check_data, enough_memory, run
from course_utils.pretrained.data.images import Images
from course_utils.pretrained.data.randomness import generators_of, given_back, seeded
from course_utils.pretrained.inference.evaluation import check_scores
from course_utils.pretrained.models.freezing import train_mode
from course_utils.pretrained.models.heads import need_module
from course_utils.pretrained.training.checks import checked_optimizer, loss_with_inputs

WIDTH = 3           # standard deviation, in steps, of the window that smooths the losses
BLOWN_UP = 4        # times the lowest loss so far: higher rates have nothing left to tell


@dataclass(frozen=True, repr=False)
class LRCurve:
    """The loss at each learning rate, from the lowest up, until it blew up."""

    rates: tuple[float, ...]         # of the fastest of the optimizer's groups
    losses: tuple[float, ...]        # of one batch each, before the step at that rate
    smoothed: tuple[float, ...]      # the same, averaged with their neighbours
    suggestion: float | None         # where the smoothed loss falls fastest; None where it does not fall

    def __repr__(self) -> str:
        advice = "the loss did not fall" if self.suggestion is None else f"suggestion {self.suggestion:.1e}"
        return f"LRCurve: {len(self.rates)} rates from {self.rates[0]:.1e} to {self.rates[-1]:.1e}; {advice}"


def find_learning_rate(model: nn.Module, train: Images | Iterable, *, start: float = 1e-7, end: float = 1.0,
                       steps: int = 100, batch_size: int = 32, size: int | None = None, augment: bool = True,
                       optimizer: torch.optim.Optimizer | None = None,
                       loss: Callable[[Tensor, Tensor], Tensor] | None = None, seed: int = 0) -> LRCurve:
    """Train a copy for a moment, each step at a higher rate, and look at the loss (Smith, 2017).

    Model, optimizer and random numbers are as they were afterwards, whatever happens: only the copy learns.
    Frozen parts stay frozen, as in `fit`; it computes in float32. The test ends early when the loss blows up.

    The suggestion is the rate at which the smoothed loss falls fastest against log(rate), left of its lowest
    point. Steps add up, so a curve of few steps falls later than one of many; take it as the order of
    magnitude.

    Args:
        train: Images, prepared and shuffled as by `fit`; or a DataLoader of (inputs, labels), untouched.
        start, end: the rates, in `steps` equal ratios.
        batch_size, size, augment: of Images, as for `fit`: learn from the batches that it will learn from.
        optimizer: None is Adam on all that is not frozen. Of several groups, the fastest gets these rates;
            the others keep their ratio to it.
        loss: as for `fit`; None is cross-entropy.
        seed: what order and augmentation follow from; the same seed gives the same curve.
    Raises:
        CourseError: nothing can learn, labels and head do not fit, or memory is short; BadData: too few
            batches.
    """
    need_module(model, "find_learning_rate")
    check_data(train, "find_learning_rate", size=size)
    for name, value in [("steps", steps), ("batch_size", batch_size)]:
        check_count(name, value)
    if not 0 < start < end < math.inf or steps < 10:
        raise CourseError("find_learning_rate needs rates that rise, such as start=1e-7, end=1.0, in at "
                          f"least 10 steps, but got start={start!r}, end={end!r}, steps={steps}.")
    trial, optimizer = copy.deepcopy((model, optimizer))         # together: the copies belong to each other
    optimizer = checked_optimizer(trial, optimizer)
    fastest = max(group["lr"] for group in optimizer.param_groups)
    ratios = [group["lr"] / fastest for group in optimizer.param_groups]
    rates = torch.logspace(math.log10(start), math.log10(end), steps, dtype=torch.float64).tolist()
    loss_of = loss_with_inputs(loss or F.cross_entropy)
    batches = _endless(trial, train, batch_size, size, augment, seed)
    losses: list[float] = []
    train_mode(trial)
    with seeded(seed, "rates"), given_back(generators_of(train)), closing(batches):
        for rate, (inputs, labels) in zip(tqdm(rates, "Rates", delay=2, leave=False), batches, strict=False):
            for group, ratio in zip(optimizer.param_groups, ratios, strict=True):
                group["lr"] = rate * ratio
            scores = run(trial, inputs)                                      # (B, classes)
            check_scores(scores, labels, trial, train)
            with enough_memory(inputs):
                value = loss_of(scores, labels.to(scores.device), inputs.to(scores.device))
                if not value.isfinite() or value.item() > max(BLOWN_UP * min(losses, default=math.inf), 1):
                    break
                losses.append(value.item())
                optimizer.zero_grad()
                value.backward()
                optimizer.step()
        else:
            if len(losses) < steps:
                raise BadData(f"find_learning_rate needs {steps} batches of two or more pictures, but the "
                              f"loader gave {len(losses)}. A DataLoader can be read again and again, an "
                              "iterator only once.")
    if not losses:
        raise CourseError("The loss is no number at the first step already: look for nan in the inputs.")
    return _curve(rates[:len(losses)], losses)


def _endless(model: nn.Module, train: Images | Iterable, batch_size: int, size: int | None, augment: bool,
             seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of two or more, one pass over the data after another, until a pass gives none."""
    for number in itertools.count():
        batches = batches_of(model, train, "find_learning_rate", batch_size, size=size, augment=augment,
                             shuffle=(seed, "rates", number))
        given = 0
        with closing(batches):
            for inputs, labels in batches:
                if len(labels) > 1:         # one picture has no BatchNorm statistics; its loss says little
                    yield inputs, labels
                    given += 1
        if not given:
            return


def _curve(rates: list[float], losses: list[float]) -> LRCurve:
    values, at = torch.tensor(losses, dtype=torch.float64), torch.tensor(rates, dtype=torch.float64).log10()
    place = torch.arange(len(losses), dtype=torch.float64)
    window = torch.exp(-0.5 * ((place - place[:, None]) / WIDTH).square())               # (N, N)
    smoothed = window @ values / window.sum(dim=1)
    lowest, suggestion = int(smoothed.argmin()), None
    falling, scatter = smoothed[:lowest + 1], (values - smoothed)[:lowest + 1].std(correction=0)
    if lowest and falling.max() - falling[-1] > 2 * scatter:         # else it only seems to fall
        suggestion = rates[int(torch.gradient(smoothed, spacing=(at,))[0][:lowest + 1].argmin())]
    return LRCurve(tuple(rates), tuple(losses), tuple(smoothed.tolist()), suggestion)

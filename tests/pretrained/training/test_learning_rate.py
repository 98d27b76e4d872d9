"""The range test finds a rate that learns, and leaves no trace."""

from __future__ import annotations

import copy
import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from course_utils.errors import BadData, CourseError
from course_utils.pretrained import (
    Images,
    find_learning_rate,
    fit,
    freeze,
    parameter_groups,
    replace_head,
    unfreeze,
)

CLASSES, SIZE = ("dark", "light"), 32


@pytest.fixture
def model(lite0):
    """Lite0 with a new head and the last block unfrozen, in a mixture of modes."""
    model = replace_head(freeze(lite0), CLASSES, seed=0)
    unfreeze(model.classifier), unfreeze(model.blocks[6])
    model.blocks[2].train()
    return model


@pytest.fixture(scope="module")
def images(dark_and_light) -> Images:
    return dark_and_light(9, 40)


def loader(count=64, width=6, noise=0.5, **options) -> DataLoader:
    y = torch.arange(count) % 2
    x = noise * torch.randn(count, width, generator=torch.Generator().manual_seed(0)) + (2 * y - 1)[:, None]
    return DataLoader(TensorDataset(x, y), **{"batch_size": 16, "shuffle": True, **options})


def linear() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))


def whole_state(model, optimizer):
    """Everything a range test could disturb."""
    return copy.deepcopy((
        dict(model.state_dict()), [module.training for module in model.modules()],
        [(p.requires_grad, p.grad) for p in model.parameters()],
        optimizer.state_dict(), torch.get_rng_state(), random.getstate(), np.random.get_state()))


def same(a, b) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def trained_optimizer(model) -> torch.optim.Optimizer:
    """Two groups with momentum of their own, a schedule, and gradients left over from a step."""
    optimizer = torch.optim.Adam(parameter_groups(model, 1e-3))
    torch.optim.lr_scheduler.StepLR(optimizer, 1)
    model(torch.randn(2, 3, SIZE, SIZE)).sum().backward()
    optimizer.step()
    return optimizer


# No trace ------------------------------------------------------------------------------------------

def test_it_leaves_everything_as_it_was(model, images):
    optimizer = trained_optimizer(model)
    before = whole_state(model, optimizer)
    groups = list(optimizer.param_groups)
    find_learning_rate(model, images, steps=12, batch_size=4, size=SIZE, optimizer=optimizer)
    assert same(before, whole_state(model, optimizer))
    assert all(a is b for a, b in zip(groups, optimizer.param_groups, strict=True))


def test_a_loaders_own_random_numbers_are_as_they_were_too():
    own = torch.Generator().manual_seed(3)
    before = own.get_state()
    find_learning_rate(nn.Linear(6, 2), loader(generator=own), steps=10)
    assert torch.equal(own.get_state(), before)


def test_a_loss_may_ask_for_the_inputs_as_in_fit():
    seen = []

    def loss(scores, labels, *, inputs):
        seen.append(inputs.shape)
        return F.cross_entropy(scores, labels)

    find_learning_rate(nn.Linear(6, 2), loader(), steps=10, loss=loss)
    assert set(seen) == {(16, 6)}


def test_a_naive_sweep_does_not(model, images):
    """The twin: the same steps on the model itself."""
    optimizer = trained_optimizer(model)
    before = whole_state(model, optimizer)
    model.train()
    for rate in torch.logspace(-7, 0, 12).tolist():
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = F.cross_entropy(model(torch.randn(4, 3, SIZE, SIZE)), torch.tensor([0, 1, 0, 1]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    after = whole_state(model, optimizer)
    names = ["weights and buffers", "modes", "gradients", "optimizer", "torch's random numbers"]
    assert {name for name, a, b in zip(names, before, after, strict=False) if not same(a, b)} == set(names)


@pytest.mark.parametrize("trouble", [KeyboardInterrupt, RuntimeError("out of memory")])
def test_it_leaves_everything_as_it_was_when_it_is_broken_off(model, images, trouble):
    calls = []

    def loss(scores, labels):
        calls.append(len(labels))
        if len(calls) == 6:
            raise trouble
        return F.cross_entropy(scores, labels)

    optimizer = trained_optimizer(model)
    before = whole_state(model, optimizer)
    with pytest.raises((KeyboardInterrupt, CourseError)):
        find_learning_rate(model, images, steps=12, batch_size=4, size=SIZE, optimizer=optimizer, loss=loss)
    assert len(calls) == 6 and same(before, whole_state(model, optimizer))


@pytest.mark.parametrize("after, count", [(20, 20), (3, 3)])
def test_it_stops_where_the_loss_is_no_number(after, count):
    model, calls = linear(), []

    def loss(scores, labels):
        calls.append(1)
        return F.cross_entropy(scores, labels) * (1 if len(calls) <= after else float("nan"))

    before = copy.deepcopy(model.state_dict())
    curve = find_learning_rate(model, loader(), steps=30, loss=loss)
    assert len(curve.rates) == len(curve.losses) == len(curve.smoothed) == count
    assert same(before, model.state_dict())


def test_it_stops_when_the_loss_blows_up():
    model = linear()
    curve = find_learning_rate(model, loader(noise=3), start=1e-4, end=1e6, steps=60,
                               optimizer=torch.optim.SGD(model.parameters(), lr=1))
    assert len(curve.rates) < 60 and curve.rates[-1] < 1e6


# The right curve -----------------------------------------------------------------------------------

def test_the_rates_rise_in_equal_ratios():
    curve = find_learning_rate(linear(), loader(), start=1e-6, end=1e-3, steps=31)
    assert curve.rates[0] == pytest.approx(1e-6) and curve.rates[-1] == pytest.approx(1e-3)
    ratios = np.divide(curve.rates[1:], curve.rates[:-1])
    np.testing.assert_allclose(ratios, ratios[0])


def test_each_loss_is_that_of_a_step_by_hand():
    model = linear()
    curve = find_learning_rate(model, loader(shuffle=False), start=1e-3, end=1e-1, steps=10)
    optimizer, batches = torch.optim.Adam(model.parameters()), list(loader(shuffle=False)) * 3
    for rate, expected, (x, y) in zip(curve.rates, curve.losses, batches, strict=False):
        optimizer.param_groups[0]["lr"] = rate
        loss = F.cross_entropy(model(x), y)
        assert loss.item() == pytest.approx(expected, rel=1e-6)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def test_groups_keep_their_ratio():
    model = linear()
    groups = [{"params": model[0].parameters(), "lr": 1e-4}, {"params": model[2].parameters(), "lr": 1e-3}]
    used = []

    class Watched(torch.optim.SGD):
        def step(self, closure=None):
            used.append([group["lr"] for group in self.param_groups])
            return super().step(closure)

    curve = find_learning_rate(model, loader(), steps=15, optimizer=Watched(groups))
    assert [fast for _, fast in used] == pytest.approx(curve.rates)
    assert [slow for slow, _ in used] == pytest.approx([rate / 10 for rate in curve.rates])


def test_frozen_batchnorm_does_not_drift_during_the_test(model, images):
    seen = []
    model.bn1.register_forward_hook(lambda module, *_: seen.append(module.training))
    find_learning_rate(model, images, steps=10, batch_size=4, size=SIZE)
    assert len(seen) == 10 and not any(seen)


def test_the_same_seed_gives_the_same_curve(model, images):
    first, second, other = (find_learning_rate(model, images, steps=10, batch_size=4, size=SIZE, seed=seed)
                            for seed in (0, 0, 1))
    assert first == second and first.losses != other.losses


# The suggestion ------------------------------------------------------------------------------------

def final_loss(rate) -> float:
    model = linear()
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    history = fit(model, loader(), loader(), epochs=3, optimizer=optimizer)
    return history.epochs[-1].val_loss


def test_the_suggested_rate_learns_better_than_one_far_below_it():
    curve = find_learning_rate(linear(), loader(), start=1e-6, end=10)
    assert final_loss(curve.suggestion) < 0.5 * final_loss(curve.suggestion / 100)


def test_the_suggestion_is_where_the_smoothed_loss_falls_fastest():
    curve = find_learning_rate(linear(), loader(), start=1e-6, end=10)
    slopes = np.gradient(curve.smoothed, np.log10(curve.rates))
    lowest = int(np.argmin(curve.smoothed))
    assert curve.suggestion == curve.rates[int(np.argmin(slopes[:lowest + 1]))]


def test_where_nothing_can_be_learned_nothing_is_suggested():
    rng = torch.Generator().manual_seed(0)
    noise = DataLoader(TensorDataset(torch.randn(640, 6, generator=rng),
                                     torch.randint(2, (640,), generator=rng)), batch_size=16)
    curve = find_learning_rate(linear(), noise, steps=40, end=1e-3)
    assert curve.suggestion is None and "did not fall" in repr(curve)


# What comes in -------------------------------------------------------------------------------------

def frozen():
    return freeze(linear())


WRONG = {
    "no model": (lambda: None, loader, {}, CourseError, "needs a model"),
    "a frozen model": (frozen, loader, {}, CourseError, "every parameter of the model is frozen"),
    "another optimizer": (linear, loader, {"optimizer": torch.optim.SGD(linear().parameters(), lr=1)},
                          CourseError, "holds none"),
    "falling rates": (linear, loader, {"start": 1.0, "end": 1e-3}, CourseError, "rates that rise"),
    "few steps": (linear, loader, {"steps": 3}, CourseError, "10 steps"),
    "half a step": (linear, loader, {"steps": 10.5}, CourseError, "steps is a whole number"),
    "an iterator": (linear, lambda: iter(loader()), {}, BadData, "100 batches.*gave 4"),
    "batches of one": (linear, lambda: loader(batch_size=1), {}, BadData, "two or more.*gave 0"),
    "labels outside": (lambda: nn.Linear(6, 2), lambda: [(torch.randn(2, 6), torch.tensor([0, 2]))], {},
                       CourseError, "there is a label 2"),
    "nan": (linear, lambda: [(torch.full((2, 6), torch.nan), torch.tensor([0, 1]))], {}, CourseError,
            "first step"),
    "a size for a loader": (linear, loader, {"size": 64}, CourseError, "size is for Images"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_said_in_words(case):
    model, train, options, kind, words = WRONG[case]
    with pytest.raises(kind, match=words):
        find_learning_rate(model(), train(), **options)

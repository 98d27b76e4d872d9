"""Rates that change with the share of training that is done, for every group from its own rate."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from course_utils.errors import CourseError, UnknownName
from course_utils.pretrained import fit
from course_utils.pretrained.training.schedules import WARM_UP, choose_schedule, cosine, one_cycle

STEPS = [i / 1000 for i in range(1001)]


def points(count: int = 40) -> TensorDataset:
    y = torch.arange(count) % 2
    return TensorDataset(torch.randn(count, 6) + (2 * y - 1)[:, None], y)


def loader() -> DataLoader:
    return DataLoader(points(), batch_size=8)            # 5 steps an epoch


def two_groups(head: nn.Linear) -> torch.optim.Optimizer:
    return torch.optim.SGD([{"params": [head.weight], "lr": 0.1}, {"params": [head.bias], "lr": 0.01}])


class Watching(torch.optim.SGD):
    """Remembers the rates of each step."""

    def step(self):
        self.seen = [*getattr(self, "seen", []), tuple(group["lr"] for group in self.param_groups)]
        super().step()


def rates_of_steps(schedule, epochs=2, rates=(0.1, 0.01)):
    head = nn.Linear(6, 2)
    optimizer = Watching([{"params": [p], "lr": lr} for p, lr in zip(head.parameters(), rates, strict=True)])
    fit(head, loader(), loader(), epochs=epochs, optimizer=optimizer, schedule=schedule)
    return optimizer


def test_cosine_rises_in_a_straight_line_and_falls_to_nothing():
    factors = [cosine(share) for share in STEPS]
    assert factors[0] == 0 and factors[-1] == pytest.approx(0, abs=1e-12)
    assert max(factors) == cosine(WARM_UP) == 1
    assert cosine(WARM_UP / 2) == pytest.approx(0.5)
    assert cosine((1 + WARM_UP) / 2) == pytest.approx(0.5), "half way down, half is left"


def test_cosine_is_torchs_after_the_warm_up():
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0)
    torchs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=900)
    for step in range(900):
        assert optimizer.param_groups[0]["lr"] == pytest.approx(cosine((100 + step) / 1000), abs=1e-9)
        optimizer.step()
        torchs.step()


def test_one_cycle_is_torchs():
    count = 10_000
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0)
    torchs = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=count, cycle_momentum=False)
    for step in range(count - 1):
        # they count from both ends, we from the middle of a step
        assert optimizer.param_groups[0]["lr"] == pytest.approx(one_cycle((step + 0.5) / count), abs=1e-3)
        optimizer.step()
        torchs.step()


def test_every_group_keeps_its_share():
    """A hundred steps later the head still learns ten times as fast as its bias."""
    seen = rates_of_steps("cosine").seen
    assert len(seen) == 10
    assert [rates[0] for rates in seen] == pytest.approx([0.1 * cosine((i + 0.5) / 10) for i in range(10)])
    assert all(first == pytest.approx(10 * second) for first, second in seen)


def test_without_a_schedule_the_rates_stay():
    assert set(rates_of_steps(None).seen) == {(0.1, 0.01)}


def test_a_function_of_ones_own_is_a_schedule():
    """A tenth after half the training: what StepLR does."""
    seen = rates_of_steps(lambda done: 0.1 if done > 0.5 else 1.0).seen
    assert [rates[0] for rates in seen] == pytest.approx([0.1] * 5 + [0.01] * 5)


def test_afterwards_the_optimizer_has_its_own_rates_again():
    optimizer = rates_of_steps("one-cycle")
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.01]
    assert not any("base_lr" in group for group in optimizer.param_groups)


def test_the_history_tells_the_rates_of_each_epochs_last_step():
    head = nn.Linear(6, 2)
    history = fit(head, loader(), loader(), epochs=2, optimizer=two_groups(head), schedule="one-cycle")
    assert history.epochs[0].rates == pytest.approx((0.1 * one_cycle(0.45), 0.01 * one_cycle(0.45)))
    assert history.epochs[1].rates == pytest.approx((0.1 * one_cycle(0.95), 0.01 * one_cycle(0.95)))


def test_rates_set_by_hand_in_on_epoch_are_left_alone():
    head = nn.Linear(6, 2)
    optimizer = two_groups(head)
    step_lr = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.1)
    history = fit(head, loader(), loader(), epochs=3, optimizer=optimizer,
                  on_epoch=lambda epoch: step_lr.step())
    assert [epoch.rates[0] for epoch in history.epochs] == pytest.approx([0.1, 0.01, 0.001])


@pytest.mark.parametrize("asked, words", [("cosin", "Did you mean 'cosine'"), ("one cycle", "'one-cycle'"),
                                          (3, "A function of your own"), (["cosine"], "no schedule called")])
def test_an_unknown_schedule_names_the_nearest(asked, words):
    with pytest.raises(UnknownName, match=words):
        choose_schedule(asked)


@pytest.mark.parametrize("factor", [-0.1, float("nan"), float("inf"), None, "half", True])
def test_a_schedule_that_gives_no_factor_is_said_in_words(factor):
    with pytest.raises(CourseError, match="A schedule gives a factor"):
        rates_of_steps(lambda done: factor)


def test_a_loader_without_a_length_cannot_be_scheduled():
    class Endless(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter(points())
    stream, head = DataLoader(Endless(), batch_size=8), nn.Linear(6, 2)
    assert len(fit(head, stream, loader(), epochs=2).epochs) == 2
    with pytest.raises(CourseError, match="how many batches"):
        fit(head, stream, loader(), epochs=2, schedule="cosine")

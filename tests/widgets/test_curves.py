"""Curves that grow, and the Stop button seen from Python."""

from __future__ import annotations

import json
import math
import threading
from functools import partial

import torch
from torch import nn

from course_utils import pretrained
from course_utils.widgets import training_curves

Epoch = partial(pretrained.Epoch, train_loss=1.0, val_loss=0.5, val_accuracy=0.9, seconds=2.0, rates=(1e-3,))


def test_every_epoch_is_drawn_and_training_goes_on():
    curves = training_curves(3)
    assert [curves(Epoch(1)), curves(Epoch(2))] == [True, True]
    assert [e["epoch"] for e in curves.epochs] == [1, 2] and curves.state == "running"


def test_the_last_planned_epoch_is_the_end():
    curves = training_curves(1)
    curves(Epoch(1))
    assert curves.state == "done"


def test_stop_ends_after_the_running_epoch_from_another_thread(press):
    curves = training_curves(5)
    curves(Epoch(1))
    message = threading.Thread(target=press, args=(curves, "stop"))
    message.start()
    message.join()
    assert curves.state == "stopping"
    assert curves(Epoch(2)) is False and curves.state == "stopped" and len(curves.epochs) == 2
    assert "stopped as you asked" in curves.text()


def test_stop_during_the_first_epoch_counts(press):
    curves = training_curves()
    press(curves, "stop")
    assert curves(Epoch(1)) is False


def test_another_training_begins_anew_and_is_not_stopped_by_the_old_stop(press):
    curves = training_curves(2)
    press(curves, "stop")
    curves(Epoch(1))
    assert curves(Epoch(1)) is True and len(curves.epochs) == 1 and curves.state == "running"


def test_a_stop_that_comes_after_the_end_changes_nothing(press):
    curves = training_curves(1)
    curves(Epoch(1))
    press(curves, "stop")
    assert curves.state == "done" and curves(Epoch(1)) is True


def test_time_adds_up():
    curves = training_curves()
    curves(Epoch(1, seconds=2.0))
    curves(Epoch(2, seconds=3.5))
    assert curves.epochs[-1]["elapsed"] == 5.5 and "6 s" in curves.text()


def test_numbers_that_are_none_reach_the_browser_as_valid_json():
    curves = training_curves()
    curves(Epoch(1, train_loss=math.nan, val_loss=math.inf, val_accuracy=None))
    json.dumps(curves.epochs, allow_nan=False)
    assert curves.text().count("no number") == 3


def test_the_text_form_is_a_table():
    curves = training_curves(2, title="The head")
    curves(Epoch(1, train_loss=1.25, val_loss=0.5, val_accuracy=0.925))
    first, _, row = curves.text().splitlines()
    assert first == "The head: 1 of 2 epochs, 2 s" and row.split() == ["1", "1.250", "0.500", "92.5%"]


def test_a_mark_says_from_which_epoch_on_layers_learn():
    curves = training_curves(2)
    curves(Epoch(1))
    curves(Epoch(2, unfrozen=("conv_head", "blocks.6")))
    assert [e["unfrozen"] for e in curves.epochs] == ["", "conv_head, blocks.6"]
    first, second = curves.text().splitlines()[2:]
    assert "✎" not in first and second.endswith("✎ conv_head, blocks.6 began to learn")


def test_what_fit_unfreezes_is_marked():
    """With a real training, of a network that has nothing but two layers."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    pretrained.freeze(model[0])
    batches = [(torch.randn(8, 4), torch.arange(8) % 2)]
    curves = training_curves(2)
    pretrained.fit(model, batches, batches, epochs=2, unfreeze_at={2: "0"}, on_epoch=curves)
    assert [e["unfrozen"] for e in curves.epochs] == ["", "0"]


def test_a_stopped_training_that_is_resumed_goes_on_and_can_be_stopped_again(press):
    curves = training_curves(6)
    curves(Epoch(1))
    press(curves, "stop")
    assert curves(Epoch(2)) is False
    assert [curves(Epoch(3)), curves(Epoch(4))] == [True, True] and curves.state == "running"
    assert len(curves.epochs) == 4
    press(curves, "stop")
    assert curves(Epoch(5)) is False

"""The cost of a forward pass and of a training step: what is counted, and that models stay as they were."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from course_utils.errors import CourseError
from course_utils.pretrained import count_parameters, freeze, load_model, measure, step_cost, unfreeze


@pytest.fixture
def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 3))


IMAGES = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 2, 0])


# A training step --------------------------------------------------------------------------------------

def test_a_measured_model_is_as_it_was(network):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    step_cost(network, IMAGES, LABELS, repeats=1)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert all(p.grad is None for p in network.parameters()) and network.training


def test_a_step_that_fails_leaves_the_model_as_it_was(network):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(IndexError):
        step_cost(network.train(), IMAGES, LABELS + 7)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_frozen_backbone_keeps_fewer_activations_and_less_state(network):
    whole = step_cost(network, IMAGES, LABELS, repeats=1)
    unfreeze(freeze(network)[-1])
    head = step_cost(network, IMAGES, LABELS, repeats=1)
    assert head.learning == 8 * 36 * 3 + 3 < whole.learning
    assert head.kept_mib < whole.kept_mib and head.state_mib < whole.state_mib


def test_what_a_linear_layer_keeps_is_its_input():
    cost = step_cost(nn.Sequential(nn.Flatten(), nn.Linear(192, 3)), IMAGES, LABELS, repeats=1)
    assert cost.kept_mib * 2**20 == IMAGES.numel() * 4


def test_a_model_that_cannot_learn_is_refused_in_words(network):
    with pytest.raises(CourseError, match="every parameter is frozen"):
        step_cost(freeze(network), IMAGES, LABELS)


@pytest.mark.parametrize("model, repeats, said", [("resnet18", 1, "step_cost needs a model"),
                                                  (None, 0, "repeats is a whole number from 1")])
def test_a_step_that_cannot_be_taken_is_said_in_words(network, model, repeats, said):
    with pytest.raises(CourseError, match=said):
        step_cost(model or network, IMAGES, LABELS, repeats=repeats)


def test_numpys_numbers_are_numbers(network):
    cost = measure(network, size=np.int64(8), batch_sizes=np.int64(2), repeats=np.int64(1), warmup=1)
    assert cost.size == 8 and cost.latencies[0].batch == 2


# A forward pass ---------------------------------------------------------------------------------------

def quick(model, **settings):
    return measure(model, **{"batch_sizes": (1,), "repeats": 1, "warmup": 1, **settings})


@pytest.mark.parametrize("name, parameters, giga", [      # torchvision's own figures, multiply–adds
    ("torchvision/resnet50", 25_557_032, 4.089), ("torchvision/vit_b_16", 86_567_656, 17.564),
    ("torchvision/swin_t", 28_288_354, 4.491)])
def test_a_multiply_add_is_two_operations_and_torchvisions_gflops_are_multiply_adds(name, parameters, giga):
    cost = quick(name)
    assert cost.parameters == parameters and cost.flops == 2 * cost.multiply_adds
    assert cost.multiply_adds / 1e9 == pytest.approx(giga, abs=6e-4)        # it rounds
    assert f"{giga:.3f} G multiply–adds a picture: {cost.flops / 1e9:.3f} G operations" in repr(cost)


def test_without_care_the_attention_of_torchvisions_vit_is_not_counted():
    """The twin: torch runs it as one operation, whose inside its counter does not see."""
    model = load_model("torchvision/vit_b_16", random_init=True)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 3, 224, 224))
    assert counter.get_total_flops() / 2e9 < 12


def test_the_most_activations_at_one_time_are_counted():
    """8 maps of 8 × 8, before and after the first ReLU: 4 KiB. All later ones are smaller, or in place."""
    network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 3, padding=1),
                            nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(256, 3))
    assert quick(network, size=8).activations_mib * 2**20 == 2 * 8 * 8 * 8 * 4


def test_each_batch_size_is_timed_with_its_spread(network):
    cost = measure(network, size=8, batch_sizes=(1, 4), repeats=5)
    assert [latency.batch for latency in cost.latencies] == [1, 4]
    for latency in cost.latencies:
        assert 0 < latency.lower <= latency.median <= latency.upper
        assert latency.images_per_second == latency.batch / latency.median
    assert "batch   4" in repr(cost) and "threads" in cost.machine and "float32" in cost.machine


def test_a_slow_run_widens_the_spread_and_leaves_the_median(network):
    naps = iter([0, 0, 0, 0.4, 0])          # one pass counts, one warms up, three are timed
    network.register_forward_pre_hook(lambda *_: time.sleep(next(naps)))
    latency = measure(network, size=8, batch_sizes=1, repeats=3, warmup=1).latencies[0]
    assert latency.upper >= 0.2 > latency.median            # the quartile lies half-way to the slow one


def test_measuring_leaves_a_model_as_it_was(network):
    freeze(network[0])
    before = {name: value.clone() for name, value in network.state_dict().items()}
    fast = torch.backends.mha.get_fastpath_enabled()
    quick(network, size=8, precision="bfloat16")
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert all(module.training for module in network.modules()) and not network[0].weight.requires_grad
    assert torch.backends.mha.get_fastpath_enabled() == fast


def test_interrupting_leaves_the_mode_too(network):
    def interrupt(*_):
        raise KeyboardInterrupt

    network[1].register_forward_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        quick(network, size=8)
    assert all(module.training for module in network.modules())


def test_a_model_at_hand_is_measured_with_its_name_and_size(lite0, no_network):
    cost = quick(lite0)
    assert (cost.name, cost.size, cost.parameters) == ("efficientnet_lite0", 224, count_parameters(lite0))
    saved = io.BytesIO()
    torch.save(lite0.state_dict(), saved)
    assert cost.file_mib * 2**20 == pytest.approx(len(saved.getvalue()), rel=0.02)


@pytest.mark.parametrize("settings, said", [
    ({}, r"Nothing is known about the weights.*measure\(model, size=224\)"),
    ({"size": 64}, r"cannot take inputs of shape \(1, 3, 64, 64\)"),
    ({"size": 8, "batch_sizes": (0,)}, "batch size"), ({"size": 8, "repeats": 0}, "repeats"),
    ({"size": 8, "warmup": 0}, "warmup"), ({"size": 8, "batch_sizes": "1"}, "batch size"),
    ({"size": 8, "precision": "half"}, "precision")])
def test_what_cannot_be_measured_is_said_in_words(network, settings, said):
    with pytest.raises(CourseError, match=said):
        quick(network, **settings)
    with pytest.raises(CourseError, match="an object of type int"):
        measure(50)

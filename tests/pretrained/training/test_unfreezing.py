"""Layers that begin to learn later reach the optimizer, with a rate of their own."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from course_utils.errors import CourseError, UnknownName
from course_utils.pretrained import fit, freeze, freeze_report, layer_groups, load_model, unfreeze
from course_utils.pretrained.training.unfreezing import due_by_epoch


@pytest.fixture
def model():
    """A small ResNet of which the head learns."""
    model = freeze(load_model("timm/test_resnet", 2, random_init=True))
    unfreeze(model.fc)
    return model


@pytest.fixture
def data() -> DataLoader:
    y = torch.arange(8) % 2
    return DataLoader(TensorDataset(torch.randn(8, 3, 32, 32) + y[:, None, None, None], y), batch_size=4)


def test_a_part_of_another_model_is_said_in_words(model, data):
    with pytest.raises(CourseError, match="of another model"):
        fit(model, data, data, epochs=2, unfreeze_at={2: layer_groups(copy.deepcopy(model))[-2]})


def adam(model) -> torch.optim.Optimizer:
    return torch.optim.Adam(model.fc.parameters(), lr=1e-3)


def moved(before: dict, model) -> set[str]:
    """Which children of the model have other parameters now."""
    return {name.split(".")[0] for name, p in model.named_parameters() if not torch.equal(before[name], p)}


def parameters(model) -> dict:
    return {name: p.detach().clone() for name, p in model.named_parameters()}


# In mid-training -----------------------------------------------------------------------------------

def one_epoch(model, data, optimizer):
    fit(model, data, data, epochs=1, optimizer=optimizer)


def test_without_the_optimizer_what_is_unfrozen_does_not_learn_and_that_is_said(model, data, capsys):
    """The twin, and the trap: gradients alone move nothing."""
    optimizer, before = adam(model), parameters(model)
    unfreeze(model.layer4)
    one_epoch(model, data, optimizer)
    assert moved(before, model) == {"fc"}
    count = sum(p.numel() for p in model.layer4.parameters())
    said = capsys.readouterr().out
    assert f"{count:,} parameters get gradients, but the optimizer does not hold them" in said
    assert "in layer4. To let a part of them learn, type: unfreeze(part, optimizer=optimizer)" in said
    assert freeze_report(model, optimizer).set_index("group").in_optimizer["layer4"] == 0


def test_with_the_optimizer_it_does(model, data, capsys):
    optimizer, before = adam(model), parameters(model)
    assert unfreeze(model.layer4, optimizer=optimizer, lr=1e-2) is model.layer4
    one_epoch(model, data, optimizer)
    assert moved(before, model) == {"fc", "layer4"} and not capsys.readouterr().out
    assert freeze_report(model, optimizer).set_index("group").lr["layer4"] == 1e-2


def test_what_joins_the_optimizer_later_is_not_said_to_be_left_out(model, data, capsys):
    unfreeze(model.layer4)
    fit(model, data, data, epochs=1, optimizer=adam(model), unfreeze_at={1: "layer4"})
    assert not capsys.readouterr().out


def test_the_rate_is_a_tenth_of_the_lowest(model):
    optimizer = adam(model)
    for group in layer_groups(model)[-2:-4:-1]:
        unfreeze(group, optimizer=optimizer)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([1e-3, 1e-4, 1e-5])
    assert [group.get("name") for group in optimizer.param_groups] == [None, "layer4", "layer3"]


def test_what_the_optimizer_has_already_is_not_added_again(model):
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    unfreeze(model.layer4, optimizer=optimizer)
    assert len(optimizer.param_groups) == 1
    with pytest.raises(CourseError, match="already"):
        unfreeze(model.layer4, optimizer=optimizer, lr=1e-4)


def test_an_optimizer_with_names_gets_names(model):
    optimizer = torch.optim.Adam(model.fc.named_parameters(), lr=1e-3)
    unfreeze(model.layer4, optimizer=optimizer)
    assert len(optimizer.param_groups[1]["param_names"]) == len(list(model.layer4.parameters()))


# By epoch ------------------------------------------------------------------------------------------

def test_layers_learn_from_their_epoch_on_at_falling_rates(model, data):
    before, learned = parameters(model), []
    optimizer = adam(model)
    history = fit(model, data, data, epochs=4, optimizer=optimizer, unfreeze_at={2: "layer4", 4: "layer3"},
                  on_epoch=lambda epoch: learned.append(moved(before, model)))
    assert learned == [{"fc"}, {"fc", "layer4"}, {"fc", "layer4"}, {"fc", "layer4", "layer3"}]
    assert [epoch.unfrozen for epoch in history.epochs] == [(), ("layer4",), (), ("layer3",)]
    assert history.epochs[3].rates == pytest.approx((1e-3, 1e-4, 1e-5))
    assert "unfroze layer3" in repr(history)


def test_their_batchnorm_wakes_with_them(model, data):
    means = {name: value.clone() for name, value in model.named_buffers() if name.endswith("running_mean")}

    def awake():
        return {name.split(".")[0] for name, value in model.named_buffers()
                if name in means and not torch.equal(means[name], value)}
    seen = []
    fit(model, data, data, epochs=2, unfreeze_at={2: "layer4"}, on_epoch=lambda epoch: seen.append(awake()))
    assert seen == [set(), {"layer4"}]


def test_several_at_once_get_a_tenth_each_from_the_head_to_the_input(model, data):
    history = fit(model, data, data, epochs=1, optimizer=adam(model), unfreeze_at={1: ["layer3", "layer4"]})
    assert history.epochs[0].unfrozen == ("layer4", "layer3")
    assert history.epochs[0].rates == pytest.approx((1e-3, 1e-4, 1e-5))


@pytest.mark.parametrize("schedule", [None, "cosine"])
def test_rates_may_be_given_and_follow_the_schedule(model, data, schedule):
    history = fit(model, data, data, epochs=2, optimizer=adam(model), schedule=schedule,
                  unfreeze_at={2: [("layer4", 5e-4), "layer3"]})
    head, *others = history.epochs[1].rates
    assert [rate / head for rate in others] == pytest.approx([0.5, 0.05]), "a tenth of the base rates"


def test_a_part_may_be_a_group_or_a_module_inside_one(model, data):
    before = parameters(model)
    group = layer_groups(model)[-2]
    fit(model, data, data, epochs=2, optimizer=torch.optim.SGD(model.fc.parameters(), lr=0.1),
        unfreeze_at={1: (group, 0.1), 2: ("layer3.0.bn3", 0.1)})
    assert moved(before, model) == {"fc", "layer4", "layer3"}
    assert torch.equal(before["layer3.0.bn1.weight"], model.layer3[0].bn1.weight)


def test_the_stem_goes_by_its_group_name(model):
    (part, rate), = due_by_epoch(model, {3: "stem"}, epochs=3)[3]
    assert rate is None and sum(p.numel() for p in part.parameters()) > 0


@pytest.mark.parametrize("plan, kind, words", [
    ({2: "layr4"}, UnknownName, "Did you mean .*'layer4'"), ({2: ""}, UnknownName, "no layer called ''"),
    ({2: None}, UnknownName, "None"), ({2: ["layer4", "layer9"]}, UnknownName, "layer9"),
    ({9: "layer4"}, CourseError, "epochs run from 1 to 3"), ({0: "layer4"}, CourseError, "epoch 0"),
    ({"2": "layer4"}, CourseError, "epoch '2'"), ("layer4", CourseError, "such as {4: 'layer4'}"),
    ({2: ("layer4", 0)}, CourseError, "a number above 0"),
    ({2: ("layer4", "layer3")}, CourseError, "are a list"),
    ({2: "layer4.0.act1"}, CourseError, "no parameters")])
def test_a_plan_that_makes_no_sense_is_refused_before_training(model, data, plan, kind, words):
    with pytest.raises(kind, match=words):
        fit(model, data, data, epochs=3, unfreeze_at=plan, loss=lambda s, y: pytest.fail("it trained"))


def test_a_rate_for_what_the_optimizer_holds_by_then_is_refused_before_training(model, data):
    def never(scores, labels):
        pytest.fail("it trained")
    whole = torch.optim.Adam(model.parameters(), lr=1e-3)
    with pytest.raises(CourseError, match=r"holds layer4 already.*Leave the rate out"):
        fit(model, data, data, epochs=7, optimizer=whole, unfreeze_at={7: ("layer4", 1e-4)}, loss=never)
    with pytest.raises(CourseError, match=r"holds layer4\.0 already"):
        fit(model, data, data, epochs=7, optimizer=adam(model), loss=never,
            unfreeze_at={2: "layer4", 7: ("layer4.0", 1e-4)})


def test_without_a_rate_the_optimizers_own_stays(model, data):
    """The twin."""
    whole = torch.optim.Adam(model.parameters(), lr=1e-3)
    history = fit(model, data, data, epochs=2, optimizer=whole, unfreeze_at={2: "layer4"})
    assert history.epochs[1].rates == (1e-3,) and history.epochs[1].unfrozen == ("layer4",)


def test_own_networks_have_layers_by_name_too(data):
    own = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 4), nn.ReLU(), nn.Linear(4, 2))
    freeze(own[1])
    before = parameters(own)
    fit(own, data, data, epochs=1, unfreeze_at={1: "1"})
    assert moved(before, own) == {"1", "3"}

"""The three switches: gradients, modes, optimizer. Each test of a mended trap has a twin where it snaps."""

import copy
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_utils.errors import CourseError
from course_utils.pretrained import (
    count_parameters,
    find_head,
    freeze,
    freeze_report,
    in_eval_mode,
    layer_groups,
    load_model,
    parameter_groups,
    preprocessing,
    replace_head,
    train_mode,
    unfreeze,
)


@pytest.fixture
def resnet18():
    return load_model("torchvision/resnet18", 3, random_init=True)


@pytest.fixture
def head_only(lite0):
    """Lite0 with five classes of which only the head learns."""
    replace_head(lite0, 5, dropout=0.2, seed=0)
    freeze(lite0)
    unfreeze(lite0.classifier)
    return lite0


def drift(model):
    return freeze_report(model).set_index("group")["batchnorm_drift"]


def snapshot(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def moved(before, model):
    return {name for name, value in model.state_dict().items() if not torch.equal(before[name], value)}


def one_step(model, optimizer):
    loss = F.cross_entropy(model(torch.randn(4, 3, 64, 64)), torch.tensor([0, 1, 2, 0]))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


# Gradients --------------------------------------------------------------------------------------------

def test_freeze_switches_gradients_off_and_changes_no_mode(resnet18):
    resnet18.train()
    assert freeze(resnet18) is resnet18
    assert count_parameters(resnet18, trainable=True) == 0
    assert all(module.training for module in resnet18.modules()), "freeze must leave modes to train_mode"


def test_unfreeze_takes_back_just_the_part_it_is_given(resnet18):
    freeze(resnet18)
    unfreeze(resnet18.layer4)
    learning = {name.split(".")[0] for name, p in resnet18.named_parameters() if p.requires_grad}
    assert learning == {"layer4"}


def test_a_layer_group_can_be_frozen_like_a_module(resnet18):
    freeze(layer_groups(resnet18)[0])
    assert not resnet18.conv1.weight.requires_grad and not resnet18.bn1.weight.requires_grad
    assert resnet18.layer1[0].conv1.weight.requires_grad


def test_plain_train_undoes_train_mode_because_nothing_is_patched(head_only):
    assert not train_mode(head_only).bn1.training
    assert head_only.train().bn1.training


@pytest.mark.parametrize("act", [freeze, unfreeze, train_mode])
@pytest.mark.parametrize("given, said", [("backbone", "'backbone'"), (None, "None"), (3, "type int"),
                                         ([nn.Linear(2, 2)], "type list")])
def test_what_is_no_module_is_said_in_words(act, given, said):
    with pytest.raises(CourseError, match=said):
        act(given)


def test_freezing_the_parameters_themselves_is_said_in_words(resnet18):
    with pytest.raises(CourseError, match="not its name or its parameters"):
        freeze(resnet18.parameters())


@pytest.mark.parametrize("act", [freeze, unfreeze])
def test_a_part_without_parameters_is_said_in_words(act, resnet18):
    with pytest.raises(CourseError, match="no parameters"):
        act(resnet18.avgpool)


# Modes ------------------------------------------------------------------------------------------------

def test_train_mode_lets_run_what_learns_and_rests_what_is_frozen(head_only):
    train_mode(head_only)
    assert head_only.training and head_only.classifier.training and head_only.classifier[0].training
    resting = [module for name, module in head_only.named_modules() if name.startswith("blocks.")]
    assert resting and not any(module.training for module in resting)


def test_train_mode_of_an_unfrozen_model_is_train(resnet18):
    assert all(module.training for module in train_mode(resnet18.eval()).modules())


def test_train_mode_of_a_frozen_model_is_eval(resnet18):
    assert not any(module.training for module in train_mode(freeze(resnet18)).modules())


def test_train_mode_reaches_into_a_stage_that_is_frozen_in_part(resnet18):
    freeze(resnet18.layer4[0])
    train_mode(resnet18)
    assert resnet18.layer4.training and resnet18.layer4[1].bn1.training
    assert not resnet18.layer4[0].bn1.training


def test_in_eval_mode_puts_every_part_back(head_only):
    train_mode(head_only)
    before = {name: module.training for name, module in head_only.named_modules()}
    with pytest.raises(ZeroDivisionError), in_eval_mode(head_only):
        assert not any(module.training for module in head_only.modules())
        _ = 1 / 0
    assert {name: module.training for name, module in head_only.named_modules()} == before


def test_in_train_mode_a_frozen_models_step_moves_the_head_alone(head_only):
    optimizer = torch.optim.Adam(parameter_groups(head_only, 1e-3))
    train_mode(head_only)
    before = snapshot(head_only)
    one_step(head_only, optimizer)
    assert moved(before, head_only) == {"classifier.1.weight", "classifier.1.bias"}


def test_under_plain_train_the_same_step_moves_frozen_statistics_too(head_only):
    optimizer = torch.optim.Adam(parameter_groups(head_only, 1e-3))
    head_only.train()
    before = snapshot(head_only)
    one_step(head_only, optimizer)
    others = moved(before, head_only) - {"classifier.1.weight", "classifier.1.bias"}
    assert "bn1.running_mean" in others
    assert all("running_" in name or "num_batches" in name for name in others)


def batches(photos, model):
    prepare = preprocessing(model, size=128)
    return torch.stack([prepare(photo) for photo in photos]).split(16)      # 5 × (16, 3, 128, 128)


def test_five_batches_of_photos_let_frozen_batchnorm_drift(head_only, photos):
    head_only.train()
    with torch.no_grad():
        for batch in batches(photos, head_only):
            head_only(batch)
    assert 0.05 < drift(head_only)["stem"] < 1


def test_in_train_mode_the_same_batches_move_nothing(head_only, photos):
    train_mode(head_only)
    with torch.no_grad():
        for batch in batches(photos, head_only):
            head_only(batch)
    assert (drift(head_only).dropna() == 0).all()


# The optimizer ----------------------------------------------------------------------------------------

def test_rates_fall_by_the_factor_from_the_head_to_the_input(resnet18):
    groups = parameter_groups(resnet18, 1e-3, factor=10)
    assert [group["name"] for group in groups] == ["stem", "layer1", "layer2", "layer3", "layer4", "head"]
    assert [group["lr"] for group in groups] == pytest.approx([1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3])


def test_only_what_learns_reaches_the_optimizer(resnet18):
    freeze(resnet18)
    unfreeze(resnet18.layer4)
    unfreeze(resnet18.fc)
    groups = parameter_groups(resnet18, 1e-2, factor=5)
    assert {group["name"]: group["lr"] for group in groups} == pytest.approx({"layer4": 2e-3, "head": 1e-2})
    held = sum(p.numel() for group in groups for p in group["params"])
    assert held == count_parameters(resnet18, trainable=True)


def test_two_groups_are_body_and_head(resnet18):
    body, head = parameter_groups(resnet18, 1e-3, groups=2)
    assert (body["name"], head["name"]) == ("body", "head") and (body["lr"], head["lr"]) == (1e-4, 1e-3)
    assert sum(p.numel() for p in body["params"]) == 11_176_512, "the stem among them"


def test_three_groups_are_early_late_and_head(resnet18):
    early, late, head = parameter_groups(resnet18, 1e-3, groups=3)
    assert [early["name"], late["name"], head["name"]] == ["early", "late", "head"]
    assert [early["lr"], late["lr"], head["lr"]] == pytest.approx([1e-5, 1e-4, 1e-3])
    assert any(p is resnet18.conv1.weight for p in early["params"])
    assert any(p is resnet18.layer2[1].bn2.bias for p in early["params"])
    assert late["params"][0] is resnet18.layer3[0].conv1.weight


@pytest.mark.parametrize("groups", [None, 2, 3])
def test_every_family_has_each_parameter_in_one_group(family, groups):
    held = [id(p) for group in parameter_groups(family, 1e-3, groups=groups) for p in group["params"]]
    assert sorted(held) == sorted(id(p) for p in family.parameters())


def test_groups_that_are_frozen_take_no_place_in_the_row_of_rates(resnet18):
    freeze(resnet18)
    unfreeze(resnet18.fc)
    unfreeze(resnet18.conv1)
    groups = parameter_groups(resnet18, 1e-3, groups=3)
    assert {group["name"]: group["lr"] for group in groups} == pytest.approx({"early": 1e-4, "head": 1e-3})


def test_another_number_of_groups_is_said_in_words(resnet18):
    with pytest.raises(CourseError, match="groups is 2, 3 or None, but got 4"):
        parameter_groups(resnet18, 1e-3, groups=4)


@pytest.mark.parametrize("make", [torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW, torch.optim.RMSprop])
def test_any_torch_optimizer_takes_the_groups_and_moves_them(head_only, make):
    optimizer = make(parameter_groups(head_only, 1e-2))
    before = snapshot(head_only)
    one_step(train_mode(head_only), optimizer)
    assert moved(before, head_only) == {"classifier.1.weight", "classifier.1.bias"}


def test_an_optimizer_for_a_frozen_model_is_refused(resnet18):
    with pytest.raises(CourseError, match="Unfreeze the head"):
        parameter_groups(freeze(resnet18), 1e-3)


@pytest.mark.parametrize("rates", [
    {"head_lr": -1}, {"head_lr": "1e-3"}, {"head_lr": math.nan}, {"head_lr": None},
    {"head_lr": 1e-3, "factor": 0.5}, {"head_lr": 1e-3, "factor": math.inf}])
def test_rates_that_make_no_sense_are_said_in_words(resnet18, rates):
    with pytest.raises(CourseError, match="must be a number"):
        parameter_groups(resnet18, **rates)


# The report -------------------------------------------------------------------------------------------

def test_the_report_tells_the_three_switches(head_only):
    optimizer = torch.optim.Adam(head_only.classifier.parameters(), lr=1e-3)
    report = freeze_report(train_mode(head_only), optimizer)
    assert " ".join(report) == "group parameters trainable in_optimizer lr mode batchnorm_drift"
    head, backbone = report.iloc[-1], report.iloc[:-1]
    assert (head.group, head.parameters, head.trainable, head.in_optimizer) == ("head", 6405, 6405, 6405)
    assert head.lr == 1e-3 and head["mode"] == "train" and math.isnan(head.batchnorm_drift)
    assert (backbone.trainable == 0).all() and (backbone.in_optimizer == 0).all() and backbone.lr.isna().all()
    assert (backbone["mode"] == "eval").all() and (backbone.batchnorm_drift == 0).all()
    assert report.parameters.sum() == count_parameters(head_only)


def test_the_report_shows_an_optimizer_that_lacks_the_new_head(head_only):
    optimizer = torch.optim.Adam(parameter_groups(head_only, 1e-3))
    replace_head(head_only, 5)
    head = freeze_report(head_only, optimizer).iloc[-1]
    assert head.trainable == 6405 and head.in_optimizer == 0 and math.isnan(head.lr)


def test_the_report_shows_a_group_in_two_modes(resnet18):
    freeze(resnet18.layer4[0])
    report = freeze_report(train_mode(resnet18)).set_index("group")
    assert report["mode"]["layer4"] == "mixed" and report["mode"]["layer3"] == "train"


def test_drift_is_not_known_for_models_from_elsewhere():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.LazyLinear(2))
    model(torch.randn(2, 3, 8, 8))
    assert freeze_report(model).batchnorm_drift.isna().all()


def test_copies_remember_the_means_as_loaded(head_only):
    twin = copy.deepcopy(head_only).train()
    with torch.no_grad():
        twin(torch.randn(4, 3, 64, 64))
    assert drift(twin)["stem"] > 0 and drift(head_only)["stem"] == 0


def test_every_family_can_be_reported(family):
    report = freeze_report(family)
    assert report.parameters.sum() == count_parameters(family) and (report["mode"] == "eval").all()
    assert find_head(family)


def test_a_report_on_something_else_is_said_in_words(resnet18):
    with pytest.raises(CourseError, match="torch optimizer"):
        freeze_report(resnet18, "adam")
    with pytest.raises(CourseError, match="None"):
        freeze_report(None)


def test_the_mode_of_what_is_no_module_is_said_in_words():
    with pytest.raises(CourseError, match=r"in_eval_mode needs a model.*'model'"), in_eval_mode("model"):
        pass

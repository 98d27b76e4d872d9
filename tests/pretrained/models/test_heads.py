"""The head is found in every family, and replaced without touching anything else."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from course_utils.errors import CourseError
from course_utils.pretrained import count_parameters, find_head, freeze, load_model, replace_head, unfreeze


def pictures_for(model, n=2):
    size = model.course_weights.input_size
    return torch.empty(n, 3, size, size, device=next(model.parameters()).device)


def test_the_head_is_the_linear_whose_output_is_the_models_output(family, head_of_family):
    assert find_head(family) == head_of_family
    heard = []
    head = family.get_submodule(head_of_family)
    hook = head.register_forward_hook(lambda module, inputs, output: heard.append(output))
    scores = family(pictures_for(family))
    hook.remove()
    assert scores.shape == (2, 1000) and scores is heard[-1]


def test_a_new_head_changes_the_scores_of_every_family(family):
    model = copy.deepcopy(family)
    before = dict(model.named_parameters())
    head = find_head(model)
    replace_head(model, 7)
    assert model(pictures_for(model)).shape == (2, 7)
    assert find_head(model) == head and isinstance(model.get_submodule(head), nn.Linear)
    now = dict(model.named_parameters())
    assert {name for name in now if before.get(name) is not now[name]} == {f"{head}.weight", f"{head}.bias"}


def test_resnet50_with_ten_classes_trains_20490_of_23528522_parameters(resnet50):
    freeze(resnet50)
    replace_head(resnet50, 10, dropout=0.5)
    unfreeze(resnet50.get_submodule(find_head(resnet50)))
    assert count_parameters(resnet50, trainable=True) == 20_490
    assert count_parameters(resnet50) == 23_528_522


def test_dropout_makes_a_sequential_and_no_dropout_a_bare_linear(resnet50):
    replace_head(resnet50, 5, dropout=0.3)
    assert isinstance(resnet50.fc, nn.Sequential)
    assert [type(layer) for layer in resnet50.fc] == [nn.Dropout, nn.Linear] and resnet50.fc[0].p == 0.3
    replace_head(resnet50, 3)
    assert type(resnet50.fc) is nn.Linear


def test_replacing_twice_leaves_one_dropout(resnet50):
    replace_head(resnet50, 5, dropout=0.3)
    replace_head(resnet50, 5, dropout=0.4)
    assert [m.p for m in resnet50.modules() if isinstance(m, nn.Dropout)] == [0.4]


def test_class_names_become_the_models_classes(resnet50):
    replace_head(resnet50, ["rose", "tulip"])
    assert (resnet50.num_classes, resnet50.course_classes) == (2, ("rose", "tulip"))
    replace_head(resnet50, 4)
    assert (resnet50.num_classes, resnet50.course_classes) == (4, None)


def test_a_seed_gives_the_same_head_and_leaves_torchs_random_numbers_alone(lite0):
    before = torch.get_rng_state()
    first = replace_head(lite0, 5, seed=1).classifier.weight.clone()
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(replace_head(lite0, 5, seed=1).classifier.weight, first)
    assert not torch.equal(replace_head(lite0, 5, seed=2).classifier.weight, first)


def test_without_a_seed_the_global_one_counts(lite0):
    torch.manual_seed(3)
    first = replace_head(lite0, 5).classifier.weight.clone()
    assert not torch.equal(replace_head(lite0, 5).classifier.weight, first)
    torch.manual_seed(3)
    assert torch.equal(replace_head(lite0, 5).classifier.weight, first)


def test_a_new_head_takes_over_mode_device_and_dtype():
    model = load_model("timm/mobilenetv3_small_050", random_init=True).double().train()
    assert replace_head(model, 5, dropout=0.2).classifier.training
    assert model.classifier[1].weight.dtype == torch.float64
    assert not replace_head(model.eval(), 5, dropout=0.2).classifier.training


def test_load_model_gives_the_new_head_at_once():
    model = load_model("timm/mobilenetv3_small_050", ["a", "b", "c"], dropout=0.5, random_init=True)
    assert model.course_classes == ("a", "b", "c") and model.classifier[0].p == 0.5 and not model.training


def test_a_numpy_number_of_classes_becomes_a_plain_one(lite0):
    """Else a checkpoint would hold NumPy's, which is not read without its code."""
    replace_head(lite0, np.int64(5))
    assert type(lite0.num_classes) is type(lite0.classifier.out_features) is int


@pytest.mark.parametrize("given, said", [
    (0, "at least 2"), (1, "at least 2"), (-3, "at least 2"), (True, "number of classes"), (2.5, "2.5"),
    ("flowers", "list of names"), (["rose"], "at least 2"), (["rose", "rose"], "its own name"),
    ([1, 2], "must be texts"), (None, "None"),
])
def test_a_number_of_classes_that_makes_no_sense_is_said_in_words(lite0, given, said):
    with pytest.raises(CourseError, match=said):
        replace_head(lite0, given)
    assert lite0.classifier.out_features == 1000, "the old head must still be there"


@pytest.mark.parametrize("options, said", [
    ({"dropout": 1}, "below 1"), ({"dropout": -0.1}, "at least 0"), ({"dropout": "0.5"}, "'0.5'"),
    ({"seed": 1.5}, "whole number"),
])
def test_bad_dropout_and_seed_are_said_in_words(lite0, options, said):
    with pytest.raises(CourseError, match=said):
        replace_head(lite0, 5, **options)


@pytest.mark.parametrize("model, said", [
    (None, "None"), ("resnet50", "'resnet50'"), (nn.ReLU(), "no Linear"), (nn.Sequential(), "no Linear"),
    (nn.Conv2d(3, 8, 1), "no Linear"),
])
def test_a_model_without_a_head_is_said_in_words(model, said):
    with pytest.raises(CourseError, match=said):
        find_head(model)


@pytest.mark.parametrize("name, head",
                         [("convnext_tiny", "classifier"), ("vit_b_16", "heads"), ("swin_t", "head")])
def test_a_model_whose_head_was_taken_out_has_none(name, head):
    """Its last Linear is somewhere inside."""
    with torch.device("meta"):
        model = load_model(f"torchvision/{name}", random_init=True)
    assert find_head(model).startswith(head)
    model.set_submodule(head, nn.Identity())
    with pytest.raises(CourseError, match="its head was taken out"):
        find_head(model)


def test_a_single_linear_cannot_be_replaced_in_itself():
    with pytest.raises(CourseError, match="single Linear"):
        replace_head(nn.Linear(8, 4), 2)


@pytest.mark.parametrize("name, said", [
    ("torchvision/squeezenet1_1", "SqueezeNet"), ("timm/deit_tiny_distilled_patch16_224", "2 heads"),
    ("timm/vit_small_patch14_dinov2.lvd142m", "no Linear"),
])
def test_architectures_without_one_linear_head_are_refused_by_name(name, said):
    with torch.device("meta"):
        model = load_model(name, random_init=True)
    with pytest.raises(CourseError, match=said):
        replace_head(model, 5)


def test_the_head_of_a_model_of_ones_own_is_its_last_linear():
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 3))
    assert find_head(model) == "3"
    assert replace_head(model, 2)(torch.zeros(1, 3, 2, 2)).shape == (1, 2)

"""Layer groups run from the input to the head and forget nothing."""

import pytest
import torch
from torch import nn

from course_utils.errors import CourseError
from course_utils.pretrained import count_parameters, find_head, layer_groups, load_model, replace_head

FROM_INPUT_TO_HEAD = ["stem", "layer1", "layer2", "layer3", "layer4", "head"]


def size(group):
    return sum(parameter.numel() for parameter in group.parameters())


def test_every_parameter_is_in_exactly_one_group(family):
    grouped = [id(p) for group in layer_groups(family) for p in group.parameters()]
    assert sorted(grouped) == sorted(id(p) for p in family.parameters())


def test_groups_stand_in_the_order_in_which_a_picture_passes_them(family):
    groups = layer_groups(family)
    assert groups[0].name == "stem" and groups[-1].name == "head" and len(groups) >= 5
    passed = []
    hooks = [layer.register_forward_hook(lambda *_, name=group.name: passed.append(name))
             for group in groups for part in group.modules for layer in part.modules()
             if not list(layer.children())]
    side = family.course_weights.input_size
    family(torch.empty(1, 3, side, side, device="meta"))
    for hook in hooks:
        hook.remove()
    assert list(dict.fromkeys(passed)) == [group.name for group in groups]


def test_the_names_of_groups_are_addresses_in_the_model(family):
    names = [group.name for group in layer_groups(family)]
    assert len(set(names)) == len(names)
    for name in names[1:-1]:
        family.get_submodule(name)


def test_resnet18s_stem_is_not_forgotten():
    groups = layer_groups(load_model("torchvision/resnet18", random_init=True))
    assert [group.name for group in groups] == FROM_INPUT_TO_HEAD
    assert size(groups[0]) == 9_536          # conv1 and bn1


def test_the_usual_grouping_forgets_them():
    """The twin: layer1–4 and fc, as most tutorials group."""
    model = load_model("torchvision/resnet18", random_init=True)
    usual = [model.layer1, model.layer2, model.layer3, model.layer4, model.fc]
    assert count_parameters(model) - sum(map(count_parameters, usual)) == 9_536


def test_a_vits_class_token_and_positions_belong_to_the_stem():
    with torch.device("meta"):
        model = load_model("torchvision/vit_b_16", random_init=True)
    stem = {id(p) for p in layer_groups(model)[0].parameters()}
    assert {id(model.class_token), id(model.encoder.pos_embedding), id(model.conv_proj.weight)} <= stem


def test_vgg_is_grouped_between_its_pooling_layers():
    with torch.device("meta"):
        model = load_model("torchvision/vgg16", random_init=True)
    convolutions = [sum(isinstance(m, nn.Conv2d) for m in group.modules) for group in layer_groups(model)]
    assert convolutions == [2, 2, 3, 3, 3, 0, 0]


def test_the_new_head_with_its_dropout_is_one_group(lite0):
    replace_head(lite0, 5, dropout=0.5)
    head = layer_groups(lite0)[-1]
    assert head.name == "head" and head.modules == (lite0.classifier,) and size(head) == 5 * 1280 + 5


def test_a_head_behind_a_backbone_without_one_is_the_head():
    backbone = load_model("timm/resnet18", random_init=True)
    backbone.fc = nn.Identity()
    model = nn.Sequential(backbone, nn.Linear(512, 3))
    assert find_head(model) == "1"
    names = [group.name for group in layer_groups(model)]
    assert names == ["stem", "0.layer1", "0.layer2", "0.layer3", "0.layer4", "head"]


def test_a_backbone_without_a_head_has_groups_all_the_same():
    backbone = load_model("timm/resnet18", random_init=True)
    backbone.fc = nn.Identity()
    assert [group.name for group in layer_groups(backbone)] == FROM_INPUT_TO_HEAD[:-1]


def test_small_models_of_ones_own_are_grouped_too():
    cnn = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 8, 3),
                        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2))
    assert [group.name for group in layer_groups(cnn)] == ["stem", "3", "head"]
    assert [group.name for group in layer_groups(nn.Linear(4, 2))] == ["head"]
    assert [group.name for group in layer_groups(nn.Conv2d(3, 8, 1))] == ["stem"]


@pytest.mark.parametrize("model, said", [
    (None, "None"), ("resnet18", "'resnet18'"), (nn.ReLU(), "no parameters"),
    (nn.Sequential(), "no parameters"),
])
def test_what_has_no_parameters_is_said_in_words(model, said):
    with pytest.raises(CourseError, match=said):
        layer_groups(model)

"""What lesson 02 says in words about figures of libraries, computed once more."""

from __future__ import annotations

import csv
from collections import Counter

import pytest
import torch
from timm.data import RealLabelsImagenet
from torch.nn import functional as F

from course_utils import paths
from course_utils.pretrained import catalogue, imagenet_synsets, load_model

BRANCHES = ("dog", "bird", "snake", "musical instrument", "vehicle", "clothing")


def single_network_and_entry() -> dict[str, tuple[float, float]]:
    """Top-5 error of torchvision's first weights and of the challenge entry of the same name, per cent."""
    with (paths.data() / "ilsvrc.csv").open(encoding="utf-8", newline="") as file:
        entries = {row["entry"]: float(row["top5_error"]) for row in csv.DictReader(file)
                   if row["place"] in ("winner", "runner-up")}
    alone = 100 - catalogue(source="torchvision").set_index("name")["top5"]
    names = {"alexnet": "AlexNet", "googlenet": "GoogLeNet", "vgg19": "VGG", "resnet152": "ResNet"}
    return {name: (alone[f"torchvision/{name}.IMAGENET1K_V1"], entries[entry])
            for name, entry in names.items()}


def test_a_single_network_misses_a_quarter_to_two_thirds_more_than_the_entry_of_its_name():
    ratios = [alone / entry for alone, entry in single_network_and_entry().values()]
    assert 1.2 < min(ratios) < 1.3 and 1.6 < max(ratios) < 1.7


def test_people_found_several_classes_on_one_validation_picture_in_seven_and_none_on_3163():
    counts = Counter(len(classes) for classes in RealLabelsImagenet([""] * 50_000).real_labels.values())
    several = sum(count for classes, count in counts.items() if classes > 1)
    assert counts[0] == 3163 and several == 7443 and round(50_000 / several) == 7


def inside(net, word: str) -> tuple[float, float]:
    """The share of a branch's classes whose most similar row of the head is in the branch; and by chance."""
    classes = torch.tensor(imagenet_synsets(word)[0].classes)
    with torch.no_grad():
        rows = F.normalize(net.classifier.weight - net.classifier.weight.mean(dim=0), dim=1)
        nearest = (rows @ rows.T).fill_diagonal_(-1).argmax(dim=1)
    return torch.isin(nearest[classes], classes).float().mean().item(), (len(classes) - 1) / 999


@pytest.mark.parametrize("name", ["efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"])
def test_in_trained_heads_classes_of_a_branch_are_most_like_each_other(name):
    net = load_model(name)
    for word in BRANCHES:
        found, chance = inside(net, word)
        assert found > 0.6 and found > 5 * chance, (word, found, chance)


def test_in_an_untrained_head_they_are_not():
    net = load_model("timm/tf_efficientnet_lite0", random_init=True)
    for word in BRANCHES:
        found, chance = inside(net, word)
        assert abs(found - chance) < 0.15, (word, found, chance)

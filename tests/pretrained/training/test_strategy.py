"""Advice with its reasons and the run that tests it; and a measure of how usual pictures are to a network."""

from __future__ import annotations

import copy
import math
import random

import pytest
import torch
from torch import nn

from course_utils import paths
from course_utils.errors import BadData, CourseError, UnknownName
from course_utils.pretrained import (
    load_dataset,
    load_model,
    measure_similarity,
    preprocessing,
    recommend_strategy,
    replace_head,
    train_mode,
)
from course_utils.pretrained.training.strategy import DIFFERENT, SIMILAR

SIZE = 128       # pixels: a third of the work of 224, and the same order of the sets


# The advice ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("count, similarity, strategy", [
    (100, "similar", "feature extraction"),
    (100, "different", "feature extraction with augmentation"),
    (100, "very different", "domain-specific weights"),
    (5_000, "similar", "partial fine-tuning"),
    (5_000, "different", "full fine-tuning"),
    (5_000, "very different", "full fine-tuning"),
    (999, "similar", "feature extraction"), (1_000, "similar", "partial fine-tuning"),
])
def test_size_and_similarity_decide(count, similarity, strategy):
    found = recommend_strategy(count, similarity)
    assert found.strategy == strategy
    assert all("rule of thumb" in reason.lower() for reason in found.reasons[:2])
    assert strategy in found.experiment and "seeds" in found.experiment


def test_pictures_of_cracks_and_scratches_get_augmented_features():
    assert recommend_strategy(250, "different").strategy == "feature extraction with augmentation"


@pytest.mark.parametrize("count, similarity, other", [
    (20_000, "similar", "full fine-tuning"), (5_000, "different", "partial fine-tuning"),
    (100, "very different", "feature extraction")])
def test_where_the_rules_disagree_this_is_said_and_the_experiment_compares_both(count, similarity, other):
    found = recommend_strategy(count, similarity)
    assert any("disagree" in reason for reason in found.reasons)
    assert found.strategy != other
    assert found.strategy in found.experiment and f"with {other} (" in found.experiment


@pytest.mark.parametrize("count, similarity", [(100, "similar"), (100, "different"), (5_000, "similar"),
                                               (20_000, "different")])
def test_where_they_agree_the_experiment_still_compares_two_strategies(count, similarity):
    found = recommend_strategy(count, similarity)
    assert not any("disagree" in reason for reason in found.reasons)
    assert f"compare {found.strategy} (" in found.experiment
    assert f"with {found.strategy} (" not in found.experiment


def test_a_number_is_read_as_a_degree():
    for similarity, word in [(1.0, "similar"), (SIMILAR, "similar"), (0.75, "different"),
                             (DIFFERENT, "different"), (0.5, "very different"), (0, "very different")]:
        assert recommend_strategy(100, similarity) == recommend_strategy(100, word)


def test_far_from_imagenet_training_from_scratch_is_part_of_the_experiment():
    assert "random_init" in recommend_strategy(20_000, "very different").experiment
    assert "random_init" not in recommend_strategy(20_000, "similar").experiment


def test_a_budget_caps_the_strategy_and_says_what_it_costs():
    found = recommend_strategy(20_000, "different", budget="low")
    assert found.strategy == "feature extraction with augmentation"
    assert any("low budget" in reason and "full fine-tuning" in reason for reason in found.reasons)
    assert recommend_strategy(20_000, "different", budget="medium").strategy == "partial fine-tuning"
    for budget in (None, "high"):
        assert recommend_strategy(20_000, "different", budget=budget).strategy == "full fine-tuning"
    assert recommend_strategy(100, "similar", budget="low") == recommend_strategy(100, "similar")


def test_it_prints_advice_reasons_and_experiment():
    lines = repr(recommend_strategy(100, "similar")).splitlines()
    assert lines[0] == "Try feature extraction." and lines[-1].startswith("To test it: ")


@pytest.mark.parametrize("count, similarity, budget, kind, words", [
    (0, "similar", None, CourseError, "number from 1"), (True, "similar", None, CourseError, "number from 1"),
    (math.nan, "similar", None, CourseError, "number from 1"),
    ("many", "similar", None, CourseError, "such as 120"),
    (100, "diferent", None, UnknownName, "Did you mean 'different'"), (100, 1.5, None, CourseError, "0 to 1"),
    (100, None, None, CourseError, "0 to 1"),
    (100, "similar", "tiny", UnknownName, "'low', 'medium', 'high'"),
    (100, "similar", [3], UnknownName, "budget"),
])
def test_what_does_not_fit_is_said_in_words(count, similarity, budget, kind, words):
    with pytest.raises(kind, match=words):
        recommend_strategy(count, similarity, budget=budget)


# The measure ---------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def model():
    return load_model("efficientnet_lite0")


@pytest.fixture(scope="module")
def similarity(model):
    return {name: measure_similarity(model, load_dataset(name).val, size=SIZE)
            for name in ("flowers", "faces", "defects", "digits")}


def test_flowers_look_more_usual_than_defects_and_defects_than_digits(similarity):
    assert 1 > similarity["flowers"] > similarity["defects"] + 0.05 > similarity["digits"] + 0.1 > 0
    assert similarity["flowers"] > similarity["faces"] > similarity["digits"]


def test_photographs_look_most_usual(model, similarity):
    folder = paths.test_photos()
    if not (folder / "flowers").is_dir():
        pytest.skip(f"no real photographs at {folder}: set COURSE_TEST_PHOTOS to a folder that has flowers/")
    sets = [load_dataset(f"folder:{folder / name}").val for name in ("flowers", "steel_defects", "eurosat")]
    flowers, steel, fields = (measure_similarity(model, pictures, size=SIZE) for pictures in sets)
    assert flowers > similarity["flowers"] > fields > steel
    assert flowers > SIMILAR


def test_a_part_of_a_set_is_about_as_similar_as_the_whole(model, similarity):
    pictures = load_dataset("defects").val
    few = pictures.subset(random.Random(1).sample(range(len(pictures)), 12))
    assert measure_similarity(model, few, size=SIZE) == pytest.approx(similarity["defects"], abs=0.03)


def test_the_networks_own_statistics_are_1():
    """A BatchNorm that has averaged exactly these pictures finds them usual."""
    model, pictures = load_model("efficientnet_lite0"), load_dataset("faces").val
    del model.course_running_means
    first = model.bn1
    first.reset_running_stats()
    first.momentum = None                        # a plain average
    batch = torch.stack([preprocessing(model, size=SIZE)(picture) for picture, _ in pictures])
    with torch.no_grad():
        first.train()(model.conv_stem(batch))
    only_first = nn.Sequential(model.conv_stem, first)
    only_first.course_weights = model.course_weights
    assert measure_similarity(only_first, pictures, size=SIZE) > 0.99


def test_the_head_plays_no_part_and_the_model_is_left_as_it_was(model, similarity):
    changed = replace_head(copy.deepcopy(model), 3)
    changed.train()
    before = copy.deepcopy(changed.state_dict())
    assert measure_similarity(changed, load_dataset("digits").val, size=SIZE) == similarity["digits"]
    assert all(module.training for module in changed.modules())
    assert all(torch.equal(value, before[name]) for name, value in changed.state_dict().items())
    assert not any(module._forward_pre_hooks for module in changed.modules())


def test_it_says_in_words_where_there_is_nothing_to_compare_with(model):
    pictures = load_dataset("digits").val
    with pytest.raises(CourseError, match=r"no BatchNorm.*efficientnet_lite0"):
        measure_similarity(load_model("timm/vit_tiny_patch16_224", random_init=True), pictures)
    with pytest.raises(CourseError, match="random weights"):
        measure_similarity(load_model("torchvision/resnet18", random_init=True), pictures)
    drifted = train_mode(copy.deepcopy(model))
    with torch.no_grad():
        drifted(torch.randn(4, 3, 64, 64))
    with pytest.raises(CourseError, match="drifted"):
        measure_similarity(drifted, pictures)
    with pytest.raises(CourseError, match="needs Images"):
        measure_similarity(model, [(torch.randn(2, 3, 64, 64), torch.zeros(2))])
    with pytest.raises(CourseError, match=r"data\.train"):
        measure_similarity(model, load_dataset("digits"))
    with pytest.raises(BadData):
        measure_similarity(model, pictures.subset([]))

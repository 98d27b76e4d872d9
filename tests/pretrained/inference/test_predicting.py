"""What the models say about real pictures, and what top_k says about tensors that are not prepared."""

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from torch import nn

from course_utils.errors import CourseError
from course_utils.pretrained import (
    freeze,
    load_model,
    preprocessing,
    replace_head,
    top_k,
    train_mode,
    unfreeze,
)


@pytest.fixture
def batch(lite0, cat):
    return preprocessing(lite0)(cat).unsqueeze(0)      # (1, 3, 224, 224)


def test_lite0_sees_a_cat(lite0, cat):
    first = top_k(lite0, cat, k=3)
    assert [p.label for p in first] == ["tiger cat", "Egyptian cat", "tabby"]
    assert [p.probability for p in first] == pytest.approx([0.39, 0.36, 0.17], abs=0.02)
    assert [p.index for p in first] == [282, 285, 281]


def test_lite0_sees_an_espresso(lite0, coffee):
    best = top_k(lite0, coffee)[0]
    assert best.label == "espresso" and best.probability == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("name", ["efficientnet_lite1", "efficientnet_lite2"])
def test_the_larger_bundled_models_see_them_too(name, cat, coffee):
    model = load_model(name)
    assert top_k(model, cat, 1)[0].label in {"tiger cat", "Egyptian cat", "tabby"}
    assert top_k(model, coffee, 1)[0].label == "espresso"


def test_random_weights_see_nothing(cat):
    """The twin: the same architecture, untrained, is unsure of everything, and has no names for it."""
    best = top_k(load_model("efficientnet_lite0", random_init=True), cat, 1)[0]
    assert best.probability < 0.05 and best.label == f"class {best.index}"


def test_a_prepared_batch_gives_what_the_picture_gives(lite0, cat, batch):
    assert top_k(lite0, batch) == top_k(lite0, cat)


def test_probabilities_are_shares_of_one(lite0, cat):
    everything = top_k(lite0, cat, k=1000)
    assert len(everything) == 1000 and sum(p.probability for p in everything) == pytest.approx(1, abs=1e-4)
    assert everything == sorted(everything, key=lambda p: -p.probability)


def test_modes_stay_and_no_gradient_or_statistic_is_left_behind(lite0, cat):
    freeze(lite0)
    unfreeze(lite0.classifier)
    train_mode(lite0)
    modes = [module.training for module in lite0.modules()]
    mean = lite0.bn1.running_mean.clone()
    top_k(lite0, cat)
    assert [module.training for module in lite0.modules()] == modes and len(set(modes)) == 2
    assert torch.equal(lite0.bn1.running_mean, mean) and lite0.classifier.weight.grad is None


def test_a_model_in_train_mode_answers_as_in_eval_mode(lite0, cat):
    assert top_k(lite0, cat) == top_k(lite0.train(), cat)


def test_names_of_ones_own_classes_are_used(lite0, cat):
    replace_head(lite0, ["rose", "tulip"])
    assert {p.label for p in top_k(lite0, cat)} == {"rose", "tulip"}


def test_a_head_put_on_by_hand_never_gets_the_old_names(lite0, cat):
    lite0.classifier = nn.Linear(1280, 3)
    assert {p.label for p in top_k(lite0, cat)} == {"class 0", "class 1", "class 2"}


def test_a_model_straight_from_timm_gets_its_names_and_sizes_from_timm(lite0, cat, batch):
    model = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    model.load_state_dict(lite0.state_dict())
    assert top_k(model.eval(), cat) == top_k(lite0, cat)
    with pytest.raises(CourseError, match="224 × 224"):
        top_k(model, batch[..., :160, :160])


def test_a_network_of_ones_own_is_asked_about_any_batch_it_takes():
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 4))
    assert {p.label for p in top_k(model, torch.zeros(1, 3, 8, 8))} == {f"class {i}" for i in range(4)}
    with pytest.raises(CourseError, match=r"cannot take inputs of shape \(1, 3, 9, 9\).*preprocessing"):
        top_k(model, torch.zeros(1, 3, 9, 9))


def test_imagenet_names_are_those_of_timm_itself(lite0):
    info = timm.data.ImageNetInfo()
    for index in [0, 282, 967, 999]:
        theirs = info.index_to_description(index).lower().replace("_", " ")
        assert lite0.course_classes[index].lower() in theirs


@pytest.mark.parametrize("wrong, said", [
    (lambda b: b[0], "unsqueeze"), (lambda b: b[0, 0], "batch of one picture"),
    (lambda b: b.repeat(4, 1, 1, 1), "holds 4"), (lambda b: b[:0], "holds 0"),
    (lambda b: b[:, :1], "3 channels"),
    (lambda b: b.permute(0, 2, 3, 1), "permute"), (lambda b: torch.cat([b, b[:, :1]], 1), "3 channels"),
    (lambda b: (b * 127.5 + 127.5).to(torch.uint8), "raw pixels"), (lambda b: b.double(), "float64"),
    (lambda b: b * 127.5 + 127.5, "divided by 255"), (lambda b: b * float("nan"), "broken"),
    (lambda b: b[..., :160, :160], "size=160"), (lambda b: b[..., :200], "224 × 224"),
    (lambda b: b[..., :1, :1], "224 × 224"),
])
def test_a_tensor_that_is_no_prepared_picture_is_said_in_words(lite0, batch, wrong, said):
    with pytest.raises(CourseError, match=said):
        top_k(lite0, wrong(batch))


def test_scores_that_are_no_numbers_are_no_prediction(lite0, cat):
    torch.nn.init.constant_(lite0.classifier.bias, float("nan"))
    with pytest.raises(CourseError, match="not numbers"):
        top_k(lite0, cat)


@pytest.mark.parametrize("given, said", [("cat.jpg", "open_image"), (None, "NoneType"), ([1], "list")])
def test_what_is_neither_picture_nor_tensor_is_said_in_words(lite0, given, said):
    with pytest.raises(CourseError, match=said):
        top_k(lite0, given)


def test_a_numpy_number_is_a_number(lite0, batch):
    assert top_k(lite0, batch, np.int64(2)) == top_k(lite0, batch, 2)


@pytest.mark.parametrize("k", [0, -1, 2.0, "5", None, True])
def test_a_k_that_makes_no_sense_is_said_in_words(lite0, batch, k):
    with pytest.raises(CourseError, match="whole number from 1"):
        top_k(lite0, batch, k)


def test_another_size_is_taken_when_it_is_meant(lite0, cat):
    prepared = preprocessing(lite0, size=160)(cat).unsqueeze(0)
    assert top_k(lite0, prepared, size=160) == top_k(lite0, cat, size=160)


def test_a_size_the_architecture_cannot_take_is_said_in_words():
    model = load_model("timm/vit_tiny_patch16_224", random_init=True)
    with pytest.raises(CourseError, match=r"cannot take inputs of shape \(1, 3, 96, 96\)"):
        top_k(model, torch.zeros(1, 3, 96, 96), size=96)


def test_a_model_that_gives_no_scores_is_said_in_words(lite0, cat):
    lite0.classifier = lite0.global_pool = nn.Identity()
    with pytest.raises(CourseError, match=r"scores of shape \(1, classes\)"):
        top_k(lite0, cat)


def test_a_model_that_is_none_is_said_in_words(batch):
    with pytest.raises(CourseError, match="top_k needs a model"):
        top_k("efficientnet_lite0", batch)


def test_a_grey_picture_is_looked_at_too(lite0, cat):
    assert len(top_k(lite0, cat.convert("L"))) == 5


def test_a_black_picture_gives_an_answer_like_any_other(lite0):
    assert len(top_k(lite0, Image.new("RGB", (300, 200)))) == 5

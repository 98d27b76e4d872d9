"""Pictures are prepared as their weights expect, as exactly as the weights' own library would."""

import copy
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import torchvision
from PIL import Image
from torch import nn

from course_utils.errors import BadImage, CourseError, UnknownName
from course_utils.pretrained import load_model, preprocessing, replace_head

PICTURES = [(451, 300), (300, 451), (600, 400), (224, 224), (97, 640), (30, 40)]


def picture(width, height, mode="RGB"):
    pixels = np.random.default_rng(0).integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC).convert(mode)


@pytest.mark.parametrize("size", PICTURES)
@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "tf_efficientnet_lite1", "tf_efficientnet_lite2"])
def test_bundled_weights_get_what_timm_would_give_them(name, size):
    cfg = timm.data.resolve_data_config(pretrained_cfg=timm.models.get_pretrained_cfg(name).to_dict())
    theirs = timm.data.create_transform(**cfg, is_training=False)(picture(*size))
    ours = preprocessing(name.removeprefix("tf_"))(picture(*size))
    assert torch.allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("name", [
    "vit_base_patch16_siglip_224.webli", "resnet50.a1_in1k", "convnext_atto.d2_in1k"])
def test_timm_weights_get_what_timm_would_give_them(name):
    cfg = timm.data.resolve_data_config(pretrained_cfg=timm.models.get_pretrained_cfg(name).to_dict())
    theirs = timm.data.create_transform(**cfg, is_training=False)(picture(451, 300))
    assert torch.allclose(preprocessing(f"timm/{name}")(picture(451, 300)), theirs, atol=1e-5)


@pytest.mark.parametrize("size", PICTURES)
@pytest.mark.parametrize("name", [
    "resnet50.IMAGENET1K_V1", "resnet50.IMAGENET1K_V2", "inception_v3.IMAGENET1K_V1",
    "vit_b_16.IMAGENET1K_SWAG_E2E_V1", "efficientnet_b4.IMAGENET1K_V1"])
def test_torchvision_weights_get_their_own_transforms(name, size):
    architecture, tag = name.split(".")
    theirs = torchvision.models.get_model_weights(architecture)[tag].transforms()(picture(*size))
    assert torch.allclose(preprocessing(f"torchvision/{name}")(picture(*size)), theirs, atol=1e-5)


def test_lite0_expects_pixels_from_minus_one_to_one(cat):
    prepared = preprocessing("efficientnet_lite0")(cat)
    assert prepared.shape == (3, 224, 224) and prepared.dtype == torch.float32
    assert -1 <= prepared.min() < -0.5 and 0.5 < prepared.max() <= 1


def test_imagenets_mean_and_std_would_give_other_numbers(cat, lite0):
    """The twin: what habit would do, and nothing would complain."""
    by_habit = copy.deepcopy(lite0)
    imagenet = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
    by_habit.course_weights = replace(lite0.course_weights, **imagenet)
    assert (preprocessing(by_habit)(cat) - preprocessing(lite0)(cat)).abs().mean() > 0.2


def test_a_numpy_size_prepares_as_a_plain_one(lite0, cat):
    prepare = preprocessing(lite0, size=np.int64(64))
    assert prepare(cat).shape == (3, 64, 64) and prepare.key == preprocessing(lite0, size=64).key


def test_for_a_name_nothing_is_built_or_downloaded(monkeypatch, no_network):
    monkeypatch.setattr(torchvision.models, "get_model", lambda *args, **kwargs: pytest.fail("built a model"))
    assert preprocessing("torchvision/vit_h_14.IMAGENET1K_SWAG_E2E_V1").size == 518


def test_a_model_and_its_name_are_prepared_for_alike(lite0, cat):
    assert torch.equal(preprocessing(lite0)(cat), preprocessing("efficientnet_lite0")(cat))


def test_a_new_head_or_a_copy_is_still_prepared_for(lite0, cat):
    changed = replace_head(copy.deepcopy(lite0), 3)
    assert torch.equal(preprocessing(changed)(cat), preprocessing(lite0)(cat))


def test_a_model_straight_from_timm_is_prepared_for_by_its_own_configuration(cat):
    model = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    assert torch.equal(preprocessing(model)(cat), preprocessing("efficientnet_lite0")(cat))


def test_unknown_weights_are_an_error_never_imagenets_numbers():
    for model in [nn.Linear(2, 2), torchvision.models.get_model("shufflenet_v2_x0_5", weights=None)]:
        with pytest.raises(CourseError, match="course_weights"):
            preprocessing(model)


def test_the_fix_that_the_error_names_works(lite0, cat):
    model = nn.Sequential(lite0, nn.Linear(1000, 2))
    model.course_weights = lite0.course_weights
    assert preprocessing(model)(cat).shape == (3, 224, 224)


@pytest.mark.parametrize("size", [64, 160, 288])
def test_another_size_keeps_the_same_share_of_the_picture(size):
    theirs = timm.data.create_transform((3, size, size), is_training=False, interpolation="bicubic",
                                        mean=(0.5,) * 3, std=(0.5,) * 3, crop_pct=0.875)(picture(451, 300))
    ours = preprocessing("efficientnet_lite0", size=size)(picture(451, 300))
    assert torch.allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("size", [0, -1, 8, 160.0, "224", True, (224, 224)])
def test_a_size_that_makes_no_sense_is_said_in_words(size):
    with pytest.raises(CourseError, match="whole number of pixels"):
        preprocessing("efficientnet_lite0", size=size)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1", "LA", "HSV", "YCbCr"])
def test_any_kind_of_eight_bit_picture_is_turned_into_rgb(mode):
    given = picture(120, 90).convert("L" if mode == "LA" else "RGB").convert(mode)
    prepare = preprocessing("efficientnet_lite0", size=64)
    assert torch.equal(prepare(given), prepare(given.convert("RGB")))


def test_sixteen_bits_are_scaled_not_clipped_to_white():
    grey = Image.fromarray(np.full((64, 64), 0x8080, np.uint16))
    assert torch.allclose(preprocessing("efficientnet_lite0")(grey), torch.tensor(0.0), atol=0.01)


def test_transparent_parts_are_white():
    clear = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    assert (preprocessing("efficientnet_lite0")(clear) == 1).all()


@pytest.mark.parametrize("picture, said", [
    (Image.new("F", (64, 64)), "Scale them"), (Image.new("RGB", (1, 300)), "at least 8"),
    (Image.new("RGB", (10, 900)), "a strip")])
def test_a_picture_that_shows_nothing_is_refused(picture, said):
    with pytest.raises(BadImage, match=said):
        preprocessing("efficientnet_lite0")(picture)


def test_a_camera_held_upright_gives_an_upright_picture():
    lying, upright = picture(120, 90), picture(120, 90).transpose(Image.Transpose.ROTATE_270)
    lying.getexif()[0x0112] = 6               # "turn me 90° clockwise"
    prepare = preprocessing("efficientnet_lite0", size=64)
    assert torch.equal(prepare(lying), prepare(upright))


@pytest.mark.parametrize("given, said", [
    (np.zeros((8, 8, 3), np.uint8), "Image.fromarray"), (torch.zeros(3, 8, 8), "to_pil_image"),
    ("cat.jpg", "open_image"), (Path("cat.jpg"), "open_image"), (None, "NoneType"), ([1, 2], "list"),
])
def test_what_is_no_pil_picture_is_said_in_words(given, said):
    with pytest.raises(CourseError, match=said):
        preprocessing("efficientnet_lite0")(given)


def test_a_misspelt_name_is_answered_with_the_nearest():
    with pytest.raises(UnknownName, match="efficientnet_lite0"):
        preprocessing("efficientnet_light0")


def test_augmentation_differs_each_time_and_is_repeated_by_the_seed(cat):
    prepare = preprocessing("efficientnet_lite0", augment=True, size=64)
    torch.manual_seed(1)
    first, second = prepare(cat), prepare(cat)
    assert first.shape == (3, 64, 64) and not torch.equal(first, second)
    torch.manual_seed(1)
    assert torch.equal(prepare(cat), first)


def test_without_augmentation_every_time_is_the_same(cat):
    prepare = preprocessing("efficientnet_lite0")
    assert torch.equal(prepare(cat), prepare(cat))


def test_augmentation_ends_with_the_weights_own_normalisation():
    white = preprocessing("efficientnet_lite0", augment=True)(Image.new("RGB", (100, 80), "black"))
    assert torch.allclose(white, torch.full_like(white, -1))       # black stays black: (0 − 0.5) / 0.5


def test_the_key_tells_treatments_apart_and_nothing_else(lite0):
    keys = [preprocessing("efficientnet_lite0").key, preprocessing("efficientnet_lite1").key,
            preprocessing("efficientnet_lite0", size=160).key,
            preprocessing("efficientnet_lite0", augment=True).key]
    assert len(set(keys)) == 4
    assert preprocessing(lite0).key == keys[0] and "\n" not in keys[0]


def test_the_same_treatment_for_other_weights_has_the_same_key():
    assert (preprocessing("torchvision/resnet18.IMAGENET1K_V1").key
            == preprocessing("torchvision/resnet34.IMAGENET1K_V1").key)


def test_printing_it_shows_the_steps_and_their_numbers():
    shown = str(preprocessing("efficientnet_lite0"))
    for part in ["efficientnet_lite0", "RGB", "Resize(size=[256]", "BICUBIC", "CenterCrop(size=(224, 224))",
                 "Normalize(mean=[0.5, 0.5, 0.5]"]:
        assert part in shown


def test_it_travels_to_worker_processes(cat):
    prepare = preprocessing("efficientnet_lite0")
    assert torch.equal(pickle.loads(pickle.dumps(prepare))(cat), prepare(cat))


def test_random_weights_are_prepared_for_like_the_trained_ones(cat):
    model = load_model("timm/mobilenetv3_small_050", random_init=True)
    assert torch.equal(preprocessing(model)(cat), preprocessing("timm/mobilenetv3_small_050.lamb_in1k")(cat))

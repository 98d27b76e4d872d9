"""What lesson 03 says of the catalogue holds in the catalogue."""

from __future__ import annotations

import csv

import pytest
from model_costs import cost_of

from course_utils import paths
from course_utils.pretrained import catalogue, count_parameters, pareto
from course_utils.pretrained.models.published import published
from course_utils.teaching import load_quiz
from course_utils.widgets.layer_tree import shapes_alone


@pytest.fixture(scope="module")
def zoo():
    table = catalogue()
    return table.assign(short=table.name.str.removeprefix("torchvision/")).set_index("short", drop=False)


V1, V2 = "IMAGENET1K_V1", "IMAGENET1K_V2"


def test_the_recipe_alone_makes_4_7_points_for_resnet50(zoo):
    old, new = zoo.loc[f"resnet50.{V1}"], zoo.loc[f"resnet50.{V2}"]
    assert new.top1 - old.top1 == pytest.approx(4.7, abs=0.05)
    assert (old.params_m, old.gflops) == (new.params_m, new.gflops)
    for name in ("resnet101", "resnet152", "mobilenet_v3_large"):
        assert zoo.top1[f"{name}.{V2}"] > zoo.top1[f"{name}.{V1}"]


def test_b4_is_smaller_and_more_accurate_than_resnet152(zoo):
    b4, resnet = zoo.loc[f"efficientnet_b4.{V1}"], zoo.loc[f"resnet152.{V2}"]
    assert (round(b4.params_m), round(b4.top1, 1)) == (19, 83.4)
    assert (round(resnet.params_m), round(resnet.top1, 1)) == (60, 82.3)


def test_b5_gains_little_over_b4_and_v2_s_beats_it(zoo):
    b4, b5, v2_s = (zoo.loc[f"efficientnet_{name}.{V1}"] for name in ("b4", "b5", "v2_s"))
    assert b5.top1 - b4.top1 == pytest.approx(0.06) and b5.gflops / b4.gflops == pytest.approx(2.3, abs=0.05)
    assert v2_s.top1 == 84.228 and v2_s.gflops == pytest.approx(8.37, abs=0.005)
    front = pareto(zoo.loc[[f"efficientnet_{name}.{V1}" for name in ("b4", "b5", "v2_s")]])
    assert [name.split(".")[0] for name in front.short] == ["efficientnet_b4", "efficientnet_v2_s"]


def test_convnext_tiny_needs_slightly_more_work_than_b4_and_is_less_accurate(zoo):
    tiny, b4 = zoo.loc[f"convnext_tiny.{V1}"], zoo.loc[f"efficientnet_b4.{V1}"]
    assert round(tiny.top1, 1) == 82.5 < b4.top1 and 1 < tiny.gflops / b4.gflops < 1.05


def test_resnet18_needs_4_7_times_the_work_of_lite0(zoo):
    assert zoo.gflops[f"resnet18.{V1}"] / zoo.gflops["efficientnet_lite0"] == pytest.approx(4.7, abs=0.05)


def test_torch_counts_twice_what_torchvision_states():
    operations = 2 * cost_of("torchvision/resnet50")["multiply_adds"]
    question = load_quiz("03_model_zoo").question("counted-by-torch")
    assert operations / 1e9 == pytest.approx(question.answer, abs=0.001)


def test_the_most_efficient_family_is_the_one_the_question_names(zoo):
    question = load_quiz("03_model_zoo").question("most-efficient")
    leader = (zoo.top1 / zoo.params_m).idxmax()
    assert [option.id for option in question.options if option.right] == [zoo.family[leader].lower()]
    assert {option.id for option in question.options} <= {family.lower() for family in zoo.family}
    assert round(zoo.top1[leader]) in range(58, 62), "three in five"


def test_more_than_two_thirds_of_resnet18_stand_in_layer4():
    model = shapes_alone("torchvision/resnet18")
    assert 2 / 3 < count_parameters(model.layer4) / count_parameters(model) < 3 / 4


def test_the_most_accurate_are_swag_weights(zoo):
    assert zoo.name.str.contains("SWAG")[zoo.top1.sort_values(ascending=False).index[:5]].all()


def test_every_family_has_a_key_idea_with_its_source(zoo):
    with (paths.data() / "weights.csv").open(newline="", encoding="utf-8") as file:
        facts = list(csv.DictReader(file))
    by_column = {column: {f["applies_to"]: f["source"] for f in facts if f["column"] == column}
                 for column in ("family", "idea")}
    assert by_column["family"] == by_column["idea"]
    assert all(published(name, "idea") for name in zoo.architecture)


@pytest.mark.parametrize("family, year", [("VGG", 2014), ("ResNet", 2015), ("DenseNet", 2016), ("ViT", 2020),
                                          ("MobileNetV3", 2019), ("Swin", 2021), ("ConvNeXt", 2022)])
def test_years_of_the_lessons_table_are_those_of_the_catalogue(family, year, zoo):
    assert set(zoo.year[zoo.family == family]) == {year}
    row = next(line for line in (paths.notebooks() / "source" / "03_model_zoo.py").read_text().splitlines()
               if line.startswith(f"# | {family} |"))
    assert str(year) in row

"""The catalogue lists what there is, with its libraries' own figures."""

import csv

import pytest
import timm
import torch
import torchvision
from model_costs import cost_of
from pandas import DataFrame
from safetensors.torch import save_file

from course_utils import paths
from course_utils.errors import CourseError, UnknownName
from course_utils.pretrained import catalogue, load_model, pareto
from course_utils.pretrained.models import published as published_module
from course_utils.pretrained.models.published import published

COLUMNS = ["name", "source", "family", "architecture", "top1", "top5", "params_m", "gflops", "size_mb",
           "input_size", "mean", "std", "licence", "year", "bundled", "available", "reference"]


@pytest.fixture(scope="module")
def table():
    return catalogue().set_index("name", drop=False)


def test_the_columns_are_those_that_are_promised(table):
    assert list(table) == COLUMNS and table.name.is_unique
    assert not table.isna().any().any()


def test_the_bundled_models_come_first_and_are_here(table):
    assert list(table.name[:3]) == ["efficientnet_lite2", "efficientnet_lite1", "efficientnet_lite0"]
    assert table.available[:3].all() and table.bundled.sum() == 3


def test_all_of_torchvisions_classifiers_are_listed_with_its_own_figures(table):
    models = torchvision.models
    for architecture in models.list_models(module=models):
        for member in models.get_model_weights(architecture):
            name = f"torchvision/{architecture}.{member.name}"
            if member.meta["categories"] is None:      # vgg16's features have no classes to be right about
                assert name not in table.index
                continue
            row, meta = table.loc[name], member.meta
            assert row.top1 == meta["_metrics"]["ImageNet-1K"]["acc@1"] and row.gflops == meta["_ops"]
            assert row.params_m * 1e6 == pytest.approx(meta["num_params"])
            assert row.size_mb == meta["_file_size"]
            assert row.input_size == member.transforms().crop_size[0]


def test_figures_the_course_quotes(table):
    top1 = table.top1.to_dict()
    assert top1["torchvision/resnet50.IMAGENET1K_V1"] == 76.130
    assert top1["torchvision/resnet50.IMAGENET1K_V2"] == 80.858
    assert top1["efficientnet_lite0"] == 74.846 and top1["efficientnet_lite2"] == 77.472
    assert table.gflops["torchvision/resnet50.IMAGENET1K_V2"] == 4.089


def test_timms_models_are_listed_with_what_timm_tells(table):
    listed = table[table.source == "timm"]
    for row in listed.itertuples():
        cfg = timm.models.get_pretrained_cfg(row.name.removeprefix("timm/"))
        assert (3, row.input_size, row.input_size) == cfg.input_size and row.licence == cfg.license
        assert (row.mean, row.std) == (tuple(cfg.mean), tuple(cfg.std))
        assert row.reference.endswith(cfg.hf_hub_id)
    assert {"ResNet", "VGG", "DenseNet", "EfficientNet", "MobileNetV3", "RegNet", "ConvNeXt", "ViT", "Swin",
            "EfficientNetV2"} == set(listed.family)


def test_the_published_figures_of_timms_models_are_of_pictures_of_the_size_given(table):
    with (paths.data() / "weights.csv").open(newline="") as file:
        facts = [fact for fact in csv.DictReader(file) if fact["applies_to"].startswith("timm/")]
    assert len(facts) == 2 * (table.source == "timm").sum()
    assert all(f"(at {table.input_size[fact['applies_to']]} px)" in fact["source"] for fact in facts)


def test_costs_are_those_that_building_and_running_the_models_gives(table):
    for name in table.name[table.source != "torchvision"]:
        cost = cost_of(name)
        assert table.params_m[name] * 1e6 == pytest.approx(cost["parameters"]), name
        assert table.gflops[name] * 1e9 == pytest.approx(cost["multiply_adds"]), name


@pytest.mark.parametrize("name", ["resnet50.IMAGENET1K_V2", "vit_b_16.IMAGENET1K_SWAG_E2E_V1",
                                  "swin_t.IMAGENET1K_V1"])
def test_counted_multiply_adds_are_what_torchvision_states(table, name):
    counted = cost_of(f"torchvision/{name}")["multiply_adds"]
    assert counted / 1e9 == pytest.approx(table.gflops[f"torchvision/{name}"], abs=6e-4)      # it rounds


@pytest.mark.full
def test_all_of_torchvisions_costs_come_out_when_counted(table):
    for row in table[table.source == "torchvision"].itertuples():
        cost = cost_of(row.name)
        assert cost["multiply_adds"] / 1e9 == pytest.approx(row.gflops, abs=6e-4), row.name
        # untrained, GoogLeNet has two more heads, which torchvision takes off when it loads weights
        assert cost["parameters"] == round(row.params_m * 1e6) or row.architecture == "googlenet", row.name


def test_what_can_be_loaded_is_what_is_called_available(caches):
    name, file = "torchvision/shufflenet_v2_x0_5.IMAGENET1K_V1", "shufflenetv2_x0.5-f707e7126e.pth"
    assert not catalogue().set_index("name").available[name]
    torch.save(load_model(name, random_init=True).state_dict(), caches / "torch/hub/checkpoints" / file)
    assert catalogue().set_index("name").available[name]
    assert load_model(name).course_weights.name == name


def test_timms_file_in_the_cache_makes_it_available(caches):
    name = "timm/mobilenetv3_small_100.lamb_in1k"
    assert not catalogue().set_index("name").available[name]
    repository = caches / "hf" / f"models--{name.replace('/', '--')}"
    for folder in ("refs", f"snapshots/{'0' * 40}"):
        (repository / folder).mkdir(parents=True)
    (repository / "refs/main").write_text("0" * 40)
    save_file(load_model(name, random_init=True).state_dict(),
              repository / "snapshots" / ("0" * 40) / "model.safetensors")
    assert list(catalogue(available=True, bundled=False).name) == [name]


def test_nothing_is_built_or_downloaded_for_it(monkeypatch, no_network):
    for library, function in [(timm, "create_model"), (torchvision.models, "get_model")]:
        monkeypatch.setattr(library, function, lambda *args, **kwargs: pytest.fail("built a model"))
    assert len(catalogue()) > 100


def test_licences_that_torchvision_states_are_kept(table):
    swag = table[table.name.str.contains("SWAG")]
    assert len(swag) and swag.licence.str.contains("SWAG").all()
    assert (table.licence[:3] == "Apache-2.0").all()


def test_years_are_those_of_the_architectures(table):
    years = table.set_index("architecture").year
    assert years["tf_efficientnet_lite0"].tolist() == [2020, 2020]      # the bundled row and timm's
    years = years[~years.index.duplicated()]
    known = {"resnet18": 2015, "resnext50_32x4d": 2016, "efficientnet_b4": 2019, "efficientnet_v2_s": 2021,
             "swin_t": 2021, "vgg16": 2014, "vit_b_16": 2020, "mobilenet_v2": 2018}
    assert {architecture: years[architecture] for architecture in known} == known


def test_every_published_figure_has_its_source_and_date():
    with (paths.data() / "weights.csv").open(newline="") as file:
        facts = list(csv.DictReader(file))
    assert facts and all(fact["source"].strip() and fact["date"].strip() for fact in facts)
    assert len({(fact["applies_to"], fact["column"]) for fact in facts}) == len(facts)


def test_the_longest_beginning_of_a_name_counts():
    assert published("swin_v2_t", "family") == "SwinV2" and published("swin_t", "family") == "Swin"
    assert published("mobilenet_v3_large", "year") == "2019"


def test_an_architecture_that_a_library_learned_of_since_has_neither_family_nor_year(monkeypatch):
    """And takes no other row with it."""
    assert published("a_net_of_tomorrow", "family") == published("a_net_of_tomorrow", "year") == ""
    plain = published_module._table
    monkeypatch.setattr(published_module, "_table", lambda path: {
        column: {start: value for start, value in values.items() if not "resnet50".startswith(start)}
        for column, values in plain(path).items()})
    table = catalogue()
    unknown = table[table.architecture == "resnet50"]
    assert len(unknown) and unknown.year.isna().all() and (unknown.family == "").all()
    assert len(table) == len(table.dropna(subset="year")) + (table.family == "").sum()


# Choosing ---------------------------------------------------------------------------------------------

def test_rows_are_chosen_by_what_they_must_be(table):
    small = catalogue(family="resnet", source="torchvision", max_params_m=30, min_top1=75)
    expected = table[(table.family == "ResNet") & (table.source == "torchvision") & (table.params_m <= 30)
                     & (table.top1 >= 75)]
    assert set(small.name) == set(expected.name) and len(small) == 2        # ResNet-50, V1 and V2
    assert (catalogue(max_gflops=0.1).gflops <= 0.1).all() and not catalogue(bundled=False).bundled.any()
    assert catalogue(bundled=True, available=True).source.eq("bundled").all()
    assert catalogue(min_top1=99).empty


def test_sorting_puts_the_best_of_a_column_first():
    assert catalogue(sort="top1").top1.is_monotonic_decreasing
    assert catalogue(sort="year").year.is_monotonic_decreasing
    assert catalogue(sort="params_m").params_m.is_monotonic_increasing
    assert catalogue(sort="name").name.is_monotonic_increasing


@pytest.mark.parametrize("conditions, said", [
    ({"family": "ResNett"}, "'ResNet'"), ({"source": "tim"}, "'timm'"), ({"sort": "top_1"}, "'top1'"),
    ({"sort": 1}, "no column called 1")])
def test_a_name_that_is_none_is_answered_with_the_nearest(conditions, said):
    with pytest.raises(UnknownName, match=said):
        catalogue(**conditions)


@pytest.mark.parametrize("conditions, said", [
    ({"min_top1": "80"}, "For top1, catalogue needs a number"), ({"max_params_m": True}, "params_m.* number"),
    ({"bundled": "yes"}, "True or False"), ({"available": 1}, "True or False")])
def test_conditions_of_another_kind_are_said_in_words(conditions, said):
    with pytest.raises(CourseError, match=said):
        catalogue(**conditions)


def test_the_pareto_front_is_what_nothing_beats(table):
    front = pareto(catalogue())
    for row in table.itertuples():
        beaten = ((table.gflops <= row.gflops) & (table.top1 >= row.top1)
                  & ((table.gflops < row.gflops) | (table.top1 > row.top1))).any()
        assert beaten != (row.name in set(front.name)), row.name
    assert front.gflops.is_monotonic_increasing and front.top1.is_monotonic_increasing


def test_of_equals_one_stays_on_the_front():
    table = DataFrame({"name": list("abcd"), "gflops": [1, 1, 2, 3], "top1": [50, 60, 60, 70]})
    assert list(pareto(table).name) == ["b", "d"]
    with pytest.raises(UnknownName, match="'gflops'"):
        pareto(table, cost="gflop")

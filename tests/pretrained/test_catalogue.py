"""The catalogue lists what there is, with its libraries' own figures."""

import csv

import pytest
import timm
import torch
import torchvision
from torch.utils.flop_counter import FlopCounterMode

from course_utils import paths
from course_utils.pretrained import catalogue, load_model
from course_utils.pretrained.published import published

COLUMNS = ["name", "source", "architecture", "top1", "top5", "params_m", "gflops", "size_mb", "input_size",
           "mean", "std", "licence", "year", "bundled", "available", "reference"]


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
    assert top1["efficientnet_lite0"] == 74.846 and top1["efficientnet_lite2"] == 77.470
    assert table.gflops["torchvision/resnet50.IMAGENET1K_V2"] == 4.089


def test_gflops_are_multiply_adds_half_of_what_torch_counts(table):
    model = load_model("efficientnet_lite0")
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        model(torch.zeros(1, 3, 224, 224))
    assert counter.get_total_flops() / 2e9 == pytest.approx(table.gflops["efficientnet_lite0"], rel=0.06)


def test_what_can_be_loaded_is_what_is_called_available(caches):
    name, file = "torchvision/shufflenet_v2_x0_5.IMAGENET1K_V1", "shufflenetv2_x0.5-f707e7126e.pth"
    assert not catalogue().set_index("name").available[name]
    torch.save(load_model(name, random_init=True).state_dict(), caches / "torch/hub/checkpoints" / file)
    assert catalogue().set_index("name").available[name]
    assert load_model(name).course_weights.name == name


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
    assert published("torchvision/swin_v2_t.IMAGENET1K_V1", "year") == "2021"
    assert published("torchvision/mobilenet_v3_large.IMAGENET1K_V1", "year") == "2019"

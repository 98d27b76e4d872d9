"""model_zoo and model_chooser: what is shown follows from the catalogue and from the limits chosen."""

from __future__ import annotations

import json

import pytest

from course_utils.pretrained import Latency, Measurement, catalogue, measure
from course_utils.widgets import model_chooser, model_zoo, uses, zoo


@pytest.fixture(scope="module")
def table():
    return catalogue().round({"gflops": 3})


@pytest.fixture
def no_measuring(monkeypatch):
    """Any measuring fails the test."""
    def refuse(*args, **kwargs):
        raise AssertionError("measured without being asked")
    monkeypatch.setattr(zoo, "measure", refuse)


def shown(panel, kind: str = "table") -> dict:
    return next(exhibit for exhibit in panel.view if exhibit["kind"] == kind)


def names(panel) -> list[str]:
    return [row[0] for row in shown(panel)["rows"]]


# model_zoo --------------------------------------------------------------------------------------------

def test_the_zoo_begins_with_the_most_accurate_and_measures_nothing(table, no_measuring):
    panel = model_zoo()
    best = table.sort_values(["top1", "name"], ascending=[False, True]).name.tolist()
    assert names(panel) == best[:zoo.MOST_ROWS] and f"{len(table)} sets of weights" in shown(panel)["title"]


def test_filters_leave_what_meets_all_of_them(table):
    panel = model_zoo().set(family="ResNet", source="torchvision", at_most=30, sort=("params_m", True))
    fits = table[(table.family == "ResNet") & (table.source == "torchvision") & (table.params_m <= 30)]
    assert names(panel) == fits.sort_values(["params_m", "name"]).name.tolist()
    assert len(fits) < len(table[table.family == "ResNet"])


@pytest.mark.parametrize("order", list(zoo.ORDERS))
def test_every_order_sorts(order, table):
    column, least_first = zoo.ORDERS[order]
    values = table.assign(efficiency=table.top1 / table.params_m).set_index("name", drop=False)[column]
    listed = [values[name] for name in names(model_zoo().set(sort=order))]
    assert listed == sorted(listed, reverse=not least_first)
    assert listed[0] == (values.min() if least_first else values.max())


def test_efficiency_is_top1_per_million_parameters():
    row = shown(model_zoo().set(source="bundled", sort="name"))["rows"][0]
    assert row[0] == "efficientnet_lite0" and row[4] == f"{74.846 / 4.652008:.1f}"


@pytest.mark.parametrize("cost", list(zoo.COSTS.values()))
def test_marked_rows_and_the_joined_line_are_the_front_of_what_is_left(cost, table):
    panel = model_zoo().set(family="ResNet", cost=next(w for w, c in zoo.COSTS.items() if c == cost))
    fits = table[table.family == "ResNet"]
    beaten = {a.name for a in fits.itertuples() for b in fits.itertuples()
              if getattr(b, cost) <= getattr(a, cost) and b.top1 > a.top1}
    marked = {names(panel)[i] for i in shown(panel)["marked"]}
    assert marked and marked == set(names(panel)) - beaten
    front, others = shown(panel, "chart")["lines"]
    assert front["joined"] and not others["joined"]
    assert len(front["points"]) == len(marked) and len(others["points"]) == len(fits) - len(marked)


def test_a_model_is_measured_once_and_only_while_the_switch_is_on(monkeypatch):
    asked = []

    def noted(name, **kwargs):
        asked.append(name)
        return Measurement(name, 224, 4_652_008, 385_187_552, 770_375_104, 12.0, 17.9,
                           (Latency(1, 0.02, 0.019, 0.021),), "this machine", 7)
    monkeypatch.setattr(zoo, "measure", noted)
    panel = model_zoo().set(model="efficientnet_lite0", source="bundled")
    assert asked == []
    said = panel.set(here=True).text()
    assert asked == ["efficientnet_lite0"] and "20.0" in said and "50" in said
    assert "0.385" in said and "0.770" in said, "both counts, each in a line of its own"
    panel.set(sort="year, newest first")
    assert asked == ["efficientnet_lite0"]
    panel.set(here=False)
    assert "this machine," not in panel.text()


def test_measuring_is_real():
    found = zoo.measured("torchvision/squeezenet1_1")
    assert found.multiply_adds / 1e9 == pytest.approx(0.349, rel=0.01) and found.latencies[0].median > 0
    assert zoo.measure is measure


def test_a_model_too_large_to_wait_for_is_not_measured(no_measuring):
    said = model_zoo().set(model="torchvision/vit_h_14.IMAGENET1K_SWAG_E2E_V1", here=True).text()
    assert "too large" in said and "measure('torchvision/vit_h_14.IMAGENET1K_SWAG_E2E_V1')" in said


def test_nothing_left_is_said():
    assert "No set of weights is like that" in model_zoo().set(family="ViT", at_most=2).text()


# model_chooser ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("use, first", [
    ("prototyping", "resnet18"), ("accuracy for its cost", "efficientnet_v2_s"),
    ("phone or small device", "mobilenetv3_large"), ("feature extraction", "resnet50"),
    ("real-time video", "mobilenetv3_large")])
def test_what_usual_advice_names_is_found_in_the_table(use, first, no_measuring):
    assert first in names(model_chooser().set(use=use))[0]


@pytest.mark.parametrize("use", list(uses.USES))
def test_the_first_meets_every_limit_and_nothing_that_does_is_better(use, table):
    purpose, found = uses.USES[use], names(model_chooser().set(use=use))
    fits = table[[all(getattr(row, column) <= limit for column, limit in purpose.limits.items())
                  and purpose.family in ("", row.family) for row in table.itertuples()]]
    assert set(found) <= set(fits.name)
    first = fits.set_index("name").loc[found[0]]
    if "gflops" in purpose.order:
        assert first.gflops == fits.gflops.min()
    else:
        assert first.top1 == fits.top1.max()


def test_moving_a_limit_changes_the_answer():
    panel = model_chooser().set(use="accuracy for its cost", work=0.5)
    assert "efficientnet_b0" in names(panel)[0]
    assert "multiply–adds at most 0.5 G" in panel.text() and "at most 10 G" not in panel.text()


def test_a_cheaper_and_better_model_in_the_table_would_come_first(table, monkeypatch):
    """The twin: nothing about the answer is fixed."""
    better = table.copy()
    old = "torchvision/alexnet.IMAGENET1K_V1"
    better.loc[better.name == old, ["top1", "gflops", "params_m"]] = [99.0, 0.01, 1.0]
    monkeypatch.setattr(uses, "the_zoo", lambda: better)
    for use in ("accuracy for its cost", "phone or small device", "feature extraction"):
        assert names(model_chooser().set(use=use))[0] == old


def test_only_what_is_on_this_machine():
    found = names(model_chooser().set(use="accuracy for its cost", offline=True))
    assert found[0] == "efficientnet_lite2"


def test_nothing_left_says_what_to_loosen():
    assert "raise a limit" in model_chooser().set(use="feature extraction", work=0.06).text()


def test_the_reason_compares_the_first_with_the_second():
    said = model_chooser().set(use="accuracy for its cost").text()
    assert "efficientnet_v2_s.IMAGENET1K_V1 comes first" in said
    assert "maxvit_t.IMAGENET1K_V1 comes next, with -0.5 points of top-1 for 0.66 times the work" in said


def test_what_is_sent_is_plain():
    for panel in (model_zoo(), model_chooser()):
        json.dumps([panel.controls, panel.view], allow_nan=False)

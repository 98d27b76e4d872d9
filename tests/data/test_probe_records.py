"""What the records say of the rendered sets: pretraining is needed, and colour alone does not do.

Recorded by `tools/records/flowers_probe.py` and `defects_probe.py`, three deals each.
"""

from __future__ import annotations

import json

import pytest

from course_utils import paths


def read(name: str) -> dict:
    return json.loads((paths.results() / f"{name}_probe.json").read_text(encoding="utf-8"))


@pytest.fixture(params=["flowers", "defects"])
def record(request) -> dict:
    return read(request.param)


def test_three_seeds_were_measured_on_60_pictures_of_each_of_five_classes(record):
    assert [row["seed"] for row in record["results"]["per_seed"]] == record["seeds"] == [0, 1, 2]
    assert record["results"]["pictures"]["train"] == 60 * 5


def test_a_probe_on_pretrained_features_scores_80_to_97_percent_on_every_deal(record):
    assert all(0.80 <= row["probe"] <= 0.97 for row in record["results"]["per_seed"])


def test_the_same_network_from_scratch_scores_far_less(record):
    assert all(row["scratch"] <= row["probe"] - 0.20 for row in record["results"]["per_seed"])


def test_colours_and_thumbnails_do_not_give_the_class_away(record):
    assert all(row["thumbnails"] <= row["probe"] - 0.20 for row in record["results"]["per_seed"])


def test_the_network_has_daisy_among_its_guesses_for_flowers_with_rays_and_less_often_for_others():
    """ImageNet has no dandelion and no sunflower: of its classes, "daisy" is the nearest for those too."""
    rates = read("flowers")["results"]["daisy_in_top5"]
    assert rates["daisy"] == max(rates.values()) > 0.75
    assert all(rates[name] < rates["daisy"] - 0.20 for name in ("roses", "tulips"))

"""What lesson 01 says of depth, distance and training is what was measured; one probe is fitted again."""

from __future__ import annotations

import json
import math

import pytest

from course_utils import paths

BEST = {"digits": {"blocks.5"}, "flowers": {"blocks.5", "blocks.6"}}


@pytest.fixture(scope="module")
def record() -> dict:
    return json.loads((paths.results() / "why_pretrained.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def found(record) -> dict:
    return record["results"]


def by_layer(found, domain: str, start: str) -> list[dict[str, float]]:
    """For each seed, the probe's accuracy by layer."""
    rows = found["by_depth"][domain][start]["accuracy"]
    return [dict(zip(found["layers"], row, strict=True)) for row in rows]


def test_three_seeds_stand_behind_every_figure(record, found):
    assert record["seeds"] == [0, 1, 2] == [one["seed"] for one in found["case_study"]["per_seed"]]
    assert all(len(by_layer(found, domain, start)) == 3
               for domain in BEST for start in ("pretrained", "random"))


@pytest.mark.parametrize("domain", BEST)
def test_the_best_stage_is_the_one_the_lesson_names(found, domain):
    for accuracy in by_layer(found, domain, "pretrained"):
        assert max(accuracy, key=accuracy.get) in BEST[domain]


def test_the_pooled_features_give_away_two_to_four_points_on_digits(found):
    for accuracy in by_layer(found, "digits", "pretrained"):
        assert 0.02 <= round(accuracy["blocks.5"] - accuracy["pooled"], 3) <= 0.04


def test_with_random_weights_depth_loses(found):
    for domain in BEST:
        for accuracy in by_layer(found, domain, "random"):
            assert accuracy["pooled"] < accuracy["stem"] + 0.03 and accuracy["blocks.6"] < 0.4


def test_the_first_stages_read_digits_better_with_random_weights(found):
    both = zip(by_layer(found, "digits", "random"), by_layer(found, "digits", "pretrained"), strict=True)
    for random, pretrained in both:
        assert random["stem"] > pretrained["stem"] and random["blocks.0"] > pretrained["blocks.0"]


def seeds_of(found) -> list[dict]:
    return found["case_study"]["per_seed"]


def test_an_end_is_near_the_start_that_training_began_with_and_ten_times_as_far_from_the_other(found):
    for one in seeds_of(found):
        for start, other in (("pretrained", "random"), ("random", "pretrained")):
            own, others = (one["distances"][f"{begin} start to the end of the {start} run"]
                           for begin in (start, other))
            assert 8 < others / own < 11


def test_the_first_half_of_every_line_is_no_better_than_guessing(found):
    assert found["case_study"]["line"][1:6] == [0.1, 0.2, 0.3, 0.4, 0.5]
    for one in seeds_of(found):
        for losses in one["losses"].values():
            assert all(loss == pytest.approx(math.log(10), abs=0.12) for loss in losses[1:6])


def test_a_pretrained_start_is_faster_and_with_so_few_pictures_better(found):
    for one in seeds_of(found):
        few, many = ({start: one[length][start]["test_accuracy"] for start in ("pretrained", "random")}
                     for length in ("few", "many"))
        assert few["random"] < one["probe"] < few["pretrained"]
        assert 0.06 < few["pretrained"] - few["random"] < 0.115
        assert 0.035 < many["pretrained"] - many["random"] < 0.065


def test_both_had_levelled_off(found):
    for one in seeds_of(found):
        for start in ("pretrained", "random"):
            last = one["many"][start]["val_accuracy"][-8:]
            assert max(last) - min(last) < 0.02


def test_one_probe_comes_out_as_recorded(found):
    """Lite0's features of one stage, one deal; within two points, as processors round otherwise."""
    from probe_study import chosen
    from why_pretrained import DOMAINS, MODEL, parts_of, pool_of, probe_accuracy

    from course_utils.pretrained import Features, extract_features, load_model

    pool = pool_of("digits")
    parts = parts_of(pool, 0)
    features: Features = extract_features(load_model(MODEL), pool.pictures, layer="blocks.5",
                                          size=DOMAINS["digits"], precision="float32", cache=False)
    assert len(chosen(features, parts["train"])) == 400
    assert probe_accuracy(features, parts) == pytest.approx(
        by_layer(found, "digits", "pretrained")[0]["blocks.5"], abs=0.02)

"""Advice with its test, and recorded learning curves."""

from __future__ import annotations

import json
import re

import torch

from course_utils import paths
from course_utils.pretrained import recommend_strategy
from course_utils.widgets import learning_curve_lab, strategy_chooser
from course_utils.widgets.strategies import best_table

ROWS = [{"dataset": name, "per_class": size, "strategy": strategy, "accuracy": found, "spread": 0.01,
         "mean": round(sum(found) / 3, 4)}
        for name, size, strategy, found in [
            ("flowers", 5, "probe", [0.5, 0.52, 0.51]), ("flowers", 5, "full", [0.3, 0.35, 0.4]),
            ("flowers", 45, "probe", [0.8, 0.82, 0.78]), ("flowers", 45, "full", [0.79, 0.85, 0.83]),
            ("digits", 5, "probe", [0.6, 0.6, 0.6]), ("digits", 5, "full", [0.7, 0.7, 0.7])]]


def test_the_advice_is_the_librarys_with_its_reasons_and_its_experiment():
    explorer = strategy_chooser().set(images=10_000, similarity="different", budget="low")
    advice = recommend_strategy(10_000, "different", budget="low")
    text = explorer.text()
    assert f"Try {advice.strategy}." in text and advice.experiment in text
    assert all(reason in text for reason in advice.reasons)


def test_curves_rise_with_the_sizes_and_carry_the_range_of_the_seeds():
    chart = learning_curve_lab(ROWS).view[0]
    assert [line["name"] for line in chart["lines"]] == ["probe", "full"]
    assert [point[0] for point in chart["lines"][0]["points"]] == [5, 45]
    assert chart["lines"][1]["band"] == [(5, 0.3, 0.4), (45, 0.79, 0.85)]


def test_one_strategy_or_another_data_set_may_be_chosen():
    explorer = learning_curve_lab(ROWS).set(compare="full", dataset="digits")
    [line] = explorer.view[0]["lines"]
    assert line["name"] == "full" and line["points"] == [[5, 0.7]]


def test_one_run_is_done_again_once_and_shown_beside_the_record():
    asked = []

    def again(*which):
        asked.append(which)
        return 0.1, 0.4321

    rows = [row | {"rate": 0.003} for row in ROWS]
    lab = learning_curve_lab(rows, again=again).set(dataset="flowers", per_class=45, seed=1)
    assert "run again" not in lab.text() and "Choose one strategy" in lab.set(here=True).text() and not asked
    said = lab.set(compare="full").text()
    assert "recorded 85.0%, run again here 43.2%" in said and asked == [("flowers", 45, "full", 1, 0.003)]
    lab.set(here=False).set(here=True)
    assert len(asked) == 1
    assert "recorded 83.0%" in lab.set(seed=2).text() and len(asked) == 2


def test_what_made_the_record_runs_in_the_lab_and_leaves_random_numbers_alone():
    record = json.loads((paths.results() / "strategies.json").read_text(encoding="utf-8"))
    state = torch.random.get_rng_state()
    lab = learning_curve_lab(record["results"]["rows"])
    text = lab.set(dataset="digits", compare="feature extraction", per_class=5, seed=2, here=True).text()
    recorded, found = (float(share) for share in re.search(r"recorded ([\d.]+)%, run again here ([\d.]+)%",
                                                          text).groups())
    assert recorded == 77.8 and abs(found - recorded) <= 2          # bfloat16 where a processor has it
    assert torch.equal(torch.random.get_rng_state(), state)


def test_ahead_with_every_seed_is_told_from_going_both_ways():
    rows = {row[0]: row for row in best_table(ROWS, "flowers").rows}
    assert rows["5"][1].startswith("probe") and rows["5"][3] == "ahead with every seed"
    assert rows["45"][1].startswith("full") and rows["45"][3] == "goes both ways"


def test_seeds_are_compared_in_pairs_though_their_ranges_overlap():
    draws = [0.80, 0.86, 0.74]          # a hard draw lowers both
    found = {"probe": draws, "full": [accuracy + 0.01 for accuracy in draws]}
    rows = [{"dataset": "flowers", "per_class": 45, "strategy": strategy, "mean": sum(accuracy) / 3,
             "accuracy": accuracy} for strategy, accuracy in found.items()]
    assert min(rows[1]["accuracy"]) < max(rows[0]["accuracy"])
    assert best_table(rows, "flowers").rows[0][3] == "ahead with every seed"


def test_the_record_of_the_flowers_at_45_is_told_in_pairs():
    record = json.loads((paths.results() / "strategies.json").read_text(encoding="utf-8"))
    rows = record["results"]["rows"]
    at_45 = {row["strategy"]: row["accuracy"] for row in rows
             if (row["dataset"], row["per_class"]) == ("flowers", 45)}
    last = best_table(rows, "flowers").rows[-1]
    best, second = (at_45[cell.rpartition(",")[0]] for cell in last[1:3])
    assert last[0] == "45" and min(best) <= max(second), "unpaired, the ranges overlap"
    assert last[3] == "ahead with every seed"

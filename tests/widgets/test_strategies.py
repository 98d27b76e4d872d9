"""Advice with its test, and recorded learning curves."""

from __future__ import annotations

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


def test_better_in_every_seed_is_told_from_better_by_chance():
    rows = {row[0]: row for row in best_table(ROWS, "flowers").rows}
    assert rows["5"][1].startswith("probe") and rows["5"][3] == "in every seed"
    assert rows["45"][1].startswith("full") and rows["45"][3] == "not beyond the spread"

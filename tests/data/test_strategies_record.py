"""What lesson 07 shows of strategies is what was measured; a probe of the record is fitted again."""

from __future__ import annotations

import json
from itertools import product
from statistics import mean, stdev

import pytest

from course_utils import paths
from course_utils.lessons._strategies import run
from course_utils.pretrained import recommend_strategy


@pytest.fixture(scope="module")
def record():
    return json.loads((paths.results() / "strategies.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def rows(record):
    return {(row["dataset"], row["per_class"], row["strategy"]): row for row in record["results"]["rows"]}


def test_every_combination_was_run_with_every_seed(record, rows):
    from strategies import DATASETS, PER_CLASS, SEEDS, STRATEGIES

    assert set(rows) == set(product(DATASETS, PER_CLASS, STRATEGIES)) and record["seeds"] == list(SEEDS)
    for row in rows.values():
        assert len(row["accuracy"]) == len(SEEDS) >= 3
        assert row["mean"] == pytest.approx(mean(row["accuracy"]), abs=1e-4)


def test_more_labels_help_in_the_mean(rows):
    for (dataset, per_class, strategy), row in rows.items():
        if per_class == 5:
            assert rows[dataset, 45, strategy]["mean"] > row["mean"], (dataset, strategy)


def test_with_five_pictures_per_class_a_probe_on_views_is_ahead(rows):
    for dataset in ("flowers", "defects"):
        of = {strategy: row["mean"] for (name, per_class, strategy), row in rows.items()
              if (name, per_class) == (dataset, 5)}
        assert max(of, key=of.get) == "feature extraction, 4 views"
        assert min(of, key=of.get) == "from scratch"


@pytest.mark.parametrize("dataset, per_class", [("flowers", 15), ("defects", 45)])
def test_full_fine_tuning_passes_it_with_more_labels_and_not_before(rows, dataset, per_class):
    ahead = [n for n in (5, 15, 45) if rows[dataset, n, "full fine-tuning"]["mean"]
             > rows[dataset, n, "feature extraction, 4 views"]["mean"]]
    assert ahead[0] == per_class


def accuracies(rows, dataset: str, per_class: int, strategy: str) -> list[float]:
    return rows[dataset, per_class, strategy]["accuracy"]


def test_augmented_digits_are_worse_with_every_draw_and_augmented_flowers_are_not(rows):
    def gains(dataset: str, per_class: int) -> list[float]:
        pairs = zip(accuracies(rows, dataset, per_class, "feature extraction, 4 views"),
                    accuracies(rows, dataset, per_class, "feature extraction"), strict=True)
        return [views - plain for views, plain in pairs]

    for per_class in (5, 15, 45):
        assert max(gains("digits", per_class)) < 0 < mean(gains("flowers", per_class))


def test_there_is_no_negative_transfer_here(rows):
    for dataset in ("flowers", "defects", "digits"):
        for per_class in (5, 15, 45):
            pairs = zip(accuracies(rows, dataset, per_class, "full fine-tuning"),
                        accuracies(rows, dataset, per_class, "from scratch"), strict=True)
            assert all(tuned > scratch for tuned, scratch in pairs)


def test_for_digits_the_rules_disagree_and_the_record_contradicts_both(record, rows):
    """By pictures per class: a probe. By similarity: other weights, as ImageNet's features may not help."""
    advice = recommend_strategy(45, record["results"]["similarity"]["digits"])
    assert advice.strategy == "domain-specific weights" and "domain very different" in advice.reasons[0]
    assert "fine-tuning): feature extraction." in advice.reasons[1] and "disagree" in advice.reasons[2]

    def in_errors(per_class: int, other: str) -> float:
        pairs = zip(accuracies(rows, "digits", per_class, "full fine-tuning"),
                    accuracies(rows, "digits", per_class, other), strict=True)
        gains = [tuned - rival for tuned, rival in pairs]
        assert mean(gains) > 0 and (per_class != 15 or min(gains) > 0)
        return mean(gains) / (stdev(gains) / len(gains) ** 0.5)

    assert in_errors(15, "feature extraction") > 4 > in_errors(45, "feature extraction")
    for per_class in (5, 15, 45):
        pairs = zip(accuracies(rows, "digits", per_class, "feature extraction"),
                    accuracies(rows, "digits", per_class, "from scratch"), strict=True)
        assert all(probe > scratch for probe, scratch in pairs)


def test_each_strategy_that_trains_layers_had_the_better_of_two_rates(record, rows):
    for (_, _, strategy), row in rows.items():
        assert row["rate"] is None if "extraction" in strategy else row["rate"] in record["results"]["rates"]


def test_a_probe_comes_out_as_recorded(rows):
    """One seed, within two points: features are bfloat16 where a processor has it."""
    _, found = run("digits", 5, "feature extraction", 0, None)
    assert found == pytest.approx(rows["digits", 5, "feature extraction"]["accuracy"][0], abs=0.02)

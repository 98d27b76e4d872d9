"""What lesson 07 shows of strategies is what was measured; a probe of the record is fitted again."""

from __future__ import annotations

import json
from itertools import product
from statistics import mean

import pytest

from course_utils import paths
from course_utils.pretrained import load_dataset


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


def test_with_five_pictures_per_class_extraction_is_ahead_of_training_from_scratch(rows):
    for dataset in ("flowers", "defects"):
        assert min(rows[dataset, 5, "feature extraction"]["accuracy"]) > \
            max(rows[dataset, 5, "from scratch"]["accuracy"])


def test_a_probe_comes_out_as_recorded(rows):
    """One seed, within two points: features are bfloat16 where a processor has it."""
    from strategies import draw, extraction

    data = load_dataset("digits")
    found = extraction(data, draw(data.train, 5, 0), 0)
    assert found == pytest.approx(rows["digits", 5, "feature extraction"]["accuracy"][0], abs=0.02)

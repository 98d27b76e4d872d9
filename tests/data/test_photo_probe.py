"""What the course's extractor and probe reach on real photographs, as recorded."""

from __future__ import annotations

import json

import pytest

from course_utils import paths


@pytest.fixture(scope="module")
def record() -> dict:
    return json.loads((paths.results() / "photo_probe.json").read_text(encoding="utf-8"))


def test_the_probe_reaches_88_percent_on_flower_photographs(record):
    results = record["results"]
    assert results["mean"] >= 0.88 and results["as_shipped"] >= 0.88


def test_the_mean_is_over_five_deals(record):
    accuracies = record["results"]["per_seed"]
    assert len(accuracies) == len(record["seeds"]) == 5
    assert record["results"]["mean"] == pytest.approx(sum(accuracies) / 5, abs=1e-4)
    assert record["results"]["pictures"] == {"train": 600, "val": 150, "test": 200}

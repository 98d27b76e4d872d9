"""What is said of an audit's speed and memory is what was measured.

Recorded by `python -m tests.benchmarks.audit`.
"""

from __future__ import annotations

import json
from statistics import median

import pytest

from course_utils import paths


@pytest.fixture(scope="module")
def record() -> dict:
    return json.loads((paths.results() / "audit.json").read_text(encoding="utf-8"))["results"]


def test_ten_thousand_pictures_take_at_most_half_again_as_long_as_decoding_them(record):
    seconds = {name: median(taken) for name, taken in record["seconds"].items()}
    assert record["pictures"] == 10_000 and all(len(taken) >= 3 for taken in record["seconds"].values())
    assert 0 < seconds["audit"] / seconds["decode"] <= 1.5
    assert record["times_decoding"] == pytest.approx(seconds["audit"] / seconds["decode"], abs=0.002)


def test_ten_times_as_many_pictures_take_hardly_more_memory(record):
    """Of each, a path, a hash, a sketch and some facts stay: 2 kB at most."""
    few, many = (record["memory"][count]["peak_mib"] for count in ("1000", "10000"))
    assert many - few <= 9_000 * 2_000 / 2**20


def test_a_hundred_thousand_hashes_are_compared_in_seconds_and_no_memory(record):
    search = record["search"]
    assert search["hashes"] == 100_000 and search["seconds"] < 60 and search["more_mib"] < 50

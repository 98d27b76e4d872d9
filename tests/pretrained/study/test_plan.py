"""A plan is the product of its lists, and says what is wrong with one that cannot be meant so."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.errors import CourseError, UnknownName
from course_utils.pretrained.study.plan import RATES, Row, grid
from course_utils.pretrained.study.strategies import STRATEGIES

PLAN = {"datasets": ["digits", "defects"], "backbones": ["efficientnet_lite0"],
        "strategies": ["probe", "full"], "shares": [0.1, 1.0], "seeds": [0, 1, 2], "size": 64, "steps": 30,
        "rates": {}, "not_augmented": ["digits"]}
ROW = grid(**PLAN)[0]


def test_there_is_a_strategy_for_every_name_of_the_plan():
    assert list(STRATEGIES) == list(RATES)


def test_a_plan_is_every_combination_once():
    rows = grid(**PLAN)
    found = [(row.dataset, row.backbone, row.strategy, row.share, row.seed) for row in rows]
    lists = [PLAN[name] for name in ("datasets", "backbones", "strategies", "shares", "seeds")]
    assert sorted(found) == sorted(itertools.product(*lists))
    assert len({row.key for row in rows}) == len(rows)


def test_a_seed_is_whole_before_the_next_begins():
    assert [row.seed for row in grid(**PLAN)] == [0] * 8 + [1] * 8 + [2] * 8


def test_pictures_that_must_not_be_mirrored_are_not_augmented():
    assert {row.dataset: row.augment for row in grid(**PLAN)} == {"digits": False, "defects": True}


def test_sizes_may_differ_between_data_sets():
    rows = grid(**PLAN | {"size": {"digits": 32}})
    assert {row.dataset: row.size for row in rows} == {"digits": 32, "defects": 64}


@pytest.mark.parametrize("wrong, words", [
    ({"strategies": ["prob"]}, "probe"), ({"rates": {"ful": 0.1}}, "full"), ({"seeds": []}, "empty"),
    ({"shares": [10]}, "0.1"), ({"shares": [0]}, "above 0"), ({"datasets": "digits"}, "list"),
    ({"seeds": [0, 0]}, "twice"), ({"seeds": [0.5]}, "whole numbers"), ({"steps": 0}, "steps"),
    ({"size": 1.5}, "size"), ({"size": {"digits": 15}}, "from 16 up"),
    ({"rates": {"full": float("nan")}}, "rate"),
    ({"backbones": [None]}, "names")])
def test_a_plan_that_cannot_be_meant_so_says_what_is_wrong(wrong, words):
    with pytest.raises(CourseError, match=words):
        grid(**PLAN | wrong)


def test_a_strategy_that_there_is_not_gets_the_nearest_named():
    with pytest.raises(UnknownName, match="lp-ft"):
        grid(**PLAN | {"strategies": ["lpft"]})


@given(st.floats(0.01, 1), st.integers(0, 2**31), st.booleans())
def test_a_row_is_the_same_after_a_file(share, seed, augment):
    row = replace(ROW, share=share, seed=seed, augment=augment)
    assert Row.from_dict(json.loads(json.dumps(asdict(row)))) == row


@pytest.mark.parametrize("change", [{"seed": True}, {"share": "1"}, {"augment": 1}, {"more": 1}])
def test_what_is_no_row_is_refused(change):
    with pytest.raises(ValueError):
        Row.from_dict(asdict(ROW) | change)


def test_numbers_of_numpy_are_numbers():
    rows = grid(**PLAN | {"seeds": np.arange(2), "shares": np.array([0.5, 1.0])})
    assert {type(row.seed) for row in rows} == {int} and {type(row.share) for row in rows} == {float}

"""temperature and trade_offs: what is drawn follows from the scores and figures that were given."""

from __future__ import annotations

import math

import pytest
import torch

from course_utils.widgets import temperature, trade_offs

SCORES = torch.tensor([4.0, 2.0, 0.0, -2.0])
NAMES = ["cat", "lynx", "fox", "plane"]


def shares(explorer):
    return {label: share for label, share, _ in explorer.view[0]["bars"]}


def test_at_one_these_are_the_plain_probabilities():
    found = shares(temperature(SCORES, NAMES))
    for name, share in zip(NAMES, SCORES.softmax(0).tolist(), strict=True):
        assert found[name] == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize("t", [0.5, 4, 16])
def test_softening_keeps_the_order_and_levels_the_shares(t):
    explorer = temperature(SCORES, NAMES).set(temperature=t)
    assert list(shares(explorer)) == NAMES and f"T = {t:g}" in explorer.view[0]["title"]
    assert (shares(explorer)["cat"] < SCORES.softmax(0)[0]) == (t > 1)


def test_even_shares_are_said_to_be_a_choice_among_all():
    assert "among 4.0 equally" in temperature(torch.zeros(4), NAMES).text()
    assert "among 1.0 equally" in temperature(torch.tensor([50.0, 0, 0, 0]), NAMES).text()


def test_of_many_classes_the_rest_is_counted_together():
    explorer = temperature(torch.zeros(1000), [str(i) for i in range(1000)])
    assert len(explorer.view[0]["bars"]) == 8 and "The other 992 classes share 99.2%" in explorer.text()


def test_trade_offs_draw_accuracy_against_the_cost_that_is_chosen():
    explorer = trade_offs({"small": 0.8, "large": 0.9}, {"small": {"parameters": 1e4, "milliseconds": 0.5},
                                                        "large": {"parameters": 4e6, "milliseconds": 5.0}})
    [line] = explorer.view[0]["lines"]
    assert line["points"] == [[1e4, 0.8, "small"], [4e6, 0.9, "large"]] and explorer.view[0]["log_x"]
    explorer.set(against="milliseconds")
    assert math.isclose(explorer.view[0]["lines"][0]["points"][1][0], 5.0)
    assert "milliseconds for one picture" in explorer.text()

"""cost_calculator: the learner's figures decide, and add up."""

from __future__ import annotations

import pytest

from course_utils.widgets import cost_calculator


def row(panel, name: str) -> list[str]:
    return next(list(row) for row in panel.view[0]["rows"] if row[0] == name)


def test_it_begins_inside_the_rules_of_thumb_and_names_them_so():
    panel = cost_calculator()
    assert row(panel, "computing")[1:] == ["$5,000", "$50", "$1,000 to 50,000+", "$10 to 100"]
    assert row(panel, "time")[1:3] == ["3.0 weeks", "5.0 hours"]
    assert "rule of thumb" in panel.text()


@pytest.mark.parametrize("change, name, scratch, adapted", [
    ({"price": 2}, "computing", "$1,000", "$10"),
    ({"label": 5}, "labels", "$5,000,000", "$5,000"),
    ({"hours": 2000}, "computing", "$20,000", "$50"),
    ({"adapting": 1}, "computing", "$5,000", "$10"),
    ({"images": 100_000}, "labels", "$5,000", "$50"),
    ({"few": 100}, "labels", "$50,000", "$5"),
    ({"gpus": 8}, "time", "2.6 days", "0.6 hours"),
])
def test_each_figure_changes_what_it_should(change, name, scratch, adapted):
    assert row(cost_calculator().set(**change), name)[1:3] == [scratch, adapted]


def test_more_gpus_at_once_save_time_and_no_money():
    one, eight = cost_calculator(), cost_calculator().set(gpus=8)
    assert row(one, "together") == row(eight, "together") and row(one, "time") != row(eight, "time")


def test_the_sum_is_computing_and_labels():
    assert row(cost_calculator(), "together")[1:3] == ["$55,000", "$100"]


def test_what_costs_more_is_said_and_can_turn_over():
    assert "labels from scratch" in cost_calculator().text()
    assert "computing from scratch" in cost_calculator().set(images=10_000).text()


def test_bars_are_shares_of_the_dearer_way():
    shares = [share for _, share, _ in cost_calculator().view[1]["bars"]]
    assert shares[0] + shares[1] == pytest.approx(1) and max(shares[2:]) < 0.01

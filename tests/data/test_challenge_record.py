"""What the challenge says of its plan and of real pictures is what was measured."""

from __future__ import annotations

import json

import pytest

from course_utils import paths
from course_utils.pretrained import load_dataset
from course_utils.pretrained.study.plan import RATES, SIZES, STEPS, Row
from course_utils.pretrained.study.running import digest, run_row
from course_utils.teaching import load_quiz


def results(name: str) -> dict:
    return json.loads((paths.results() / f"{name}.json").read_text(encoding="utf-8"))["results"]


def in_words(pair: dict) -> str:
    return f"{abs(pair['points']):.1f} ± {pair['margin']:.1f} points"


@pytest.fixture(scope="module")
def challenge() -> dict:
    return results("challenge")


def pair_of(found: dict, dataset: str, share: float, strategy: str) -> dict:
    [pair] = [pair for pair in found["pairs"]
              if (pair["dataset"], pair["share"], pair["strategy"]) == (dataset, share, strategy)]
    return pair


def test_it_is_the_plan_of_today(challenge):
    assert (challenge["steps"], challenge["size"], challenge["rates"]) == (STEPS, SIZES, RATES)
    assert len(challenge["rows"]) == 2 * 5 * 4 and all(row["seeds"] == 3 for row in challenge["rows"])


def test_the_model_answer_says_what_came_out(challenge):
    answer = load_quiz("challenge").question("my-report").model_answer
    few, all_ = (pair_of(challenge, "digits", share, "lp-ft") for share in (0.1, 1.0))
    assert in_words(few) in answer and few["points"] > few["margin"]
    assert in_words(all_) in answer and abs(all_["points"]) <= all_["margin"]
    seconds = results("study")["plan"]["seconds_of_a_run"]
    assert f"{seconds['lp-ft']:.0f} seconds" in answer and f"probe {seconds['probe']:.0f}" in answer


def test_with_all_of_the_digits_the_probe_is_ahead_of_every_layer_from_a_fresh_head(challenge):
    """The key of `probe-or-full`; with a tenth of them three seeds do not decide it."""
    few, all_ = (pair_of(challenge, "digits", share, "full") for share in (0.1, 1.0))
    assert all_["points"] + all_["margin"] < 0 < few["points"] + few["margin"]


def row_of(found: dict, dataset: str, share: float, strategy: str) -> dict:
    [row] = [row for row in found["rows"]
             if (row["dataset"], row["share"], row["strategy"]) == (dataset, share, strategy)]
    return row


def test_the_reasons_of_that_question_hold_for_its_two_seeds(challenge):
    probe, full = (row_of(challenge, "digits", 1.0, name)["accuracies"][:2] for name in ("probe", "full"))
    gaps = [a - b for a, b in zip(probe, full, strict=True)]
    assert min(gaps) > 0 and min(gaps) > 3 * abs(full[0] - full[1]), "several times what they differ by"


@pytest.mark.parametrize("strategy", ["probe", "lp-ft"])
def test_a_run_of_the_record_comes_out_again(challenge, strategy):
    """The pictures, draws and steps of that day; other processors round otherwise, so within two points."""
    recorded = row_of(challenge, "digits", 0.1, strategy)["accuracies"][0]
    row = Row(0, 0.1, "digits", "efficientnet_lite0", strategy, SIZES["digits"], STEPS, RATES[strategy],
              augment=False)
    found = run_row(row, digest(load_dataset("digits")))
    assert found.accuracy == pytest.approx(recorded, abs=0.02)


@pytest.fixture(scope="module")
def real() -> dict:
    return results("real_domains")


def accuracy(found: dict, dataset: str, strategy: str) -> float:
    return row_of(found, dataset, 1.0, strategy)["accuracy"]


def test_on_satellite_pictures_nothing_is_ahead_of_a_probe_and_on_steel_full_fine_tuning_is(real):
    ahead = {(pair["dataset"], pair["strategy"]) for pair in real["pairs"]
             if pair["share"] == 1.0 and pair["points"] > pair["margin"]}
    assert ahead == {("steel_defects", "full"), ("steel_defects", "lp-ft")}
    assert all(pair["points"] < -40 for pair in real["pairs"] if pair["strategy"] == "scratch")


def test_lesson_07_says_so_in_its_numbers(real):
    lesson = " ".join((paths.repository() / "notebooks" / "source" / "07_choosing_a_strategy.py").read_text(
        encoding="utf-8").replace("\n#", " ").split())
    def share(dataset: str, strategy: str, digits: int = 1) -> str:
        return f"{100 * accuracy(real, dataset, strategy):.{digits}f}"

    assert real["steps"] == 40 and set(real["size"].values()) == {64}
    for words in ("64 pixels, forty steps", f"a probe's {share('eurosat', 'probe')} %",
                  f"a probe gets {share('steel_defects', 'probe')} % and full fine-tuning "
                  f"{share('steel_defects', 'full')} %",
                  f"{share('eurosat', 'scratch', 0)} and {share('steel_defects', 'scratch', 0)} %",
                  *(f"get {value:.2f}" for value in real["similarity"].values())):
        assert words in lesson, words

"""What README says of the course beside a textbook loop and fastai is what was measured."""

from __future__ import annotations

import json

import pytest

from course_utils import paths
from tests.benchmarks.peers import of_more_seeds, of_this_code, show, whole_comparisons


@pytest.fixture(scope="module")
def record():
    return json.loads((paths.results() / "peers.json").read_text(encoding="utf-8"))


PAIRS = [("course, head", "textbook, head", 15), ("course, head", "fastai, frozen", 8),
         ("course, last two blocks, 6 epochs", "textbook, last two blocks, 6 epochs", 4),
         ("course, last two blocks, 12 epochs", "textbook, last two blocks, 12 epochs", 6),
         ("course, all layers, 3 epochs", "textbook, all layers, 3 epochs", 2.5)]


@pytest.mark.parametrize("course, peer, times", PAIRS)
def test_the_course_is_that_many_times_faster(record, course, peer, times):
    [pair] = [p for p in record["results"]["pairs"] if (p["course"], p["peer"]) == (course, peer)]
    assert pair["times_faster"] >= times
    assert pair["accuracy_points"] >= -1.5


def test_readme_says_what_was_measured_and_what_was_the_aim(record):
    said = " ".join((paths.repository() / "README.md").read_text(encoding="utf-8").split())
    head = {p["peer"]: p for p in record["results"]["pairs"] if p["course"] == "course, head"}
    loop, fastai = head["textbook, head"], head["fastai, frozen"]
    assert f"{loop['times_faster']} times as fast as by the textbook loop" in said
    aims = f"where {loop['aim']} and {fastai['aim']} times were the aim"
    assert f"{fastai['times_faster']} times as fast as by fastai, {aims}" in said
    assert f"without imports {loop['times_faster_after_imports']} times" in said
    for pair in (loop, fastai):
        assert f"{pair['accuracy_points']:.1f} ± {pair['accuracy_interval']:.1f}" in said
    rows = record["results"]["programs"]
    assert f"| **{rows['course, head']['seconds']:.0f} s**, {rows['course, head']['accuracy']:.1%}".replace(
        "%", " %") in said


@pytest.mark.parametrize("course, peer, times", PAIRS)
def test_what_is_said_of_a_pair_follows_from_the_programs_rows(record, course, peer, times):
    """A pair is compared seed by seed, so the ratio of the two medians is near, not equal."""
    [pair] = [p for p in record["results"]["pairs"] if (p["course"], p["peer"]) == (course, peer)]
    rows = record["results"]["programs"]
    assert pair["times_faster"] == pytest.approx(rows[peer]["seconds"] / rows[course]["seconds"], rel=0.15)


def run(program: str, seed: int, boot: int = 1) -> dict:
    return {"program": program, "seed": seed, "boot": boot}


SIX = ("course, last two blocks, 6 epochs", "textbook, last two blocks, 6 epochs")


def test_a_comparison_is_kept_once_all_of_it_was_run_on_one_machine():
    kept = whole_comparisons([run(SIX[0], 0), run(SIX[1], 0), run(SIX[0], 1)])
    assert set(kept) == {(SIX[0], 0), (SIX[1], 0)}


def test_half_a_comparison_or_one_of_two_machines_is_not_kept():
    assert whole_comparisons([run(SIX[0], 0)]) == {}
    assert whole_comparisons([run(SIX[0], 0), run(SIX[1], 0, boot=2)]) == {}
    assert whole_comparisons([run("course, head", 0), run("textbook, head", 0)]) == {}    # no fastai


def test_a_run_of_older_code_does_not_count_any_more():
    runs = [run(SIX[0], seed) | {"code": code} for seed, code in enumerate(("old", "new"))]
    assert of_this_code(runs, {SIX[0]: "new"}) == runs[1:]


def test_rows_of_older_code_are_told_and_an_aim_only_where_there_is_one(record, capsys):
    found = json.loads(json.dumps(record["results"]))
    name, pair = "course, head", found["pairs"][0]
    found["programs"][name]["code"], pair["code"], pair["aim"] = "new", ["new", "other"], 0
    show(found, {name: "new", pair["peer"]: "other"})
    lines = capsys.readouterr().out.splitlines()
    [mine] = [line for line in lines if line.startswith(f"{name}  ")]
    [loop] = [line for line in lines if line.startswith("textbook, head  ")]
    assert "older code" not in mine and loop.endswith("of older code")
    [first, second] = [next(line for line in lines if line.startswith(f"{p['course']} against {p['peer']}:"))
                       for p in found["pairs"][:2]]
    assert "aim" not in first and "older code" not in first
    assert f"aim {found['pairs'][1]['aim']}×" in second and second.endswith("of older code")


def test_a_row_gives_way_only_to_one_of_as_many_seeds():
    def table(runs: int, seconds: float) -> dict:
        return {"programs": {"head": {"runs": runs, "seconds": seconds}},
                "pairs": [{"course": "head", "peer": "loop", "seeds": runs, "seconds": seconds}]}

    for runs, kept in ((2, 20.0), (3, 18.0)):
        found = of_more_seeds(table(runs, 18.0), table(3, 20.0))
        assert found["programs"]["head"]["seconds"] == found["pairs"][0]["seconds"] == kept
    assert of_more_seeds(table(1, 18.0), {}) == table(1, 18.0)

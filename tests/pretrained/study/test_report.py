"""A report needs nothing but itself, says what was compared and how and leaves open what is open."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from course_utils.errors import CourseError
from course_utils.pretrained import DataCard, Study
from course_utils.pretrained.study.comparing import by_strategy, in_pairs
from course_utils.pretrained.study.pages import Chart, Grid, write_page
from course_utils.pretrained.study.records import Record

ACCURACY = {"probe": (0.80, 0.82, 0.81), "full": (0.90, 0.91, 0.92), "scratch": (0.79, 0.84, 0.80)}


@pytest.fixture
def study(tmp_path):
    """Three strategies, two shares, three seeds: with results written by hand, one run missing."""
    made = Study(tmp_path / "study.jsonl", datasets=["faces"], strategies=list(ACCURACY), shares=[0.5, 1.0],
                 question="What is <best> for faces?", hypothesis="The probe & nothing else.")
    card = DataCard("faces", "Faces", "photographs", "Small ones.", "somewhere", "free", {"train": 120})
    made._file.add_plan({"question": made.question, "hypothesis": made.hypothesis, "price": made.price,
                         "pictures": {"faces": "abc"}, "cards": [vars(card)],
                         "rows": [vars(row) for row in made.rows]})
    for row in made.rows[:-1]:
        accuracy = ACCURACY[row.strategy][row.seed] - 0.1 * (row.share < 1)
        made._file.add(Record(row, "abc", round(120 * row.share), 40, accuracy, accuracy - 0.1,
                              accuracy + 0.05, 0.5, 2.0 + row.share, 900, 50.0))
    return made


def read(path) -> str:
    return Path(path).read_text(encoding="utf-8")


class Page(HTMLParser):
    """Tags with their attributes, and the words between them."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words.append(data)


def test_the_page_loads_nothing_and_its_drawings_have_words(study, tmp_path):
    text = read(study.report(tmp_path / "report.html"))
    page = Page(text)
    assert not [tag for tag, given in page.tags if tag in ("script", "link", "iframe", "img")]
    links = [value for _, given in page.tags for name, value in given.items()
             if name in ("src", "href", "xlink:href") and value and not value.startswith("#")]
    assert links == []
    drawings = [given for tag, given in page.tags if tag == "svg"]
    assert len(drawings) == 2 and all("probe from" in d["aria-label"] or "in 3.0 s" in d["aria-label"]
                                      for d in drawings)
    assert [tag for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)][:2] == ["h1", "h2"]


def test_the_page_holds_question_hypothesis_figures_data_and_method(study, tmp_path):
    page = Page(read(study.report(tmp_path / "report.html")))
    said = " ".join(page.words)
    for words in ("What is <best> for faces?", "The probe & nothing else.", "17 of 18 runs are done",
                  "Small ones.", "91.0%", "full ahead", "not decided", "Nothing is chosen by test",
                  "datasets=['faces']"):
        assert words in said, words


def test_what_the_report_tells_to_type_makes_the_same_plan(study, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = read(study.report("report.md"))
    code = re.search(r"```\n(.*?)```", page, re.S)[1].partition("study.run()")[0]
    again: dict = {}
    exec(code, again)
    assert again["study"].rows == study.rows


def test_markdown_has_its_drawings_beside_it(study, tmp_path):
    page = read(study.report(tmp_path / "report.md"))
    charts = re.findall(r"!\[(.+?)\]\((.+?)\)", page)
    drawings = [read(tmp_path / path) for _, path in charts]
    assert len(drawings) == 2 and all(drawing.startswith("<?xml") for drawing in drawings)


def test_the_same_results_give_the_same_report(study, tmp_path):
    one, other = study.report(tmp_path / "one.html"), study.report(tmp_path / "other.html")
    assert read(one) == read(other)


@pytest.mark.parametrize("name", ["report.pdf", "report"])
def test_another_ending_is_refused(study, tmp_path, name):
    with pytest.raises(CourseError, match=r"\.html or \.md"):
        study.report(tmp_path / name)


def test_without_a_result_there_is_no_report(tmp_path):
    with pytest.raises(CourseError, match="no result"):
        Study(tmp_path / "empty.jsonl").report(tmp_path / "report.html")


# Comparisons

def results(**of: tuple) -> pd.DataFrame:
    return pd.DataFrame([{"dataset": "d", "backbone": "b", "share": 1.0, "strategy": name.replace("_", "-"),
                          "seed": seed, "accuracy": accuracy}
                         for name, each in of.items() for seed, accuracy in enumerate(each)])


def test_a_comparison_is_made_seed_by_seed():
    """Means overlap widely, and yet every seed says the same."""
    [pair] = in_pairs(results(probe=(0.5, 0.7, 0.9), full=(0.52, 0.72, 0.92)))
    assert pair.points == pytest.approx(2) and pair.margin == pytest.approx(0, abs=1e-6)
    assert pair.verdict == "full ahead"


def test_seeds_that_differ_decide_nothing():
    [pair] = in_pairs(results(probe=(0.5, 0.7, 0.9), full=(0.6, 0.65, 0.95)))
    assert pair.verdict == "not decided" and pair.margin > abs(pair.points)


def test_only_seeds_of_both_count_and_one_alone_decides_nothing():
    [pair] = in_pairs(results(probe=(0.5, 0.7, 0.9), full=(0.9,)))
    assert pair.seeds == 1 and pair.margin is None and pair.verdict == "one seed decides nothing"


def test_where_there_is_no_probe_the_first_strategy_is_the_baseline():
    [pair] = in_pairs(results(scratch=(0.5, 0.6), full=(0.4, 0.5)))
    assert pair.baseline == "scratch" and pair.points == pytest.approx(-10)


def test_means_and_extremes_are_those_of_the_seeds(study):
    means = by_strategy(study.results()).set_index(["strategy", "share"])
    assert means.loc[("probe", 1.0), "accuracy"] == pytest.approx(0.81)
    assert tuple(means.loc[("probe", 1.0), ["least", "most"]]) == (0.80, 0.82)
    assert means.loc[("scratch", 1.0), "seeds"] == 2, "one run is missing"


def test_cost_follows_the_price(study, tmp_path):
    cheap = study.results()["cost"]
    study.price = 10 * study.price
    assert (study.results()["cost"] / cheap).round(6).eq(10).all()


# Words that are not plain

def test_words_with_backslashes_and_signs_come_out_as_they_are(tmp_path):
    chart = Chart('<?xml?><svg width="1"></svg>', r"folder:C:\Users\1 <&> \g<0>", "a | b")
    page = read(write_page(tmp_path / "page.html", "t", [chart]))
    assert r'aria-label="folder:C:\Users\1 &lt;&amp;&gt; \g&lt;0&gt;" width="1"></svg>' in page


def test_markdown_takes_nothing_in_words_for_markup_and_links_hold_no_spaces(tmp_path):
    parts = ["one\n# two", Grid("*", ["a"], [["x|y [z]"]]), Chart("<svg ></svg>", "alt]", "c")]
    page = read(write_page(tmp_path / "my report.md", "a\nb", parts))
    assert page.startswith("# a b\n") and "\n# two" not in page
    assert r"| x\|y \[z\] |" in page and "(my%20report_files/1.svg)" in page
    assert (tmp_path / "my report_files" / "1.svg").is_file()


def test_cost_stands_beside_time_unless_it_is_nothing(study, tmp_path):
    assert "estimated cost of a run" in read(study.report(tmp_path / "report.html"))
    study.price = 0.0
    assert "estimated cost of a run" not in read(study.report(tmp_path / "free.html"))


def test_a_report_says_when_the_hypothesis_was_written_and_with_what_it_was_run(study, tmp_path):
    plan = study._file.read().plan
    study._file.add_plan(plan | {"hypothesis": "Another.", "machine": "Linux, 2 cores",
                                 "versions": {"torch": "9.9"}})
    study._file.add_extraction({"dataset": "faces", "backbone": "b", "size": 32, "seconds": 7.5})
    assert "written before the first run" in read(study.report(tmp_path / "one.html"))
    study.hypothesis = "Another."
    page = read(study.report(tmp_path / "two.html"))
    assert "Hypothesis, written after 17 runs: Another." in page
    assert "Run on Linux, 2 cores with torch 9.9." in page and "7.5 s for faces with b" in page

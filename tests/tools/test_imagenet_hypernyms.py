"""The table of hypernyms is what WordNet's own file says: read from a small file of the same format."""

from __future__ import annotations

import csv

import pytest

from tools.imagenet_hypernyms import at_or_above, licence_in, noun_of, nouns_in, write_table

# The format of wndb(5): number, file, kind, count of words in hexadecimal, words with ids, count of pointers,
# pointers (symbol, target, kind, place), gloss.
SMALL = """\
  1 Anyone may use this.
  2
  3 Made by somebody.
00000001 03 n 01 thing 0 002 ~ 00000002 n 0000 ~ 00000003 n 0000 | whatever there is
00000002 05 n 02 pet 0 house_animal 1 001 @ 00000001 n 0000 | kept at home | often
00000003 05 n 01 cat 0 002 @ 00000002 n 0000 @ 00000001 n 0000 | it purrs
00000004 05 n 0a a 0 b 0 c 0 d 0 e 0 f 0 g 0 h 0 i 0 j 0 002 @ 00000003 n 0000 #m 00000002 n 0000 | ten words
00000005 05 n 01 Tom 0 001 @i 00000003 n 0000 | one of them
00000006 05 n 01 stone 0 001 @ 00000001 n 0000 | not asked for
"""


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "data.noun"
    path.write_text(SMALL, encoding="utf-8")
    return path


def test_words_and_hypernyms_of_a_line():
    number, noun = noun_of(SMALL.splitlines()[4])
    assert (number, noun.words, noun.hypernyms) == ("n00000002", ("pet", "house animal"), ("n00000001",))


def test_words_are_counted_in_hexadecimal_and_other_pointers_left_out():
    ten = nouns_in(SMALL.splitlines())["n00000004"]
    assert ten.words == tuple("abcdefghij") and ten.hypernyms == ("n00000003",)


def test_an_instance_has_its_kind_above_it():
    assert nouns_in(SMALL.splitlines())["n00000005"].hypernyms == ("n00000003",)


def test_the_licence_is_the_head_of_the_file():
    assert licence_in(SMALL.splitlines()) == ["Anyone may use this.", "", "Made by somebody."]


def test_each_comes_before_what_is_above_it_and_nothing_else_comes():
    order = at_or_above(["n00000005"], nouns_in(SMALL.splitlines()))
    assert order == ["n00000005", "n00000003", "n00000002", "n00000001"]


def test_the_same_file_gives_the_same_table(source, tmp_path):
    for name in ("one.csv", "two.csv"):
        write_table(source, tmp_path / name, ["n00000004", "n00000005"])
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_the_table_can_be_read_back(source, tmp_path):
    write_table(source, tmp_path / "table.csv", ["n00000003"])
    lines = (tmp_path / "table.csv").read_text(encoding="utf-8").splitlines()
    assert lines[:3] == ["# Anyone may use this.", "#", "# Made by somebody."]
    assert list(csv.DictReader(lines[3:])) == [
        {"synset": "n00000003", "words": "cat", "hypernyms": "n00000002 n00000001"},
        {"synset": "n00000002", "words": "pet; house animal", "hypernyms": "n00000001"},
        {"synset": "n00000001", "words": "thing", "hypernyms": ""}]

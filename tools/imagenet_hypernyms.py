"""Write data/imagenet_hypernyms.csv: WordNet's links above ImageNet's 1,000 classes, with WordNet's licence.

    python -m tools.imagenet_hypernyms PATH/data.noun

`data.noun` is part of WordNet 3.0, the edition whose numbers ImageNet uses; Debian has it in the package
wordnet-base. Its format is described in WordNet's manual page wndb(5).
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

from course_utils import paths
from course_utils.pretrained.models.libraries import imagenet_definitions

TABLE = "imagenet_hypernyms.csv"
HYPERNYM, OF_AN_INSTANCE = "@", "@i"


@dataclass(frozen=True)
class Noun:
    """One meaning: the words for it, and the wider meanings right above it."""

    words: tuple[str, ...]
    hypernyms: tuple[str, ...]


def licence_in(lines: Iterable[str]) -> list[str]:
    """The licence: numbered lines that begin with spaces, at the head of WordNet's file."""
    return [line.strip().partition(" ")[2].strip() for line in lines if line.startswith("  ")]


def nouns_in(lines: Iterable[str]) -> dict[str, Noun]:
    """Every meaning in a `data.noun`, by its number as ImageNet writes it, "n02084071"."""
    return dict(noun_of(line) for line in lines if not line.startswith("  "))


def noun_of(line: str) -> tuple[str, Noun]:
    """Number, file, kind; count of words, words with ids; count of pointers, pointers of four fields."""
    fields = line.partition("|")[0].split()
    number, words_end = fields[0], 4 + 2 * int(fields[3], 16)
    words = tuple(word.replace("_", " ") for word in fields[4:words_end:2])
    pointers = fields[words_end + 1:words_end + 1 + 4 * int(fields[words_end])]
    above = tuple(f"n{target}" for symbol, target in zip(pointers[::4], pointers[1::4], strict=True)
                  if symbol in (HYPERNYM, OF_AN_INSTANCE))
    return f"n{number}", Noun(words, above)


def at_or_above(classes: Iterable[str], nouns: dict[str, Noun]) -> list[str]:
    """The classes and all that is above them, each before what is above it; the root comes last."""
    reached, todo = set(), list(classes)
    while todo:
        if (synset := todo.pop()) not in reached:
            reached.add(synset)
            todo += nouns[synset].hypernyms
    order = TopologicalSorter({synset: [] for synset in sorted(reached)})
    for synset in sorted(reached):
        for wider in nouns[synset].hypernyms:
            order.add(wider, synset)
    return list(order.static_order())


def write_table(source: Path, target: Path, classes: Iterable[str]) -> None:
    """Read WordNet's `data.noun` and write the table; an older one gives way."""
    lines = source.read_text(encoding="utf-8").splitlines()
    nouns = nouns_in(lines)
    with target.open("w", encoding="utf-8", newline="") as file:
        file.writelines(f"# {line}".rstrip() + "\n" for line in licence_in(lines))
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["synset", "words", "hypernyms"])
        rows.writerows([synset, "; ".join(nouns[synset].words), " ".join(nouns[synset].hypernyms)]
                       for synset in at_or_above(classes, nouns))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_noun", type=Path)
    target = paths.data() / TABLE
    write_table(parser.parse_args().data_noun, target, imagenet_definitions())
    print("written:", target)


if __name__ == "__main__":
    main()

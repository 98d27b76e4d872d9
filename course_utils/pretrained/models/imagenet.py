"""ImageNet's 1,000 classes in WordNet: the words for each, and the wider meanings above it."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache

from course_utils import paths
from course_utils.pretrained.models.libraries import imagenet_definitions


@dataclass(frozen=True)
class Synset:
    """A meaning in WordNet: a class of ImageNet, or a branch with classes below it."""

    id: str                         # "n02124075"; ImageNet names the folders of its classes like this
    words: tuple[str, ...]          # all that have this meaning; the first is the usual one
    definition: str                 # of a class; empty for a branch
    above: tuple[str, ...]          # ids of its hypernyms: the next wider meanings, mostly one
    classes: tuple[int, ...]        # of the classes at or below it, the positions in a model's scores


@cache
def imagenet_tree() -> dict[str, Synset]:
    """Every synset at or above one of ImageNet's 1,000 classes, by id, each before what is above it.

    The links are those of WordNet 3.0, in data/imagenet_hypernyms.csv; which synsets are classes, in which
    order, and their definitions are timm's.
    """
    definitions = imagenet_definitions()
    below = {synset: {position} for position, synset in enumerate(definitions)}
    tree = {}
    with (paths.data() / "imagenet_hypernyms.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            synset, above = row["synset"], tuple(row["hypernyms"].split())
            for wider in above:         # the table runs upwards: all that is below this one has been read
                below.setdefault(wider, set()).update(below[synset])
            tree[synset] = Synset(synset, tuple(row["words"].split("; ")), definitions.get(synset, ""), above,
                                  tuple(sorted(below[synset])))
    return tree


def imagenet_synsets(word: str) -> list[Synset]:
    """Classes and branches that have `word` among their words, whatever its case: widest branch first."""
    found = [synset for synset in imagenet_tree().values()
             if word.strip().lower() in map(str.lower, synset.words)]
    return sorted(found, key=lambda synset: -len(synset.classes))

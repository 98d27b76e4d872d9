"""Exercise: three parts of a data set, each class in its share."""

from __future__ import annotations

import random
from collections import Counter
from numbers import Integral

from sklearn.model_selection import train_test_split  # at the top: importing it must not count as a check

from course_utils.lessons._guards import as_list, kind_of
from course_utils.teaching import Exercise, Table, expect

stratified_split = Exercise(
    "stratified-split", lesson="coding_2_flower_pipeline", title="Cut into three", see="#Three-parts",
    minutes=8, difficulty="medium", objective="data")


@stratified_split.starter
def split(labels, shares, seed):
    """Positions of (train, validation, test): three lists that hold every picture once.

    `shares` are three numbers with the sum 1, as (0.6, 0.2, 0.2). Of each class, validation and test get
    their share, rounded, and train gets the rest. Which pictures go where is drawn with `seed`.
    """
    ...


@stratified_split.solved_by
def split(labels, shares, seed):
    """Drawn class by class; what rounding leaves over goes to train."""
    draws, train, val, test = random.Random(seed), [], [], []
    for label in dict.fromkeys(labels):
        own = [i for i, one in enumerate(labels) if one == label]
        draws.shuffle(own)
        for_val, for_test = round(shares[1] * len(own)), round(shares[2] * len(own))
        val += own[:for_val]
        test += own[for_val:for_val + for_test]
        train += own[for_val + for_test:]
    return train, val, test


@stratified_split.alternative("with-sklearn")
def split(labels, shares, seed):
    rest, test = train_test_split(range(len(labels)), test_size=shares[2], stratify=labels, random_state=seed)
    train, val = train_test_split(rest, test_size=shares[1] / (shares[0] + shares[1]), random_state=seed,
                                  stratify=[labels[i] for i in rest])
    return train, val, test


@stratified_split.alternative("with-torch")
def split(labels, shares, seed):
    import torch
    draw, parts = torch.Generator().manual_seed(seed), ([], [], [])
    for label in sorted(set(labels)):
        own = [i for i in range(len(labels)) if labels[i] == label]
        order = [own[i] for i in torch.randperm(len(own), generator=draw)]
        cuts = [len(own) - round(shares[1] * len(own)) - round(shares[2] * len(own)),
                len(own) - round(shares[2] * len(own))]
        pieces = order[:cuts[0]], order[cuts[0]:cuts[1]], order[cuts[1]:]
        for part, piece in zip(parts, pieces, strict=True):
            part.extend(piece)
    return parts


@stratified_split.wrong("not-stratified", says=(
    "{count} of {all} pictures of the class “{label}” are in {part}; its share would be {wanted}. You drew "
    "from all classes together, and chance decides how many of a rare one come along. Draw class by class."))
def split(labels, shares, seed):
    order = list(range(len(labels)))
    random.Random(seed).shuffle(order)
    for_val, for_test = round(shares[1] * len(order)), round(shares[2] * len(order))
    return order[for_val + for_test:], order[:for_val], order[for_val:for_val + for_test]


@stratified_split.wrong("drawn-twice", says=(
    "{count} pictures are in {one} and in {other}. What was learned or chosen by must not be tested on: draw "
    "the second part from what the first has left."))
def split(labels, shares, seed):
    draws, train, val, test = random.Random(seed), [], [], []
    for label in dict.fromkeys(labels):
        own = [i for i, one in enumerate(labels) if one == label]
        val += (for_val := draws.sample(own, round(shares[1] * len(own))))
        test += draws.sample(own, round(shares[2] * len(own)))
        train += [i for i in own if i not in for_val]
    return train, val, test


@stratified_split.wrong("pictures-lost-to-rounding", says=(
    "{count} of {all} pictures are in no part: three shares, each rounded down, are less than the whole. "
    "Round two of them, and let train have the rest."))
def split(labels, shares, seed):
    draws, parts = random.Random(seed), ([], [], [])
    for label in dict.fromkeys(labels):
        own = [i for i, one in enumerate(labels) if one == label]
        draws.shuffle(own)
        start = 0
        for part, share in zip(parts, shares, strict=True):
            part += own[start:start + int(share * len(own))]
            start += int(share * len(own))
    return parts


@stratified_split.wrong("not-drawn", says=(
    "Two seeds give the same parts: you cut without drawing. Files lie in the order in which they were "
    "taken, so the last ones are of another day or another camera. Shuffle each class first."))
def split(labels, shares, seed):
    train, val, test = [], [], []
    for label in dict.fromkeys(labels):
        own = [i for i, one in enumerate(labels) if one == label]
        for_val, for_test = round(shares[1] * len(own)), round(shares[2] * len(own))
        val += own[:for_val]
        test += own[for_val:for_val + for_test]
        train += own[for_val + for_test:]
    return train, val, test


@stratified_split.wrong("another-split-each-time", says=(
    "The same seed gave other parts the second time. After a restart, pictures that were learned from would "
    "be among those tested on. Draw from `random.Random(seed)`, made inside the function."))
def split(labels, shares, seed):
    train, val, test = [], [], []
    for label in dict.fromkeys(labels):
        own = [i for i, one in enumerate(labels) if one == label]
        random.shuffle(own)
        for_val, for_test = round(shares[1] * len(own)), round(shares[2] * len(own))
        val += own[:for_val]
        test += own[for_val:for_val + for_test]
        train += own[for_val + for_test:]
    return train, val, test


@stratified_split.wrong("parts-mixed-up", says=(
    "The first list holds {got} of {all} pictures, its share is {share:.0%}. The order is train, validation, "
    "test."))
def split(labels, shares, seed):
    draws, train, val, test = random.Random(seed), [], [], []
    for label in dict.fromkeys(labels):
        own = [i for i, one in enumerate(labels) if one == label]
        draws.shuffle(own)
        for_val, for_test = round(shares[1] * len(own)), round(shares[2] * len(own))
        val += own[:for_val]
        test += own[for_val:for_val + for_test]
        train += own[for_val + for_test:]
    return test, val, train


PARTS = ("train", "validation", "test")
SHARES = (0.5, 0.3, 0.2)
COUNTS = {"daisy": 41, "rose": 23, "tulip": 11}


def bed(counts: dict[str, int] = COUNTS) -> list[str]:
    """Labels of a bed of flowers, not sorted by class."""
    labels = [label for label, count in counts.items() for _ in range(count)]
    random.Random(1).shuffle(labels)
    return labels


def parts_of(answer, labels: list[str], shares=SHARES, seed: int = 0) -> list[list[int]]:
    """The learner's three lists, known to be lists of positions."""
    found = answer(list(labels), tuple(shares), seed)
    expect(isinstance(found, (tuple, list)) and len(found) == 3,
           f"`split` must return three lists, (train, validation, test), but it returned {kind_of(found)}.")
    parts = [as_list(part) for part in found]
    expect(None not in parts, "Return three lists of positions; one of yours is "
                              f"{kind_of(found[parts.index(None) if None in parts else 0])}.")
    expect(all(isinstance(i, Integral) and 0 <= i < len(labels) for part in parts for i in part),
           f"Your lists should hold positions in `labels`, whole numbers from 0 to {len(labels) - 1}.")
    return parts


@stratified_split.checks("every picture once")
def _(answer):
    labels = bed()
    for shares in (SHARES, (0.7, 0.2, 0.1)):
        parts = parts_of(answer, labels, shares)
        for a, b in ((0, 1), (0, 2), (1, 2)):
            both = set(parts[a]) & set(parts[b])
            expect(not both, mistake="drawn-twice", count=len(both), one=PARTS[a], other=PARTS[b])
        lost = len(labels) - len(set().union(*parts))
        expect(not lost, mistake="pictures-lost-to-rounding", count=lost, all=len(labels))
        expect(sum(map(len, parts)) == len(labels), "A picture is in one list twice.")


@stratified_split.checks("each class in its share", points=2)
def _(answer):
    labels = bed()
    for seed in range(6):
        parts = parts_of(answer, labels, seed=seed)
        got, wanted = len(parts[0]), SHARES[0] * len(labels)
        expect(abs(got - wanted) < 4, mistake="parts-mixed-up", got=got, all=len(labels), share=SHARES[0])
        counted = [Counter(labels[i] for i in part) for part in parts]
        rows = [[f"{label}, {part}", f"{share * COUNTS[label]:.1f}", str(count[label])] for label in COUNTS
                for part, share, count in zip(PARTS, SHARES, counted, strict=True)]
        off = [i for i, (_, due, yours) in enumerate(rows) if abs(float(due) - float(yours)) > 1]

        def show(rows=rows, off=off):
            return [Table("Pictures of each class", ["class, part", "share", "yours"], rows, marked=off)]
        name, due, yours = rows[(off or [0])[0]]
        label, part = name.split(", ")
        expect(not off, mistake="not-stratified", count=yours, all=COUNTS[label], label=label, part=part,
               wanted=due, show=show)


@stratified_split.checks("drawn with the seed", points=2)
def _(answer):
    labels = bed()
    first, again = (sorted(map(sorted, parts_of(answer, labels, seed=3))) for _ in range(2))
    expect(first == again, mistake="another-split-each-time")
    others = [sorted(map(sorted, parts_of(answer, labels, seed=seed))) for seed in (4, 5)]
    expect(first not in others, mistake="not-drawn")


stratified_split.hints(
    "For one class: collect its positions, shuffle them, and cut the list twice.",
    "`draws = random.Random(seed)` once, before the loop; then `draws.shuffle(own)` for each class.",
    "`round(shares[1] * len(own))` go to validation, as many by `shares[2]` to test, the rest to train.")

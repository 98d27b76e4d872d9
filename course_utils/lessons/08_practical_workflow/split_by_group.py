"""Exercise: a split in which nothing seen in training comes back in validation."""

from __future__ import annotations

import random
from collections import Counter
from numbers import Integral

from course_utils.lessons._guards import as_list, kind_of
from course_utils.teaching import Exercise, Table, expect

split_by_group = Exercise(
    "split-by-group", lesson="08_practical_workflow", title="Split without leakage", see="#Splits",
    minutes=10, difficulty="medium", objective="splits")


@split_by_group.starter
def split(labels, groups, share, seed):
    """Positions of (train, validation): two lists that hold every picture once, no group in both.

    `groups[i]` names the object on picture i; all its pictures have one label. Of each label, about `share`
    of the groups, and at least one, go to validation, drawn with `seed`.
    """
    ...


@split_by_group.solved_by
def split(labels, groups, share, seed):
    """Groups are drawn, label by label; pictures follow their group."""
    held_out = set()
    for label in set(labels):           # in any order: each label has draws of its own
        own = sorted({group for group, of in zip(groups, labels, strict=True) if of == label})
        draws = random.Random(f"{seed} {label}")
        held_out |= set(draws.sample(own, max(1, round(share * len(own)))))
    train = [i for i, group in enumerate(groups) if group not in held_out]
    return train, [i for i, group in enumerate(groups) if group in held_out]


@split_by_group.alternative("shuffle-and-cut")
def split(labels, groups, share, seed):
    draws, train, val = random.Random(seed), [], []
    for label in sorted(set(labels)):
        own = sorted({groups[i] for i in range(len(labels)) if labels[i] == label})
        draws.shuffle(own)
        cut = max(1, round(share * len(own)))
        for i, group in enumerate(groups):
            if labels[i] == label:
                (val if group in own[:cut] else train).append(i)
    return train, val


@split_by_group.alternative("with-numpy")
def split(labels, groups, share, seed):
    import numpy as np
    draws, held_out, groups = np.random.default_rng(seed), [], np.array(groups)
    for label in np.unique(labels):
        own = np.unique(groups[np.array(labels) == label])
        held_out.extend(draws.permutation(own)[:max(1, round(share * len(own)))])
    in_val = np.isin(groups, held_out)
    return np.flatnonzero(~in_val).tolist(), np.flatnonzero(in_val).tolist()


@split_by_group.wrong("pictures-drawn-not-groups", says=(
    "{count} objects are on both sides, such as {first}: you drew pictures, not objects. A network that has "
    "seen a rose from the left knows it from the right, and the validation accuracy flatters."))
def split(labels, groups, share, seed):
    order = list(range(len(labels)))
    random.Random(seed).shuffle(order)
    cut = round(share * len(order))
    return sorted(order[cut:]), sorted(order[:cut])


@split_by_group.wrong("labels-left-out", says=(
    "Validation has no picture of {missing}: groups were drawn from all labels together. Draw for each "
    "label by itself."))
def split(labels, groups, share, seed):
    own = sorted(set(groups))
    random.Random(seed).shuffle(own)
    held_out = set(own[:round(share * len(own))])
    train = [i for i, group in enumerate(groups) if group not in held_out]
    return train, [i for i, group in enumerate(groups) if group in held_out]


@split_by_group.wrong("the-last-ones", says=(
    "Another seed gives the same split: you take groups in their order, without drawing. Files lie in the "
    "order in which they were taken, so the last ones were taken on another day, in another light. Draw "
    "with `seed`."))
def split(labels, groups, share, seed):
    held_out = set()
    for label in sorted(set(labels)):
        own = sorted({group for group, of in zip(groups, labels, strict=True) if of == label})
        held_out |= set(own[-max(1, round(share * len(own))):])
    train = [i for i, group in enumerate(groups) if group not in held_out]
    return train, [i for i, group in enumerate(groups) if group in held_out]


@split_by_group.wrong("another-split-each-time", says=(
    "The same seed gave another split the second time. Results of two runs could not be compared. Draw from "
    "`random.Random(seed)`, over something sorted: the order of a set of texts changes from run to run."))
def split(labels, groups, share, seed):
    held_out = set()
    for label in sorted(set(labels)):
        own = sorted({group for group, of in zip(groups, labels, strict=True) if of == label})
        held_out |= set(random.SystemRandom().sample(own, max(1, round(share * len(own)))))
    train = [i for i, group in enumerate(groups) if group not in held_out]
    return train, [i for i, group in enumerate(groups) if group in held_out]


@split_by_group.wrong("validation-kept-in-train", says=(
    "{count} pictures are in both lists. What is validated must not be trained on."))
def split(labels, groups, share, seed):
    draws, held_out = random.Random(seed), set()
    for label in sorted(set(labels)):
        own = sorted({group for group, of in zip(groups, labels, strict=True) if of == label})
        held_out |= set(draws.sample(own, max(1, round(share * len(own)))))
    return list(range(len(labels))), [i for i, group in enumerate(groups) if group in held_out]


@split_by_group.wrong("small-labels-forgotten", says=(
    "A label with two groups has none in validation: {share:.0%} of 2 rounds to 0. At least one must go "
    "there."))
def split(labels, groups, share, seed):
    draws, held_out = random.Random(seed), set()
    for label in sorted(set(labels)):
        own = sorted({group for group, of in zip(groups, labels, strict=True) if of == label})
        held_out |= set(draws.sample(own, round(share * len(own))))
    train = [i for i, group in enumerate(groups) if group not in held_out]
    return train, [i for i, group in enumerate(groups) if group in held_out]


def album(objects: dict[str, int], seed: int = 0) -> tuple[list[str], list[str]]:
    """Labels and groups of pictures, one to five of each object, in the order of the objects."""
    draws = random.Random(seed)
    pairs = [(label, f"{label} {number:02}") for label, count in objects.items() for number in range(count)
             for _ in range(draws.randint(1, 5))]
    labels, groups = zip(*pairs, strict=True)
    return list(labels), list(groups)


def parts_of(answer, labels: list[str], groups: list[str], share: float, seed: int):
    """The learner's two lists, known to be lists of positions."""
    found = answer(list(labels), list(groups), share, seed)
    expect(isinstance(found, (tuple, list)) and len(found) == 2,
           f"`split` must return two lists, (train, validation), but it returned {kind_of(found)}.")
    parts = [as_list(part) for part in found]
    expect(None not in parts, "Return two lists of positions; one of yours is "
                              f"{kind_of(found[parts.index(None) if None in parts else 0])}.")
    expect(all(isinstance(i, Integral) and 0 <= i < len(labels) for part in parts for i in part),
           f"Your lists should hold positions of pictures, whole numbers from 0 to {len(labels) - 1}.")
    return tuple(parts)


@split_by_group.checks("every picture once")
def _(answer):
    labels, groups = album({"rose": 8, "tulip": 8, "daisy": 8})
    train, val = parts_of(answer, labels, groups, 0.25, 0)
    both = set(train) & set(val)
    expect(not both, mistake="validation-kept-in-train", count=len(both))
    lost = len(labels) - len(set(train) | set(val))
    expect(not lost, f"{lost} of {len(labels)} pictures are in neither list.")
    expect(len(train) + len(val) == len(labels), "A picture is in one list twice.")


@split_by_group.checks("no object on both sides", points=2)
def _(answer):
    labels, groups = album({"rose": 12, "tulip": 12, "daisy": 12})
    train, val = parts_of(answer, labels, groups, 0.25, 1)
    both = sorted({groups[i] for i in train} & {groups[i] for i in val})

    def show():
        sides = [Counter(groups[i] for i in part) for part in (train, val)]
        return [Table("Objects on both sides", ["object", "pictures in train", "in validation"],
                      [[name, str(sides[0][name]), str(sides[1][name])] for name in both[:6]])]
    expect(not both, mistake="pictures-drawn-not-groups", count=len(both), first=f"“{(both or [''])[0]}”",
           show=show)


@split_by_group.checks("each label on both sides, in its share", points=2)
def _(answer):
    objects = {"rose": 20, "tulip": 8, "daisy": 4, "thistle": 2}
    labels, groups = album(objects)
    for seed in range(6):
        train, val = parts_of(answer, labels, groups, 0.2, seed)
        shares = {label: len({groups[i] for i in val if labels[i] == label}) for label in objects}
        rows = [[label, str(count), str(max(1, round(0.2 * count))), str(shares[label])]
                for label, count in objects.items()]

        def show(rows=rows):
            return [Table("Groups of each label", ["label", "all", "wanted in validation", "yours"], rows,
                          marked=[i for i, row in enumerate(rows) if row[2] != row[3]])]
        none = [label for label in objects if not shares[label]]
        forgotten = none == ["thistle"] and shares["rose"] == 4
        expect(not forgotten, mistake="small-labels-forgotten", share=0.2, show=show)
        expect(not none, mistake="labels-left-out", missing=" and ".join(none), show=show)
        expect({labels[i] for i in train} == set(objects), "A label has no picture left to learn from.",
               show=show)
        wrong = [label for label, count in objects.items() if abs(shares[label] - max(1, 0.2 * count)) > 1]
        expect(not wrong, f"Of {objects[(wrong or ['rose'])[0]]} groups of {(wrong or [''])[0]}, "
                          f"{shares[(wrong or ['rose'])[0]]} are in validation.", show=show)


@split_by_group.checks("drawn with the seed")
def _(answer):
    labels, groups = album({"rose": 20, "tulip": 20})
    first, again = (parts_of(answer, labels, groups, 0.25, 3) for _ in range(2))
    expect([sorted(part) for part in first] == [sorted(part) for part in again],
           mistake="another-split-each-time")
    others = [sorted(parts_of(answer, labels, groups, 0.25, seed)[1]) for seed in (4, 5)]
    expect(any(other != sorted(first[1]) for other in others), mistake="the-last-ones")


split_by_group.hints(
    "Draw objects, not pictures: collect the groups of one label in a sorted list first.",
    "`random.Random(seed).sample(own, n)` draws n of them, with n = max(1, round(share · number of groups)).",
    "Then a picture goes to validation if its group was drawn, else to train.")

"""Exercise: a fair smaller training set, for a learning curve."""

from __future__ import annotations

import random
from collections import Counter
from numbers import Integral

from course_utils.lessons._guards import kind_of
from course_utils.teaching import Exercise, Table, expect

draw_per_class = Exercise(
    "draw-per-class", lesson="07_choosing_a_strategy", title="Draw so many of each class",
    see="#A-learning-curve", minutes=8, difficulty="easy", objective="experiment")


@draw_per_class.starter
def draw(labels, per_class, seed):
    """Positions of `per_class` pictures of each class, drawn with `seed`, in rising order.

    The same seed gives the same pictures. A larger `per_class` keeps those of a smaller one and adds to them.
    """
    ...


@draw_per_class.solved_by
def draw(labels, per_class, seed):
    """Shuffle each class once, take its beginning: then larger draws contain smaller ones."""
    taken = []
    for label in set(labels):
        own = [i for i, other in enumerate(labels) if other == label]
        random.Random(f"{seed} {label}").shuffle(own)
        taken += own[:per_class]
    return sorted(taken)


@draw_per_class.alternative("one-order-for-all")
def draw(labels, per_class, seed):
    order = list(range(len(labels)))
    random.Random(seed).shuffle(order)
    count, taken = Counter(), []
    for i in order:
        if count[labels[i]] < per_class:
            count[labels[i]] += 1
            taken.append(i)
    return sorted(taken)


@draw_per_class.alternative("with-numpy")
def draw(labels, per_class, seed):
    import numpy as np
    labels, order = np.asarray(labels), np.random.default_rng(seed).permutation(len(labels))
    parts = [order[labels[order] == label][:per_class] for label in np.unique(labels)]
    return sorted(np.concatenate(parts).tolist())


@draw_per_class.wrong("the-first-ones", says=(
    "Seeds 0 and 1 give the same pictures: you take the first of each class. Files lie in the order in "
    "which they were taken, so the first are alike; and without another draw there is no spread to see. "
    "Shuffle with `seed`."))
def draw(labels, per_class, seed):
    return sorted(i for label in sorted(set(labels))
                  for i in [j for j, other in enumerate(labels) if other == label][:per_class])


@draw_per_class.wrong("classes-left-to-chance", says=(
    "Asked are {per_class} of each class, but you drew {counts}: from all pictures together. Draw for each "
    "class by itself."))
def draw(labels, per_class, seed):
    return sorted(random.Random(seed).sample(range(len(labels)), per_class * len(set(labels))))


@draw_per_class.wrong("with-replacement", says=(
    "Position {twice} is there more than once: `choices` puts back what it has drawn. Use `sample`, or "
    "shuffle and cut."))
def draw(labels, per_class, seed):
    draws = random.Random(seed)
    own = {label: [i for i, other in enumerate(labels) if other == label] for label in sorted(set(labels))}
    return sorted(i for positions in own.values() for i in draws.choices(positions, k=per_class))


@draw_per_class.wrong("another-draw-for-each-size", says=(
    "Of the {small} pictures per class drawn first, {lost} are gone when {large} are asked for. Then two "
    "points of a curve differ in more than their size. Shuffle once, and take the beginning."))
def draw(labels, per_class, seed):
    draws = random.Random(seed * 1000 + per_class)
    return sorted(i for label in sorted(set(labels))
                  for i in draws.sample([j for j, other in enumerate(labels) if other == label], per_class))


@draw_per_class.wrong("another-draw-each-time", says=(
    "The same seed gave other pictures the second time. Draw from `random.Random(seed)`, not from the "
    "module's own numbers."))
def draw(labels, per_class, seed):
    draws = random.SystemRandom()
    return sorted(i for label in sorted(set(labels))
                  for i in draws.sample([j for j, other in enumerate(labels) if other == label], per_class))


LABELS = [label for label, count in enumerate((40, 25, 60, 30)) for _ in range(count)]


def drawn(answer, per_class: int, seed: int) -> list[int]:
    """The learner's positions, known to be a list of whole numbers."""
    found = answer(list(LABELS), per_class, seed)
    expect(isinstance(found, list),
           f"`draw` must return a list of positions, but it returned {kind_of(found)}.")
    expect(all(isinstance(i, Integral) and 0 <= i < len(LABELS) for i in found),
           "Each position is a whole number from 0 to the number of pictures less one.")
    return found


@draw_per_class.checks("so many of each class, each once", points=2)
def _(answer):
    for per_class, seed in [(5, 0), (12, 1), (25, 2)]:
        found = drawn(answer, per_class, seed)
        twice = [i for i, count in Counter(found).items() if count > 1]
        expect(not twice, mistake="with-replacement", twice=(twice or [0])[0])
        counts = Counter(LABELS[i] for i in found)

        def show(counts=counts, per_class=per_class):
            return [Table("Drawn", ["class", "wanted", "yours"],
                          [[str(label), str(per_class), str(counts[label])] for label in range(4)])]
        expect(all(counts[label] == per_class for label in range(4)), mistake="classes-left-to-chance",
               per_class=per_class, counts=", ".join(str(counts[label]) for label in range(4)), show=show)
        expect(found == sorted(found), "The positions are right, but not in rising order.")


@draw_per_class.checks("drawn with the seed")
def _(answer):
    expect(drawn(answer, 8, 3) == drawn(answer, 8, 3), mistake="another-draw-each-time")
    expect(len({tuple(drawn(answer, 8, seed)) for seed in range(3)}) > 1, mistake="the-first-ones")


@draw_per_class.checks("larger draws contain smaller ones", points=2)
def _(answer):
    small, large = set(drawn(answer, 5, 1)), set(drawn(answer, 15, 1))
    expect(small <= large, mistake="another-draw-for-each-size", small=5, large=15, lost=len(small - large))


draw_per_class.hints(
    "For each class: collect its positions, shuffle them with `random.Random(…)`, take the first ones.",
    "If the shuffle depends on seed and class alone, not on `per_class`, larger draws contain smaller ones.",
    "`random.Random(f\"{seed} {label}\").shuffle(own)` shuffles a list in place.")

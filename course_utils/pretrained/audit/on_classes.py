"""Findings on classes: empty, small, unequal; and what gives a class away other than what is shown."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from course_utils.errors import BadData
from course_utils.pretrained.audit.findings import GOOD_TO_KNOW, MISLEADS, STOPS, Case, Finding, finding
from course_utils.pretrained.audit.looking import Look
from course_utils.pretrained.data.folders import SHARES, troubles
from course_utils.pretrained.data.listing import Files
from course_utils.pretrained.data.splits import cut_off

UNEQUAL, VERY_UNEQUAL = 3, 10       # times as many pictures in the largest class as in the smallest
MOST, FEW, ENOUGH = 0.8, 0.1, 10    # see `on_giveaways`
UNTIL = "With load_dataset, nothing is learned from the folder until then"
PROPOSED = {"empty class": "; propose_split leaves the class out.",
            "classes differ": "; propose_split takes the classes that are in every split."}


def on_counts(parts: dict[str, Files], root: Path) -> list[Finding]:
    """What keeps these usable pictures, by split and class, from being learned from; and unequal classes."""
    found = [Finding(kind, STOPS, says, UNTIL + PROPOSED.get(kind, ", nor with propose_split."),
                     tuple(Case((name,)) for name in names))
             for kind, says, names in troubles(parts, root)]
    counts = {name: len(files) for name, files in parts["train"].items() if files}
    if len(counts) > 1:
        small, large = min(counts, key=counts.get), max(counts, key=counts.get)
        if (times := counts[large] / counts[small]) >= UNEQUAL:
            found += finding(
                "unequal classes", MISLEADS if times >= VERY_UNEQUAL else GOOD_TO_KNOW,
                [Case((name,), f"{counts[name]:,}") for name in (large, small)],
                f"{times:.3g} times as many pictures in the largest class as in the smallest",
                "Accuracy alone will flatter. Look at each class: evaluate(…).per_class.")
    return found


def on_few(parts: Mapping[str, Files], groups: Mapping[str, int]) -> list[Finding]:
    """Classes with too few pictures to be in train, val and test.

    Args:
        groups: how many really different pictures each class has to train with.
    """
    shares = {part: share for part, share in SHARES.items() if part not in parts}
    found = []
    for name, files in parts["train"].items():
        few = ""
        try:
            cut_off([name] * len(files), shares)
            if files and groups[name] <= len(shares):
                few = f"{name!r} has {len(files)} pictures, but only {groups[name]} that differ"
                serious, do = MISLEADS, "Add pictures. Until then propose_split leaves the class out."
        except BadData as error:
            few, serious, do = str(error), STOPS, f"{UNTIL}; propose_split leaves the class out."
        if few:
            found.append(Finding("too few", serious, few, do, (Case((name,)),)))
    single = [Case((name,), f"in {split}") for split, files in parts.items() for name in files
              if len(files[name]) == 1 and not shares]
    return found + finding("one picture", MISLEADS, single, "{n:class} with a single picture in a split",
                           "One picture teaches little and measures nothing. Add some.")


def on_names(looks: Sequence[Look]) -> list[Finding]:
    """Files of one name in several classes."""
    by_name: dict[str, dict[str, str]] = defaultdict(dict)
    for look in looks:
        by_name[os.path.basename(look.path)].setdefault(look.label, look.path)
    return finding("same name", GOOD_TO_KNOW, [Case(tuple(paths.values()), sign="and")
                                               for paths in by_name.values() if len(paths) > 1],
                   "{n:file name} in several classes",
                   "Paths are kept whole: nothing is mixed up. In one folder, one would replace the other.")


ATTRIBUTES = {
    "size": lambda look: "{} × {} pixels".format(*look.size),
    "file format": lambda look: look.format,
    "camera": lambda look: look.camera or "no camera named",
    "JPEG quality": lambda look: look.quality and f"about {look.quality}",
    "colours": lambda look: "grey" if look.grey else "in colour",
}


def on_giveaways(looks: Sequence[Look]) -> list[Finding]:
    """What tells classes apart besides what is shown: a model may learn that instead.

    The rule: at least 80 % of one class share a value that at most 10 % of all others have; or, with more
    than two classes, the other way round. Both sides need 10 pictures.
    """
    found: list[Finding] = []
    for name, value_of in ATTRIBUTES.items():
        cases = _telling(Counter((look.label, value_of(look)) for look in looks))
        if name == "JPEG quality" and any(one.kind == "giveaway: file format" for one in found):
            continue                    # it follows from the format
        found += finding(
            f"giveaway: {name}", MISLEADS, cases, f"{{n:class}} told apart by {name} alone",
            f"A model may learn the {name} instead of what is shown, and fail on other pictures. Mix the "
            "sources, bring all pictures to one form, or at least test on pictures of another source.")
    return found


def _telling(seen: Counter[tuple[str, str | None]]) -> Iterator[Case]:
    """Each class that is told apart, with the value that most of it, or else most of the others, have."""
    classes, values = Counter(), Counter()
    for (label, value), count in seen.items():
        classes[label] += count
        values[value] += count
    for label, count in sorted(classes.items()):
        rest, telling = classes.total() - count, []
        for value in filter(None, values if min(count, rest) >= ENOUGH else ()):
            own, others = seen[label, value] / count, (values[value] - seen[label, value]) / rest
            if (own >= MOST and others <= FEW) or (own <= FEW and others >= MOST and len(classes) > 2):
                telling.append((own, f"{value}: {own:.0%} of this class, {others:.0%} of all others"))
        yield from [Case((label,), note) for _, note in sorted(telling)[-1:]]

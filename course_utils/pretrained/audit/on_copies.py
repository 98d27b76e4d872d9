"""Findings on pictures that are there more than once: in two classes, in train and test, or just so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from course_utils.pretrained.audit.findings import GOOD_TO_KNOW, MISLEADS, Case, Finding, finding
from course_utils.pretrained.audit.likeness import LEAST_SIDE, groups_alike
from course_utils.pretrained.audit.looking import Look

DEALT = "load_dataset would deal them to train, val and test by chance. propose_split keeps them in one part."
COUNTED = "All in one split, so nothing leaks; but each copy counts once more. Delete what you do not want."


def group_copies(looks: Sequence[Look], hashes: np.ndarray, sketches: np.ndarray) -> np.ndarray:
    """(N,) a number for each usable picture: the same one for copies, of the same bytes or nearly alike."""
    first: dict[bytes, int] = {}
    same_bytes = np.array([first.setdefault(look.digest, i) for i, look in enumerate(looks)], dtype=np.int64)
    compared = np.array([i for i in first.values() if min(looks[i].size) >= LEAST_SIDE], dtype=np.int64)
    group = np.arange(len(looks))
    group[compared] = compared[groups_alike(hashes[compared], sketches[compared])]
    return group[same_bytes]


def in_two_classes(looks: Sequence[Look]) -> list[list[Look]]:
    """Files of the same bytes with more than one label: at most one of them can be right."""
    same = _together(looks, (look.digest for look in looks))
    return [copies for copies in same if len({look.label for look in copies}) > 1]


def on_copies(looks: Sequence[Look], groups: np.ndarray, *, in_splits: bool) -> list[Finding]:
    """Copies by what they spoil: labels, a test, or only the counts."""
    doubtful, leaks, exact, near = [], [], [], []
    for copies in _together(looks, groups.tolist()):
        one_file = len({look.digest for look in copies}) == 1
        one_class = len({look.label for look in copies}) == 1
        case = Case(tuple(look.path for look in copies), sign="=" if one_file else "≈")
        if not one_class and not one_file:
            doubtful.append(case)
        if len({look.split for look in copies}) > 1:
            leaks.append(case)
        elif one_class:
            (exact if one_file else near).append(case)
    serious, do = (GOOD_TO_KNOW, COUNTED) if in_splits else (MISLEADS, DEALT)
    return [
        *finding("two labels", MISLEADS,
                 [Case(tuple(look.path for look in copies)) for copies in in_two_classes(looks)],
                 "{n:picture} in several classes at once, byte by byte the same",
                 "Only one label can be right. Delete the others; until then propose_split leaves out all."),
        *finding("two labels, nearly", MISLEADS, doubtful, "{n:picture} in several classes, nearly the same",
                 "Look whether one label is wrong. propose_split keeps them in one part."),
        *finding("leak", MISLEADS, leaks, "{n:picture} in more than one split, the same or nearly",
                 "What was learned by heart will look like skill. propose_split leaves out the copies in "
                 "train and, of val and test, those in val."),
        *finding("duplicates", serious, exact, "{n:picture} more than once, byte by byte the same", do),
        *finding("near duplicates", serious, near,
                 "{n:picture} more than once, nearly the same: saved again, resized, a little cropped, or "
                 "taken a moment later", do)]


def _together(looks: Sequence[Look], keys: Iterable[object]) -> list[list[Look]]:
    by_key: dict[object, list[Look]] = defaultdict(list)
    for look, key in zip(looks, keys, strict=True):
        by_key[key].append(look)
    return [copies for copies in by_key.values() if len(copies) > 1]

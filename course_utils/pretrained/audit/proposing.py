"""A split into train, val and test through which no picture leaks."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from course_utils.errors import BadData, CourseError
from course_utils.pretrained.audit.findings import Count, shown
from course_utils.pretrained.data.folders import SHARES, labelled, own_card
from course_utils.pretrained.data.images import ImageData
from course_utils.pretrained.data.splits import cut_off

TOGETHER = ("Copies are all that the pictures themselves tell. If some belong together for another reason "
            "(the same object, patient or day), make the splits yourself and keep those together.")


@dataclass(frozen=True, slots=True)
class Picture:
    """A usable picture of an audited folder."""

    path: str                       # below the folder
    split: str                      # "train" in a folder without splits
    label: str                      # its class
    size: tuple[int, int]           # width and height as stored
    group: int                      # the same number for copies, of the same bytes or nearly alike
    two_labels: bool                # the same bytes are in another class, too


Parts = dict[str, list[Picture]]
Shares = Mapping[str, float]


def proposed_split(folder: str, pictures: Sequence[Picture], shares: Shares, seed: int) -> ImageData:
    """See `Audit.propose_split`."""
    shares = _checked(shares)
    doubtful = {picture.group for picture in pictures if picture.two_labels}
    sure = [picture for picture in pictures if picture.group not in doubtful]
    parts = _without_leaks(sure)
    left_out = {"with the same file in two classes, or nearly alike to one": len(pictures) - len(sure),
                "with a copy in a split that measures": len(sure) - sum(map(len, parts.values()))}
    missing = {part: share for part, share in shares.items() if part not in parts}
    if missing:
        parts |= _cut(parts["train"], missing, seed)
    classes = sorted(set.intersection(*({picture.label for picture in own} for own in parts.values())))
    if len(classes) < 2:
        raise BadData("Learning to tell apart takes two classes that can be in every part, each with at "
                      f"least {len(shares) + 1} pictures that differ. In '{shown(folder)}' that holds for "
                      f"{' and '.join(map(repr, classes)) or 'no class'}. Put more pictures in.")
    files = {part: {name: [os.path.join(folder, picture.path) for picture in own if picture.label == name]
                    for name in classes} for part, own in parts.items()}
    lost = sorted({picture.label for picture in pictures} - set(classes))
    card = own_card(Path(folder), _description(missing, seed, left_out, lost))
    return ImageData(card, **{part: labelled(own, classes) for part, own in files.items()})


def _checked(shares: Shares) -> dict[str, float]:
    whole = SHARES | dict(shares)
    numbers = [share for share in whole.values() if isinstance(share, (int, float)) and share > 0]
    if set(whole) - set(SHARES) or len(numbers) < len(whole) or sum(numbers) >= 1:
        raise CourseError("shares says how much of the training pictures becomes val and test, each above 0 "
                          f"and together below 1, such as {SHARES}, but got {shares!r}.")
    return whole


def _without_leaks(pictures: Iterable[Picture]) -> Parts:
    """By split, without what has a copy in a split that matters more: test before val before train."""
    parts: Parts = {"train": []}
    for picture in pictures:
        parts.setdefault(picture.split, []).append(picture)
    seen: set[int] = set()
    for part in filter(parts.__contains__, ("test", "val", "train")):
        parts[part] = [picture for picture in parts[part] if picture.group not in seen]
        seen |= {picture.group for picture in parts[part]}
    return parts


def _cut(pictures: Iterable[Picture], shares: Shares, seed: int) -> Parts:
    """Shares of every class, copies together. A class with too few groups of them is left out."""
    groups: dict[int, list[Picture]] = defaultdict(list)
    by_class: dict[str, list[list[Picture]]] = defaultdict(list)
    for picture in pictures:
        groups[picture.group].append(picture)
    for group in groups.values():
        by_class[group[0].label].append(group)
    dealt, rest = [], []
    for own in by_class.values():
        most = max(1, min(shares.values()) * sum(map(len, own)))
        small = [group for group in own if len(group) <= most]
        if len(small) > len(shares):        # a group larger than a share stays in train, if others are left
            rest += [picture for group in own if len(group) > most for picture in group]
            dealt += small
        elif len(own) > len(shares):
            dealt += own
    positions = cut_off([group[0].label for group in dealt], shares, seed=seed)
    parts = {part: [picture for i in chosen for picture in dealt[i]] for part, chosen in positions.items()}
    return parts | {"train": parts["train"] + rest}


def _description(missing: Shares, seed: int, left_out: Mapping[str, int], lost: Sequence[str]) -> str:
    """What was done, in sentences."""
    cut = " and ".join(f"{100 * share:g} % of every class for {part}" for part, share in missing.items())
    said = [f"There was no folder for {' and '.join(missing)}, so {cut} were cut off the training pictures, "
            f"shuffled with seed {seed}; copies, of the same bytes or nearly alike, stay together." if cut
            else "Splits are those of the folder."]
    said += [f"Left out: {Count(number):picture} {why}." for why, number in left_out.items() if number]
    said += [f"Left out, as it cannot be in every part: the class {name!r}." for name in lost]
    return " ".join(["Usable pictures of a folder that was audited.", *said, TOGETHER])

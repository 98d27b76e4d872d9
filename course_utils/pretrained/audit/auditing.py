"""Looking through a folder of pictures before anything is learned from it."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from course_utils.pretrained.audit.findings import SERIOUS, SHOWN, Count, Finding, shown
from course_utils.pretrained.audit.looking import look_at_all
from course_utils.pretrained.audit.on_classes import on_counts, on_few, on_giveaways, on_names
from course_utils.pretrained.audit.on_copies import group_copies, in_two_classes, on_copies
from course_utils.pretrained.audit.on_files import on_aside, on_oddities, on_troubles
from course_utils.pretrained.audit.proposing import Picture, proposed_split
from course_utils.pretrained.data.folders import SHARES
from course_utils.pretrained.data.images import ImageData
from course_utils.pretrained.data.listing import Files, list_folder

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_CLASSES = 20       # rows of the table of counts
SIGNS = dict(zip(SERIOUS, "✘!·", strict=True))


@dataclass(frozen=True, repr=False)
class Audit:
    """What an audit saw in a folder of pictures. Printed, it is a report."""

    folder: str
    in_splits: bool                         # without, all pictures stand under "train"
    counts: dict[str, dict[str, int]]       # usable pictures by split and class
    findings: tuple[Finding, ...]           # the most serious first
    pictures: tuple[Picture, ...]           # those that can be used

    @property
    def classes(self) -> tuple[str, ...]:
        """Every class folder's name, of all splits, in order."""
        return tuple(sorted({name for split in self.counts.values() for name in split}))

    def propose_split(self, shares: Mapping[str, float] = SHARES, seed: int = 0) -> ImageData:
        """The usable pictures in train, val and test, with copies and near copies together in one part.

        Splits that the folder has are kept; pictures of train with a copy in val or test are left out, and
        those of val with one in test. What is missing is cut off the training pictures: a share of every
        class, the same pictures every time. A class that cannot be in every part is left out. The card says
        all that. What else belongs together, such as pictures of one object, only you can know.

        Args:
            shares: {"val": 0.15, "test": 0.15}: parts of the training pictures.
        Raises:
            BadData: fewer than two classes are left.
        """
        return proposed_split(self.folder, self.pictures, shares, seed)

    def table(self) -> DataFrame:
        """A row for each finding: how serious, kind, how many cases, what was seen, what to do, where."""
        from pandas import DataFrame

        rows = [(found.serious, found.kind, len(found.cases), shown(found.seen), shown(found.do),
                 "; ".join(map(str, found.cases[:SHOWN]))) for found in self.findings]
        return DataFrame(rows, columns=["serious", "kind", "cases", "seen", "do", "where"])

    def as_json(self) -> str:
        """All but the pictures, for tools. Bytes of a name that are no text stand as \\udc80 … \\udcff."""
        return json.dumps({"folder": self.folder, "in_splits": self.in_splits, "usable": len(self.pictures),
                           "counts": self.counts, "findings": list(map(asdict, self.findings))}, indent=1)

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield (f"{shown(self.folder)}: {Count(len(self.pictures)):usable picture} in "
               f"{Count(len(self.classes)):class}{_sizes(self.pictures)}")
        yield from self._table_of_counts()
        for serious in SERIOUS:
            found = [found for found in self.findings if found.serious == serious]
            yield from ["", f"{SIGNS[serious]} {serious}"] if found else []
            yield from map(str, found)
        yield ("\nTo learn from what is usable, in Python: audit_folder(PATH).propose_split()" if
               self.findings else "\nNothing was found that would stop or mislead learning.")

    def _table_of_counts(self) -> Iterator[str]:
        names = [shown(name) for name in self.classes[:MOST_CLASSES]]
        width = max(map(len, names), default=0)
        splits = self.counts if self.in_splits else ["all"]
        yield " " * (width + 2) + "".join(f"  {split:>7}" for split in splits)
        for name, label in zip(names, self.classes, strict=False):
            yield f"  {name:{width}}" + "".join(f"  {own.get(label, 0):>7,}" for own in self.counts.values())
        if len(self.classes) > MOST_CLASSES:
            yield f"  and {len(self.classes) - MOST_CLASSES:,} more classes"


def audit_folder(path: str | os.PathLike) -> Audit:
    """Look through a folder of pictures, PATH/CLASS/… or PATH/{train,val,test}/CLASS/…, and change nothing.

    Every file is read and decoded once, in two threads; nothing is kept of a picture but a few hundred bytes.
    Found are files that are no pictures or damaged, pictures stored in odd ways, copies and near copies
    (`likeness.py` says what that means) within a split, between splits and between classes, small and unequal
    classes, and signs other than what is shown that give a class away.

    Raises:
        BadData: there is no such folder, or it is not laid out in classes.
    """
    root, in_splits, listed, aside = list_folder(path)
    above = len(os.path.join(root, ""))
    looks, hashes, sketches = look_at_all(str(root), [
        (file[above:], split, label) for split, part in listed.items() for label, files in part.items()
        for file in files])
    good = [i for i, look in enumerate(looks) if not look.trouble]
    usable = [looks[i] for i in good]
    groups = group_copies(usable, hashes[good], sketches[good])
    doubtful = {look.digest for copies in in_two_classes(usable) for look in copies}
    pictures = tuple(Picture(look.path, look.split, look.label, look.size, group, look.digest in doubtful)
                     for look, group in zip(usable, groups.tolist(), strict=True))
    parts: dict[str, Files] = {split: {label: [] for label in part} for split, part in listed.items()}
    for picture in pictures:
        parts[picture.split][picture.label].append(picture.path)
    different = Counter(label for label, _ in {(p.label, p.group) for p in pictures if p.split == "train"})
    found = [*on_counts(parts, root), *on_few(parts, different), *on_troubles(looks), *on_giveaways(usable),
             *on_copies(usable, groups, in_splits=in_splits), *on_aside(aside, root), *on_oddities(usable),
             *on_names(usable)]
    counts = {split: {label: len(files) for label, files in part.items()} for split, part in parts.items()}
    order = sorted(found, key=lambda one: SERIOUS.index(one.serious))
    return Audit(str(root), in_splits, counts, tuple(order), pictures)


def _sizes(pictures: Sequence[Picture]) -> str:
    """How large they are, as the end of a sentence."""
    sizes = sorted((picture.size for picture in pictures), key=lambda size: (size[0] * size[1], size))
    said = ["{} × {}".format(*size) for size in sizes[:1] + sizes[len(sizes) // 2:][:1] + sizes[-1:]]
    if len(set(said)) < 2:
        return "".join(f", {size} pixels each" for size in said[:1])
    return "; from {0} to {2} pixels, {1} in the middle".format(*said)

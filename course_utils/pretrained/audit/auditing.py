"""Looking through a folder of pictures before anything is learned from it."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from course_utils.pretrained.audit.findings import SERIOUS, SHOWN, Count, Finding, shown
from course_utils.pretrained.audit.looking import File, look_at_all
from course_utils.pretrained.audit.on_classes import on_counts, on_few, on_giveaways, on_names
from course_utils.pretrained.audit.on_copies import group_copies, in_two_classes, on_copies
from course_utils.pretrained.audit.on_files import on_aside, on_oddities, on_troubles
from course_utils.pretrained.audit.proposing import WHOLE, Picture, proposed_split
from course_utils.pretrained.data.folders import SHARES
from course_utils.pretrained.data.images import ImageData
from course_utils.pretrained.data.listing import Files, Listing, list_folder

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_CLASSES = 20       # rows of the table of counts
SIGNS = dict(zip(SERIOUS, "✘!·", strict=True))


@dataclass(frozen=True, repr=False)
class Audit:
    """What an audit saw in a folder of pictures. Printed, it is a report."""

    folder: str
    counts: dict[str, dict[str, int]]       # usable pictures by split and class; without splits under "all"
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
        said = {"folder": self.folder, "usable": len(self.pictures), "counts": self.counts,
                "findings": [asdict(found) for found in self.findings]}
        return json.dumps(said, indent=1)

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield (f"{shown(self.folder)}: {Count(len(self.pictures)):usable picture} in "
               f"{Count(len(self.classes)):class}{_sizes(self.pictures)}")
        yield from _table_of_counts(self.counts, self.classes)
        for serious in SERIOUS:
            found = [found for found in self.findings if found.serious == serious]
            yield from ["", f"{SIGNS[serious]} {serious}"] if found else []
            yield from map(str, found)
        yield ("\nTo learn from what is usable, in Python: audit_folder(PATH).propose_split()" if
               self.findings else "\nNothing was found that would stop or mislead learning.")


def audit_folder(path: str | os.PathLike) -> Audit:
    """Look through a folder of pictures, PATH/CLASS/… or PATH/{train,val,test}/CLASS/…, and change nothing.

    Every file is read and decoded once, in two threads; nothing is kept of a picture but a few hundred bytes.
    Found are files that are no pictures or damaged, pictures stored in odd ways, copies and near copies
    (`likeness.py` says what that means) within a split, between splits and between classes, small and unequal
    classes, and signs other than what is shown that give a class away.

    Raises:
        BadData: there is no such folder, or it is not laid out in classes.
    """
    listing = list_folder(path)
    root = str(listing.root)
    above = len(os.path.join(root, ""))
    files = [File(found[above:], split if listing.in_splits else WHOLE, label)
             for split, part in listing.parts.items() for label, paths in part.items() for found in paths]
    looks, hashes, sketches = look_at_all(root, files)
    good = [i for i, look in enumerate(looks) if not look.trouble]
    usable = [looks[i] for i in good]
    groups = group_copies(usable, hashes[good], sketches[good])
    doubtful = {look.digest for copies in in_two_classes(usable) for look in copies}
    pictures = tuple(Picture(*look.file, look.size, group, look.digest in doubtful)
                     for look, group in zip(usable, groups.tolist(), strict=True))
    parts = _usable_parts(listing, pictures)
    different = Counter(label for label, _ in {(picture.label, picture.group) for picture in pictures
                                               if picture.split in ("train", WHOLE)})
    found = [*on_counts(parts, root), *on_few(parts, different), *on_troubles(looks), *on_giveaways(usable),
             *on_copies(usable, groups, in_splits=listing.in_splits), *on_aside(listing.aside, root),
             *on_oddities(usable), *on_names(usable)]
    counts = {split if listing.in_splits else WHOLE: {name: len(paths) for name, paths in part.items()}
              for split, part in parts.items()}
    return Audit(root, counts, tuple(sorted(found, key=lambda one: SERIOUS.index(one.serious))), pictures)


def _usable_parts(listing: Listing, pictures: Iterable[Picture]) -> dict[str, Files]:
    """What the listing holds, without what cannot be used; classes that became empty are still there."""
    parts: dict[str, Files] = {split: {name: [] for name in part} for split, part in listing.parts.items()}
    for picture in pictures:
        parts[picture.split if listing.in_splits else "train"][picture.label].append(picture.path)
    return parts


def _sizes(pictures: Sequence[Picture]) -> str:
    """How large they are, as the end of a sentence."""
    if not pictures:
        return ""
    sizes = sorted((picture.size for picture in pictures), key=lambda size: size[0] * size[1])
    small, middle, large = ("{} × {}".format(*sizes[i]) for i in (0, len(sizes) // 2, -1))
    return f", {small} pixels each" if len(set(sizes)) == 1 else (
        f"; {small} pixels the smallest, {middle} in the middle, {large} the largest")


def _table_of_counts(counts: Mapping[str, Mapping[str, int]], classes: Sequence[str]) -> Iterator[str]:
    names = [shown(name) for name in classes[:MOST_CLASSES]]
    width = max(map(len, names), default=0)
    yield "  ".join([f"  {'':{width}}", *(f"{split:>7}" for split in counts)])
    for name, label in zip(names, classes, strict=False):
        yield "  ".join([f"  {name:{width}}", *(f"{part.get(label, 0):>7,}" for part in counts.values())])
    if len(classes) > MOST_CLASSES:
        yield f"  and {len(classes) - MOST_CLASSES:,} more classes"

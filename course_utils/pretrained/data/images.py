"""Labelled pictures: one split of a data set, and a data set of three splits."""

from __future__ import annotations

import copy
import hashlib
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from PIL import Image
from torch.utils.data import Dataset

from course_utils.errors import BadData, BadImage, CourseError
from course_utils.pretrained.data.pictures import open_image


class Images(Dataset):
    """Pictures with labels: `images[0]` is (RGB PIL picture, label). Files are opened when asked for."""

    def __init__(self, paths: Sequence[str | Path], labels: Sequence[int], classes: Sequence[str], *,
                 pictures: Sequence[Image.Image] | None = None):
        """
        Args:
            paths: one file for each picture; for pictures in memory, a name of where each came from.
            labels: positions in `classes`.
            pictures: RGB pictures kept in memory; None: each is opened from its path.
        """
        self.paths = tuple(str(path) for path in paths)
        self.labels = tuple(operator.index(label) for label in labels)
        self.classes = tuple(classes)
        self._pictures = None if pictures is None else tuple(pictures)
        self._enough: int | None = None
        if len(self.labels) != len(self.paths) or len(self._pictures or self.paths) != len(self.paths):
            raise BadData(f"Images needs one label for each picture, but got {len(self.paths)} paths, "
                          f"{len(self.labels)} labels"
                          + (f" and {len(self._pictures)} pictures." if self._pictures else "."))
        if wrong := set(self.labels) - set(range(len(self.classes))):
            raise BadData(f"Labels are positions in classes, 0 … {len(self.classes) - 1}, but there is "
                          f"{min(wrong)}.")

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        if isinstance(index, slice):
            raise CourseError("Images gives one picture at a time. For several, type: "
                              "images.subset(range(10))")
        if self._pictures is None:
            return open_image(self.paths[index], at_least=self._enough), self.labels[index]
        return self._pictures[index].copy(), self.labels[index]

    def subset(self, indices: Iterable[int]) -> Images:
        """The pictures at these positions, in this order, with the same classes."""
        chosen = [self._position(index) for index in indices]
        pictures = None if self._pictures is None else [self._pictures[i] for i in chosen]
        return Images([self.paths[i] for i in chosen], [self.labels[i] for i in chosen], self.classes,
                      pictures=pictures)

    def once(self) -> tuple[Images, list[int]]:
        """Each picture once, in order; and, for every position here, the position there."""
        same = self.paths if self._pictures is None else map(id, self._pictures)
        shown = list(zip(same, self.labels, strict=True))
        first: dict[tuple, int] = {}
        for position, which in enumerate(shown):
            first.setdefault(which, position)
        there = {which: row for row, which in enumerate(first)}
        return self.subset(first.values()), [there[which] for which in shown]

    def decoded_to(self, enough: int) -> Images:
        """The same pictures; of large JPEG files no more is decoded than leaves `enough` pixels a side."""
        same = copy.copy(self)
        same._enough = enough
        return same

    def _position(self, index: object) -> int:
        whole = not isinstance(index, bool) and hasattr(index, "__index__") and "bool" not in str(
            getattr(index, "dtype", ""))
        if not whole or not 0 <= operator.index(index) < len(self):
            raise CourseError(f"subset needs positions from 0 to {len(self) - 1}, but got {index!r}.")
        return operator.index(index)

    @property
    def fingerprint(self) -> str:
        """The same text as long as pictures and labels are the same; looked up afresh each time.

        Of files, path, size and times of writing and change stand for the content: that takes milliseconds
        where reading thousands of photographs takes as long as using them. Pictures in memory are small:
        there it is the pixels.
        """
        digest = hashlib.sha256(repr((self.labels, self.classes)).encode())
        for position, path in enumerate(self.paths):
            if self._pictures is None:
                digest.update(_state_of_file(path).encode())
            else:
                picture = self._pictures[position]
                digest.update(repr((path, picture.mode, picture.size)).encode() + picture.tobytes())
        return digest.hexdigest()

    def __repr__(self) -> str:
        counts = ", ".join(f"{name} {self.labels.count(label)}" for label, name in enumerate(self.classes))
        return f"Images: {len(self)} pictures ({counts})"


def _state_of_file(path: str) -> str:
    try:
        status = Path(path).stat()
    except OSError as error:
        raise BadImage(f"The picture '{path}' was here when the data set was loaded and is gone now "
                       f"({(error.strerror or str(error)).lower()}). Load the data set again.") from None
    # ctime changes also where a copying tool sets the time of writing back.
    return repr((str(Path(path).absolute()), status.st_size, status.st_mtime_ns, status.st_ctime_ns))


@dataclass(frozen=True)
class DataCard:
    """What a data set is and where it comes from."""

    name: str                  # as given to load_dataset
    title: str
    kind: str                  # "rendered images", "photographs", "your pictures" and the like
    description: str
    source: str
    licence: str
    counts: dict[str, int] = field(default_factory=dict)     # pictures by split, which ImageData counts

    def __str__(self) -> str:
        counts = ", ".join(f"{split} {count}" for split, count in self.counts.items())
        return (f"{self.title} ({self.kind}; {counts})\n{self.description}\n"
                f"Source: {self.source}\nLicence: {self.licence}")


_opened: dict[str, int] = {}     # how often each data set's test pictures were asked for, in this kernel


class ImageData:
    """A data set: pictures to learn from, to choose by, and to test with once."""

    def __init__(self, card: DataCard, train: Images, val: Images, test: Images):
        self.train, self.val, self._test, self.classes = train, val, test, train.classes
        self.card = replace(card, counts={"train": len(train), "val": len(val), "test": len(test)})

    @property
    def test(self) -> Images:
        """The pictures for the final test. Asked for again in the same kernel, it prints a reminder, once."""
        _opened[self.card.name] = times = _opened.get(self.card.name, 0) + 1
        if times == 2:
            print(f"You have opened the test set of {self.card.name!r} before. Choose by the validation "
                  "pictures: a test that is looked at again and again becomes one more thing you chose by.")
        return self._test

    def splits(self) -> tuple[Images, Images, Images]:
        """Train, val and test, without a reminder: for programs that choose nothing by test."""
        return self.train, self.val, self._test

    def __repr__(self) -> str:
        counts = ", ".join(f"{split} {count}" for split, count in self.card.counts.items())
        return (f"{self.card.title}: {self.card.kind}, {len(self.classes)} classes "
                f"({', '.join(self.classes)}); {counts}")

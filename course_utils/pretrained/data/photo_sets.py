"""Real pictures that are downloaded on first use. What they are and where they lie: data/photo_sets.yaml."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from course_utils import paths
from course_utils.errors import DownloadFailed
from course_utils.pretrained.data.folders import read_folder
from course_utils.pretrained.data.images import DataCard, ImageData
from course_utils.pretrained.files.unpacking import fetched_folder, unpack_archive


@dataclass(frozen=True)
class PhotoSet:
    """One entry of the table; the table's head says what the fields mean."""

    name: str
    title: str
    kind: str
    pictures: int
    description: str
    source: str
    licence: str
    url: str
    checksum: str
    size_mb: float
    inside: str
    classes: list[str] = field(default_factory=list)
    rename: dict[str, str] = field(default_factory=dict)
    leave_out: str = ""

    @property
    def folder(self) -> Path:
        """Where its pictures are, once they are here."""
        return paths.cache() / "datasets" / self.name

    def unpack(self, archive: Path, into: Path) -> None:
        """Make `into`/`inside` a folder of splits or classes of the archive."""
        if archive.suffix == ".npz":
            return _unpack_arrays(archive, into, self.classes)
        unpack_archive(archive, into)
        for here, there in self.rename.items():
            Path(into, self.inside, here).rename(Path(into, self.inside, there))
        if self.leave_out:
            for path in Path(into, self.inside).rglob(self.leave_out):
                path.unlink()


def photo_sets() -> dict[str, PhotoSet]:
    """The sets that can be had, by name."""
    table = yaml.safe_load((paths.data() / "photo_sets.yaml").read_text(encoding="utf-8"))
    return {name: PhotoSet(name, **facts) for name, facts in table.items()}


def fetch_photos(photos: PhotoSet) -> Path:
    """The set's folder; downloaded, checked and unpacked if it is not there yet.

    Raises:
        DownloadFailed, DamagedFile: it did not come, or not whole. Nothing torn is left as the set.
    """
    try:
        return fetched_folder(photos.url, photos.folder, inside=photos.inside, checksum=photos.checksum,
                              unpack=photos.unpack)
    except DownloadFailed as error:
        raise DownloadFailed(f"{error} Until {photos.name!r} is here, load_dataset('flowers') serves, with "
                             "no COURSE_PHOTOS set: rendered pictures that come with the course.") from error


def read_photos(photos: PhotoSet) -> ImageData:
    """The set in three splits, downloaded on first use."""
    card = DataCard(name=photos.name, title=photos.title, kind=photos.kind, description=photos.description,
                    source=photos.source, licence=photos.licence)
    data = read_folder(fetch_photos(photos), card=card)
    if (found := sum(data.card.counts.values())) != photos.pictures:
        print(f"{photos.folder} holds {found} pictures, not {photos.pictures} as it should. To have them "
              "brought afresh, delete that folder and load the set again.")
    return data


def _unpack_arrays(archive: Path, into: Path, classes: list[str]) -> None:
    """Save MedMNIST's arrays, SPLIT_images (N, H, W) and SPLIT_labels (N, 1), as pictures in folders."""
    with np.load(archive) as arrays:                # never with allow_pickle: no code comes out of a file
        for split in ("train", "val", "test"):
            for name in classes:
                Path(into, split, name).mkdir(parents=True)
            pairs = zip(arrays[f"{split}_images"], arrays[f"{split}_labels"].ravel(), strict=True)
            for number, (pixels, label) in enumerate(pairs):
                Image.fromarray(pixels).save(Path(into, split, classes[label], f"{number:05d}.png"))

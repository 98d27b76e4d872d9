"""`course download NAME`: weights or photographs, brought beforehand, where there is a network."""

from __future__ import annotations

from collections.abc import Iterator

from course_utils.errors import UnknownName, nearest, unknown_name
from course_utils.pretrained.data.datasets import IN_LIBRARIES, SHIPPED
from course_utils.pretrained.data.photo_sets import fetch_photos, photo_sets
from course_utils.pretrained.models.loading import kept, load_model


def fetch(name: str) -> Iterator[str]:
    """What a learner should be told, a line each, as it goes.

    Raises:
        UnknownName: neither weights nor a data set are called so.
        DownloadFailed, WeightsUnavailable, DamagedFile: it did not come, or not whole.
    """
    if name in (*SHIPPED, *IN_LIBRARIES):
        yield f"{name} is already here: it came with the installation."
    elif photos := photo_sets().get(name):
        if photos.folder.is_dir():
            yield f"{name} is already here: {photos.folder}"
        else:
            yield f"{name}: about {photos.size_mb} MB, to be kept in {photos.folder}"
            yield f"{name} is here now: {fetch_photos(photos)}"
    else:
        where = _kept(name)
        if where.file:
            yield f"{name} is already here: {where.file}"
        else:
            yield f"{name}: about {where.size_mb:.0f} MB, to be kept in {where.folder}"
            load_model(name)
            yield f"{name} is here now: {kept(name).file}"


def _kept(name: str):
    try:
        return kept(name)
    except UnknownName:
        if nearest(name, photo_sets()):
            raise unknown_name("data set", name, photo_sets()) from None
        raise

"""Weights that do not come with the course: from a library's cache or the network, or a clear answer."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from course_utils.errors import CourseError, DamagedFile, DownloadFailed, WeightsUnavailable, first_line
from course_utils.pretrained.files.downloads import NO_NETWORK, STALLED, why_unreachable
from course_utils.pretrained.models.bundled import nearest_bundled


@dataclass(frozen=True)
class Kept:
    """Where one set of weights is kept on this machine, or would be."""

    file: Path | None             # None: not here yet
    folder: Path
    size_mb: float                # of the file; what no library tells is estimated
    parameters: int
    server: str | None = None     # that a library downloads from by itself; None: `download` does it


@contextmanager
def fetching(name: str, kept: Kept) -> Iterator[None]:
    """Around loading the weights `name`: what can go wrong is said in words, and soon.

    Raises:
        WeightsUnavailable: neither here nor reachable, or the download broke off.
        DamagedFile: the file that is here cannot be loaded.
    """
    if kept.file is None and kept.server and (reason := why_unreachable(kept.server)):
        raise _unavailable(name, kept, f"{kept.server} cannot be reached: {reason}. {NO_NETWORK}")
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALLED)
    try:
        yield
    except DownloadFailed as error:
        raise _unavailable(name, kept, str(error)) from error
    except CourseError:
        raise
    except Exception as error:        # whatever a library says of a torn file, a full disk, a proxy
        if kept.file is not None:
            raise DamagedFile(
                f"The weights {name!r} could not be read from {kept.file}: {first_line(error)}. "
                "If the file is damaged, delete it and run this line again to download it afresh.") from error
        raise _unavailable(name, kept, f"They could not be brought: {first_line(error)}.") from error
    finally:
        socket.setdefaulttimeout(before)


def _unavailable(name: str, kept: Kept, reason: str) -> WeightsUnavailable:
    return WeightsUnavailable(
        f"The weights {name!r} ({kept.size_mb:.0f} MB) are not on this machine. {reason} Until then, "
        f"load_model({nearest_bundled(kept.parameters)!r}) serves: ImageNet weights that are installed.")

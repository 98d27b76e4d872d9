"""Files that are there whole or not at all."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import psutil

from course_utils.errors import CourseError


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which becomes `path` once all is on the disk. Until then the old one stays.

    Raises:
        CourseError: no room, no permission, or `path` is a folder.
    """
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_orphans(path)
        with unfinished.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except (OSError, RuntimeError) as error:
        # torch.save hides what the disk said behind an error of its own.
        cause = error if isinstance(error, OSError) else error.__context__
        if not isinstance(cause, OSError):
            raise
        raise CourseError(f"{path} could not be written: {cause.strerror}. What was there before is "
                          "untouched. Make room, or give another path.") from error
    finally:
        with suppress(OSError):                 # gone already, unless something went wrong on the way
            unfinished.unlink()


def _remove_orphans(path: Path) -> None:
    """What a process that was killed in the middle of writing left behind."""
    for orphan in path.parent.glob(f"{glob.escape(path.name)}.*.part"):
        pid = orphan.name.split(".")[-2]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            orphan.unlink(missing_ok=True)

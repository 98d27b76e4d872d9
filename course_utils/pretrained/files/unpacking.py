"""Archives that become a folder: fetched, unpacked beside it, and put in place whole."""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlparse

from course_utils.errors import DamagedFile
from course_utils.pretrained.files.downloads import alone, download, writing

TORN = (shutil.ReadError, tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, EOFError, zlib.error)


def unpack_archive(archive: Path, into: Path) -> None:
    """Unpack a .zip, .tgz or .tar.gz. Nothing is written outside `into`, whatever paths the archive holds."""
    # zipfile leaves out what leads outside by itself; for tar it must be asked for, and then raises. Python
    # before 3.11.4 cannot be asked; there the checksums of the archives must do.
    asked = archive.suffix != ".zip" and hasattr(tarfile, "data_filter")
    safely = {"filter": "data"} if asked else {}
    shutil.unpack_archive(archive, into, **safely)


def fetched_folder(url: str, folder: Path, *, inside: str, checksum: str | None = None,
                   unpack: Callable[[Path, Path], None] = unpack_archive) -> Path:
    """The folder `folder`, as it is if it is there; else fetched and unpacked, and then the archive deleted.

    Args:
        inside: the folder in the archive that is wanted.
        checksum: of the archive (see `download`).
        unpack: called with the archive and an empty folder.
    Raises:
        DownloadFailed, DamagedFile: as `download`; also for a disk that is full, or an archive that is torn.
    """
    if folder.is_dir():
        return folder
    with writing(folder), alone(folder):
        if not folder.is_dir():       # another process may have brought it in the meantime
            archive = download(url, folder.with_name(Path(urlparse(url).path).name), checksum=checksum)
            print(f"Unpacking {archive.name} …")
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".unpacking-") as fresh:
                try:
                    unpack(archive, Path(fresh))
                except TORN as error:
                    archive.unlink()
                    raise DamagedFile(f"{archive.name} from {url} cannot be unpacked: {error}. It was "
                                      "deleted; to download it afresh, run the same line again.") from error
                os.replace(Path(fresh, inside), folder)
            archive.unlink()
    return folder

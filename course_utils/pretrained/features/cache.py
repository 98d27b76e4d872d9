"""Features kept in files. A file is used only if nothing they depend on has changed, and if it is whole.

A file is 256 bytes of text (checksum, kind of number, shape of a row), then the rows, one for each picture.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

import numpy as np
import PIL
import torch
import torchvision
from torch import Tensor, nn

from course_utils import paths
from course_utils.errors import CourseError

FORMAT = 2
HEAD = 256                # bytes before the rows
SMALL = 64 * 2**20        # bytes; so few rows go into memory, safe from whatever happens to the file
PREFIX = "course-features-"
DAY = 24 * 60 * 60        # seconds after which an unfinished file has lost its writer


def feature_key(model: nn.Module, without: Sequence[str], *facts: object) -> str:
    """The name for features of the model as it is now: parameters, buffers, layers and their settings.

    Args:
        without: dotted names of parts the features do not depend on: the head.
        facts: whatever else they depend on: layer, preprocessing, precision, pictures.
    """
    def counts(name: str) -> bool:
        return not any(name == part or name.startswith(f"{part}.") for part in without)

    versions = (FORMAT, torch.__version__, torchvision.__version__, PIL.__version__, version("timm"))
    digest = hashlib.sha256(repr((versions, facts)).encode())
    for name, module in model.named_modules():
        if counts(name):
            digest.update(f"{name} {type(module).__qualname__} {module.extra_repr()}\n".encode())
    for name, value in [*model.named_parameters(), *model.named_buffers()]:
        if counts(name):
            digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
            digest.update(_bytes(value))
    return digest.hexdigest()[:40]


def stored(key: str) -> Tensor | None:
    """The rows under `key`; None if there are none. After an interruption they are not all.

    The file is read once, to compare its checksum; many rows are then memory-mapped. A damaged file is
    deleted, and this said.
    """
    path = _path(key)
    try:
        with path.open("rb") as file:
            checksum, *kind = file.read(HEAD).decode("ascii").split()
            digest = hashlib.file_digest(file, lambda: hashlib.sha256(key.encode()))
            if _checksum(digest, kind) == checksum:
                return _mapped(file, kind)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):       # the disk failed, or the first bytes are no such text
        pass
    with suppress(OSError):
        path.unlink()
    print(f"The stored features in {path.name} were damaged; the pictures are read again.")
    return None


class Rows:
    """Rows that go to a file as they come, so that memory stays flat however many there are.

    Where there is no room on the disk, that is said, and they stay in memory. Used in a `with`: after Ctrl-C
    the rows so far are kept under the key, if they are not fewer than those of before.

    Args:
        key: what `stored` will find them by; None keeps nothing after the rows are gone.
        before: bytes of the rows that are stored under the key and worth keeping.
    """

    def __init__(self, key: str | None, before: int = 0):
        self.key, self.before, self.kind, self.memory, self.file = key, before, [], [], None
        self.done = 0, hashlib.sha256((key or "").encode())        # bytes written, and their digest
        folder = _path(key).parent if key else Path(tempfile.gettempdir())
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for old in folder.glob(f"{PREFIX}*.part"):      # of a process that was killed
                with suppress(OSError):                     # gone by now, or another user's
                    if time.time() - old.stat().st_mtime > DAY:
                        old.unlink()
            self.file = tempfile.NamedTemporaryFile(        # noqa: SIM115 - it is open until the rows are done
                dir=folder, prefix=PREFIX, suffix=".part", delete=False, buffering=0)
            self._write(bytes(HEAD))
        except OSError as error:
            self._stay_in_memory(error)

    def append(self, rows: Tensor) -> None:
        """(B, …), on the CPU; of the same shape and kind of number each time."""
        kind = [str(rows.dtype).removeprefix("torch."), *map(str, rows.shape[1:])]
        if self.kind not in ([], kind):
            raise CourseError(f"Some pictures give activations of shape ({', '.join(self.kind[1:])}), others "
                              f"({', '.join(kind[1:])}). Prepare all of them in one size.")
        self.kind = kind
        if self.file:
            content = _bytes(rows)
            try:
                self._write(content)
            except OSError as error:
                self._stay_in_memory(error)
            else:
                digest = self.done[1].copy()
                digest.update(content)
                self.done = self.done[0] + len(content), digest     # at once: Ctrl-C may come between lines
                return
        self.memory.append(rows)

    def finish(self) -> Tensor:
        """All rows; where they are many, memory-mapped. Changing them changes no file."""
        if not self.file:
            return torch.cat(self.memory)
        try:
            self._store()
        except OSError as error:
            self._stay_in_memory(error)
            return torch.cat(self.memory)
        with open(_path(self.key) if self.key else self.file.name, "rb") as file:
            return _mapped(file, self.kind)

    def __enter__(self) -> Rows:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        enough = self.done[0] >= max(self.before, 1)
        if isinstance(error, KeyboardInterrupt) and self.key and enough and self.file:
            with suppress(OSError):                     # no room; or they are kept already
                self._store()
        self._drop_file()

    def _store(self) -> None:
        if not self.file.closed:                            # else Ctrl-C came between the last two lines
            self.file.truncate(HEAD + self.done[0])         # a row cut short by Ctrl-C
            self.file.seek(0)
            self._write(" ".join([_checksum(self.done[1], self.kind), *self.kind]).encode().ljust(HEAD))
            self.file.close()
        if self.key:
            os.replace(self.file.name, _path(self.key))     # another process sees the whole file or none

    def _write(self, content: bytes) -> None:
        left = memoryview(content)
        while left:                                         # a disk that fills up takes a part
            left = left[self.file.write(left):]

    def _stay_in_memory(self, error: OSError) -> None:
        print(f"The features could not be stored ({error}); they stay in memory, and will be computed again.")
        if self.done[0]:
            with open(self.file.name, "rb") as file:
                self.memory = [_mapped(file, self.kind, self.done[0]).clone()]
        self._drop_file()

    def _drop_file(self) -> None:
        if self.file:
            self.file.close()
            with suppress(OSError):         # gone already where it was kept
                os.unlink(self.file.name)
        self.file = None


def _path(key: str) -> Path:
    return paths.cache() / "features" / f"{key}.rows"


def _checksum(digest: hashlib._Hash, kind: list[str]) -> str:
    digest = digest.copy()
    digest.update(repr(kind).encode())
    return digest.hexdigest()


def _mapped(file: BinaryIO, kind: list[str], length: int | None = None) -> Tensor:
    """The rows in `file`; many are each read when first looked at, and become copies when written to."""
    raw = np.memmap(file, np.uint8, "c", offset=HEAD, shape=length)
    raw = raw if len(raw) > SMALL else np.array(raw)
    return torch.from_numpy(raw).view(getattr(torch, kind[0])).reshape(-1, *map(int, kind[1:]))


def _bytes(value: Tensor) -> bytes:
    return value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()

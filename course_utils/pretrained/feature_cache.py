"""Features kept in files. A file is used only if nothing they depend on has changed, and if it is whole."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import PIL
import torch
import torchvision
from torch import Tensor, nn

from course_utils import paths

FORMAT = 1


def feature_key(model: nn.Module, without: str | None, *facts: object) -> str:
    """The name for features of the model as it is now: parameters, buffers, layers and their settings.

    Args:
        without: dotted name of a part the features do not depend on: the head.
        facts: whatever else they depend on: layer, preprocessing, precision, pictures.
    """
    def counts(name: str) -> bool:
        return without is None or not (name == without or name.startswith(f"{without}."))

    versions = (FORMAT, torch.__version__, torchvision.__version__, PIL.__version__)
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
    """The features under `key`, (N, D); None if there are none. A damaged file is deleted, and this said."""
    path = _path(key)
    if not path.is_file():
        return None
    try:
        kept = torch.load(path, weights_only=True)
        whole = kept["key"] == key and kept["sha256"] == _digest(kept["x"])
    except Exception:       # a damaged file may trip the reader over anything
        whole = False
    if whole:
        return kept["x"]
    path.unlink(missing_ok=True)
    print(f"The stored features in {path.name} were damaged; the pictures are read again.")
    return None


def store(key: str, x: Tensor) -> None:
    """Keep features. Another process sees the whole file or none; where none can be written, that is said."""
    path, unfinished = _path(key), None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            unfinished = Path(file.name)
            torch.save({"key": key, "sha256": _digest(x), "x": x}, file)
        os.replace(unfinished, path)
    except (OSError, RuntimeError) as error:
        print(f"The features could not be stored in {path.parent} ({error}); they will be computed again.")
    finally:
        if unfinished:
            unfinished.unlink(missing_ok=True)      # gone already, unless something went wrong on the way


def _path(key: str) -> Path:
    return paths.cache() / "features" / f"{key}.pt"


def _digest(x: Tensor) -> str:
    return hashlib.sha256(repr((tuple(x.shape), str(x.dtype))).encode() + _bytes(x)).hexdigest()


def _bytes(value: Tensor) -> bytes:
    return value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()

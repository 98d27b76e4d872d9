"""A model as files for others: weights, ONNX, and a card that says what it is and how to use it."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_model
from torch import Tensor, nn

from course_utils.errors import CourseError, unknown_name
from course_utils.pretrained.batches import run
from course_utils.pretrained.catalogue import licence_of
from course_utils.pretrained.heads import need_module
from course_utils.pretrained.images import DataCard, ImageData
from course_utils.pretrained.metrics import Metrics
from course_utils.pretrained.model_card import CARD, TITLE, model_card
from course_utils.pretrained.preparing import Preparation, preprocessing

FILES = {"safetensors": "weights.safetensors", "onnx": "model.onnx"}
TOLERANCE = 1e-4       # largest difference allowed between PyTorch and ONNX, as a share of the largest score
NEEDED = ("onnx", "onnxscript", "onnxruntime")


@dataclass(frozen=True)
class Agreement:
    """How far the scores of the ONNX file are from PyTorch's, on photographs, one and three at a time."""

    difference: float      # largest, of any score
    relative: float        # as a share of the largest score

    def __str__(self) -> str:
        return (f"scores of PyTorch and ONNX differ by at most {self.difference:.1e} ({self.relative:.1e} of "
                f"the largest score; {TOLERANCE:.0e} is allowed), on photographs in batches of 1 and 3")


@dataclass(frozen=True, repr=False)
class Export:
    """What was written."""

    folder: Path
    checksums: dict[str, str]          # SHA-256 by file name
    agreement: Agreement | None        # None without an ONNX file

    def __repr__(self) -> str:
        lines = [f"{name:20} {(self.folder / name).stat().st_size / 2**20:7.2f} MiB   SHA-256 {sha[:12]}…"
                 for name, sha in self.checksums.items()]
        if self.agreement:
            lines.append(str(self.agreement))
        return "\n  ".join([f"Export: {self.folder}", *lines])


def export(model: nn.Module, folder: str | os.PathLike, *, formats: Sequence[str] = ("safetensors", "onnx"),
           data: ImageData | DataCard | None = None, metrics: Metrics | None = None,
           size: int | None = None) -> Export:
    """Write a model for others into `folder`: its weights, an ONNX file, and README.md, a model card.

    weights.safetensors holds tensors only, nothing that could run. model.onnx runs without PyTorch, for any
    number of pictures; its scores are compared with PyTorch's on photographs. Both carry class names and
    preprocessing in their metadata. Files appear when all of them are whole; the model stays as it is.

    Args:
        formats: "safetensors", "onnx", or both.
        data: what the model was trained on, for the card.
        metrics: what `evaluate` found, for the card.
        size: pixels of the prepared pictures; None is what the weights were trained for.
    Raises:
        CourseError: a package is missing, the model cannot be exported, or the ONNX file gives other scores.
    """
    formats = [formats] if isinstance(formats, str) else list(formats)
    _check(model, formats, data, metrics)
    folder = _folder(folder)
    alone = copy.deepcopy(model).cpu().float().eval()
    prepare = preprocessing(alone, size=size)
    pixels = torch.stack([prepare(photograph) for photograph in _photographs()])        # (3, 3, size, size)
    with torch.inference_mode():
        scores = run(alone, pixels)                                                     # (3, classes)
    facts, agreement = _facts(alone, prepare, scores.shape[1]), None
    try:
        # Inside the folder, so that moving out of it is one step for each file.
        with tempfile.TemporaryDirectory(dir=folder, prefix=".export-") as unfinished:
            made = {FILES[kind]: Path(unfinished, FILES[kind]) for kind in formats}
            if "safetensors" in formats:
                _write_weights(alone, made[FILES["safetensors"]], facts)
            if "onnx" in formats:
                _write_onnx(alone, pixels, made[FILES["onnx"]], facts)
                agreement = _compare(alone, made[FILES["onnx"]], pixels)
            checksums = {name: _sha256(path) for name, path in made.items()}
            made[CARD] = Path(unfinished, CARD)
            made[CARD].write_text(model_card(alone, facts, prepare, checksums, agreement, data, metrics),
                                  encoding="utf-8")
            checksums[CARD] = _sha256(made[CARD])
            for name, path in made.items():
                shutil.copymode(made[CARD], path)       # safetensors makes files that only you may read
                os.replace(path, folder / name)
    except (OSError, SafetensorError) as error:
        raise CourseError(f"The model could not be written to '{folder}': "
                          f"{getattr(error, 'strerror', None) or error}.") from error
    return Export(folder, checksums, agreement)


# Before -----------------------------------------------------------------------------------------------

def _check(model: object, formats: Sequence[str], data: object, metrics: object) -> None:
    need_module(model, "export")
    for kind in formats:
        if kind not in FILES:
            raise unknown_name("format", kind, FILES)
    if data is not None and not isinstance(data, (ImageData, DataCard)):
        raise CourseError("data is what load_dataset gave, or its card, but got an object of type "
                          f"{type(data).__name__}.")
    if metrics is not None and not isinstance(metrics, Metrics):
        raise CourseError("metrics is what evaluate gave, but got an object of type "
                          f"{type(metrics).__name__}.")
    missing = [package for package in NEEDED if find_spec(package) is None]
    if "onnx" in formats and missing:
        raise CourseError(f"An ONNX file needs {' and '.join(missing)}. In the course's environment, type: "
                          f"python -m pip install {' '.join(missing)}. Or leave it out: "
                          "formats=['safetensors']")


def _folder(folder: str | os.PathLike) -> Path:
    """`folder`, made if need be; refused if it has a README that is not one of ours."""
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise CourseError(f"'{folder}' is a file. Name a folder for the model.")
    card = folder / CARD
    if card.is_file() and not card.read_text(encoding="utf-8", errors="replace").startswith(TITLE):
        raise CourseError(f"'{folder}' has a {CARD} of its own, which the model card would replace. Name a "
                          "folder for the model alone.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CourseError(f"The folder '{folder}' cannot be made: {error.strerror}.") from error
    return folder


def _photographs() -> list:
    """Three photographs that come with scikit-image: what real pictures do to a network, noise does not."""
    from PIL import Image
    from skimage import data

    return [Image.fromarray(picture()) for picture in (data.chelsea, data.coffee, data.astronaut)]


def _facts(model: nn.Module, prepare: Preparation, outputs: int) -> dict[str, object]:
    """What must travel with the weights, for both kinds of file."""
    weights = prepare.weights
    classes = getattr(model, "course_classes", None)
    side = weights.resize_for(prepare.size)
    return {
        "architecture": weights.architecture, "started_from": weights.name, "licence": licence_of(weights),
        "outputs": outputs, "classes": classes if classes and len(classes) == outputs else None,
        "input": f"float32 (N, 3, {prepare.size}, {prepare.size}), RGB",
        "resize": [side, side] if weights.crop_mode == "squash" else side, "crop": prepare.size,
        "interpolation": weights.interpolation, "scale": "pixels / 255", "mean": weights.mean,
        "std": weights.std}


def _metadata(facts: dict[str, object]) -> dict[str, str]:
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in facts.items()}


# The files --------------------------------------------------------------------------------------------

def _write_weights(model: nn.Module, path: Path, facts: dict[str, object]) -> None:
    save_model(model, str(path), metadata={"format": "pt"} | _metadata(facts))


def _write_onnx(model: nn.Module, pixels: Tensor, path: Path, facts: dict[str, object]) -> None:
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):      # failing, it prints whole graphs
            program = torch.onnx.export(
                model, (pixels,), dynamo=True, verbose=False, input_names=["pixels"],
                output_names=["scores"], dynamic_shapes=({0: torch.export.Dim("batch", min=1)},))
    except Exception as error:       # the exporter raises whatever the model's own code trips it over
        reason = str(error.__cause__ or error).strip().splitlines()[0]
        raise CourseError(f"This {type(model).__name__} cannot be exported to ONNX: {reason}. Its weights "
                          "can: formats=['safetensors']") from error
    program.model.metadata_props.update(_metadata(facts))
    program.save(str(path), external_data=False)


def _compare(model: nn.Module, path: Path, pixels: Tensor) -> Agreement:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    difference = largest = 0.0
    for batch in (pixels[:1], pixels):
        with torch.inference_mode():
            expected = model(batch)
        found = torch.from_numpy(session.run(None, {"pixels": batch.numpy()})[0])
        difference = max(difference, (found - expected).abs().max().item())
        largest = max(largest, expected.abs().max().item())
    agreement = Agreement(difference, difference / largest)
    if not agreement.relative <= TOLERANCE:
        raise CourseError(f"The ONNX file was not kept: its {agreement}. Look for a part of the model that "
                          "depends on chance, or on the number of pictures.")
    return agreement


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

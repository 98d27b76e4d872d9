"""A model as files for others: weights, ONNX, and a card that says what it is and how to use it."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn

from course_utils.errors import CourseError, first_line, unknown_name
from course_utils.pretrained.data.batches import run
from course_utils.pretrained.data.images import DataCard, ImageData
from course_utils.pretrained.data.preparing import Preparation, preprocessing
from course_utils.pretrained.inference.metrics import Metrics
from course_utils.pretrained.models.heads import need_module
from course_utils.pretrained.models.libraries import licence_of
from course_utils.pretrained.saving.checkpoints import describe, path_of, write_weights
from course_utils.pretrained.saving.model_card import CARD, ONNX, TITLE, WEIGHTS, model_card

FORMATS = ("safetensors", "onnx")
TOLERANCE = 1e-4       # largest difference allowed between PyTorch and ONNX, as a share of the largest score
NEEDED = ("onnx", "onnxscript", "onnxruntime")


@dataclass(frozen=True, repr=False)
class Export:
    """What was written beside the card."""

    folder: Path
    checksums: dict[str, str]       # SHA-256 by file name
    agreement: str                  # how far the ONNX file's scores are from PyTorch's; "" without one

    def __repr__(self) -> str:
        files = [f"{name}, SHA-256 {checksum[:12]}…" for name, checksum in self.checksums.items()]
        return "\n  ".join(filter(None, [f"Export: {self.folder}", CARD, *files, self.agreement]))


def export(model: nn.Module, folder: str | os.PathLike, *, formats: Sequence[str] = FORMATS,
           data: ImageData | DataCard | None = None, metrics: Metrics | None = None,
           size: int | None = None) -> Export:
    """Write a model for others into `folder`: its weights, an ONNX file, and README.md, a model card.

    weights.safetensors holds tensors only, nothing that could run; `load_checkpoint` reads it. model.onnx
    runs without PyTorch, for any number of pictures; its scores are compared with PyTorch's on photographs.
    Both carry class names and preprocessing in their metadata. Files appear when all of them are whole; one
    of an earlier export that is not written anew is removed. The model stays as it is.

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
        facts = _facts(alone, prepare, outputs=run(alone, pixels).shape[1])
    metadata = {name: fact if isinstance(fact, str) else json.dumps(fact) for name, fact in facts.items()}
    agreement = ""
    try:
        # Inside the folder, so that moving out of it is one step for each file.
        with tempfile.TemporaryDirectory(dir=folder, prefix=".export-") as unfinished:
            unfinished = Path(unfinished)
            if "safetensors" in formats:
                write_weights(unfinished / WEIGHTS, alone, describe(alone), metadata)
            if "onnx" in formats:
                _write_onnx(alone, pixels, unfinished / ONNX, metadata)
                agreement = _compare(alone, unfinished / ONNX, pixels)
            checksums = {file.name: _sha256(file) for file in sorted(unfinished.iterdir())}
            card = model_card(alone, facts, prepare, checksums, agreement, data, metrics)
            (unfinished / CARD).write_text(card, encoding="utf-8")
            outdated = _of_an_earlier_export(folder, {WEIGHTS, ONNX} - checksums.keys())
            for name in [*checksums, CARD]:
                os.replace(unfinished / name, folder / name)
            for file in outdated:
                file.unlink()
                print(f"{file} was removed: it held the model of an earlier export.")
    except OSError as error:
        raise CourseError(f"The model could not be written to '{folder}': "
                          f"{error.strerror or error}.") from error
    return Export(folder, checksums, agreement)


# Before -----------------------------------------------------------------------------------------------

def _check(model: object, formats: Sequence[str], data: object, metrics: object) -> None:
    need_module(model, "export")
    for kind in formats or [None]:
        if kind not in FORMATS:
            raise unknown_name("format", kind, FORMATS)
    for given, kinds, origin in [(data, (ImageData, DataCard), "data is what load_dataset"),
                                 (metrics, Metrics, "metrics is what evaluate")]:
        if given is not None and not isinstance(given, kinds):
            raise CourseError(f"{origin} gave, but got an object of type {type(given).__name__}.")
    missing = [package for package in NEEDED if find_spec(package) is None]
    if "onnx" in formats and missing:
        raise CourseError(f"An ONNX file needs {' and '.join(missing)}. In the course's environment, type: "
                          f"python -m pip install {' '.join(missing)}. Or leave it out: "
                          "formats=['safetensors']")


def _folder(folder: str | os.PathLike) -> Path:
    """`folder`, made if need be; refused if it has a README that is not one of ours."""
    folder = path_of(folder, "export", "a folder, such as 'my_model'")
    card = folder / CARD
    if card.is_file() and not card.read_text(encoding="utf-8", errors="replace").startswith(TITLE):
        raise CourseError(f"'{folder}' has a {CARD} of its own, which the model card would replace. Name a "
                          "folder for the model alone.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:        # among others: it is a file
        raise CourseError(f"The folder '{folder}' cannot be made: {error.strerror}.") from error
    return folder


def _of_an_earlier_export(folder: Path, names: set[str]) -> list[Path]:
    """The files of these names that the card in `folder` lists, with the content that they have."""
    card, files = folder / CARD, [folder / name for name in sorted(names) if (folder / name).is_file()]
    text = card.read_text(encoding="utf-8") if card.is_file() else ""
    return [file for file in files if _sha256(file) in text]


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _photographs() -> list[Image.Image]:
    """Three that come with scikit-image: noise does not do to a network what real pictures do."""
    from skimage import data

    return [Image.fromarray(picture()) for picture in (data.chelsea, data.coffee, data.astronaut)]


def _facts(model: nn.Module, prepare: Preparation, outputs: int) -> dict[str, object]:
    """What must travel with the weights, for both kinds of file."""
    weights, classes = prepare.weights, getattr(model, "course_classes", None)
    side = weights.resize_for(prepare.size)
    return {
        "architecture": weights.architecture, "started_from": weights.name, "licence": licence_of(weights),
        "outputs": outputs, "classes": classes if classes and len(classes) == outputs else None,
        "input": f"float32 (N, 3, {prepare.size}, {prepare.size}), RGB",
        "resize": [side, side] if weights.crop_mode == "squash" else side, "crop": prepare.size,
        "interpolation": weights.interpolation, "scale": "pixels / 255", "mean": weights.mean,
        "std": weights.std}


# ONNX -------------------------------------------------------------------------------------------------

def _write_onnx(model: nn.Module, pixels: Tensor, path: Path, metadata: dict[str, str]) -> None:
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):      # failing, it prints whole graphs
            program = torch.onnx.export(
                model, (pixels,), dynamo=True, verbose=False, input_names=["pixels"],
                output_names=["scores"], dynamic_shapes=({0: torch.export.Dim("batch", min=1)},))
    except Exception as error:       # the exporter raises whatever the model's own code trips it over
        reason = first_line(error.__cause__ or error)
        raise CourseError(f"This {type(model).__name__} cannot be exported to ONNX: {reason}. Its weights "
                          "can: formats=['safetensors']") from error
    program.model.metadata_props.update(metadata)
    program.save(str(path), external_data=False)


@torch.inference_mode()
def _compare(model: nn.Module, path: Path, pixels: Tensor) -> str:
    """How far the file's scores are from the model's, one picture and all at a time, in words."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    pairs = [(model(batch), torch.from_numpy(session.run(None, {"pixels": batch.numpy()})[0]))
             for batch in (pixels[:1], pixels)]
    difference = max((found - expected).abs().max().item() for expected, found in pairs)
    relative = difference / max(expected.abs().max().item() for expected, _ in pairs)
    said = (f"scores of PyTorch and ONNX differ by at most {difference:.1e}, {relative:.1e} of the largest "
            f"({TOLERANCE:.0e} is allowed), on photographs in batches of 1 and {len(pixels)}")
    if not relative <= TOLERANCE:
        raise CourseError(f"The ONNX file was not kept: {said}. Look for a part of the model that depends on "
                          "chance, or on the number of pictures.")
    return said

"""The model card: what a stranger must know about a model before using it."""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version

from torch import nn

from course_utils.pretrained.data.images import DataCard, ImageData
from course_utils.pretrained.data.preparing import Preparation
from course_utils.pretrained.inference.metrics import Metrics
from course_utils.pretrained.models.heads import count_parameters

CARD, TITLE, WEIGHTS, ONNX = "README.md", "# Model card: ", "weights.safetensors", "model.onnx"
USE = {ONNX: "for onnxruntime; from `pixels`, float32 (N, 3, height, width), to `scores`, (N, classes)",
       WEIGHTS: "for `safetensors.torch.load_model`, into the same architecture"}
PACKAGES = ("torch", "torchvision", "timm", "safetensors")
MOST_LISTED = 100      # class names; more of them stand in the files' metadata only
ASKED = ("What it is meant for, and by whom", "What it must not be used for",
         "Where it fails: kinds of pictures, groups of people, conditions of light and camera",
         "Under what licence you share it, and whom to ask")


def model_card(model: nn.Module, facts: Mapping, prepare: Preparation, checksums: Mapping[str, str],
               agreement: str, data: ImageData | DataCard | None, metrics: Metrics | None) -> str:
    """The card as Markdown. What nobody told is asked for, never made up."""
    packages = [*PACKAGES, *(("onnx", "onnxscript", "onnxruntime") if agreement else ())]
    sections = {
        "What it is": f"{facts['architecture']}, an image classifier with {facts['outputs']:,} classes and "
                      f"{count_parameters(model):,} parameters.",
        "Where its weights come from": f"Started from `{facts['started_from']}`. "
                                       f"Licence of those weights: {facts['licence']}.",
        "Classes, in the order of the scores": _classes(facts),
        "How pictures are prepared": _preparation(facts, prepare),
        "Trained on": _data(data),
        "Results": _results(metrics),
        "To be filled in by you": "\n".join(f"- {question}: …" for question in ASKED),
        "Files": "\n".join([*(f"- `{name}` {USE[name]}. SHA-256 `{sha}`" for name, sha in checksums.items()),
                            *([f"\nCompared: {agreement}."] if agreement else [])]),
        "Made with": ", ".join([f"Python {platform.python_version()}",
                                *(f"{package} {version(package)}" for package in packages)]) + ".",
    }
    return TITLE + "\n\n".join([str(facts["architecture"]), *(f"## {title}\n\n{text}"
                                                              for title, text in sections.items())]) + "\n"


def _classes(facts: Mapping) -> str:
    names = facts["classes"]
    if names is None:
        return "They have no names here. To be filled in by you."
    if len(names) > MOST_LISTED:
        return f"{len(names):,}, from `{names[0]}` to `{names[-1]}`: see `classes` in the files' metadata."
    return "\n".join(f"{index}. {name}" for index, name in enumerate(names))


def _preparation(facts: Mapping, prepare: Preparation) -> str:
    scaled = "both sides" if isinstance(facts["resize"], list) else "the shorter side"
    side = f"{prepare.weights.resize_for(prepare.size)} pixels"
    return (f"Upright RGB; {scaled} to {side} ({facts['interpolation']}, antialiased); the middle "
            f"{facts['crop']} × {facts['crop']}; divided by 255; less {list(facts['mean'])}, then divided by "
            f"{list(facts['std'])}, for red, green and blue. Prepared otherwise, its scores are wrong. As "
            f"torchvision's transforms:\n\n```\n{prepare!r}\n```")


def _data(data: ImageData | DataCard | None) -> str:
    if data is None:
        return "To be filled in by you."
    card = getattr(data, "card", data)
    if card.kind == "your pictures":        # where they lie on your machine is nobody's business
        card = replace(card, source="to be filled in by you")
    return str(card).replace("\n", "  \n")


def _results(metrics: Metrics | None) -> str:
    if metrics is None:
        return "Not measured. To be filled in by you."
    recalls = "\n".join(f"| {name} | {'no pictures' if math.isnan(recall) else f'{recall:.1%}'} |"
                        for name, recall in metrics.per_class.items())
    return (f"Accuracy {metrics.accuracy:.1%} of {metrics.n} pictures, loss {metrics.loss:.3f}, calibration "
            f"error {metrics.calibration:.1%}.\n\n| class | found |\n|---|---|\n{recalls}")

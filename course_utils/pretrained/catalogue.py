"""What weights exist: the bundled ones, torchvision's and timm's, by name; figures from the libraries themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlparse

import huggingface_hub
import timm
import torch
import torchvision.models as torchvision_models

from course_utils.errors import CourseError, UnknownName, nearest, unknown_name
from course_utils.pretrained.bundled import BUNDLED

if TYPE_CHECKING:
    pass

TORCHVISION, TIMM = "torchvision/", "timm/"


# Names ------------------------------------------------------------------------------------------------

def torchvision_names() -> dict[str, list[str]]:
    """Full names of torchvision's weights that classify pictures, by architecture."""
    return {architecture: [f"{TORCHVISION}{architecture}.{member.name}"
                           for member in torchvision_models.get_model_weights(architecture)]
            for architecture in torchvision_models.list_models(module=torchvision_models)}


def timm_names() -> dict[str, list[str]]:
    """Full names of timm's pretrained weights, by architecture."""
    names: dict[str, list[str]] = {}
    for name in timm.list_pretrained():
        names.setdefault(name.split(".")[0], []).append(TIMM + name)
    return names


def known_torchvision(name: str, *, any_tag: bool = False) -> torchvision_models.WeightsEnum:
    """The weights "torchvision/ARCHITECTURE.TAG"; with `any_tag` the tag may be missing: the library's default."""
    architecture, _, tag = name.removeprefix(TORCHVISION).partition(".")
    if architecture not in (names := torchvision_names()):
        raise no_such_weights(name)
    offered = torchvision_models.get_model_weights(architecture)
    if not tag and not any_tag:
        raise _which(name, names[architecture])
    if tag and tag not in offered.__members__:         # DEFAULT is a member too: another name of one of them
        raise no_such_weights(name)
    return offered[tag or "DEFAULT"]


def known_timm(name: str, *, any_tag: bool = False) -> timm.models.PretrainedCfg:
    """timm's configuration of "timm/ARCHITECTURE.TAG"; with `any_tag` the tag may be missing."""
    short = name.removeprefix(TIMM)
    architecture, _, tag = short.partition(".")
    if any_tag and not tag and timm.is_model(architecture):
        return timm.models.get_pretrained_cfg(architecture)
    offered = timm_names().get(architecture, [])
    if offered and not tag:
        raise _which(name, offered)
    if name not in offered:
        raise no_such_weights(name)
    return timm.models.get_pretrained_cfg(short)


def no_such_weights(name: str) -> UnknownName:
    """The error for a name that nobody knows, with the nearest names of the library it points to, or of all."""
    library, _, rest = name.rpartition("/")
    shelves = {"": {**timm_names(), **torchvision_names(), **{b: [b] for b in BUNDLED}},
               "torchvision": torchvision_names(), "timm": timm_names()}
    shelf = shelves.get(library, shelves[""])
    by_likeness = nearest(rest.split(".")[0], shelf)
    likely = [full for architecture in by_likeness for full in shelf[architecture][:2]]
    return unknown_name("set of weights", name, likely[:4] or BUNDLED,
                        hint="catalogue() lists the bundled ones and torchvision's.")


def _which(name: str, offered: list[str]) -> CourseError:
    return CourseError(f"{name!r} is an architecture; the weights for it differ in training and accuracy. "
                       f"Say which, after a dot: {' or '.join(map(repr, offered[:4]))}.")


# Files ------------------------------------------------------------------------------------------------

def file_in_hub(url: str) -> Path | None:
    """The file torch.hub keeps for `url`, if it has been downloaded."""
    path = Path(torch.hub.get_dir(), "checkpoints", Path(urlparse(url).path).name)
    return path if path.is_file() else None


def file_in_hugging_face(cfg: timm.models.PretrainedCfg) -> Path | None:
    """The file Hugging Face's cache keeps for these weights, if it has been downloaded."""
    for file in [cfg.hf_hub_filename] if cfg.hf_hub_filename else ["model.safetensors", "pytorch_model.bin"]:
        path = huggingface_hub.try_to_load_from_cache(cfg.hf_hub_id, file)
        if isinstance(path, str):
            return Path(path)
    return None

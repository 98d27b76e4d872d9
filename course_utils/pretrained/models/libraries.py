"""What weights exist, by name: bundled, torchvision's, timm's; and what their libraries tell about them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from urllib.parse import urlparse

import huggingface_hub
import timm
import torch
import torchvision.models as torchvision_models
from torch import nn

from course_utils.errors import CourseError, UnknownName, nearest, unknown_name
from course_utils.pretrained.models.bundled import BUNDLED
from course_utils.pretrained.models.published import published
from course_utils.pretrained.models.weights import Weights

TORCHVISION, TIMM, HUB = "torchvision/", "timm/", "hub/"
MIB = 2**20


# What is known about one set of weights ---------------------------------------------------------------

def weights_named(name: str, *, any_tag: bool = False) -> Weights:
    """What the libraries tell about the weights `name`; nothing is built, read or downloaded.

    Args:
        name: as for `load_model`.
        any_tag: a name without the part after the dot is enough; the library's default stands in.
    """
    if not isinstance(name, str):
        raise CourseError("A model is asked for by its name, a text such as 'efficientnet_lite0', "
                          f"but this is of type {type(name).__name__}.")
    if name in BUNDLED:
        cfg = timm.models.get_pretrained_cfg(BUNDLED[name].architecture).to_dict()
        return replace(_from_timm(cfg), name=name, source="bundled")
    if name.startswith(TORCHVISION):
        return _from_torchvision(known_torchvision(name, any_tag=any_tag), name)
    if name.startswith(TIMM):
        return _from_timm(known_timm(name, any_tag=any_tag).to_dict())
    if name.startswith(HUB):
        raise CourseError(f"{name!r} is code, not a file: what its weights need is known when it has run. "
                          f"Use model = load_model({name!r}) first.")
    raise no_such_weights(name)


def weights_of(model: nn.Module) -> Weights:
    """What is known about the weights inside `model`: from `load_model`, else from timm.

    Raises:
        CourseError: neither knows them. ImageNet's numbers are never guessed.
    """
    if isinstance(known := getattr(model, "course_weights", None), Weights):
        return known
    if cfg := getattr(model, "pretrained_cfg", None):
        return _from_timm(cfg)
    raise CourseError(
        f"Nothing is known about the weights inside this {type(model).__name__}, so neither is how to "
        "prepare pictures for it. Load it with load_model(…), or, if it was built on a model that was, type: "
        "model.course_weights = that_model.course_weights")


def _from_torchvision(member: torchvision_models.WeightsEnum, name: str) -> Weights:
    architecture, prepare = name.removeprefix(TORCHVISION).split(".")[0], member.transforms()
    return Weights(
        name=f"{TORCHVISION}{architecture}.{member.name}", source="torchvision", architecture=architecture,
        input_size=prepare.crop_size[0], mean=tuple(prepare.mean), std=tuple(prepare.std), crop_pct=None,
        resize=prepare.resize_size[0], interpolation=prepare.interpolation.value,
        classes=tuple(member.meta["categories"] or ()) or None)


def _from_timm(cfg: dict) -> Weights:
    name = TIMM + ".".join(filter(None, [cfg["architecture"], cfg.get("tag")]))
    _, height, width = cfg["input_size"]
    if height != width or cfg.get("crop_mode") == "border":
        raise CourseError(f"{name!r} takes pictures that are not square or have a border, which the course "
                          "does not prepare. Use timm.create_model and timm.data.create_transform for it.")
    crop_pct = cfg.get("crop_pct") or timm.data.DEFAULT_CROP_PCT
    return Weights(
        name=name, source="timm", architecture=cfg["architecture"], input_size=height,
        mean=tuple(cfg["mean"]), std=tuple(cfg["std"]), crop_pct=crop_pct, resize=int(height / crop_pct),
        interpolation=cfg["interpolation"], classes=_imagenet_names(cfg),
        crop_mode=cfg.get("crop_mode") or "center")


def _imagenet_names(cfg: dict) -> tuple[str, ...] | None:
    subset = timm.data.infer_imagenet_subset(cfg)
    if subset == "imagenet-1k":      # torchvision's names are the short ones: "tabby", not "tabby, tabby cat"
        return tuple(torchvision_models.ResNet18_Weights.IMAGENET1K_V1.meta["categories"])
    return tuple(timm.data.ImageNetInfo(subset).label_descriptions()) if subset else None


@cache
def imagenet_definitions() -> dict[str, str]:
    """What WordNet says of each of ImageNet's 1,000 classes, by synset, in the order of a model's scores."""
    info = timm.data.ImageNetInfo()
    said = info.label_descriptions(detailed=True, as_dict=True)         # "tabby, tabby cat: a cat with …"
    return {synset: said[synset].removeprefix(f"{words}: ")
            for synset, words in info.label_descriptions(as_dict=True).items()}


def licence_of(weights: Weights) -> str:
    """The licence of the weights as their library states it, else as data/weights.csv does."""
    if weights.source == "timm":
        return known_timm(weights.name).license or "not stated"
    stated = known_torchvision(weights.name).meta.get("license") if weights.source == "torchvision" else None
    if weights.source in ("bundled", "torchvision"):
        return stated or published(weights.name, "licence") or "not stated"
    return "none: random numbers" if weights.source == "random" else "not stated"


# Files that libraries have downloaded -------------------------------------------------------------------

def place_in_hub(url: str) -> Path:
    """Where torch.hub keeps the file of `url`."""
    return Path(torch.hub.get_dir(), "checkpoints", Path(urlparse(url).path).name)


def file_in_hub(url: str) -> Path | None:
    """The file torch.hub keeps for `url`, if it has been downloaded."""
    return path if (path := place_in_hub(url)).is_file() else None


def file_of_timm(cfg: timm.models.PretrainedCfg) -> Path | None:
    """The file that Hugging Face's cache, or torch.hub's, keeps for these weights, if there is one."""
    if not cfg.hf_hub_id:
        return file_in_hub(cfg.url)
    for file in [cfg.hf_hub_filename] if cfg.hf_hub_filename else ["model.safetensors", "pytorch_model.bin"]:
        path = huggingface_hub.try_to_load_from_cache(cfg.hf_hub_id, file)
        if isinstance(path, str):
            return Path(path)
    return None


# Names ------------------------------------------------------------------------------------------------

@cache
def torchvision_names() -> dict[str, list[str]]:
    """Full names of torchvision's weights that classify pictures, by architecture."""
    return {architecture: [f"{TORCHVISION}{architecture}.{member.name}"
                           for member in torchvision_models.get_model_weights(architecture)
                           if member.meta["categories"]]
            for architecture in torchvision_models.list_models(module=torchvision_models)}


@cache
def timm_names() -> dict[str, list[str]]:
    """Full names of timm's pretrained weights, by architecture."""
    names: dict[str, list[str]] = {}
    for name in timm.list_pretrained():
        names.setdefault(name.split(".")[0], []).append(TIMM + name)
    return names


def known_torchvision(name: str, *, any_tag: bool = False) -> torchvision_models.WeightsEnum:
    """The weights "torchvision/ARCHITECTURE.TAG"; with `any_tag`, the library's default if it has no tag."""
    architecture, _, tag = name.removeprefix(TORCHVISION).partition(".")
    if architecture not in (names := torchvision_names()):
        raise no_such_weights(name)
    offered = torchvision_models.get_model_weights(architecture)
    if not tag and not any_tag:
        raise _say_which(name, names[architecture])
    if tag and tag not in offered.__members__:       # DEFAULT is a member too: another name of one of them
        raise no_such_weights(name)
    return offered[tag or "DEFAULT"]


def known_timm(name: str, *, any_tag: bool = False) -> timm.models.PretrainedCfg:
    """timm's configuration of "timm/ARCHITECTURE.TAG"; with `any_tag`, its default if no tag is given."""
    short = name.removeprefix(TIMM)
    architecture, _, tag = short.partition(".")
    if any_tag and not tag and timm.is_model(architecture):
        return timm.models.get_pretrained_cfg(architecture)
    offered = timm_names().get(architecture, [])
    if offered and not tag:
        raise _say_which(name, offered)
    if name not in offered:
        raise no_such_weights(name)
    return timm.models.get_pretrained_cfg(short)


def no_such_weights(name: str) -> UnknownName:
    """The error for a name that nobody knows, with the nearest of the library it points to, or of all."""
    library, _, rest = name.rpartition("/")
    everything = {**timm_names(), **torchvision_names(), **{bundled: [bundled] for bundled in BUNDLED}}
    shelf = {"torchvision": torchvision_names(), "timm": timm_names()}.get(library, everything)
    architecture = rest.split(".")[0]
    if not library and architecture in shelf:
        return UnknownName(f"{name!r} does not come with the course. Name the library and the weights too: "
                           f"{' or '.join(map(repr, shelf[architecture][:4]))}.")
    alike = [full for likely in nearest(architecture, shelf) for full in shelf[likely][:2]]
    return unknown_name("set of weights", name, alike[:4] or BUNDLED,
                        hint="catalogue() lists the bundled ones, torchvision's and some of timm's.")


def _say_which(name: str, offered: list[str]) -> CourseError:
    return CourseError(f"{name!r} is an architecture; weights for it differ in training and accuracy. "
                       f"Say which, after a dot: {' or '.join(map(repr, offered[:4]))}.")

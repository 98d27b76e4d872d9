"""What weights exist, by name: bundled, torchvision's, timm's; and what their libraries tell about them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlparse

import timm
import torch
import torchvision.models as torchvision_models
from torch import nn

from course_utils.errors import CourseError, UnknownName, nearest, unknown_name
from course_utils.pretrained.bundled import BUNDLED
from course_utils.pretrained.published import published
from course_utils.pretrained.weights import Weights

if TYPE_CHECKING:
    from pandas import DataFrame

TORCHVISION, TIMM, HUB = "torchvision/", "timm/", "hub/"
MIB = 2**20


# The table --------------------------------------------------------------------------------------------

def catalogue() -> DataFrame:
    """One row for each set of weights of the bundled models and of torchvision's, best of each group first.

    Nothing is built or downloaded: the figures are torchvision's own; the bundled models' published ones
    stand in data/weights.csv with their sources. timm has some 1,800 more: `timm.list_pretrained()`.

    Columns:
        name, source, architecture: `load_model(name)` loads it.
        top1, top5: per cent of ImageNet's validation pictures, at `input_size`, as published.
        params_m: parameters, in millions.
        gflops: multiply–adds for one picture, in billions, as torchvision and most papers count. A counter
            of single operations, such as torch's, gives about twice as much: never mix the two.
        size_mb: the file, in MiB.
        input_size, mean, std: how pictures are prepared (see `preprocessing`).
        licence, year: of the weights; of the architecture's first publication.
        bundled: came with the installation. available: on this machine now.
        reference: where the recipe or the figures stand.
    """
    from pandas import DataFrame  # half a second that only this table needs

    rows = [_bundled_row(name) for name in BUNDLED]
    rows += [_torchvision_row(name) for names in torchvision_names().values() for name in names]
    table = DataFrame(rows).sort_values(["bundled", "top1"], ascending=False, ignore_index=True)
    return table.astype({"year": int})


def _bundled_row(name: str) -> dict:
    file = BUNDLED[name]
    figures = {column: float(published(name, column)) for column in ("top1", "top5", "gflops")}
    return _row(weights_named(name), **figures, params_m=file.parameters / 1e6, size_mb=file.size / MIB,
                licence=published(name, "licence"), available=file.path is not None,
                reference=published(name, "reference"))


def _torchvision_row(name: str) -> dict:
    member = known_torchvision(name)
    meta = member.meta
    accuracy = meta["_metrics"]["ImageNet-1K"]
    return _row(weights_named(name), top1=accuracy["acc@1"], top5=accuracy["acc@5"],
                params_m=meta["num_params"] / 1e6, gflops=meta["_ops"], size_mb=meta["_file_size"],
                licence=meta.get("license") or published(name, "licence"),
                available=file_in_hub(member.url) is not None, reference=meta["recipe"])


def _row(weights: Weights, **figures) -> dict:
    return {"name": weights.name, "source": weights.source, "architecture": weights.architecture,
            **{column: figures[column] for column in ("top1", "top5", "params_m", "gflops", "size_mb")},
            "input_size": weights.input_size, "mean": weights.mean, "std": weights.std,
            "licence": figures["licence"], "year": published(weights.name, "year"),
            "bundled": weights.source == "bundled", "available": figures["available"],
            "reference": figures["reference"]}


def place_in_hub(url: str) -> Path:
    """Where torch.hub keeps the file of `url`."""
    return Path(torch.hub.get_dir(), "checkpoints", Path(urlparse(url).path).name)


def file_in_hub(url: str) -> Path | None:
    """The file torch.hub keeps for `url`, if it has been downloaded."""
    return path if (path := place_in_hub(url)).is_file() else None


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
                        hint="catalogue() lists the bundled ones and torchvision's.")


def _say_which(name: str, offered: list[str]) -> CourseError:
    return CourseError(f"{name!r} is an architecture; weights for it differ in training and accuracy. "
                       f"Say which, after a dot: {' or '.join(map(repr, offered[:4]))}.")

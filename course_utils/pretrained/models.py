"""Pretrained models by name, from whichever library has them, with the facts their images must follow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import huggingface_hub
import timm
import torch
import torchvision.models as torchvision_models
from torch import Tensor, nn

from course_utils.errors import CourseError
from course_utils.pretrained.bundled import BUNDLED, checked_file
from course_utils.pretrained.catalogue import (
    TIMM,
    TORCHVISION,
    file_in_hub,
    file_in_hugging_face,
    known_timm,
    known_torchvision,
    no_such_weights,
)
from course_utils.pretrained.heads import count_parameters, replace_head
from course_utils.pretrained.reaching import fetching
from course_utils.pretrained.weights import Weights


def load_model(name: str, num_classes: int | Iterable[str] | None = None, *, dropout: float = 0.0,
               random_init: bool = False) -> nn.Module:
    """A model with its pretrained weights, in eval mode.

    Args:
        name: "efficientnet_lite0" (also lite1, lite2: on this machine, no download),
            "torchvision/resnet50.IMAGENET1K_V2" or "timm/efficientnet_b0.ra_in1k".
        num_classes: a number, or the names of your classes, for a new head (see `replace_head`); None keeps
            the head the weights came with.
        dropout: probability in the new head.
        random_init: the same architecture with random numbers instead. The part after the dot may then be
            left out. `model.course_weights` is named "random/…", so that no one takes it for pretrained.
    Returns:
        The model, with `course_weights` (Weights), `course_classes` (names by output index, or None) and
        `course_running_means` (BatchNorm's means as loaded, for `freeze_report`).
    Raises:
        UnknownName: no library has it; the nearest names are given.
        WeightsUnavailable: it is neither cached nor reachable.
        DamagedFile: the file is not what was released.
    """
    weights = weights_named(name, any_tag=random_init)
    if random_init:
        model = _build(weights)
        weights = replace(weights, name=f"random/{weights.architecture}", source="random", classes=None)
    else:
        model = LOADERS[weights.source](weights)
    model.course_weights = weights
    model.course_classes = weights.classes
    model.course_running_means = running_means(model)
    if num_classes is not None:
        replace_head(model, num_classes, dropout=dropout)
    elif dropout:
        raise CourseError("dropout belongs to a new head. Say how many classes it has as well: "
                          f"load_model({name!r}, 5, dropout={dropout})")
    return model.eval()


def running_means(model: nn.Module) -> dict[str, Tensor]:
    """A copy of the running mean of every BatchNorm, (channels,) each, by module name."""
    return {name: module.running_mean.detach().clone() for name, module in model.named_modules()
            if isinstance(getattr(module, "running_mean", None), Tensor)}


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
        cfg = timm.models.get_pretrained_cfg(BUNDLED[name].architecture)
        return replace(_from_timm(cfg.to_dict(), name), source="bundled")
    if name.startswith(TORCHVISION):
        return _from_torchvision(known_torchvision(name, any_tag=any_tag), name)
    if name.startswith(TIMM):
        cfg = known_timm(name, any_tag=any_tag).to_dict()
        return _from_timm(cfg, _timm_name(cfg))
    raise no_such_weights(name)


def weights_of(model: nn.Module) -> Weights:
    """What is known about the weights inside `model`: from `load_model`, else from timm.

    Raises:
        CourseError: neither knows them; ImageNet's numbers are never guessed.
    """
    if isinstance(known := getattr(model, "course_weights", None), Weights):
        return known
    if cfg := getattr(model, "pretrained_cfg", None):
        return _from_timm(cfg, _timm_name(cfg))
    raise CourseError(
        f"Nothing is known about the weights inside this {type(model).__name__}, so how to prepare pictures for it "
        "is not known either. Load it with load_model(…), or, if it was built on a model that was, type: "
        "model.course_weights = that_model.course_weights")


# Where weights come from: what each library says, and how it loads -------------------------------------

def _from_torchvision(member: torchvision_models.WeightsEnum, name: str) -> Weights:
    architecture, prepare = name.removeprefix(TORCHVISION).split(".")[0], member.transforms()
    return Weights(
        name=f"{TORCHVISION}{architecture}.{member.name}", source="torchvision", architecture=architecture,
        input_size=prepare.crop_size[0], mean=tuple(prepare.mean), std=tuple(prepare.std), crop_pct=None,
        resize=prepare.resize_size[0], interpolation=prepare.interpolation.value,
        classes=tuple(member.meta["categories"]))


def _from_timm(cfg: dict, name: str) -> Weights:
    _, height, width = cfg["input_size"]
    if height != width or cfg.get("crop_mode") == "border":
        raise CourseError(f"{name!r} takes pictures that are not square or have a border, which the course does "
                          "not prepare. Use timm.create_model and timm.data.create_transform for it.")
    crop_pct = cfg.get("crop_pct") or timm.data.DEFAULT_CROP_PCT
    facts = Weights(
        name=name, source="timm", architecture=cfg["architecture"], input_size=height, mean=tuple(cfg["mean"]),
        std=tuple(cfg["std"]), crop_pct=crop_pct, resize=0, interpolation=cfg["interpolation"],
        classes=_imagenet_names(cfg), crop_mode=cfg.get("crop_mode") or "center")
    return replace(facts, resize=int(height / crop_pct))


def _timm_name(cfg: dict) -> str:
    return TIMM + ".".join(filter(None, [cfg["architecture"], cfg.get("tag")]))


def _imagenet_names(cfg: dict) -> tuple[str, ...] | None:
    subset = timm.data.infer_imagenet_subset(cfg)
    if subset == "imagenet-1k":        # torchvision's names are shorter and each occurs once or is told apart
        return tuple(torchvision_models.ResNet18_Weights.IMAGENET1K_V1.meta["categories"])
    return tuple(timm.data.ImageNetInfo(subset).label_descriptions()) if subset else None


def _load_bundled(weights: Weights) -> nn.Module:
    path = checked_file(weights.name)
    model = _build(weights)
    # The tensors stand in the same order under other names; torch.load reads them with weights_only=True.
    timm.models.load_checkpoint(model, str(path), remap=True, use_ema=False)
    return model


def _load_torchvision(weights: Weights) -> nn.Module:
    member = known_torchvision(weights.name)
    with fetching(weights.name, url=member.url, cached=file_in_hub(member.url),
                  parameters=member.meta["num_params"], size_mb=member.meta["_file_size"]):
        return torchvision_models.get_model(weights.architecture, weights=member)


def _load_timm(weights: Weights) -> nn.Module:
    cfg = timm.models.get_pretrained_cfg(weights.name.removeprefix(TIMM))
    cached, url = file_in_hub(cfg.url) if cfg.url else None, cfg.url
    if cfg.hf_hub_id:
        cached, url = file_in_hugging_face(cfg), huggingface_hub.constants.ENDPOINT
    with torch.device("meta"):
        parameters = count_parameters(_build(weights))
    # A file that is here is named outright: asking the hub whether it is the newest may take minutes offline.
    here = {"file": str(cached)} if cached and not cfg.custom_load else None
    with fetching(weights.name, url=url, cached=cached, parameters=parameters, size_mb=parameters * 4 / 1e6):
        return timm.create_model(weights.name.removeprefix(TIMM), pretrained=True, pretrained_cfg_overlay=here)


LOADERS = {"bundled": _load_bundled, "torchvision": _load_torchvision, "timm": _load_timm}


def _build(weights: Weights) -> nn.Module:
    """The architecture, with random numbers in it."""
    if weights.source == "torchvision":
        return torchvision_models.get_model(weights.architecture, weights=None)
    return timm.create_model(weights.architecture, pretrained=False)

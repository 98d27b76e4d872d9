"""Models by name, with their pretrained weights, from whichever library has them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import huggingface_hub
import timm
import torch
import torchvision.models as torchvision_models
from torch import Tensor, nn

from course_utils.errors import CourseError
from course_utils.pretrained.bundled import checked_file
from course_utils.pretrained.catalogue import (
    TIMM,
    file_in_hub,
    file_of_timm,
    known_torchvision,
    weights_named,
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
        WeightsUnavailable: it is neither on this machine nor reachable.
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


def _build(weights: Weights) -> nn.Module:
    """The architecture, with random numbers in it."""
    if weights.source == "torchvision":     # its ViTs are built for one size of pictures, 224 unless told
        size = {"image_size": weights.input_size} if weights.architecture.startswith("vit_") else {}
        return torchvision_models.get_model(weights.architecture, weights=None, **size)
    return timm.create_model(weights.architecture, pretrained=False)


def _load_bundled(weights: Weights) -> nn.Module:
    path = checked_file(weights.name)
    model = _build(weights)
    # The tensors stand in the same order under other names; timm reads them with weights_only=True.
    timm.models.load_checkpoint(model, str(path), remap=True, use_ema=False)
    return model


def _load_torchvision(weights: Weights) -> nn.Module:
    member = known_torchvision(weights.name)
    with fetching(weights.name, url=member.url, cached=file_in_hub(member.url),
                  parameters=member.meta["num_params"], size_mb=member.meta["_file_size"]):
        return torchvision_models.get_model(weights.architecture, weights=member)


def _load_timm(weights: Weights) -> nn.Module:
    name = weights.name.removeprefix(TIMM)
    cfg = timm.models.get_pretrained_cfg(name)
    url, cached = huggingface_hub.constants.ENDPOINT if cfg.hf_hub_id else cfg.url, file_of_timm(cfg)
    with torch.device("meta"):
        parameters = count_parameters(_build(weights))
    # A file that is here is named outright: offline, asking the hub for a newer one may take minutes.
    here = {"file": str(cached)} if cached and not cfg.custom_load else None
    size_mb = parameters * 4 / 2**20        # float32; timm does not tell the size of its files
    with fetching(weights.name, url=url, cached=cached, parameters=parameters, size_mb=size_mb):
        return timm.create_model(name, pretrained=True, pretrained_cfg_overlay=here)


LOADERS = {"bundled": _load_bundled, "torchvision": _load_torchvision, "timm": _load_timm}

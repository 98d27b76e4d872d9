"""Models by name, with their pretrained weights, from whichever library has them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import huggingface_hub
import timm
import torch
import torchvision.models as torchvision_models
from torch import Tensor, nn

from course_utils.errors import CourseError, first_line, or_none, unknown_name
from course_utils.pretrained.files.downloads import download
from course_utils.pretrained.files.unpacking import fetched_folder
from course_utils.pretrained.models.bundled import BUNDLED, checked_file
from course_utils.pretrained.models.heads import count_parameters, replace_head
from course_utils.pretrained.models.libraries import (
    HUB,
    MIB,
    TIMM,
    file_in_hub,
    file_of_timm,
    known_torchvision,
    place_in_hub,
    weights_named,
    weights_of,
)
from course_utils.pretrained.models.reaching import Kept, fetching
from course_utils.pretrained.models.weights import Weights

HUBCONF = "hubconf.py"


def load_model(name: str, num_classes: int | Iterable[str] | None = None, *, dropout: float = 0.0,
               random_init: bool = False, trust: bool = False) -> nn.Module:
    """A model with its pretrained weights, in eval mode.

    Args:
        name: "efficientnet_lite0" (also lite1, lite2: on this machine, no download),
            "torchvision/resnet50.IMAGENET1K_V2" or "timm/efficientnet_b0.ra_in1k". From torch.hub, an entry
            point of a folder with a hubconf.py, "hub/FOLDER/ENTRY", or of a GitHub repository at one commit,
            "hub/OWNER/REPO:COMMIT/ENTRY".
        num_classes: a number, or the names of your classes, for a new head (see `replace_head`); None keeps
            the head the weights came with.
        dropout: probability in the new head.
        random_init: the same architecture with random numbers instead. The part after the dot may then be
            left out. `model.course_weights` is named "random/…", so that no one takes it for pretrained.
        trust: a GitHub repository's code runs on this machine with your rights. True says that you have read
            that commit, or trust who wrote it: GitHub shows commits of copies under the original's name too.
    Returns:
        The model, with `course_weights` (Weights), `course_classes` (names by output index, or None) and
        `course_running_means` (BatchNorm's means as loaded, for `freeze_report`). A model from torch.hub that
        tells nothing about its weights has no `course_weights`; then `preprocessing` says so.
    Raises:
        UnknownName: no library has it; the nearest names are given.
        WeightsUnavailable: the weights are neither on this machine nor reachable.
        DownloadFailed: the same of a GitHub repository.
        DamagedFile: the file is not what was released.
    """
    if isinstance(name, str) and name.startswith(HUB):
        model, weights = _load_from_hub(name, trust=trust, pretrained=not random_init)
    else:
        weights = weights_named(name, any_tag=random_init)
        model = _build(weights) if random_init else LOADERS[weights.source](weights)
    if weights and random_init:
        weights = replace(weights, name=f"random/{weights.architecture}", source="random", classes=None)
    if weights:
        model.course_weights = weights
    model.course_classes = weights.classes if weights else None
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


# What torchvision sets for its trained weights, and would not for random ones.
AS_TRAINED = {"inception_v3": {"transform_input": True},
              "googlenet": {"transform_input": True, "aux_logits": False}}


def _build(weights: Weights) -> nn.Module:
    """The architecture, with random numbers in it."""
    if weights.source == "torchvision":
        options = AS_TRAINED.get(weights.architecture, {})
        if weights.architecture.startswith("vit_"):         # built for one size of pictures, 224 unless told
            options = {"image_size": weights.input_size}
        return torchvision_models.get_model(weights.architecture, weights=None, **options)
    return timm.create_model(weights.architecture, pretrained=False)


def _load_bundled(weights: Weights) -> nn.Module:
    path = checked_file(weights.name)
    model = _build(weights)
    # The tensors stand in the same order under other names; timm reads them with weights_only=True.
    timm.models.load_checkpoint(model, str(path), remap=True, use_ema=False)
    return model


def _load_torchvision(weights: Weights) -> nn.Module:
    member = known_torchvision(weights.name)
    with fetching(weights.name, kept(weights.name)):
        _bring(member.url)
        return torchvision_models.get_model(weights.architecture, weights=member)


def _load_timm(weights: Weights) -> nn.Module:
    name, where = weights.name.removeprefix(TIMM), kept(weights.name)
    cfg = timm.models.get_pretrained_cfg(name)
    with fetching(weights.name, where):
        if not cfg.hf_hub_id:
            _bring(cfg.url)
        # A file that is here is named outright: offline, asking the hub for a newer one may take minutes.
        here = {"file": str(where.file)} if where.file and not cfg.custom_load else None
        return timm.create_model(name, pretrained=True, pretrained_cfg_overlay=here)


def _bring(url: str) -> None:
    """Have the file of `url` where torch.hub keeps it: there torchvision and timm look for it first."""
    target = place_in_hub(url)
    digits = re.search(r"-([0-9a-f]{8,})\.", target.name)       # of its SHA-256: torch's way to name files
    download(url, target, checksum=digits and f"sha256:{digits[1]}")


def kept(name: str) -> Kept:
    """Where the weights `name` are kept on this machine, or would be; nothing is downloaded."""
    weights = weights_named(name)
    if weights.source == "bundled":
        file = checked_file(name)
        return Kept(file, file.parent, BUNDLED[name].size / MIB, BUNDLED[name].parameters)
    if weights.source == "torchvision":
        member = known_torchvision(weights.name)
        return Kept(file_in_hub(member.url), place_in_hub(member.url).parent, member.meta["_file_size"],
                    member.meta["num_params"])
    cfg = timm.models.get_pretrained_cfg(weights.name.removeprefix(TIMM))
    with torch.device("meta"):
        parameters = count_parameters(_build(weights))
    size_mb = parameters * 4 / MIB        # float32; timm does not tell the size of its files
    if cfg.hf_hub_id:
        constants = huggingface_hub.constants
        return Kept(file_of_timm(cfg), Path(constants.HF_HUB_CACHE), size_mb, parameters,
                    server=constants.ENDPOINT)
    return Kept(file_of_timm(cfg), place_in_hub(cfg.url).parent, size_mb, parameters)


LOADERS = {"bundled": _load_bundled, "torchvision": _load_torchvision, "timm": _load_timm}


# torch.hub --------------------------------------------------------------------------------------------

def _load_from_hub(name: str, *, trust: bool, pretrained: bool) -> tuple[nn.Module, Weights | None]:
    """The model "hub/REPOSITORY/ENTRY", and what it tells about its weights."""
    repository, _, entry = name.removeprefix(HUB).rpartition("/")
    folder = Path(repository).expanduser().absolute()
    if not repository or not (folder / HUBCONF).is_file():
        folder = _checkout(name, repository, trust=trust)
    try:
        model = torch.hub.load(str(folder), entry, source="local", pretrained=pretrained)
    except CourseError:
        raise
    except Exception as error:        # whatever a stranger's code raises
        if "Cannot find callable" in str(error):
            raise unknown_name(f"entry point in {folder / HUBCONF}", entry, _entry_points(folder)) from error
        raise CourseError(
            f"{name!r} could not be loaded: {type(error).__name__}: {first_line(error)}. torch.hub called "
            f"{entry}(pretrained={pretrained}) in {folder / HUBCONF}.") from error
    if not isinstance(model, nn.Module):
        raise CourseError(f"{name!r} gives no model but an object of type {type(model).__name__}. "
                          "For that, use torch.hub.load.")
    known = or_none(weights_of, model)        # None: `preprocessing` says so when it is asked
    return model, known and replace(known, name=name, source="hub")


def _checkout(name: str, repository: str, *, trust: bool) -> Path:
    """The files of "OWNER/REPO:COMMIT", where torch.hub keeps them too."""
    if not (told := re.fullmatch(r"([\w.-]+/([\w.-]+))(?::(.*))?", repository)):
        raise CourseError(f"{name!r} names neither a folder with a {HUBCONF}, hub/FOLDER/ENTRY, nor a GitHub "
                          "repository at one commit, hub/OWNER/REPO:COMMIT/ENTRY.")
    address, project, commit = told.groups()
    if not re.fullmatch("[0-9a-f]{40}", commit or ""):
        raise CourseError(f"{name!r} needs a commit, all its 40 digits, after a colon: a branch or tag may "
                          "be other code tomorrow. To see which commits they are now, type: "
                          f"git ls-remote https://github.com/{address}")
    if not trust:
        raise CourseError(f"{name!r} runs the code of that repository on this machine. Read it at "
                          f"https://github.com/{address}/tree/{commit}; if you trust it, add trust=True.")
    return fetched_folder(f"https://github.com/{address}/archive/{commit}.zip", inside=f"{project}-{commit}",
                          folder=Path(torch.hub.get_dir(), re.sub("[/:]", "_", repository)))


def _entry_points(folder: Path) -> list[str]:
    """What a hubconf.py offers, read without running it."""
    names = []
    for node in ast.parse((folder / HUBCONF).read_bytes()).body:
        if isinstance(node, ast.FunctionDef):
            names.append(node.name)
        elif isinstance(node, ast.ImportFrom):
            names += [alias.asname or alias.name for alias in node.names]
    return [name for name in names if not name.startswith("_")]

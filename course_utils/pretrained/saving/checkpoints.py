"""A model in a file, with all a stranger needs to use it: classes, preprocessing, architecture, versions."""

from __future__ import annotations

import json
import os
import pickle
import re
import zipfile
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn.modules.utils import consume_prefix_in_state_dict_if_present
from torch.serialization import get_unsafe_globals_in_checkpoint

from course_utils.errors import CourseError, DamagedFile, nearest, or_none
from course_utils.pretrained.files.writing import written_whole
from course_utils.pretrained.models.heads import find_head, need_module, replace_head
from course_utils.pretrained.models.libraries import weights_named, weights_of
from course_utils.pretrained.models.loading import load_model, running_means
from course_utils.pretrained.models.weights import Weights
from course_utils.pretrained.saving.facts import versions
from course_utils.pretrained.saving.history import Epoch, History
from course_utils.pretrained.saving.mismatch import check_fits

FORMAT = 1
WEIGHTS_ALONE = ".safetensors"
PARTS = ("model", "about")                 # every checkpoint has these two
WRAPPERS = ("module.", "_orig_mod.")       # what DataParallel and torch.compile put before every name


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What `load_checkpoint` found."""

    model: nn.Module = field(repr=False)       # in eval mode, with `course_weights` and `course_classes`
    classes: tuple[str, ...] | None            # by output index
    weights: Weights | None                    # where its training began, and how pictures are prepared
    epoch: int | None                          # the epoch that ended with these weights
    history: History
    optimizer: dict | None = field(repr=False)     # for optimizer.load_state_dict
    versions: dict[str, str]                   # of the libraries that wrote it


def save_checkpoint(path: str | Path, model: nn.Module, *, optimizer: torch.optim.Optimizer | None = None,
                    history: History | None = None, epoch: int | None = None) -> Path:
    """Write the model's weights to a file, and with them how to use them. No code is stored, only data.

    Args:
        path: a name in ".safetensors" is for weights alone, which other programs can read; any other name
            for torch's own format, which holds an optimizer too. Folders are made. The file appears when it
            is whole; until then an older one stays.
        model: on any device; it stays as it is.
        optimizer: the one that trained it, to go on with; its state is kept.
        history: as `fit` returns it. epoch: None is its last.
    Returns:
        The path.
    Raises:
        CourseError: there is no room or no permission; nothing is torn.
    """
    path = path_of(path, "save_checkpoint")
    if epoch is None and history and history.epochs:
        epoch = history.epochs[-1].epoch
    about = describe(need_module(model, "save_checkpoint"), history, epoch)
    if path.suffix != WEIGHTS_ALONE:
        return write(path, {"model": model.state_dict(), "about": about,
                            "optimizer": optimizer.state_dict() if optimizer else None})
    if optimizer:
        raise CourseError(f"A {WEIGHTS_ALONE} file holds weights alone. To keep the optimizer as well, give "
                          f"another name: {path.with_suffix('.pt').name}")
    return write_weights(path, model, about)


def write(path: Path, contents: dict) -> Path:
    """`contents`, plain data and tensors, in torch's format; what could not be read again is refused."""
    with written_whole(path) as file:
        torch.save(contents, file)
        file.flush()
        if kinds := get_unsafe_globals_in_checkpoint(file.name):
            raise CourseError("A checkpoint holds numbers, texts and tensors, but the model or the optimizer "
                              f"has a {kinds[0]} in it. If that is a learning rate, write float(rate).")
    return path


def write_weights(path: Path, model: nn.Module, about: dict, also: dict[str, str] | None = None) -> Path:
    """Tensors alone, in safetensors' format; what is known about the model, and `also`, in its metadata."""
    with written_whole(path) as file:       # copies, because the format knows neither strides nor sharing
        file.write(safetensors.torch.save(
            {name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
             for name, value in model.state_dict().items()},
            {"format": "pt", "course": json.dumps(about)} | (also or {})))
    return path


def describe(model: nn.Module, history: History | None = None, epoch: int | None = None) -> dict:
    """All that is known about the model, as plain data."""
    weights, path = or_none(weights_of, model), or_none(find_head, model)
    classes, head = getattr(model, "course_classes", None), None
    if path is not None:
        above = model.get_submodule(path.rpartition(".")[0])
        before = above[0] if isinstance(above, nn.Sequential) else None
        head = {"name": path, "classes": model.get_submodule(path).out_features,
                "dropout": before.p if isinstance(before, nn.Dropout) else 0.0}
        if classes and len(classes) != head["classes"]:     # a head put on by hand: old names would be wrong
            classes = None
    library = type(model).__module__.split(".")[0]
    rebuildable = weights and library in ("timm", "torchvision")
    return {"format": FORMAT, "type": type(model).__name__, "head": head, "epoch": epoch,
            "architecture": f"{library}/{weights.architecture}" if rebuildable else None,
            "weights": asdict(weights) if weights else None,
            "classes": classes,
            "history": [asdict(one) for one in history.epochs] if history else [],
            "stopped": history.stopped if history else "",
            "versions": versions()}


def load_checkpoint(path: str | Path, model: nn.Module | None = None) -> Checkpoint:
    """Read what `save_checkpoint` or `fit` wrote; or a plain state dict, for a model that is given.

    Args:
        model: None: it is built as it was saved, on the CPU. A model that is given keeps its device and gets
            the weights.
    Raises:
        CourseError: the file is missing, holds code, or does not fit the model; the message says how.
        DamagedFile: it is not whole.
    """
    path = path_of(path, "load_checkpoint")
    contents = read(path)
    state, about = contents["model"], contents["about"]
    weights = _weights_from(about.get("weights"))
    classes = tuple(about["classes"]) if about.get("classes") else None
    model = need_module(model, "load_checkpoint") if model is not None else _built(about, classes, path)
    check_fits(state, about, model, path)
    model.load_state_dict(state)
    if weights:
        model.course_weights = weights
    if about:
        model.course_classes = classes
    model.course_running_means = running_means(model)
    return Checkpoint(model.eval(), classes, weights, about.get("epoch"), history_from(about),
                      contents.get("optimizer"), about.get("versions", {}))


def read(path: Path) -> dict:
    """A checkpoint's contents, on the CPU: "model", "about" (empty for a plain state dict), and others."""
    try:
        with path.open("rb") as file:
            is_pickle = file.read(1) == pickle.PROTO        # else a zip archive, or text
    except OSError as error:
        there = nearest(path.name, [file.name for file in path.parent.glob("*")])
        advice = f" In its folder there is {' and '.join(there)}." if there else ""
        raise CourseError(f"The checkpoint {path} cannot be read: {error.strerror}.{advice}") from None
    contents = _read_safetensors(path) if path.suffix == WEIGHTS_ALONE else _read_torch(path, is_pickle)
    if isinstance(contents, dict) and contents and all(isinstance(v, Tensor) for v in contents.values()):
        contents = {"model": contents, "about": {}}
    if not isinstance(contents, dict) or not all(isinstance(contents.get(part), dict) for part in PARTS):
        raise CourseError(f"{path} is neither a checkpoint of the course nor a state dict, names with "
                          f"tensors. {_of_others(path, contents)}")
    if contents["about"].get("format", FORMAT) > FORMAT:
        raise CourseError(f"{path} was written by a newer version of the course. Bring yours up to date.")
    for wrapper in WRAPPERS:
        consume_prefix_in_state_dict_if_present(contents["model"], wrapper)
    return contents


def _of_others(path: Path, contents: object) -> str:
    """What is in a file that others wrote, and how to come by the weights in it."""
    parts = contents if isinstance(contents, dict) else {}
    inside = next((name for name, part in parts.items() if isinstance(part, dict) and part
                   and all(isinstance(value, Tensor) for value in part.values())), None)
    holds = f"It holds {', '.join(map(repr, list(parts)[:5]))}{' …' if len(parts) > 5 else ''}. "
    if inside is None:
        return f"{holds if parts else ''}Write one with save_checkpoint(path, model)."
    return (f"{holds}The weights are its {inside!r}; alone in a file, they can be read. Type: "
            f"torch.save(torch.load({str(path)!r}, map_location='cpu', weights_only=True)[{inside!r}], "
            f"'weights.pt'), then load_checkpoint('weights.pt', model)")


def _read_torch(path: Path, is_pickle: bool) -> object:
    try:
        if zipfile.is_zipfile(path):            # torch does not look at its checksums
            with zipfile.ZipFile(path) as records:
                if records.testzip():
                    raise EOFError
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:      # a damaged file may trip the reader over anything
        code = re.search(r"GLOBAL ([\w.]+)", str(error))
        if code or (is_pickle and isinstance(error, pickle.UnpicklingError)):
            raise CourseError(
                f"{path} was not opened: {code[1] if code else 'a pickle'} in it is code, which would run. "
                "It may be a whole model, saved by torch.save(model, path). Ask whoever made it for weights "
                "alone: torch.save(model.state_dict(), path) or save_checkpoint(path, model).") from None
        raise _damaged(path) from None


def _read_safetensors(path: Path) -> dict:
    try:
        with safetensors.safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {}).get("course", "{}"))
            return {"model": {name: file.get_tensor(name) for name in file.keys()}, "about": about}  # noqa: SIM118
    except (safetensors.SafetensorError, ValueError):
        raise _damaged(path) from None


def _damaged(path: Path) -> DamagedFile:
    return DamagedFile(f"The checkpoint {path} is damaged or cut short, or is no checkpoint. Take an older "
                       "one, or copy it again from where it came.")


def _built(about: dict, classes: tuple[str, ...] | None, path: Path) -> nn.Module:
    """The model as it was saved, with random numbers in it."""
    if not about.get("architecture"):
        raise CourseError(f"{path} does not say which architecture of timm or torchvision it is for. "
                          "Build the model yourself and give it: load_checkpoint(path, model)")
    full, head = about["weights"]["name"], about["head"]        # some weights want larger pictures
    known = or_none(weights_named, full)
    model = load_model(full if known else about["architecture"], random_init=True)
    own = find_head(model) if head else None
    if head and head["name"] == f"{own}.1":
        return replace_head(model, classes or head["classes"], dropout=head["dropout"])
    if head and head["name"] != own:
        raise CourseError(f"The head in {path} is {head['name']!r}, put on by hand: it cannot be built from "
                          "what the file says. Build the model yourself, and give it: "
                          "load_checkpoint(path, model)")
    if head and head["classes"] != model.get_submodule(own).out_features:
        replace_head(model, classes or head["classes"])
    return model


def _weights_from(plain: dict | None) -> Weights | None:
    """JSON knows no tuples, and a later version of the course may know more fields."""
    known = {one.name for one in fields(Weights)}
    return plain and Weights(**{name: tuple(value) if isinstance(value, list) else value
                                for name, value in plain.items() if name in known})


def history_from(about: dict) -> History:
    """The History that `describe` took apart."""
    epochs = [Epoch(**{**one, "rates": tuple(one["rates"]), "unfrozen": tuple(one["unfrozen"])})
              for one in about.get("history", [])]
    return History(epochs, about.get("stopped", ""))


def path_of(path: str | os.PathLike, caller: str, needs: str = "a file first, such as 'run.pt'") -> Path:
    """`path`, with ~ for the home folder; an error that says what `caller` needs where it is none."""
    if not isinstance(path, (str, os.PathLike)) or not str(path):
        raise CourseError(f"{caller} needs the path of {needs}, but got "
                          f"{path if isinstance(path, str) else type(path).__name__!r}.")
    return Path(path).expanduser()

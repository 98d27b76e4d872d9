"""What makes two runs of `fit` the same: settings, data, and for the last bits the machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import partial
from importlib.metadata import version

import torch
from torch import Tensor, nn

from course_utils import __version__
from course_utils.errors import CourseError
from course_utils.pretrained.data.images import Images
from course_utils.pretrained.data.randomness import generators_of
from course_utils.pretrained.models.groups import LayerGroup

OF_A_GROUP = ("lr", "weight_decay", "momentum", "betas")     # what sets a group of an optimizer apart


def run_settings(model: nn.Module, optimizer: torch.optim.Optimizer, train: Images | Iterable,
                 val: Images | Iterable, settings: dict) -> dict[str, str]:
    """All that must be the same for a run to go on, as texts that can be compared."""
    named = {p: name for name, p in model.named_parameters()}
    if any(p not in named for group in optimizer.param_groups for p in group["params"]):
        raise CourseError("With checkpoint, the optimizer may hold only parameters of the model: others are "
                          "not saved. Make it of parameter_groups(model, 1e-3), or leave checkpoint out.")
    groups = {f"optimizer group {i}": [f"{len(group['params'])} tensors",
                                       *(named[p] for p in group["params"][:1]),
                                       *(f"{name} {group[name]}" for name in OF_A_GROUP if name in group)]
              for i, group in enumerate(optimizer.param_groups, start=1)}
    weights = getattr(model, "course_weights", None)
    facts = {**settings, "weights": weights and weights.name, "optimizer": type(optimizer), **groups}
    return {**{name: described(value) for name, value in facts.items()},
            "training data": data_fingerprint(train), "validation data": data_fingerprint(val)}


def machine(device: torch.device, precision: str) -> dict[str, str]:
    """All that should be the same for the last bits to be."""
    return {**versions(), "threads": str(torch.get_num_threads()), "device": device.type,
            "precision": precision, "instructions": torch.backends.cpu.get_cpu_capability()}


def versions() -> dict[str, str]:
    """Of the course, and of the libraries that numbers pass through."""
    return {"course": __version__,
            **{name: version(name) for name in ("torch", "torchvision", "timm", "numpy", "pillow")}}


def described(setting: object) -> str:
    """The same text in every process for the same number, layer, function or loss."""
    if isinstance(setting, dict):
        return str({name: described(value) for name, value in setting.items()})
    if isinstance(setting, (list, tuple)):
        return ", ".join(map(described, setting))
    if isinstance(setting, LayerGroup):
        return setting.name
    if isinstance(setting, partial):
        return described([setting.func, setting.args, setting.keywords])
    if isinstance(setting, nn.Module):
        options = {name: v for name, v in vars(setting).items() if isinstance(v, (int, float, str))}
        return f"{setting} {options} {_digest(setting.state_dict().values())}"
    if callable(setting):
        return getattr(setting, "__qualname__", type(setting).__qualname__)
    return str(setting)


def data_fingerprint(data: Images | Iterable) -> str:
    """The same text for the same data. Of a loader it is what can be told without running it."""
    if isinstance(data, Images):
        return data.fingerprint[:12]
    inside = getattr(data, "dataset", data)
    facts = [type(inside).__name__, len(inside) if hasattr(inside, "__len__") else None,
             getattr(data, "batch_size", None), *(getattr(inside, n, None) for n in ("classes", "samples"))]
    digest = _digest(getattr(inside, "tensors", ()), repr(facts))       # a TensorDataset has some
    sampler, own = type(getattr(data, "sampler", None)).__name__, len(generators_of(data))
    return f"{digest} in the order of {sampler}, generators of its own: {own}"


def _digest(tensors: Iterable[Tensor], text: str = "") -> str:
    digest = hashlib.sha256(text.encode())
    for tensor in tensors:
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()[:12]


def differences(then: dict[str, str], now: dict[str, str]) -> str:
    """What was one thing and is another, in words; an empty text if nothing is."""
    return "; ".join(f"{name} was {then.get(name, 'not given')}, is {now.get(name, 'not given')}"
                     for name in {**then, **now} if then.get(name) != now.get(name))

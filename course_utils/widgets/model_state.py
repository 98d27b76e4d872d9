"""What a model's state looks like to someone who trains it: each layer group's three switches, in words."""

from __future__ import annotations

import math
from itertools import groupby

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim import Optimizer

from course_utils.errors import CourseError
from course_utils.pretrained import LayerGroup, count_parameters, find_head, freeze_report, layer_groups
from course_utils.widgets.words import count

WARNINGS = {      # what is probably not meant
    "drifts": "frozen, but BatchNorm is in train mode, so its statistics drift with every batch. Call "
              "`train_mode(model)`.",
    "unheld": "learning is on, but the optimizer does not hold all of it. What it does not hold cannot move.",
}


def group_states(model: nn.Module, optimizer: Optimizer | None) -> list[dict]:
    """One plain dict for each layer group, from the input to the head."""
    report = freeze_report(model, optimizer).to_dict("records")
    held = None if optimizer is None else {id(p) for p in _parameters(optimizer)}
    largest = max(row["parameters"] for row in report)
    return [_state(row, group, held, largest)
            for row, group in zip(report, layer_groups(model), strict=True)]


def _state(row: dict, group: LayerGroup, held: set[int] | None, largest: int) -> dict:
    return {
        "name": row["group"],
        "parameters": row["parameters"],
        "count": count(row["parameters"]),
        "share": row["parameters"] / largest,
        "learning": _amount(row["trainable"], row["parameters"]),
        "mode": row["mode"],
        "held": "" if held is None else _amount(row["in_optimizer"], row["parameters"]),
        "rate": "" if math.isnan(row["lr"]) else f"{row['lr']:g}",
        "drift": _drift(row["batchnorm_drift"]),
        "warnings": _warnings(group, held),
    }


def _amount(some: int, of: int) -> str:
    return "none" if some == 0 else "all" if some == of else "some"


def _drift(moved: float) -> str:
    """How far a running mean is from where it was loaded; "" where there is none, "0" where it stayed."""
    return "" if math.isnan(moved) else "<0.001" if 0 < moved < 0.001 else f"{moved:.2g}"


def _parameters(optimizer: Optimizer) -> list[nn.Parameter]:
    return [parameter for entry in optimizer.param_groups for parameter in entry["params"]]


def _warnings(group: LayerGroup, held: set[int] | None) -> list[str]:
    """Which of WARNINGS concern this group."""
    inside = [module for part in group.modules for module in part.modules()]
    unheld = held is not None and any(p.requires_grad and id(p) not in held for p in group.parameters())
    found = {"drifts": any(_drifts(module, group) for module in inside), "unheld": unheld}
    return [name for name in WARNINGS if found[name]]


def _drifts(module: nn.Module, group: LayerGroup) -> bool:
    if not (isinstance(module, _BatchNorm) and module.training and module.track_running_stats):
        return False
    own = list(module.parameters()) or list(group.parameters())     # BatchNorm may have none of its own
    return not any(p.requires_grad for p in own)


def notes(model: nn.Module, optimizer: Optimizer | None, groups: list[dict]) -> list[str]:
    """What is wrong, each thing said once, with the groups it concerns."""
    concerned = {name: _places(groups, name) for name in WARNINGS}
    found = [f"{where}: {WARNINGS[name]}" for name, where in concerned.items() if where]
    if count_parameters(model, trainable=True) == 0:
        found.append("Nothing learns: every parameter is frozen.")
    if optimizer is not None:
        mine = {id(p) for p in model.parameters()}
        strangers = sum(p.numel() for p in _parameters(optimizer) if id(p) not in mine)
        if strangers:
            found.append(f"The optimizer holds {count(strangers)} parameters that are not in this model. Was "
                         "it made before the head was replaced?")
    return found


def _places(groups: list[dict], warning: str) -> str:
    """The groups that a warning concerns, neighbours put together: "stem … blocks.5, conv_head"."""
    runs = [[group["name"] for group in run] for concerned, run
            in groupby(groups, key=lambda group: warning in group["warnings"]) if concerned]
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]} … {run[-1]}" for run in runs)


def learning_share(model: nn.Module) -> str:
    """ "6,405 of 3,377,189 parameters learn (0.19%)"."""
    learn, total = count_parameters(model, trainable=True), count_parameters(model)
    return f"{learn:,} of {total:,} parameters learn ({100 * learn / total:.3g}%)"


def ends(model: nn.Module) -> dict:
    """What goes in and what comes out: pixels, features, classes; "" where the model does not say."""
    weights = getattr(model, "course_weights", None)
    try:
        head = model.get_submodule(find_head(model))
        features, outputs = f"{head.in_features:,} features", f"{head.out_features:,} classes"
    except CourseError:            # a backbone: it ends in features
        features, outputs = "", "features"
    return {
        "weights": weights.name if weights else "",
        "input": f"{weights.input_size} × {weights.input_size} pixels" if weights else "",
        "features": features,
        "output": outputs,
        "classes": ", ".join(getattr(model, "course_classes", None) or ()),
    }

"""flow and freeze_map: a model as it is now, as a diagram and as a table."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby

import traitlets as t
from torch import nn
from torch.optim import Optimizer

from course_utils.widgets import model_state
from course_utils.widgets.panel import Panel, drawing, on_main_thread
from course_utils.widgets.words import count, plural

LEARNING = {"none": "❄ frozen", "all": "✎ learning", "some": "◐ partly frozen"}
SHORT = {"drifts": "BatchNorm drifts", "unheld": "not all in the optimizer"}      # for model_state.WARNINGS
CLASSES_NAMED = 8


class ModelPanel(Panel):
    """A snapshot of a model. It does not follow the model by itself: `refresh()` looks again."""

    taken = t.Unicode().tag(sync=True)        # when, as 14:03:22
    summary = t.Unicode().tag(sync=True)      # how many parameters learn
    notes = t.List().tag(sync=True)           # warnings about the whole

    def __init__(self, model: nn.Module, optimizer: Optimizer | None):
        self.model, self.optimizer = model, optimizer
        super().__init__(**self._look())

    def _look(self) -> dict:
        """The state of the panel, from that of the model."""
        self.groups = model_state.group_states(self.model, self.optimizer)
        return {
            "notes": model_state.notes(self.model, self.optimizer, self.groups),
            "summary": model_state.learning_share(self.model),
            "taken": f"{datetime.now():%H:%M:%S}",
        }

    def refresh(self) -> None:
        """Look at the model again and redraw."""
        with self.hold_sync():
            for name, value in self._look().items():
                setattr(self, name, value)

    def do_refresh(self) -> None:
        """The learner pressed “Look again”."""
        on_main_thread(lambda: self.reply(self.refresh))

    def _closing_lines(self) -> list[str]:
        return [f"⚠ {note}" for note in self.notes] + [f"{self.summary}, as the model was at {self.taken}."]


class Flow(ModelPanel):
    """From the picture through the layer groups to the classes; neighbours in the same state share a box."""

    _esm = drawing("flow")

    ends = t.Dict().tag(sync=True)            # see model_state.ends
    boxes = t.List().tag(sync=True)

    def _look(self) -> dict:
        return super()._look() | {"ends": model_state.ends(self.model), "boxes": boxes(self.groups)}

    def text(self) -> str:
        """One line for each box of the diagram."""
        lines = [f"picture {self.ends['input']}".rstrip()]
        for box in self.boxes:
            if box["head"] and self.ends["features"]:
                lines += [f"→ {self.ends['features']}"]
            lines += [f"→ {box['title']}, {box['count']} parameters: {box['state']}, {box['mode']} mode"]
            lines[-1] += "".join(f" ⚠ {warning}" for warning in box["warnings"])
        names = self.ends["classes"] if self.ends["classes"].count(",") < CLASSES_NAMED else ""
        lines += [f"→ {self.ends['output']}{': ' + names if names else ''}"]
        return "\n".join(lines + self._closing_lines())


def boxes(groups: list[dict]) -> list[dict]:
    """Neighbouring groups in the same state as one box; the head always has its own."""
    def alike(group: dict) -> tuple:
        return group["name"] == "head", group["learning"], group["mode"]

    return [_box(list(run), head=key[0]) for key, run in groupby(groups, key=alike)]


def _box(run: list[dict], head: bool) -> dict:
    first, last = run[0], run[-1]
    alone = len(run) == 1
    return {
        "head": head,
        "title": first["name"] if alone else f"{first['name']} … {last['name']}",
        "size": "" if alone else plural(len(run), "layer group"),
        "count": count(sum(group["parameters"] for group in run)),
        "learning": first["learning"], "state": LEARNING[first["learning"]], "mode": first["mode"],
        "groups": [] if alone else [{"name": group["name"], "count": group["count"]} for group in run],
        "warnings": [SHORT[name] for name in SHORT if any(name in group["warnings"] for group in run)],
    }


class FreezeMap(ModelPanel):
    """One row for each layer group, one column for each of the three switches."""

    _esm = drawing("freeze_map")

    table = t.List().tag(sync=True)           # of {cells, share}

    def _look(self) -> dict:
        return super()._look() | {"table": [{"cells": cells(group), "share": group["share"]}
                                            for group in self.groups]}

    def text(self) -> str:
        """The table, then what is wrong, then when it was so."""
        head = ["group", "parameters", "gradients", "mode", "optimizer", "BatchNorm"]
        rows = [head, *([cell["words"] for cell in cells(group)] for group in self.groups)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
                 for row in rows]
        return "\n".join(lines + self._closing_lines())

def cells(group: dict) -> list[dict]:
    """The row of one group; `state` picks how a cell is drawn, its words say the same."""
    held = {"": "none given", "none": "not held", "all": f"held, lr {group['rate']}",
            "some": f"partly held, lr {group['rate']}"}[group["held"]]
    drift = {"": "–", "0": "as loaded"}.get(group["drift"], f"moved by {group['drift']}")
    unheld, drifts = ("⚠ " if name in group["warnings"] else "" for name in ("unheld", "drifts"))
    return [{"words": group["name"], "state": ""},
            {"words": group["count"], "state": ""},
            {"words": LEARNING[group["learning"]], "state": group["learning"]},
            {"words": group["mode"], "state": group["mode"]},
            {"words": unheld + held, "state": "warning" if unheld else ""},
            {"words": drifts + drift, "state": "warning" if drifts else ""}]


def flow(model: nn.Module, optimizer: Optimizer | None = None) -> Flow:
    """Draw the way from a picture to its classes, with what is frozen and what learns, as it is now.

    Args:
        model: a classifier, or a backbone.
        optimizer: the one that will train it; then what it lacks is said too.
    """
    return Flow(model, optimizer)


def freeze_map(model: nn.Module, optimizer: Optimizer | None = None) -> FreezeMap:
    """The three switches of freezing, gradients, modes and optimizer, for each layer group, as they are now.

    Takes what `flow` takes.
    """
    return FreezeMap(model, optimizer)

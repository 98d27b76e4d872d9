"""A run that was stopped at any moment goes on from its last whole epoch, bit for bit.

That holds because every random choice follows from (seed, epoch, picture), and because all that changes from
epoch to epoch is in the checkpoint. Threads, versions and processor are not: there the last bits may differ.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import torch
from torch import nn

from course_utils.errors import CourseError, or_none
from course_utils.pretrained.data.batches import device_of
from course_utils.pretrained.data.images import Images
from course_utils.pretrained.data.randomness import generators_of
from course_utils.pretrained.models.freezing import add_group
from course_utils.pretrained.saving.checkpoints import describe, history_from, path_of, read, write
from course_utils.pretrained.saving.facts import differences, machine, run_settings
from course_utils.pretrained.saving.history import Epoch, History
from course_utils.pretrained.saving.mismatch import check_fits
from course_utils.pretrained.training.averaging import averaged_copy
from course_utils.pretrained.training.unfreezing import Due, parts_of


class Run:
    """What a training carries from one epoch to the next, and the file that keeps it."""

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer, train: Images | Iterable,
                 ema: float | None, patience: int | None):
        self.model, self.optimizer, self.train, self.patience = model, optimizer, train, patience
        self.averaged = averaged_copy(model, ema) if ema else None
        self.history, self.path, self.facts = History(), None, {}
        self.later = []                     # what `unfreeze_at` names
        self.keep()

    @property
    def shown(self) -> nn.Module:
        """The model that is evaluated and handed over in the end: with `ema` the averaged one."""
        return self.averaged.module if self.averaged else self.model

    def keep(self) -> None:
        """Remember the weights of now as those to hand over."""
        self.kept, self.kept_epoch = copy.deepcopy(self.shown.state_dict()), len(self.history.epochs)

    def hand_over(self) -> None:
        """Give the model the weights that were kept."""
        self.model.load_state_dict(self.kept)

    def epochs_to_do(self, epochs: int) -> range:
        """Those that are left, none if patience was lost."""
        return range(len(self.history.epochs) + 1, 0 if self.history.stopped == "patience" else epochs + 1)

    def add(self, latest: Epoch, on_epoch: Callable | None) -> None:
        """One more epoch is done: keep its weights if they are worth it, and write all to the file."""
        self.history.epochs.append(latest)
        if not self.patience or self.history.best is latest:
            self.keep()
        asked = on_epoch is not None and on_epoch(latest) is False
        waited = self.patience and latest.epoch - self.history.best.epoch >= self.patience
        self.history.stopped = "asked" if asked else "patience" if waited else ""
        if self.path:
            try:
                self._save()
            except CourseError as error:        # hours of training are worth more than this one file
                print(f"{error} Training goes on.")

    def interrupt(self) -> None:
        """Ctrl-C: what is learned by now is handed over, unless an epoch is known to be better."""
        self.history.stopped = "interrupted"
        if not (self.patience and self.history.epochs):
            self.keep()

    # The file ------------------------------------------------------------------------------------

    def begin(self, path: str | Path, val: Images | Iterable, precision: str, *, resume: bool,
              unfreeze_at: Due, **settings: object) -> None:
        """Resume from the file, if asked to and it is there; else write it, to see at once if that works."""
        self.path = path_of(path, "checkpoint")
        self.later = parts_of(unfreeze_at)
        settings |= {"unfreeze_at": unfreeze_at}
        self.facts = {"settings": run_settings(self.model, self.optimizer, self.train, val, settings),
                      "machine": machine(device_of(self.model), precision)}
        if resume and self.path.exists():
            self._resume(read(self.path))
        else:
            self._set_aside()
            self._save()

    def _set_aside(self) -> None:
        """What an earlier run left under this name gets a name of its own: no hours of work are lost.

        Only a run of `fit` without a whole epoch is overwritten: it holds no more than what it began with.
        """
        if not self.path.is_file():
            return
        there = or_none(read, self.path) or {}
        if there.get("training") and not history_from(there["about"]).epochs:
            return
        names = (self.path.with_name(f"{self.path.name}.old{number}") for number in ("", *range(2, 10_000)))
        older = next(name for name in names if not name.exists())
        with suppress(OSError):             # in a folder that takes none, writing the run's own file says so
            os.replace(self.path, older)
            print(f"{self.path} was of an earlier run, and is {older.name} now. resume=True would have "
                  "gone on with it.")

    def _save(self) -> None:
        named = {p: name for name, p in self.model.named_parameters()}
        apart = self.averaged or self.patience      # otherwise the weights to hand over are the latest
        write(self.path, {
            "model": self.kept, "about": describe(self.model, self.history, self.kept_epoch),
            "optimizer": self.optimizer.state_dict(),
            "training": {
                "latest": self.model.state_dict() if apart else self.kept,
                "averaged": self.averaged.state_dict() if self.averaged else None,
                "learning": [name for name, p in self.model.named_parameters() if p.requires_grad],
                "groups": [[named[p] for p in group["params"]] for group in self.optimizer.param_groups],
                "order": [generator.get_state() for generator in generators_of(self.train)],
                **self.facts}})

    def _resume(self, contents: dict) -> None:
        """Go on where the file ends. What is of another run is refused, and nothing changed."""
        if not (saved := contents.get("training")):
            raise CourseError(f"{self.path} holds a model, but no run of fit to resume. To train on from it, "
                              "give fit the model of load_checkpoint(path), and another path as checkpoint.")
        check_fits(saved["latest"], contents["about"], self.model, self.path)
        now = {name: value for name, value in self.facts["settings"].items()
               if name not in self._joined_since(saved)}
        if other := differences(saved["settings"], now):
            raise CourseError(f"{self.path} is of another run: {other}. Give fit what that run was given; or "
                              "begin anew, with another path or without resume." + self._learn_already(other))
        self._restore(contents, saved)
        other = differences(saved["machine"], self.facts["machine"])
        if getattr(self.train, "persistent_workers", False):
            other = "the loader's workers outlive an epoch, and so do their random numbers"
        print(f"Resumed after epoch {len(self.history.epochs)} of {self.path}"
              + (f"; not bit-identical to a run never stopped: {other}." if other else "."))

    def _joined_since(self, saved: dict) -> set[str]:
        """The optimizer's groups that were unfrozen in this kernel, after what the file calls the start."""
        named = dict(self.model.named_parameters())
        later = {named[name] for names in saved["groups"] for name in names}
        later.update(p for part in self.later for p in part.parameters())
        grown = {f"optimizer group {i}" for i, group in enumerate(self.optimizer.param_groups, start=1)
                 if later.issuperset(group["params"])}
        return grown.difference(saved["settings"])

    def _learn_already(self, other: str) -> str:
        """What to do where this kernel unfroze the model and the optimizer was made of that."""
        names = [part.name for part in self.later if all(p.requires_grad for p in part.parameters())]
        if not names or "optimizer group" not in other:
            return ""
        return (f" In this kernel {', '.join(names)}, which unfreeze_at names, learn already: run the cells "
                "that make the model and the optimizer once more, then this one.")

    def _restore(self, contents: dict, saved: dict) -> None:
        named, learning = dict(self.model.named_parameters()), set(saved["learning"])
        self.model.load_state_dict(saved["latest"])
        for name, parameter in named.items():
            parameter.requires_grad = name in learning
        start = sum(name.startswith("optimizer group") for name in saved["settings"])
        del self.optimizer.param_groups[start:]
        for names in saved["groups"][start:]:
            add_group(self.optimizer, [named[name] for name in names])
        self.optimizer.load_state_dict(contents["optimizer"])
        if self.averaged:
            self.averaged.load_state_dict(saved["averaged"])
        for generator, state in zip(generators_of(self.train), saved["order"], strict=True):
            generator.set_state(state)
        self.history = history_from(contents["about"])
        self.kept, self.kept_epoch = contents["model"], contents["about"]["epoch"]
        self.facts["settings"] = saved["settings"]      # those of the start

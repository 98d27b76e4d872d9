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

from course_utils.errors import CourseError
from course_utils.pretrained.data.batches import device_of
from course_utils.pretrained.data.images import Images
from course_utils.pretrained.data.randomness import generators_of
from course_utils.pretrained.models.freezing import add_group
from course_utils.pretrained.saving.checkpoints import describe, history_from, path_of, read, write
from course_utils.pretrained.saving.facts import differences, machine, run_settings
from course_utils.pretrained.saving.history import Epoch, History
from course_utils.pretrained.saving.mismatch import check_fits
from course_utils.pretrained.training.averaging import averaged_copy


class Run:
    """What a training carries from one epoch to the next, and the file that keeps it."""

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer, train: Images | Iterable,
                 ema: float | None, patience: int | None):
        self.model, self.optimizer, self.train, self.patience = model, optimizer, train, patience
        self.averaged = averaged_copy(model, ema) if ema else None
        self.history, self.path, self.facts = History(), None, {}
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
              **settings: object) -> None:
        """Resume from the file, if asked to and it is there; else write it, to see at once if that works."""
        self.path = path_of(path, "checkpoint")
        self.facts = {"settings": run_settings(self.model, self.optimizer, self.train, val, settings),
                      "machine": machine(device_of(self.model), precision)}
        if resume and self.path.exists():
            self._resume(read(self.path))
        else:
            self._set_aside()
            self._save()

    def _set_aside(self) -> None:
        """What an earlier run left under this name gets a second name, so that no hours of work are lost."""
        older = self.path.with_name(f"{self.path.name}.old")
        if self.path.is_file():
            with suppress(OSError):         # in a folder that takes none, writing the run's own file says so
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
        if other := differences(saved["settings"], self.facts["settings"]):
            raise CourseError(f"{self.path} is of another run: {other}. Give fit what that run was given; or "
                              "begin anew, with another path or without resume.")
        self._restore(contents, saved)
        other = differences(saved["machine"], self.facts["machine"])
        if getattr(self.train, "persistent_workers", False):
            other = "the loader's workers outlive an epoch, and so do their random numbers"
        print(f"Resumed after epoch {len(self.history.epochs)} of {self.path}"
              + (f"; not bit-identical to a run never stopped: {other}." if other else "."))

    def _restore(self, contents: dict, saved: dict) -> None:
        named, learning = dict(self.model.named_parameters()), set(saved["learning"])
        self.model.load_state_dict(saved["latest"])
        for name, parameter in named.items():
            parameter.requires_grad = name in learning
        for names in saved["groups"][len(self.optimizer.param_groups):]:
            add_group(self.optimizer, [named[name] for name in names])
        self.optimizer.load_state_dict(contents["optimizer"])
        if self.averaged:
            self.averaged.load_state_dict(saved["averaged"])
        for generator, state in zip(generators_of(self.train), saved["order"], strict=True):
            generator.set_state(state)
        self.history = history_from(contents["about"])
        self.kept, self.kept_epoch = contents["model"], contents["about"]["epoch"]

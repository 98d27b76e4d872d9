"""A training whose losses are known beforehand, and that notes what was read with which weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from course_utils.lessons._guards import kind_of
from course_utils.teaching import Chart, Line, expect
from course_utils.teaching.exhibits import Exhibit

HARDER = 10.0           # the test loss is the validation loss and this
LOWEST_TRAINING = 5     # the epoch with the lowest training loss


class Counting(nn.Linear):
    """One weight: how many epochs it has learned for. It notes whether weights were loaded."""

    def __init__(self):
        super().__init__(1, 1, bias=False)
        nn.init.zeros_(self.weight)
        self.loaded = False

    @property
    def epochs(self) -> int:
        return round(self.weight.item())

    def load_state_dict(self, state: Mapping, *args, **named):
        self.loaded = True
        return super().load_state_dict(state, *args, **named)


class Stage:
    """The model, its parts, and the two functions that an experiment is given."""

    def __init__(self, losses: list[float], patience: int):
        self.losses, self.patience, self.model = losses, patience, Counting()
        self.parts = {name: object() for name in ("train", "val", "test")}
        self.read: list[tuple[str, int]] = []           # (part, epochs that the weights had learned for)
        self.history, self.tested = [], None            # what the learner's experiment returned

    def one_epoch(self, model: nn.Module, part: object) -> float:
        self._reads(model, part)
        with torch.no_grad():
            model.weight += 1           # in place, as optimizers do
        return self.train_loss(model.epochs)

    def evaluate(self, model: nn.Module, part: object) -> float:
        name = self._reads(model, part)
        loss = self.losses[min(max(model.epochs, 1), len(self.losses)) - 1]
        return loss + HARDER if name == "test" else loss

    def _reads(self, model: nn.Module, part: object) -> str:
        expect(model is self.model, "Train and evaluate the `model` that you are given.")
        name = next((name for name, own in self.parts.items() if own is part), None)
        expect(name, "Hand on a part as it is: `parts[\"train\"]`, `parts[\"val\"]`, `parts[\"test\"]`.")
        self.read.append((name, model.epochs))
        return name

    @staticmethod
    def train_loss(epoch: int) -> float:
        return 1 + abs(epoch - LOWEST_TRAINING - 0.4) / 10

    @property
    def best(self) -> int:
        """The epoch whose weights are to be kept, among those that are due."""
        due = self.losses[:self.due]
        return due.index(min(due)) + 1

    @property
    def due(self) -> int:
        """How many epochs are to be done."""
        for epoch in range(1, len(self.losses) + 1):
            so_far = self.losses[:epoch]
            if epoch - 1 - so_far.index(min(so_far)) == self.patience:
                return epoch
        return len(self.losses)

    def chart(self) -> list[Exhibit]:
        """The validation losses, and where to stop."""
        points = [(epoch, loss) for epoch, loss in enumerate(self.losses, start=1)]
        return [Chart(f"Patience {self.patience}", "epoch", "validation loss", [Line("known losses", points)],
                      marks=[(self.best, "keep these weights"), (self.due, "stop"),
                             (len(self.history), "you stopped")])]


def played(answer, losses: list[float], patience: int) -> Stage:
    """The learner's experiment on a model whose validation losses are known beforehand."""
    stage = Stage(losses, patience)
    found = answer(stage.model, dict(stage.parts), stage.one_epoch, stage.evaluate, len(losses), patience)
    expect(isinstance(found, (tuple, list)) and len(found) == 2,
           f"`experiment` must return (history, test_loss), but it returned {kind_of(found)}.")
    expect(isinstance(found[0], (tuple, list)), f"`history` should be a list, not {kind_of(found[0])}.")
    stage.history, stage.tested = list(found[0]), found[1]
    return stage

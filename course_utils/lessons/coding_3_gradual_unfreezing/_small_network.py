"""A network of four parts, and an epoch that notes what is going on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.lessons._guards import as_list, changed, is_number, kind_of, pictures, snapshot
from course_utils.teaching import Table, expect

PARTS = (("stem",), ("early",), ("late", "last_norm"), ("head",))        # from the input to the head
RATE, STEPS = 2e-3, 2
EPOCHS = 6
PLAN = {1: (PARTS[3], RATE), 3: (PARTS[2], RATE / 10), 5: (PARTS[1], RATE / 100)}
BEGINS = {name: epoch for epoch, (names, _) in PLAN.items() for name in names} | {"stem": 99}
RATES = {name: rate for names, rate in PLAN.values() for name in names}


class SmallNetwork(nn.Module):
    """Convolutions with BatchNorm by name; three classes."""

    def __init__(self):
        super().__init__()
        for name in ("stem", "early", "late"):
            layers = nn.Conv2d(3 if name == "stem" else 8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
            setattr(self, name, nn.Sequential(*layers, nn.ReLU()))
        self.last_norm, self.head = nn.BatchNorm2d(8), nn.Linear(8, 3)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.last_norm(self.late(self.early(self.stem(images))))         # (N, 8, H, W)
        return self.head(maps.mean(dim=(2, 3)))


@dataclass
class Seen:
    """One epoch: what moved in it, and how things stood."""

    weights: set[str]               # modules whose parameters moved
    statistics: set[str]            # modules whose BatchNorm statistics moved
    awake: set[str]                 # modules that are in train mode altogether
    rates: dict[str, float]         # of each module that the optimizer holds
    gradients: set[str]             # modules for which gradients are computed
    remembered: int                 # how many steps of the head the optimizer remembers from before


class Watch:
    """The functions that a training is given; they note each epoch."""

    def __init__(self):
        torch.manual_seed(1)
        self.model, self.seen, self.validated = SmallNetwork(), [], []

    def one_pass(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Two steps."""
        named = dict(model.named_parameters())
        place = {id(parameter): module_of(name) for name, parameter in named.items()}
        rates = {place[id(p)]: float(group["lr"]) for group in optimizer.param_groups
                 for p in group["params"] if id(p) in place}
        remembered = int(optimizer.state.get(model.head.weight, {}).get("step", 0))
        awake = {name for name, part in model.named_children() if all(m.training for m in part.modules())}
        before = snapshot(model)
        for step in range(STEPS):
            images = pictures(6, size=8, seed=10 * len(self.seen) + step)
            loss = F.cross_entropy(model(images), torch.arange(6) % 3)
            optimizer.zero_grad()
            if loss.requires_grad:
                loss.backward()
                optimizer.step()
        moved = changed(before, model)
        self.seen.append(Seen({module_of(name) for name in moved & set(named)},
                              {module_of(name) for name in moved - set(named)}, awake, rates,
                              {module_of(name) for name, p in named.items() if p.requires_grad}, remembered))

    def evaluate(self, model: nn.Module) -> float:
        """A loss of its own for each state; it leaves the model in eval mode, as validation does."""
        model.eval()
        self.validated.append(len(self.seen))
        return 100.0 - len(self.seen)


def module_of(name: str) -> str:
    return name.split(".")[0]


def watched(answer) -> tuple[list[Seen], list, Watch]:
    """Train with the learner's function; what was seen of each epoch, and the history."""
    watch, refused = Watch(), False
    try:
        history = answer(watch.model, dict(PLAN), watch.one_pass, watch.evaluate, EPOCHS)
    except ValueError as error:
        refused = "more than one parameter group" in str(error)
        expect(not refused, mistake="handed-over-again", epoch=len(watch.seen) + 1)
        raise
    expect(isinstance(history, (list, tuple)),
           f"`train_gradually` must return a list, but it returned {kind_of(history)}.")
    expect(len(watch.seen) == EPOCHS, f"{EPOCHS} epochs were to be trained, you trained {len(watch.seen)}.")
    return watch.seen, list(history), watch


def recorded(answer) -> tuple[list[tuple[float, set[str]]], Watch]:
    """The learner's history, known to be pairs of a loss and names of modules; and who watched."""
    _, history, watch = watched(answer)
    expect(len(history) == EPOCHS, f"The history should have {EPOCHS} entries, but has {len(history)}.")
    for entry in history:
        names = as_list(entry[1]) if isinstance(entry, (tuple, list)) and len(entry) == 2 else None
        expect(names is not None and is_number(entry[0]) and all(isinstance(name, str) for name in names),
               f"Each entry should be (validation loss, names that learned), but one is {str(entry)[:60]}.")
    return [(float(loss), set(names)) for loss, names in history], watch


def wanted(epoch: int) -> set[str]:
    return {name for name, first in BEGINS.items() if epoch >= first}


def by_epoch(seen: list[Seen]):
    """What moved in each epoch beside what should have; made only where a check fails."""
    rows = [(str(i), ", ".join(sorted(one.weights)) or "nothing", ", ".join(sorted(wanted(i))))
            for i, one in enumerate(seen, start=1)]
    wrong = [i - 1 for i, one in enumerate(seen, start=1) if one.weights != wanted(i)]
    return lambda: [Table("What moved in each epoch", ["epoch", "moved", "expected"], rows, marked=wrong)]

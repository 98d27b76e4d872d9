"""Exercise: weights from a file that may come from anywhere."""

from __future__ import annotations

import os
import tempfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import torch
from torch import Tensor, nn

from course_utils.lessons._guards import kind_of, pictures, same, torch_as_it_was
from course_utils.pretrained import load_checkpoint
from course_utils.teaching import Exercise, Table, expect

load_weights_safely = Exercise(
    "load-weights-safely", lesson="04_loading_models", title="Load a state dict safely",
    see="#Safe-files", minutes=6, difficulty="medium", objective="safe-files",
    seconds=20, guard=torch_as_it_was)


@load_weights_safely.starter
def load_weights(path, model):
    """Put the state dict in the file `path` into `model`; return the model, on the CPU, ready to predict.

    The file may come from a stranger, from a machine with a graphics card, and from `DataParallel`, which
    writes "module." before each name. Where it holds code, or other names, an error must be raised.
    """
    ...


@load_weights_safely.solved_by
def load_weights(path, model):
    """Data only, to the CPU, every name must fit; then eval mode."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    state = {name.removeprefix("module."): value for name, value in state.items()}
    model.load_state_dict(state)
    return model.eval()


@load_weights_safely.alternative("with-the-course")
def load_weights(path, model):
    return load_checkpoint(path, model).model


@load_weights_safely.alternative("the-defaults-say-so")
def load_weights(path, model):
    state = torch.load(path, map_location=torch.device("cpu"))       # weights_only since torch 2.6
    nn.modules.utils.consume_prefix_in_state_dict_if_present(state, "module.")
    model.load_state_dict(state, strict=True, assign=True)
    model.eval()
    return model


@load_weights_safely.alternative("names-compared-by-hand")
def load_weights(path, model):
    state = torch.load(path, map_location=lambda storage, location: storage, weights_only=True)
    if all(name.startswith("module.") for name in state):
        state = {name[len("module."):]: value for name, value in state.items()}
    if state.keys() != model.state_dict().keys():
        raise ValueError(f"These names differ: {state.keys() ^ model.state_dict().keys()}")
    with torch.no_grad():
        for name, value in model.state_dict().items():
            value.copy_(state[name])
    return model.train(False)


def unwrapped(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Without what DataParallel puts before the names: what the wrong answers below do right."""
    return {name.removeprefix("module."): value for name, value in state.items()}


@load_weights_safely.wrong("weights-only-off", says=(
    "Code in the file has run on this machine, with your rights: reading it made the folder `{made}`. Leave "
    "`weights_only=True`, also where a first try fails, and ask whoever made the file for weights alone."))
def load_weights(path, model):
    state = torch.load(path, map_location="cpu", weights_only=False)
    model.load_state_dict(unwrapped(state))
    return model.eval()


@load_weights_safely.wrong("took-it-for-a-whole-model", says=(
    "You returned what is in the file, {came}: a state dict is names with tensors and cannot predict. Put it "
    "into the model you were given: `model.load_state_dict(state)`."))
def load_weights(path, model):
    return torch.load(path, map_location="cpu", weights_only=False)


@load_weights_safely.wrong("returned-the-report", says=(
    "`load_state_dict` changes the model in place and returns a report on names. You returned that report. "
    "Return the model."))
def load_weights(path, model):
    state = torch.load(path, map_location="cpu", weights_only=True)
    return model.eval().load_state_dict(unwrapped(state))


@load_weights_safely.wrong("strict-off", says=(
    "The file has `{there}` where this model has `{here}`, and nothing was said: with `strict=False` the "
    "head keeps its random numbers. Leave `strict=True`, and mend names that do not fit."))
def load_weights(path, model):
    state = torch.load(path, map_location="cpu", weights_only=True)
    model.load_state_dict(unwrapped(state), strict=False)
    return model.eval()


@load_weights_safely.wrong("no-map-location", says=(
    "The file was written on a machine whose graphics card is not here, and it cannot be read. Say where the "
    "tensors should go: `map_location=\"cpu\"`."))
def load_weights(path, model):
    model.load_state_dict(unwrapped(torch.load(path, weights_only=True)))
    return model.eval()


@load_weights_safely.wrong("prefix-kept", says=(
    "A file of `DataParallel` does not fit: it has `{there}` where this model has `{here}`. Take the prefix "
    "off each name: `name.removeprefix(\"module.\")`."))
def load_weights(path, model):
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return model.eval()


@load_weights_safely.wrong("left-in-train-mode", says=(
    "{count} parts of the model are still in train mode, as `{first}`: the same picture gets other scores in "
    "another batch. Loading weights does not change modes: call `model.eval()`."))
def load_weights(path, model):
    state = torch.load(path, map_location="cpu", weights_only=True)
    model.load_state_dict(unwrapped(state))
    return model


def network(seed: int) -> nn.Module:
    """A small classifier in train mode, whose BatchNorm has seen pictures."""
    torch.manual_seed(seed)
    model = nn.Sequential(OrderedDict(
        stem=nn.Conv2d(3, 8, 3), norm=nn.BatchNorm2d(8), pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(),
        drop=nn.Dropout(0.5), head=nn.Linear(8, 5)))
    with torch.no_grad():
        model(pictures(4, size=16, seed=seed))
    return model


def called(answer: Callable, write: Callable[[Path], None]) -> object:
    """What the learner gives for a file that `write` makes and for `network(1)`."""
    with tempfile.TemporaryDirectory() as folder:
        write(path := Path(folder, "weights.pt"))
        return answer(path, network(1))


def raised_by(answer: Callable, write: Callable[[Path], None]) -> bool:
    try:
        called(answer, write)
    except Exception:        # whatever refuses the file
        return True
    return False


def answered(answer: Callable, write: Callable[[Path], None]) -> nn.Module:
    """The same, known to be a model."""
    model = called(answer, write)
    expect(not hasattr(model, "missing_keys"), mistake="returned-the-report")
    expect(not isinstance(model, dict), mistake="took-it-for-a-whole-model", came=kind_of(model))
    expect(isinstance(model, nn.Module),
           f"`load_weights` must return the model, but it returned {kind_of(model)}.")
    return model


def plainly(path: Path) -> None:
    torch.save(network(0).state_dict(), path)


@load_weights_safely.checks("the weights of the file", points=2)
def _(answer):
    model, right = answered(answer, plainly), network(0).state_dict()
    found = model.state_dict()
    expect(found.keys() == right.keys(), "The model you return is another one: its weights have other names.")
    others = [name for name in right if not same(found[name].cpu(), right[name])]
    expect(not others, f"{len(others)} of {len(right)} tensors are not those in the file, as "
                       f"`{min(others, default='')}`. BatchNorm's statistics belong to it too.")


class Payload:
    """Reading it makes a folder: the harmless stand-in for whatever a stranger would do."""

    def __init__(self, made: Path):
        self.made = made

    def __reduce__(self):
        return os.mkdir, (str(self.made),)


def with_code(path: Path, made: Path | None = None) -> None:
    torch.save(network(0).state_dict() | {"note": Payload(made or path.with_suffix(""))}, path)


@load_weights_safely.checks("no code of a stranger", points=2)
def _(answer):
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "made-by-the-file")
        refused = raised_by(answer, lambda path: with_code(path, made))
        expect(not made.exists(), mistake="weights-only-off", made=made.name)
    expect(refused, "There was code in the file, and no error was raised. Let torch's own error through.")


@load_weights_safely.checks("what does not fit is said")
def _(answer):
    def write(path: Path) -> None:
        torch.save(renamed("head.", "head.1."), path)
    if not raised_by(answer, write):
        model = answered(answer, write)
        expect(False, mistake="strict-off", there="head.1.weight", here="head.weight",
               show=lambda: [arrived(model)])


def renamed(old: str, new: str) -> dict[str, Tensor]:
    """The weights of the file, `new` where `old` begins a name."""
    return {new + name.removeprefix(old) if name.startswith(old) else name: value
            for name, value in network(0).state_dict().items()}


@load_weights_safely.checks("a file of DataParallel")
def _(answer):
    try:
        model = answered(answer, lambda path: torch.save(renamed("", "module."), path))
    except RuntimeError as error:
        expect("module." not in str(error), mistake="prefix-kept", there="module.head.weight",
               here="head.weight")
        raise
    others = [name for name, value in model.state_dict().items()
              if not same(value.cpu(), network(0).state_dict()[name])]
    expect(not others, f"{len(others)} tensors of a file with “module.” before its names did not arrive.",
           show=lambda: [arrived(model)])


def arrived(model: nn.Module) -> Table:
    """Which tensors of a model are those of the file, and which are still those it was given."""
    file, given = network(0).state_dict(), network(1).state_dict()

    def of(name: str, value: Tensor) -> str:
        value = value.cpu()
        return "the file" if same(value, file[name]) else \
            "the model as it was given" if same(value, given[name]) else "somewhere else"
    rows = [(name, of(name, value)) for name, value in model.state_dict().items()]
    return Table("Where each tensor comes from now", ("tensor", "is that of"), rows,
                 marked=[number for number, (_, place) in enumerate(rows) if place != "the file"])


@load_weights_safely.checks("a file from another machine")
def _(answer):
    def write(path: Path) -> None:
        # What a machine with 64 graphics cards writes, byte for byte: only the name of the place differs.
        with patch.object(torch.serialization, "location_tag", lambda storage: "cuda:63"):
            plainly(path)
    try:
        model = answered(answer, write)
    except RuntimeError as error:
        expect("deserialize object" not in str(error), mistake="no-map-location")
        raise
    places = {value.device.type for value in model.state_dict().values()}
    expect(places == {"cpu"}, f"The model should be on the CPU, but it is on {' and '.join(sorted(places))}.")


@load_weights_safely.checks("ready to predict")
def _(answer):
    model = answered(answer, plainly)
    awake = [name or "the whole" for name, module in model.named_modules() if module.training]
    first = "norm" if "norm" in awake else "".join(awake[:1])
    expect(not awake, mistake="left-in-train-mode", count=len(awake), first=first,
           show=lambda: [in_company(model)])


def in_company(model: nn.Module) -> Table:
    """One picture's scores, alone with one other and with three."""
    images = pictures(4, size=16)
    torch.manual_seed(0)
    with torch.no_grad():
        rows = [(title, " ".join(f"{score:.2f}" for score in model(batch)[0].tolist()))
                for title, batch in (("with one other", images[:2]), ("with three others", images))]
    return Table("Scores of one and the same picture", ("in a batch", "scores"), rows)


load_weights_safely.hints(
    "In order: read the file as data, take prefixes off, put it into the model, set the mode.",
    "`torch.load` takes `map_location` and `weights_only`; `load_state_dict` is strict unless you say not.",
    "`torch.load(path, map_location=\"cpu\", weights_only=True)`, then a dict with "
    "`name.removeprefix(\"module.\")`, `model.load_state_dict(state)`, `return model.eval()`.")

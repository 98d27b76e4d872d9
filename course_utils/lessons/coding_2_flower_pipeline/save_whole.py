"""Exercise: a checkpoint that is whole or not there."""

from __future__ import annotations

import copy
import os
import pickle
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from course_utils.lessons._guards import same, torch_as_it_was
from course_utils.teaching import Exercise, Table, expect

save_whole = Exercise(
    "save-whole", lesson="coding_2_flower_pipeline", title="A checkpoint, whole or not there",
    see="#A-file-to-go-on-from", minutes=8, difficulty="medium", objective="keeping", guard=torch_as_it_was)


@save_whole.starter
def save(path, model, optimizer, epoch, classes):
    """Write all that is needed to go on to the file `path`, a `Path`: whole or not at all.

    `torch.load(path, weights_only=True)` must give a dict with the state dicts "model" and "optimizer", and
    with "epoch" and "classes" as given. Where writing breaks off, the file that was there stays whole. No
    other file is left in the folder.
    """
    ...


@save_whole.solved_by
def save(path, model, optimizer, epoch, classes):
    """Beside the old file first; renaming is done at once or not at all."""
    partial = path.with_name(path.name + ".partial")
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch,
                "classes": classes}, partial)
    partial.replace(path)


@save_whole.alternative("with-tempfile")
def save(path, model, optimizer, epoch, classes):
    state = {"epoch": epoch, "classes": classes, "model": model.state_dict(),
             "optimizer": optimizer.state_dict()}
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        try:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            os.unlink(file.name)
            raise
    os.replace(file.name, path)


@save_whole.alternative("bytes-first")
def save(path, model, optimizer, epoch, classes):
    import io
    buffer = io.BytesIO()
    torch.save(dict(model=model.state_dict(), optimizer=optimizer.state_dict(), epoch=epoch, classes=classes),
               buffer)
    beside = Path(f"{path}.new")
    beside.write_bytes(buffer.getvalue())
    os.rename(beside, path)


@save_whole.wrong("written-in-place", says=(
    "Writing broke off half-way, as on a full disk, and the checkpoint that was there is gone: opening it "
    "for writing empties it. Write a file beside it, and rename that when it is whole."))
def save(path, model, optimizer, epoch, classes):
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch,
                "classes": classes}, path)


@save_whole.wrong("bytes-in-place", says=(
    "You overwrite the old file. A process that is killed in the middle of that leaves neither the old "
    "checkpoint nor the new one. Write beside it, then rename: `os.replace(partial, path)`."))
def save(path, model, optimizer, epoch, classes):
    import io
    buffer = io.BytesIO()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch,
                "classes": classes}, buffer)
    path.write_bytes(buffer.getvalue())


@save_whole.wrong("copied-not-renamed", says=(
    "{left} is left in the folder: you copied the new file over the old one. Copying writes byte by byte and "
    "can break off like any writing. Rename instead: `os.replace(partial, path)`."))
def save(path, model, optimizer, epoch, classes):
    import shutil
    partial = path.with_name(path.name + ".partial")
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch,
                "classes": classes}, partial)
    shutil.copyfile(partial, path)


@save_whole.wrong("whole-model-pickled", says=(
    "`torch.load(path, weights_only=True)` refuses your file: it holds a whole model, which is code that "
    "runs on loading, and breaks when your modules move. Keep `model.state_dict()`."))
def save(path, model, optimizer, epoch, classes):
    partial = path.with_name(path.name + ".partial")
    torch.save({"model": model, "optimizer": optimizer.state_dict(), "epoch": epoch, "classes": classes},
               partial)
    partial.replace(path)


@save_whole.wrong("something-missing", says=(
    "Your file has no {missing}. To go on after a crash one needs all four: without the optimizer's memory "
    "the next steps are other ones, without the classes nobody knows what output 3 means."))
def save(path, model, optimizer, epoch, classes):
    partial = path.with_name(path.name + ".partial")
    torch.save({"model": model.state_dict(), "epoch": epoch}, partial)
    partial.replace(path)


@save_whole.wrong("buffers-forgotten", says=(
    "{names} are not in your file. BatchNorm's running statistics are buffers, no parameters: without them "
    "the loaded model answers otherwise. `state_dict()` holds both."))
def save(path, model, optimizer, epoch, classes):
    partial = path.with_name(path.name + ".partial")
    torch.save({"model": dict(model.named_parameters()), "optimizer": optimizer.state_dict(), "epoch": epoch,
                "classes": classes}, partial)
    partial.replace(path)


CLASSES, KEYS = ("daisy", "rose", "tulip"), ("model", "optimizer", "epoch", "classes")


class FullDisk:
    """Breaks off whoever writes it, after the file was opened."""

    def __reduce__(self):
        raise OSError(28, "No space left on device")


class NoRoom(torch.optim.Adam):
    """An optimizer whose state cannot be written."""

    def state_dict(self) -> dict:
        return super().state_dict() | {"more": FullDisk()}


def trained(optimizer=torch.optim.Adam) -> tuple[nn.Module, torch.optim.Optimizer]:
    """A small model and its optimizer after two steps."""
    torch.manual_seed(2)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 36, 3))
    optimizer = optimizer(model.parameters(), lr=1e-2)
    for _ in range(2):
        optimizer.zero_grad()
        model(torch.randn(4, 3, 8, 8)).square().mean().backward()
        optimizer.step()
    return model, optimizer


@contextmanager
def folder() -> Iterator[Path]:
    """A folder of the check's own, with a name that needs care."""
    with tempfile.TemporaryDirectory(prefix="check points ") as private:
        yield Path(private)


def loaded(path: Path) -> dict | None:
    """What is in the file; None where it is not whole."""
    try:
        return torch.load(path, weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
        return None


@save_whole.checks("all that is needed to go on", points=3)
def _(answer):
    model, optimizer = trained()
    with folder() as place:
        answer(place / "last.pt", model, optimizer, 7, CLASSES)
        expect((place / "last.pt").exists(), "There is no file at `path` afterwards.")
        found = loaded(place / "last.pt")
    expect(found is not None, mistake="whole-model-pickled")
    expect(isinstance(found, dict), f"The file should hold a dict, not {type(found).__name__}.")
    missing = [key for key in KEYS if key not in found]
    expect(not missing, mistake="something-missing", missing=" and no ".join(f"“{key}”" for key in missing))
    expect(found["epoch"] == 7 and tuple(found["classes"]) == CLASSES, "“epoch” and “classes” should be what "
           f"was given, but they are {found['epoch']!r} and {found['classes']!r}.")
    own = model.state_dict()
    lost = [name for name in own if name not in found["model"]]
    expect(not lost, mistake="buffers-forgotten", names="`" + "`, `".join(lost) + "`", show=lambda: [Table(
        "Names in the model's state", ["name", "in your file"],
        [[name, "no" if name in lost else "yes"] for name in own])])
    expect(all(same(value, found["model"][name]) for name, value in own.items()),
           "“model” is not the model's `state_dict()`.")
    memory, wanted = found["optimizer"].get("state", {}), optimizer.state_dict()["state"]
    expect(memory.keys() == wanted.keys() and all(
        torch.equal(memory[key]["exp_avg"], wanted[key]["exp_avg"]) for key in wanted),
        "“optimizer” is not the optimizer's `state_dict()`.")


@save_whole.checks("a write that breaks off", points=3)
def _(answer):
    with folder() as place:
        path = place / "last.pt"
        answer(path, *trained(), 1, CLASSES)
        try:
            answer(path, *trained(NoRoom), 2, CLASSES)
        except OSError:
            pass
        else:
            expect(False, "The disk was full, and your function said nothing. Let the error through: whoever "
                          "trains must hear of it.")
        found = loaded(path)
    expect(found is not None and found.get("epoch") == 1, mistake="written-in-place")


@save_whole.checks("replaced, not overwritten", points=2)
def _(answer):
    with folder() as place:
        path = place / "last.pt"
        answer(path, *copy.deepcopy(trained()), 1, CLASSES)
        before = path.stat().st_ino
        answer(path, *trained(), 2, CLASSES)
        left = sorted(file.name for file in place.iterdir() if file != path)
        expect(loaded(path)["epoch"] == 2, "After saving again, the file is still the old one.")
        expect(not left, mistake="copied-not-renamed", left=" and ".join(left))
        expect(path.stat().st_ino != before, mistake="bytes-in-place")


save_whole.hints(
    "Four entries: `model.state_dict()`, `optimizer.state_dict()`, `epoch`, `classes`.",
    "`partial = path.with_name(path.name + \".partial\")` is a name in the same folder; there "
    "`torch.save(…, partial)` writes.",
    "`partial.replace(path)` renames, over the old file, at once.")

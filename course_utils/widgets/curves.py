"""training_curves: lines that grow while training runs, and a Stop button that works meanwhile."""

from __future__ import annotations

import math
import threading

import traitlets as t

from course_utils.widgets.panel import Panel, drawing


class TrainingCurves(Panel):
    """Losses and accuracy by epoch, with a mark where layers began to learn.

    Call it with each Epoch; it returns False once Stop was pressed.
    """

    _esm = drawing("curves", "exhibits.js")

    title = t.Unicode().tag(sync=True)
    planned = t.Int(default_value=None, allow_none=True).tag(sync=True)      # how many epochs there will be
    epochs = t.List().tag(sync=True)
    state = t.Unicode("waiting").tag(sync=True)       # waiting, running, stopping, stopped, done

    def __init__(self, planned: int | None, title: str):
        self._stop = threading.Event()        # set on the thread of the message, read on that of the training
        super().__init__(planned=planned, title=title)

    def __call__(self, epoch) -> bool:
        """Draw one more epoch. Returns whether training should go on, as `fit(on_epoch=…)` asks."""
        if self.epochs and epoch.epoch <= self.epochs[-1]["epoch"]:      # another training, the same curves
            self.epochs, self.state = [], "waiting"
            self._stop.clear()
        before = self.epochs[-1]["elapsed"] if self.epochs else 0.0
        self.epochs = [*self.epochs, {
            "epoch": epoch.epoch, "elapsed": before + epoch.seconds, "train_loss": _finite(epoch.train_loss),
            "val_loss": _finite(epoch.val_loss), "val_accuracy": _finite(epoch.val_accuracy),
            "unfrozen": ", ".join(epoch.unfrozen)}]
        if self.state == "stopped":         # a training that was stopped goes on
            self._stop.clear()
        if self._stop.is_set():
            self.state = "stopped"
        else:
            self.state = "done" if len(self.epochs) == self.planned else "running"
        return self.state != "stopped"

    def do_stop(self) -> None:
        """The learner pressed Stop: the epoch that runs now is the last."""
        self.reply(self._ask_to_stop)

    def _ask_to_stop(self) -> None:
        if self.state in ("waiting", "running"):      # a message may come after the last epoch
            self._stop.set()
            self.state = "stopping"

    def text(self) -> str:
        """The numbers as a table."""
        of_how_many = f" of {self.planned}" if self.planned else ""
        elapsed = self.epochs[-1]["elapsed"] if self.epochs else 0.0
        stopped = ", stopped as you asked" if self.state == "stopped" else ""
        done = f"{len(self.epochs)}{of_how_many} epochs, {elapsed:.0f} s{stopped}"
        head = ["epoch  training loss  validation loss  validation accuracy"] if self.epochs else []
        return "\n".join([f"{self.title or 'Training'}: {done}", *head, *map(_row, self.epochs)])


def _finite(number: float | None) -> float | None:
    """JSON knows neither NaN nor infinity, and a training that diverges has both."""
    return float(number) if number is not None and math.isfinite(number) else None


def _row(epoch: dict) -> str:
    def number(key: str, form: str) -> str:
        return "no number" if epoch[key] is None else format(epoch[key], form)

    unfrozen = f"  ✎ {epoch['unfrozen']} began to learn" if epoch["unfrozen"] else ""
    return (f"{epoch['epoch']:5}  {number('train_loss', '.3f'):>13}  {number('val_loss', '.3f'):>15}  "
            f"{number('val_accuracy', '.1%'):>19}{unfrozen}")


def training_curves(epochs: int | None = None, title: str = "") -> TrainingCurves:
    """Curves for `fit(…, on_epoch=curves)`. Show them first, then train:

        curves = training_curves(epochs=5)
        display(curves)
        fit(model, train, val, epochs=5, on_epoch=curves)

    Where `fit` unfreezes layers, a mark names them. Stop ends the training after its current epoch. It needs
    a front end that reaches a busy kernel: JupyterLab from 4.4 with ipykernel from 7. Elsewhere use the
    kernel's own interrupt button (■).

    Args:
        epochs: how many there will be, for “epoch 2 of 5”.
        title: what is being trained.
    """
    return TrainingCurves(epochs, title)

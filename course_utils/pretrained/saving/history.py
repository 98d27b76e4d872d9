"""What a training did, epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training pictures did."""

    epoch: int                   # 1 is the first
    train_loss: float            # averaged over pictures, while the model was changing
    val_loss: float              # cross-entropy after the epoch, averaged over pictures
    val_accuracy: float          # 0 … 1
    seconds: float
    rates: tuple[float, ...]     # learning rate of each of the optimizer's groups, at the last step
    unfrozen: tuple[str, ...] = ()      # the layers that began to learn in this epoch, by `unfreeze_at`


@dataclass(repr=False)
class History:
    """The epochs that were completed, and why no more followed."""

    epochs: list[Epoch] = field(default_factory=list)
    stopped: str = ""            # "": all were done; "patience", "interrupted", or "asked" by on_epoch

    @property
    def best(self) -> Epoch | None:
        """The first epoch with the lowest validation loss."""
        return min(self.epochs, key=lambda epoch: epoch.val_loss, default=None)

    def __repr__(self) -> str:
        lines = [f"epoch {e.epoch:>3}   train loss {e.train_loss:.3f}   val loss {e.val_loss:.3f}   "
                 f"val accuracy {e.val_accuracy:.1%}   {e.seconds:.1f} s"
                 + (f"   unfroze {', '.join(e.unfrozen)}" if e.unfrozen else "") for e in self.epochs]
        return "\n".join([*lines, f"stopped: {self.stopped}"] if self.stopped else lines)

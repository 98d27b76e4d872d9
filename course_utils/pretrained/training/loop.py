"""Training, as one visible loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.errors import CourseError, TrainingDiverged
from course_utils.pretrained.data.batches import batches_of, device_of, enough_memory, run
from course_utils.pretrained.data.images import Images
from course_utils.pretrained.data.randomness import seeded
from course_utils.pretrained.inference.evaluation import check_scores, evaluate
from course_utils.pretrained.inference.precision import choose_precision, computing_in
from course_utils.pretrained.inference.processor import memory_reused
from course_utils.pretrained.models.freezing import train_mode, unfreeze
from course_utils.pretrained.saving.history import Epoch, History
from course_utils.pretrained.training.checks import (
    batchnorm_learns,
    check_it_learns,
    check_loss,
    check_training,
    check_validation,
    checked_optimizer,
    loss_with_inputs,
    nothing_seen,
    take_names,
    tell_left_out,
)
from course_utils.pretrained.training.mixing import mix
from course_utils.pretrained.training.resuming import Run
from course_utils.pretrained.training.schedules import (
    Schedule,
    choose_schedule,
    rates_of,
    reset_rates,
    set_rates,
)
from course_utils.pretrained.training.unfreezing import Part, check_rates, due_by_epoch, parts_of

Loss = Callable[[Tensor, Tensor], Tensor]
OnEpoch = Callable[[Epoch], bool | None]


@memory_reused()
def fit(model: nn.Module, train: Images | Iterable, val: Images | Iterable, *, epochs: int,
        batch_size: int = 32, size: int | None = None, augment: bool = True,
        optimizer: torch.optim.Optimizer | None = None, loss: Loss | None = None,
        schedule: str | Schedule | None = None, unfreeze_at: Mapping[int, Part] | None = None,
        mixup: float = 0.0, ema: float | None = None, patience: int | None = None,
        checkpoint: str | Path | None = None, resume: bool = False, on_epoch: OnEpoch | None = None,
        seed: int = 0, precision: str = "auto") -> History:
    """Train what is not frozen. Afterwards the model is in eval mode, ready for use.

    What is frozen stays in eval mode (see `train_mode`). Interrupting the kernel ends training and keeps
    what is learned. The same seed gives the same result on the same machine; the caller's random numbers go
    on as if nothing had been drawn.

    Args:
        train, val: Images, prepared as the model's weights expect; or DataLoaders of (inputs, labels),
            untouched.
        size: pixels of the prepared pictures; None is what the weights were trained for.
        augment: crop, flip and colour the training pictures at random. DataLoaders bring their own.
        optimizer: None is Adam at 1e-3 on all that is not frozen.
        loss: of (scores, labels), a mean over the batch; None is cross-entropy. Label smoothing is
            `nn.CrossEntropyLoss(label_smoothing=0.1)`. One with a keyword-only `inputs` gets the batch too:
            `def loss(scores, labels, *, inputs)` may ask a teacher what it makes of them.
        schedule: None keeps the optimizer's rates; "cosine" warms up and falls to 0, "one-cycle" rises first;
            or a function of the share of training that is done, 0 … 1, which gives a factor for all rates.
        unfreeze_at: {4: "blocks.6", 7: "blocks.5"}: layers, by name or from `layer_groups`, that learn from
            that epoch on. Each joins the optimizer at a tenth of its lowest rate, {4: ("blocks.6", 1e-4)} at
            a given one; several are a list.
        mixup: blend pictures by shares drawn from Beta(mixup, mixup); 0.2 is usual, 0 blends none.
        ema: average the weights over the steps with this decay, such as 0.99; what is validated and handed
            over is the average.
        patience: stop after this many epochs without a lower validation loss. The weights of the epoch with
            the lowest are put back.
        checkpoint: a file for `load_checkpoint`, written before the first and after every epoch. What an
            earlier run learned is kept under the same name with .old behind it, or .old2 and so on.
        resume: go on from `checkpoint`, if the file is there, as if the run had never been stopped.
        on_epoch: called with each Epoch; returning False ends training.
        precision: "float32", "bfloat16", or "auto": bfloat16 where the device computes in it. Weights and
            their updates are float32 in any case.
    Raises:
        TrainingDiverged: the loss is no number any more, or far above the first.
        CourseError: nothing can learn, labels and head do not fit, memory is short, or the checkpoint is of
            another run. BadData: a loader gives nothing.
        After any error, `on_epoch`'s own too, the model has the weights of the last whole epoch again (with
        patience, of the best; with ema, averaged).
    """
    check_training(model, train, val, size=size, patience=patience, mixup=mixup, ema=ema, resume=resume,
                   checkpoint=checkpoint, epochs=epochs, batch_size=batch_size)
    take_names(model, train)
    optimizer, device = checked_optimizer(model, optimizer), device_of(model)
    due, factor = due_by_epoch(model, unfreeze_at, epochs), choose_schedule(schedule)
    loss_of, precision = loss_with_inputs(loss or F.cross_entropy), choose_precision(precision, device, model)
    steps = _steps(train, batch_size) if factor else 0
    tell_left_out(model, optimizer, parts_of(due))
    check_validation(model, train, val, size=size, precision=precision)
    model.to(memory_format=torch.channels_last)         # the same numbers, in a faster order
    state, first = Run(model, optimizer, train, ema, patience), None
    if checkpoint:
        state.begin(checkpoint, val, precision, resume=resume, seed=seed, batch_size=batch_size, size=size,
                    augment=augment, loss=loss, schedule=schedule, epochs=epochs if schedule else None,
                    unfreeze_at=due, mixup=mixup, ema=ema, patience=patience)
    check_rates(due, state.epochs_to_do(epochs), optimizer)
    try:
        for epoch in state.epochs_to_do(epochs):
            start, total, seen = time.perf_counter(), 0.0, 0
            for part, rate in due.get(epoch, []):
                unfreeze(part, optimizer=optimizer, lr=rate)
            train_mode(model)
            batches = batches_of(model, train, "fit", batch_size, size=size, augment=augment,
                                 shuffle=(seed, epoch))
            with seeded(seed, epoch), closing(batches):
                for step, (inputs, labels) in enumerate(batches, start=1):
                    if len(labels) == 1 and batchnorm_learns(model):
                        continue            # one picture has no statistics; next time another is left over
                    if factor:
                        set_rates(optimizer, factor((epoch - 1 + (step - 0.5) / steps) / epochs))
                    inputs, targets = mix(inputs.to(device, non_blocking=True), labels.to(device), mixup)
                    with enough_memory(inputs):
                        with computing_in(precision, model, device, learning=True):
                            scores = run(model, inputs)                      # (B, classes)
                            check_scores(scores, labels, model, train)
                            value = sum(share * loss_of(scores.float(), true, inputs)
                                        for share, true in targets)
                        first = value.item() if first is None else first
                        check_loss(value.item(), first, f"step {step} of epoch {epoch}",
                                   rates_of(optimizer), state.kept_epoch)
                        check_it_learns(value)
                        optimizer.zero_grad()
                        value.backward()
                        optimizer.step()
                    if state.averaged:
                        state.averaged.update_parameters(model)
                    total, seen = total + value.item() * len(labels), seen + len(labels)
            if not seen:
                raise nothing_seen(epoch)
            try:
                found = evaluate(state.shown, val, batch_size=batch_size, precision=precision,
                                 size=size if isinstance(val, Images) else None)
            except TrainingDiverged:        # it knows neither step nor rate
                found = None
            check_loss(found.loss if found else math.nan, first,
                       f"the validation after step {step} of epoch {epoch}", rates_of(optimizer),
                       state.kept_epoch)
            state.add(Epoch(epoch, total / seen, found.loss, found.accuracy, time.perf_counter() - start,
                            rates_of(optimizer),
                            tuple(part.name for part, _ in due.get(epoch, []))), on_epoch)
            if state.history.stopped:
                break
    except KeyboardInterrupt:
        state.interrupt()
    except Exception:           # a blown-up loss, short memory, an error in on_epoch: what was kept stays
        state.hand_over()
        raise
    finally:
        reset_rates(optimizer)
        model.eval().to(memory_format=torch.contiguous_format)      # as whoever reads weights expects it
    state.hand_over()
    return state.history


def _steps(train: Images | Iterable, batch_size: int) -> int:
    """Batches in an epoch: a schedule must know how far training is."""
    if isinstance(train, Images):
        return math.ceil(len(train) / batch_size)
    try:
        return len(train)
    except TypeError:
        raise CourseError("A schedule must know how many batches there are, but this loader has no length. "
                          "Use one that has, or leave schedule out and set rates in on_epoch.") from None

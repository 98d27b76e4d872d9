"""Exercise: train until validation says enough, keep the best weights, test once."""

from __future__ import annotations

import copy
import math

import torch

from course_utils.lessons._guards import torch_as_it_was
from course_utils.teaching import Exercise, expect

from ._stage import HARDER, LOWEST_TRAINING, played

stop_early = Exercise(
    "stop-early", lesson="coding_2_flower_pipeline", title="Stop early, test once", see="#Early-stopping",
    minutes=12, difficulty="hard", objective="training", guard=torch_as_it_was)


@stop_early.starter
def experiment(model, parts, one_epoch, evaluate, epochs, patience):
    """Train for at most `epochs`, until validation has not improved for `patience` epochs in a row.

    `parts` holds what to read, as "train", "val" and "test". `one_epoch(model, part)` trains once through a
    part and returns its loss; `evaluate(model, part)` returns the loss there. Return (history, test_loss),
    with (train_loss, val_loss) in `history` for each epoch done. Afterwards `model` has the weights of the
    epoch with the lowest validation loss; these are tested, and nothing else is.
    """
    ...


@stop_early.solved_by
def experiment(model, parts, one_epoch, evaluate, epochs, patience):
    """A copy of the weights whenever validation is better than ever before."""
    history, best = [], math.inf
    for epoch in range(epochs):
        train_loss = one_epoch(model, parts["train"])
        val_loss = evaluate(model, parts["val"])
        history.append((train_loss, val_loss))
        if val_loss < best:
            best, since, kept = val_loss, epoch, copy.deepcopy(model.state_dict())
        elif epoch - since == patience:
            break
    model.load_state_dict(kept)
    return history, evaluate(model, parts["test"])


@stop_early.alternative("counting")
def experiment(model, parts, one_epoch, evaluate, epochs, patience):
    history, kept, waited = [], None, 0
    while len(history) < epochs and waited < patience:
        train_loss = one_epoch(model, parts["train"])
        history.append([train_loss, evaluate(model, parts["val"])])
        if min(loss for _, loss in history) < min((loss for _, loss in history[:-1]), default=math.inf):
            kept = {name: value.clone() for name, value in model.state_dict().items()}
            waited = 0
        else:
            waited += 1
    model.load_state_dict(kept)
    return [history, evaluate(model, parts["test"])]


@stop_early.alternative("best-in-a-file")
def experiment(model, parts, one_epoch, evaluate, epochs, patience):
    import io
    history, file = [], io.BytesIO()
    for _ in range(epochs):
        history.append((one_epoch(model, parts["train"]), evaluate(model, parts["val"])))
        losses = [loss for _, loss in history]
        best = losses.index(min(losses))
        if best == len(losses) - 1:
            torch.save(model.state_dict(), file := io.BytesIO())
        if len(losses) - 1 - best >= patience:
            break
    file.seek(0)
    model.load_state_dict(torch.load(file, weights_only=True))
    return history, evaluate(model, parts["test"])


@stop_early.wrong("last-weights", says=(
    "Afterwards the model has the weights of epoch {got}, the last. Validation was best after epoch {best}: "
    "keep a copy of these weights, and load it at the end."))
def experiment(model, parts, one_epoch, evaluate, epochs, patience):
    history, best = [], math.inf
    for epoch in range(epochs):
        history.append((one_epoch(model, parts["train"]), evaluate(model, parts["val"])))
        if history[-1][1] < best:
            best, since = history[-1][1], epoch
        elif epoch - since == patience:
            break
    return history, evaluate(model, parts["test"])


@stop_early.wrong("kept-without-a-copy", says=(
    "You kept the best weights, and they went on learning: `state_dict()` holds the live tensors, not copies "
    "of them. `copy.deepcopy(model.state_dict())` makes one."))
def experiment(model, parts, one_epoch, evaluate, epochs, patience):
    history, best = [], math.inf
    for epoch in range(epochs):
        history.append((one_epoch(model, parts["train"]), evaluate(model, parts["val"])))
        if history[-1][1] < best:
            best, since, kept = history[-1][1], epoch, model.state_dict()
        elif epoch - since == patience:
            break
    model.load_state_dict(kept)
    return history, evaluate(model, parts["test"])


@stop_early.wrong("restored-only-when-stopped", says=(
    "Where all {epochs} epochs were done, the model keeps the last weights, although epoch {best} was better."
    " Load the best ones after the loop, however it ended."))
def experiment(model, parts, one_epoch, evaluate, epochs, patience):
    history, best = [], math.inf
    for epoch in range(epochs):
        history.append((one_epoch(model, parts["train"]), evaluate(model, parts["val"])))
        if history[-1][1] < best:
            best, since, kept = history[-1][1], epoch, copy.deepcopy(model.state_dict())
        elif epoch - since == patience:
            model.load_state_dict(kept)
            break
    return history, evaluate(model, parts["test"])


@stop_early.wrong("best-by-training-loss", says=(
    "You kept the weights of epoch {got}, where the *training* loss is lowest. It falls as long as a network "
    "learns by heart; what counts is the validation loss, lowest after epoch {best}."))
def experiment(model, parts, one_epoch, evaluate, epochs, patience):
    history, best, waited, lowest = [], math.inf, 0, math.inf
    for _ in range(epochs):
        train_loss, val_loss = one_epoch(model, parts["train"]), evaluate(model, parts["val"])
        history.append((train_loss, val_loss))
        if train_loss < lowest:
            lowest, kept = train_loss, copy.deepcopy(model.state_dict())
        best, waited = (val_loss, 0) if val_loss < best else (best, waited + 1)
        if waited == patience:
            break
    model.load_state_dict(kept)
    return history, evaluate(model, parts["test"])


@stop_early.wrong("one-epoch-too-many", says=(
    "With patience {patience} you trained {got} epochs, {wanted} were due. Count epochs *since the best*: "
    "after {patience} without progress, stop at once."))
def experiment(model, parts, one_epoch, evaluate, epochs, patience):
    history, best, waited = [], math.inf, 0
    for _ in range(epochs):
        history.append((one_epoch(model, parts["train"]), evaluate(model, parts["val"])))
        if history[-1][1] < best:
            best, waited, kept = history[-1][1], 0, copy.deepcopy(model.state_dict())
        elif waited == patience:
            break
        else:
            waited += 1
    model.load_state_dict(kept)
    return history, evaluate(model, parts["test"])


@stop_early.wrong("at-the-first-rise", says=(
    "You stopped after {got} epochs, at the first that was not better. Validation losses jump about; that is "
    "what patience {patience} is for, and {wanted} epochs were due."))
def experiment(model, parts, one_epoch, evaluate, epochs, patience):
    history, best = [], math.inf
    for _ in range(epochs):
        history.append((one_epoch(model, parts["train"]), evaluate(model, parts["val"])))
        if history[-1][1] >= best:
            break
        best, kept = history[-1][1], copy.deepcopy(model.state_dict())
    model.load_state_dict(kept)
    return history, evaluate(model, parts["test"])


@stop_early.wrong("patience-in-total", says=(
    "You stopped after {got} epochs, {wanted} were due: the epochs without progress were added up over the "
    "whole training. Patience is for epochs in a row, so an epoch that is better sets the count to 0."))
def experiment(model, parts, one_epoch, evaluate, epochs, patience):
    history, best, waited = [], math.inf, 0
    for _ in range(epochs):
        history.append((one_epoch(model, parts["train"]), evaluate(model, parts["val"])))
        if history[-1][1] < best:
            best, kept = history[-1][1], copy.deepcopy(model.state_dict())
        else:
            waited += 1
        if waited == patience:
            break
    model.load_state_dict(kept)
    return history, evaluate(model, parts["test"])


@stop_early.wrong("stopped-by-the-test", says=(
    "The test part decided when to stop and what to keep. Then its loss is one that was chosen for being low,"
    " and tells nothing of new pictures. Choose by `parts[\"val\"]`."))
def experiment(model, parts, one_epoch, evaluate, epochs, patience):
    history, best = [], math.inf
    for epoch in range(epochs):
        history.append((one_epoch(model, parts["train"]), evaluate(model, parts["test"])))
        if history[-1][1] < best:
            best, since, kept = history[-1][1], epoch, copy.deepcopy(model.state_dict())
        elif epoch - since == patience:
            break
    model.load_state_dict(kept)
    return history, best


@stop_early.wrong("tested-every-epoch", says=(
    "The test part was read {count} times, once an epoch. Who sees these numbers chooses by them sooner or "
    "later. Read it once, after everything is decided."))
def experiment(model, parts, one_epoch, evaluate, epochs, patience):
    history, best = [], math.inf
    for epoch in range(epochs):
        history.append((one_epoch(model, parts["train"]), evaluate(model, parts["val"])))
        tested = evaluate(model, parts["test"])
        if history[-1][1] < best:
            best, since, kept, found = history[-1][1], epoch, copy.deepcopy(model.state_dict()), tested
        elif epoch - since == patience:
            break
    model.load_state_dict(kept)
    return history, found


@stop_early.wrong("tested-before-restoring", says=(
    "You tested the weights of epoch {got} and handed over those of epoch {best}: the number belongs to "
    "another model. Load the best weights first, then test."))
def experiment(model, parts, one_epoch, evaluate, epochs, patience):
    history, best = [], math.inf
    for epoch in range(epochs):
        history.append((one_epoch(model, parts["train"]), evaluate(model, parts["val"])))
        if history[-1][1] < best:
            best, since, kept = history[-1][1], epoch, copy.deepcopy(model.state_dict())
        elif epoch - since == patience:
            break
    tested = evaluate(model, parts["test"])
    model.load_state_dict(kept)
    return history, tested


LONG = [5.0, 3.0, 4.0, 2.0, 3.0, 2.5, 2.2, 1.0]         # with patience 3, the last epoch is not reached


@stop_early.checks("the test is read once, at the end", points=2)
def _(answer):
    stage = played(answer, LONG, 3)
    parts = [part for part, _ in stage.read]
    expect("val" in parts, mistake="stopped-by-the-test")
    expect(parts.count("test") <= 1, mistake="tested-every-epoch", count=parts.count("test"))
    expect(parts[-1] == "test", "The test part is read last, when everything is decided.")


@stop_early.checks("it stops when it should", points=3)
def _(answer):
    for losses, patience in ((LONG, 3), ([3.0, 2.0, 4.0, 1.0], 1), ([3.0, 2.0, 2.5], 5)):
        stage = played(answer, losses, patience)
        got, wanted = len(stage.history), stage.due
        rises = [epoch for epoch in range(2, len(losses) + 1) if losses[epoch - 1] >= min(losses[:epoch - 1])]
        said = {"got": got, "wanted": wanted, "patience": patience, "show": stage.chart}
        expect(got == wanted or got != rises[0], mistake="at-the-first-rise", **said)
        expect(got == wanted or got not in rises[patience - 1:patience], mistake="patience-in-total", **said)
        expect(got <= wanted, mistake="one-epoch-too-many", **said)
        expect(got == wanted, f"{wanted} epochs were due, your history has {got}.", show=stage.chart)
    stage = played(answer, [4.0, 3.0, 3.0, 3.5, 2.0], 2)
    expect(len(stage.history) == stage.due, "An epoch as good as the best is no progress: only a lower loss "
           f"is. {stage.due} epochs were due, your history has {len(stage.history)}.", show=stage.chart)


@stop_early.checks("the model has the best weights", points=3)
def _(answer):
    for losses, patience in ((LONG, 3), ([3.0, 2.0, 2.5], 5)):
        stage = played(answer, losses, patience)
        got, best = stage.model.epochs, stage.best
        last = got == len(stage.history) != best
        ended = patience < len(losses)
        expect(not (last and ended and stage.model.loaded), mistake="kept-without-a-copy", show=stage.chart)
        expect(not (last and ended), mistake="last-weights", got=got, best=best, show=stage.chart)
        expect(not last, mistake="restored-only-when-stopped", epochs=len(losses), best=best,
               show=stage.chart)
        expect(got == best or got != LOWEST_TRAINING, mistake="best-by-training-loss", got=got, best=best,
               show=stage.chart)
        expect(got == best, f"The model has the weights of epoch {got}; epoch {best} was best.",
               show=stage.chart)


@stop_early.checks("the numbers belong to them", points=2)
def _(answer):
    stage = played(answer, LONG, 3)
    wanted = [(stage.train_loss(epoch), loss) for epoch, loss in enumerate(LONG[:stage.due], start=1)]
    expect([tuple(pair) for pair in stage.history] == wanted,
           "`history` should hold (train_loss, val_loss) of each epoch, as they were returned.")
    tested = next(epochs for part, epochs in reversed(stage.read) if part == "test")
    expect(tested == stage.best, mistake="tested-before-restoring", got=tested, best=stage.best)
    expect(stage.tested == LONG[stage.best - 1] + HARDER, "The second thing to return is the test loss.")


stop_early.hints(
    "Each epoch: train, evaluate on `parts[\"val\"]`, append both. If the loss is lower than ever before, "
    "keep a copy of the weights and the number of the epoch.",
    "Else: is this epoch `patience` epochs after the best one? Then `break`.",
    "After the loop, in this order: load the kept weights, evaluate on `parts[\"test\"]`, return.")

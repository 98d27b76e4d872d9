"""Exercise: what a model costs, and what it says about a picture."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from statistics import mean, median

import torch
from torch import Tensor, nn

from course_utils.lessons._guards import chelsea, fresh_lite0, kind_of, torch_as_it_was
from course_utils.pretrained import count_parameters, measure, preprocessing, top_k
from course_utils.teaching import Exercise, Table, expect

compare_models = Exercise(
    "compare-models", lesson="03_model_zoo", title="Compare models", see="#Time-is-measured", minutes=10,
    difficulty="medium", objective="cost", seconds=30, guard=torch_as_it_was)


@compare_models.starter
def cost_and_answer(model, picture, passes):
    """What a model costs and says: (parameters, seconds, top5).

    model: from `load_model`; it may come in train mode. picture: a PIL picture.
    parameters: how many numbers gradients can change, frozen or not; buffers do not count.
    seconds: of one pass, the median of `passes` timed ones, after one that is not timed.
    top5: [(label, probability), …], the likeliest first; `model.course_classes` has the labels.
    """
    ...


@compare_models.solved_by
def cost_and_answer(model, picture, passes):
    """Prepared for this model, in eval mode, without gradients; the first pass is not timed."""
    model.eval()
    batch = preprocessing(model)(picture).unsqueeze(0)          # (1, 3, S, S)
    seconds = []
    with torch.inference_mode():
        scores = model(batch)[0]                                # the warm-up; (classes,)
        for _ in range(passes):
            start = time.perf_counter()
            model(batch)
            seconds.append(time.perf_counter() - start)
    best = scores.softmax(dim=0).topk(5)
    labels = [model.course_classes[i] for i in best.indices]
    parameters = sum(p.numel() for p in model.parameters())
    return parameters, median(seconds), list(zip(labels, best.values.tolist(), strict=True))


@compare_models.alternative("with-the-course")
def cost_and_answer(model, picture, passes):
    time_of_one = measure(model, batch_sizes=1, repeats=passes).latencies[0].median
    return count_parameters(model), time_of_one, [(p.label, p.probability) for p in top_k(model, picture)]


@compare_models.alternative("with-timeit")
def cost_and_answer(model, picture, passes):
    import timeit
    batch = torch.stack([preprocessing(model)(picture)])
    with torch.no_grad():
        shares = model.eval()(batch).softmax(1).squeeze(0)
        times = timeit.repeat(lambda: model(batch), number=1, repeat=passes)
    order = shares.argsort(descending=True)[:5]
    top5 = [[model.course_classes[int(i)], float(shares[i])] for i in order]
    return [sum(p.numel() for p in model.parameters()), sorted(times)[len(times) // 2], top5]


def timed(model, batch, passes):
    """Seconds of each pass by itself: what the wrong answers below have in common."""
    seconds = []
    for _ in range(passes):
        start = time.perf_counter()
        model(batch)
        seconds.append(time.perf_counter() - start)
    return seconds


@compare_models.wrong("no-batch-dimension", says=(
    "The model got a picture of shape {shape}. It takes a batch, (N, 3, H, W): `.unsqueeze(0)` makes a batch "
    "of one."))
def cost_and_answer(model, picture, passes):
    model.eval()
    prepared = preprocessing(model)(picture)
    with torch.inference_mode():
        model(prepared)
        seconds = timed(model, prepared, passes)
    return count_parameters(model), median(seconds), [(p.label, p.probability) for p in top_k(model, picture)]


@compare_models.wrong("a-size-by-habit", says=(
    "This model was trained on pictures of {own} pixels and got one of {got}. Size and preprocessing belong "
    "to the weights, and decide cost and answer: use `preprocessing(model)` as it is."))
def cost_and_answer(model, picture, passes):
    model.eval()
    batch = preprocessing(model, size=224)(picture).unsqueeze(0)
    with torch.inference_mode():
        model(batch)
        seconds = timed(model, batch, passes)
    return count_parameters(model), median(seconds), [(p.label, p.probability) for p in top_k(model, picture)]


@compare_models.wrong("in-train-mode", says=(
    "{count} of {all} passes ran in train mode, in which the model came. BatchNorm then takes its statistics "
    "from the one picture, and dropout hides features: another answer, other work. `model.eval()` first."))
def cost_and_answer(model, picture, passes):
    batch = preprocessing(model)(picture).unsqueeze(0)
    with torch.inference_mode():
        model(batch)
        seconds = timed(model, batch, passes)
    return count_parameters(model), median(seconds), [(p.label, p.probability) for p in top_k(model, picture)]


@compare_models.wrong("gradients-on", says=(
    "{count} of {all} passes ran with gradients on: each notes down what a backward pass would need, in time "
    "and memory that using a model does not take. Wrap them in `with torch.inference_mode():`."))
def cost_and_answer(model, picture, passes):
    model.eval()
    batch = preprocessing(model)(picture).unsqueeze(0)
    model(batch)
    seconds = timed(model, batch, passes)
    return count_parameters(model), median(seconds), [(p.label, p.probability) for p in top_k(model, picture)]


@compare_models.wrong("buffers-counted", says=(
    "You count {got:,} parameters, and {extra} of these numbers are buffers: BatchNorm's running statistics, "
    "which no gradient changes. `state_dict()` holds both, `parameters()` does not."))
def cost_and_answer(model, picture, passes):
    everything = sum(tensor.numel() for tensor in model.state_dict().values())
    time_of_one = measure(model, batch_sizes=1, repeats=passes).latencies[0].median
    return everything, time_of_one, [(p.label, p.probability) for p in top_k(model, picture)]


@compare_models.wrong("total-of-the-passes", says=(
    "A pass of this model takes about {right:.2f} s, and you report {got:.2f} s. Are all passes timed "
    "together? Time each by itself, and take the median."))
def cost_and_answer(model, picture, passes):
    model.eval()
    batch = preprocessing(model)(picture).unsqueeze(0)
    with torch.inference_mode():
        model(batch)
        start = time.perf_counter()
        for _ in range(passes):
            model(batch)
        total = time.perf_counter() - start
    return count_parameters(model), total, [(p.label, p.probability) for p in top_k(model, picture)]


@compare_models.wrong("mean-of-the-passes", says=(
    "Of {passes} passes two were held up, by {slow:g} s, the others took about {right:.2f} s. You report "
    "{got:.2f} s: a mean carries the two along. The median does not."))
def cost_and_answer(model, picture, passes):
    model.eval()
    batch = preprocessing(model)(picture).unsqueeze(0)
    with torch.inference_mode():
        model(batch)
        seconds = timed(model, batch, passes)
    return count_parameters(model), mean(seconds), [(p.label, p.probability) for p in top_k(model, picture)]


@compare_models.wrong("first-pass-timed", says=(
    "With one timed pass you report {got:.2f} s: the time of the very first run, which also pays for what is "
    "done once. The next one takes {right:.2f} s. Run the model before you time it."))
def cost_and_answer(model, picture, passes):
    model.eval()
    batch = preprocessing(model)(picture).unsqueeze(0)
    with torch.inference_mode():
        seconds = timed(model, batch, passes)
    return count_parameters(model), median(seconds), [(p.label, p.probability) for p in top_k(model, picture)]


@compare_models.wrong("scores-not-probabilities", says=(
    "The labels are right, but {got:.2f} for “{label}” is a score. `scores.softmax(dim=…)` over all classes "
    "gives probabilities: {right:.2f} here."))
def cost_and_answer(model, picture, passes):
    time_of_one = measure(model, batch_sizes=1, repeats=passes).latencies[0].median
    with torch.inference_mode():
        best = model.eval()(preprocessing(model)(picture).unsqueeze(0))[0].topk(5)
    guesses = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    return count_parameters(model), time_of_one, [(model.course_classes[i], score) for i, score in guesses]


CLASSES = tuple(f"thing {letter}" for letter in "abcdefg")
QUICK, SLOW = 0.01, 0.1         # seconds that a pass takes at least, and one that is held up


class Toy(nn.Module):
    """A small classifier that notes how it is run. A pass takes what `pause` says, or more if held up."""

    def __init__(self, size: int = 32, pause: Callable[[int], float] = lambda number: 0.0):
        super().__init__()
        self.conv, self.norm, self.head = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Linear(8, len(CLASSES))
        self.pause, self.shapes, self.trains, self.gradients, self.took = pause, [], [], [], []
        self.course_classes = CLASSES
        self.course_weights = replace(fresh_lite0().course_weights, input_size=size, resize=size + 8,
                                      crop_pct=None, classes=CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        start = time.perf_counter()
        time.sleep(self.pause(len(self.shapes)))
        self.shapes.append(tuple(images.shape))
        self.trains.append(self.training)
        self.gradients.append(torch.is_grad_enabled())
        batch = images.reshape(-1, *images.shape[-3:])      # a missing batch dimension is a check's matter
        scores = self.head(self.norm(self.conv(batch)).relu().mean(dim=(2, 3)))
        self.took.append(time.perf_counter() - start)
        return scores


def found_by(answer, model: nn.Module, passes: int) -> tuple[int, float, list]:
    """What the learner found, known to have the form that was asked for."""
    found = answer(model, chelsea(), passes)
    expect(isinstance(found, (tuple, list)) and len(found) == 3,
           f"`cost_and_answer` must return (parameters, seconds, top5), but it returned {kind_of(found)}.")
    parameters, seconds, top5 = found
    expect(isinstance(parameters, int), f"Parameters are counted: an int, not {kind_of(parameters)}.")
    expect(isinstance(seconds, float), f"The seconds should be a float, not {kind_of(seconds)}.")
    expect(isinstance(top5, (tuple, list)) and len(top5) == 5
           and all(isinstance(guess, (tuple, list)) and len(guess) == 2 and isinstance(guess[0], str)
                   for guess in top5), "top5 should be a list of five pairs, (label, probability).")
    return parameters, seconds, top5


@compare_models.checks("the model is run as it should be", points=2)
def _(answer):
    for size in (32, 48):
        model = Toy(size).train()
        found_by(answer, model, 2)
        expect(len(model.shapes) >= 2, "Two passes were asked for, the model ran less often.")
        flat = next((shape for shape in model.shapes if len(shape) != 4), None)
        expect(flat is None, mistake="no-batch-dimension", shape=flat)
        got = next((shape[-1] for shape in model.shapes if shape[-1] != size), size)
        expect(got == size, mistake="a-size-by-habit", own=size, got=got)
        ran = len(model.shapes)
        expect(not any(model.trains), mistake="in-train-mode", count=sum(model.trains), all=ran)
        expect(not any(model.gradients), mistake="gradients-on", count=sum(model.gradients), all=ran)


@compare_models.checks("parameters")
def _(answer):
    model = Toy()
    model.conv.requires_grad_(False)
    right, buffers = count_parameters(model), sum(buffer.numel() for buffer in model.buffers())
    got = found_by(answer, model, 1)[0]
    expect(got != right + buffers, mistake="buffers-counted", got=got, extra=buffers)
    expect(got == right, f"This model has {right:,} parameters, frozen ones too; you count {got:,}.")


@compare_models.checks("the time of a pass", points=3)
def _(answer):
    passes = 8              # any eight in a row hold two that are slow
    model = Toy(pause=lambda number: SLOW if number % 4 == 3 else QUICK)
    got = found_by(answer, model, passes)[1]
    usual, average = median(model.took), mean(model.took)

    def show():
        return [Table("Seconds of one pass", ["", "seconds"],
                      [[f"pass {i}", f"{took:.3f}"] for i, took in enumerate(model.took, start=1)]
                      + [["you report", f"{got:.3f}"]], marked=[len(model.took)])]

    expect(got < 2, f"{got:.3g} for a pass that takes about {QUICK} s: return seconds.", show=show)
    expect(got >= 0.9 * QUICK, f"{got:.4f} s is less than this model takes for a pass, {QUICK} s.", show=show)
    expect(got < max(model.took), mistake="total-of-the-passes", got=got, right=QUICK, show=show)
    expect(got < (usual + average) / 2, mistake="mean-of-the-passes", got=got, right=usual, slow=SLOW,
           passes=passes, show=show)
    model = Toy(pause=lambda number: QUICK if number else SLOW)
    got = found_by(answer, model, 1)[1]
    first, later = model.took[0], median(model.took[1:] or model.took)
    expect(len(model.took) > 1 and abs(got - later) < abs(got - first), mistake="first-pass-timed", got=got,
           right=later)


@compare_models.checks("the five likeliest", points=2)
def _(answer):
    model = fresh_lite0()
    wanted = [(guess.label, guess.probability) for guess in top_k(model, chelsea())]
    top5 = [(label, float(number)) for label, number in found_by(answer, model, 1)[2]]
    pairs = list(zip(top5, wanted, strict=True))

    def show():
        return [Table("The cat, as Lite0 sees it", ["yours", "number", "expected", "probability"],
                      [[label, f"{p:.3f}", right, f"{q:.3f}"] for (label, p), (right, q) in pairs])]

    same_labels = all(label == right for (label, _), (right, _) in pairs)
    expect(not same_labels or top5[0][1] <= 1, mistake="scores-not-probabilities", got=top5[0][1],
           label=top5[0][0], right=wanted[0][1], show=show)
    expect(same_labels, "These are not the five likeliest classes, the likeliest first.", show=show)
    expect(all(abs(p - q) < 0.01 for (_, p), (_, q) in pairs),
           "The labels are right, the probabilities are not. Softmax goes over all classes.", show=show)


compare_models.hints(
    "First `model.eval()`, then `preprocessing(model)(picture).unsqueeze(0)`; all passes under "
    "`with torch.inference_mode():`.",
    "Run the model once and keep these scores for the top 5. Then time each of `passes` passes with "
    "`time.perf_counter()`, and take `median(…)` of the list.",
    "`sum(p.numel() for p in model.parameters())`; `scores.softmax(0).topk(5)` has `.indices`, `.values`.")

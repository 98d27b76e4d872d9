"""Exercise: parameters, time and answer of several models, in one table."""

from __future__ import annotations

import time

import torch

from course_utils.lessons._guards import chelsea, fresh_lite0, torch_as_it_was
from course_utils.pretrained import count_parameters, preprocessing, top_k
from course_utils.teaching import Exercise, Table, expect

from ._toys import PASSES, QUICK, SIZES, SLOW, Toy, rows_of, slow_to_prepare, times_of, two_toys

a_row_for_each = Exercise(
    "a-row-for-each", lesson="coding_1_compare_models", title="A row for each model", see="#The-table",
    minutes=12, difficulty="medium", objective="table", seconds=30, guard=torch_as_it_was)


@a_row_for_each.starter
def compare(models, picture, passes):
    """A row for each model: [{"name": …, "parameters": …, "seconds": …, "top5": …}, …].

    `models` is {name: model}, each in whatever mode. "parameters": how many numbers gradients can change.
    "seconds": of `passes` forward passes together, the picture prepared before, and one pass done that is not
    timed. "top5": the likeliest labels, first the likeliest; `model.course_classes` has them. Models were
    trained with pictures of their own size: `preprocessing(model)` knows it.
    """
    ...


@a_row_for_each.solved_by
def compare(models, picture, passes):
    """Each model with a picture prepared for it, in eval mode, without gradients."""
    rows = []
    for name, model in models.items():
        model.eval()
        batch = preprocessing(model)(picture).unsqueeze(0)          # (1, 3, S, S)
        with torch.inference_mode():
            scores = model(batch)                                   # the warm-up; (1, classes)
            start = time.perf_counter()
            for _ in range(passes):
                model(batch)
            seconds = time.perf_counter() - start
        best = scores.flatten().topk(5).indices
        rows.append({"name": name, "parameters": sum(p.numel() for p in model.parameters()),
                     "seconds": seconds, "top5": [model.course_classes[i] for i in best]})
    return rows


@a_row_for_each.alternative("with-the-course")
def compare(models, picture, passes):
    rows = []
    for name, model in models.items():
        top5 = [guess.label for guess in top_k(model.eval(), picture)]       # it also warms the model up
        with torch.no_grad():
            batch = torch.stack([preprocessing(model)(picture)])
            moments = [time.perf_counter()]
            for _ in range(passes):
                model(batch)
                moments.append(time.perf_counter())
        rows.append(dict(name=name, parameters=count_parameters(model), seconds=moments[-1] - moments[0],
                         top5=top5))
    return rows


@a_row_for_each.alternative("with-timeit")
def compare(models, picture, passes):
    import timeit

    @torch.inference_mode()
    def row(name, model):
        batch = preprocessing(model.eval())(picture)[None]
        order = model(batch)[0].softmax(0).argsort(descending=True)
        return {"name": name, "parameters": sum(map(torch.Tensor.numel, model.parameters())),
                "seconds": timeit.timeit(lambda: model(batch), number=passes),
                "top5": tuple(model.course_classes[int(i)] for i in order[:5])}
    return [row(*pair) for pair in models.items()]


@a_row_for_each.alternative("in-turn")
def compare(models, picture, passes):
    batches = {name: preprocessing(model.eval())(picture).unsqueeze(0) for name, model in models.items()}
    seconds = dict.fromkeys(models, 0.0)
    with torch.inference_mode():
        scores = {name: model(batches[name])[0] for name, model in models.items()}
        for _ in range(passes):             # one pass of each in turn: a busy minute then hits all alike
            for name, model in models.items():
                start = time.perf_counter()
                model(batches[name])
                seconds[name] += time.perf_counter() - start
    return [{"name": name, "parameters": sum(p.numel() for p in model.parameters()),
             "seconds": seconds[name],
             "top5": [model.course_classes[i] for i in scores[name].topk(5).indices.tolist()]}
            for name, model in models.items()]


def row_of(name, model, batch, seconds):
    """A right row: what the wrong answers below have in common."""
    with torch.inference_mode():
        best = model.eval()(batch)[0].topk(5).indices
    return {"name": name, "parameters": count_parameters(model), "seconds": seconds,
            "top5": [model.course_classes[i] for i in best]}


def timed(model, batch, passes, warm=True):
    """Seconds of `passes` passes."""
    if warm:
        model(batch)
    start = time.perf_counter()
    for _ in range(passes):
        model(batch)
    return time.perf_counter() - start


def one_by_one(models, picture, seconds_of):
    """Right rows, but for their seconds."""
    rows = []
    for name, model in models.items():
        batch = preprocessing(model)(picture).unsqueeze(0)
        with torch.inference_mode():
            rows.append(row_of(name, model, batch, seconds_of(model.eval(), batch)))
    return rows


@a_row_for_each.wrong("one-picture-for-all", says=(
    "“{name}” was trained with pictures of {own} pixels and got one of {got}: the picture was prepared once, "
    "for the first model. Size, cut and normalisation belong to the weights: `preprocessing(model)` inside "
    "the loop."))
def compare(models, picture, passes):
    batch = preprocessing(next(iter(models.values())))(picture).unsqueeze(0)
    rows = []
    for name, model in models.items():
        with torch.inference_mode():
            rows.append(row_of(name, model, batch, timed(model.eval(), batch, passes)))
    return rows


@a_row_for_each.wrong("a-size-by-habit", says=(
    "“{name}” got a picture of {got} pixels. Its weights want {own}, and 224 is only what many others want. "
    "Leave the size to `preprocessing(model)`."))
def compare(models, picture, passes):
    rows = []
    for name, model in models.items():
        batch = preprocessing(model, size=224)(picture).unsqueeze(0)
        with torch.inference_mode():
            rows.append(row_of(name, model, batch, timed(model.eval(), batch, passes)))
    return rows


@a_row_for_each.wrong("in-train-mode", says=(
    "“{name}” came in train mode and ran in it. Then BatchNorm takes its statistics from your one picture, "
    "and dropout hides features. `model.eval()` for each model."))
def compare(models, picture, passes):
    rows = []
    for name, model in models.items():
        batch = preprocessing(model)(picture).unsqueeze(0)
        with torch.inference_mode():
            seconds = timed(model, batch, passes)
            rows.append(row_of(name, model, batch, seconds))
    return rows


@a_row_for_each.wrong("gradients-on", says=(
    "“{name}” ran with gradients on: each pass notes down what a backward pass would need, in time and "
    "memory that using a model does not take. `with torch.inference_mode():` around the passes."))
def compare(models, picture, passes):
    rows = []
    for name, model in models.items():
        batch = preprocessing(model)(picture).unsqueeze(0)
        rows.append(row_of(name, model, batch, timed(model.eval(), batch, passes)))
    return rows


@a_row_for_each.wrong("preparing-timed", says=(
    "You report {got:.2f} s for {passes} passes that took {right:.2f} s. Preparing the picture is in your "
    "time, which is the same for every model and hides what differs. Prepare first, then read the clock."))
def compare(models, picture, passes):
    rows = []
    for name, model in models.items():
        with torch.inference_mode():
            model.eval()(preprocessing(model)(picture).unsqueeze(0))
            start = time.perf_counter()
            for _ in range(passes):
                batch = preprocessing(model)(picture).unsqueeze(0)
                model(batch)
            rows.append(row_of(name, model, batch, time.perf_counter() - start))
    return rows


@a_row_for_each.wrong("first-pass-timed", says=(
    "With one timed pass you report {got:.2f} s, the time of the very first run, which also pays for what is "
    "done once. The next takes {right:.2f} s. Run each model once before you read the clock."))
def compare(models, picture, passes):
    return one_by_one(models, picture, lambda model, batch: timed(model, batch, passes, warm=False))


@a_row_for_each.wrong("one-pass-reported", says=(
    "{passes} passes took {right:.2f} s together, you report {got:.3f} s: the time of one. Both are fine "
    "figures, but a table must say which it holds. Here it is all of them."))
def compare(models, picture, passes):
    return one_by_one(models, picture, lambda model, batch: timed(model, batch, passes) / passes)


@a_row_for_each.wrong("buffers-counted", says=(
    "You count {got:,} parameters of “{name}”, and {extra} of these numbers are BatchNorm's running "
    "statistics, which no gradient changes. `state_dict()` holds them, `parameters()` does not."))
def compare(models, picture, passes):
    rows = one_by_one(models, picture, lambda model, batch: timed(model, batch, passes))
    return [row | {"parameters": sum(value.numel() for value in models[row["name"]].state_dict().values())}
            for row in rows]


@a_row_for_each.wrong("one-row-filled-again", says=(
    "All your rows are “{name}”, the last model: one dict was made before the loop and filled again each "
    "time. Make a new one for each model."))
def compare(models, picture, passes):
    rows, row = [], {}
    for name, model in models.items():
        batch = preprocessing(model)(picture).unsqueeze(0)
        with torch.inference_mode():
            row.update(row_of(name, model, batch, timed(model.eval(), batch, passes)))
        rows.append(row)
    return rows


@a_row_for_each.wrong("the-least-likely", says=(
    "Your five are the least likely of {classes:,} classes: `argsort()` sorts upwards. `topk(5)` begins at "
    "the top."))
def compare(models, picture, passes):
    rows = one_by_one(models, picture, lambda model, batch: timed(model, batch, passes))
    return [row | {"top5": least_likely(models[row["name"]], picture)} for row in rows]


def least_likely(model, picture):
    """The five labels that the model thinks least likely."""
    with torch.inference_mode():
        scores = model.eval()(preprocessing(model)(picture).unsqueeze(0))[0]
    return [model.course_classes[i] for i in scores.argsort()[:5]]


@a_row_for_each.checks("each model is run as it should be", points=3)
def _(answer):
    models = two_toys()
    rows_of(answer, models)
    for (name, model), own in zip(models.items(), SIZES, strict=True):
        got = next((size for size in model.sizes if size != own), own)
        expect(got == own or got != SIZES[0], mistake="one-picture-for-all", name=name, own=own, got=got)
        expect(got == own, mistake="a-size-by-habit", name=name, own=own, got=got)
        expect(not any(model.trains), mistake="in-train-mode", name=name)
        expect(not any(model.gradients), mistake="gradients-on", name=name)


@a_row_for_each.checks("a row for each, with its parameters", points=2)
def _(answer):
    models = two_toys()
    rows = rows_of(answer, models)
    names = [row["name"] for row in rows]
    expect(len(set(names)) == len(names), mistake="one-row-filled-again", name=names[-1])
    expect(names == list(models), f"The rows should be of {' and '.join(models)}, in this order, but they "
           f"are of {' and '.join(map(str, names))}.")
    for row, model in zip(rows, models.values(), strict=True):
        right, buffers = count_parameters(model), sum(buffer.numel() for buffer in model.buffers())
        got = row["parameters"]
        expect(got != right + buffers, mistake="buffers-counted", got=got, extra=buffers, name=row["name"])
        expect(got == right, f"“{row['name']}” has {right:,} parameters, frozen ones too; you count {got}.")


@a_row_for_each.checks("the time of the passes", points=3)
def _(answer):
    model = Toy(SIZES[0], pause=lambda number: QUICK)
    picture = slow_to_prepare()
    got = rows_of(answer, {"a model": model}, picture)[0]["seconds"]
    expect(len(model.took) >= PASSES, f"{PASSES} passes were asked for, {len(model.took)} were done.")
    right = min(times_of(model))
    said = {"got": got, "right": right, "passes": PASSES, "show": lambda: [Table(
        "Seconds", ["", "seconds"], [["the passes", f"{right:.3f}"], ["you report", f"{got:.3f}"]])]}
    expect(got > right / 2, mistake="one-pass-reported", **said)
    expect(got < max(times_of(model)) + 2 * picture.pause, mistake="preparing-timed", **said)
    model = Toy(SIZES[0], pause=lambda number: QUICK if number else SLOW)
    got = rows_of(answer, {"a model": model}, passes=1)[0]["seconds"]
    expect(got < SLOW / 2, mistake="first-pass-timed", got=got, right=QUICK)


@a_row_for_each.checks("the five likeliest")
def _(answer):
    model = fresh_lite0()
    wanted = [guess.label for guess in top_k(model, chelsea())]
    got = list(rows_of(answer, {"lite0": model}, chelsea(), 1)[0]["top5"])
    expect(not set(got) & set(least_likely(model, chelsea())), mistake="the-least-likely", classes=1000)
    expect(got == wanted, "These are not the five likeliest labels, the likeliest first.", show=lambda: [
        Table("The cat, as Lite0 sees it", ["yours", "expected"],
              [[str(yours), right] for yours, right in zip(got, wanted, strict=False)])])


a_row_for_each.hints(
    "In the loop over `models.items()`: `model.eval()`, then `preprocessing(model)(picture).unsqueeze(0)`.",
    "Under `with torch.inference_mode():` one pass whose scores you keep, then the clock, then the passes, "
    "then the clock again.",
    "`scores[0].topk(5).indices` are positions in `model.course_classes`.")

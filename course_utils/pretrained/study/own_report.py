"""The page that tells what became of a folder of pictures."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from matplotlib.figure import Figure
from scipy.stats import binomtest

from course_utils.pretrained.audit.findings import SHOWN, shown
from course_utils.pretrained.saving.facts import versions
from course_utils.pretrained.saving.model_card import WEIGHTS
from course_utils.pretrained.study.charts import as_svg
from course_utils.pretrained.study.pages import Bullets, Chart, Code, Grid, Heading, Part, Photos, write_page

if TYPE_CHECKING:
    from course_utils.pretrained.study.own_folder import OwnModel

MOST_ERRORS, THUMBNAIL = 24, 160
BINS = 10


def write_own_report(found: OwnModel) -> None:
    """Write `found.report`, whole or not at all."""
    name = shown(found.data.card.title)
    write_page(found.report, f"{name}: from pictures to a model", list(parts_of(found)))


def parts_of(found: OwnModel) -> Iterator[Part]:
    """What was looked at, tried, taken, and how good it is."""
    metrics, data = found.metrics, found.data
    interval = binomtest(round(metrics.accuracy * metrics.n), metrics.n).proportion_ci(0.95, "wilson")
    yield (f"{found.chosen.capitalize()} of {found.model.course_weights.name} names {metrics.accuracy:.1%} "
           f"of {metrics.n} test pictures rightly. They played no part in training or choosing. On other "
           f"pictures of the kind, {interval.low:.0%} to {interval.high:.0%} can be expected (95 %, Wilson).")
    yield Heading("The pictures")
    yield str(data.card)
    yield from _audit(found)
    yield Heading("What was tried")
    similarity = "not measured" if found.similarity is None else f"{found.similarity:.2f}"
    yield (f"Similarity to the pictures of pretraining: {similarity}. Recommended: "
           f"{found.recommendation.strategy}.")
    yield Bullets([*found.recommendation.reasons, f"To test it: {found.recommendation.experiment}"])
    yield Grid("Accuracy on validation, by which one was chosen", ["strategy", "validation"],
               [[name, f"{accuracy:.1%}"] for name, accuracy in found.tried.items()])
    yield Heading("How good it is, on test")
    yield _confusion(found)
    yield from _errors(found)
    yield _calibration(found)
    yield Heading("The model")
    folder, size = found.export.folder.name, f", size={found.size}" if found.size else ""
    yield f"In the folder {folder} beside this page, with a model card, README.md."
    yield from [f"The ONNX file: {found.export.agreement}."] if found.export.agreement else []
    yield "From where this page lies, in Python with the course installed:"
    yield Code("from course_utils.pretrained import load_checkpoint, open_image, top_k\n\n"
               f"model = load_checkpoint({f'{folder}/{WEIGHTS}'!r}).model\n"
               f"print(top_k(model, open_image('a_picture.jpg'), k=2{size}))")
    yield "Versions: " + ", ".join(f"{name} {version}" for name, version in versions().items()) + "."


def _audit(found: OwnModel) -> Iterator[Part]:
    yield Heading("What the audit found", 3)
    rows = [[one.serious, shown(one.seen), shown(one.do),
             "; ".join(map(str, one.cases[:SHOWN])) + (" …" if len(one.cases) > SHOWN else "")]
            for one in found.audit.findings]
    yield (Grid("Findings", ["how serious", "seen", "what is done, or to do", "where"], rows) if rows
           else "Nothing that would stop or mislead learning.")


def _confusion(found: OwnModel) -> Grid:
    classes = found.data.classes
    rows = [[shown(name), *map(str, counts), f"{found.metrics.per_class[name]:.0%}"]
            for name, counts in zip(classes, found.metrics.confusion.tolist(), strict=True)]
    return Grid("True classes in rows, predicted ones in columns", ["", *map(shown, classes), "found"], rows)


def _errors(found: OwnModel) -> Iterator[Part]:
    """The wrong ones, the surest first: labels that are wrong are among these, too."""
    test = found.data.splits()[2]
    confidence, guesses = found.scores.double().softmax(dim=1).max(dim=1)
    wrong = (guesses != torch.tensor(test.labels)).nonzero().flatten().tolist()
    wrong.sort(key=lambda i: -confidence[i])
    if not wrong:
        yield "Not one test picture was named wrongly."
        return
    photos = []
    for i in wrong[:MOST_ERRORS]:
        picture, file = test[i][0], io.BytesIO()
        picture.thumbnail((THUMBNAIL, THUMBNAIL))
        picture.save(file, "JPEG", quality=85)
        photos.append((file.getvalue(), f"{shown(test.classes[test.labels[i]])}, taken for "
                                        f"{shown(test.classes[guesses[i]])}, {confidence[i]:.0%} sure"))
    yield Photos(f"{len(wrong)} of {len(test)} named wrongly, surest first"
                 + (f"; {MOST_ERRORS} shown" if len(wrong) > MOST_ERRORS else ""), tuple(photos))


def _calibration(found: OwnModel) -> Chart:
    """How often the model is right when it is so sure."""
    labels = torch.tensor(found.data.splits()[2].labels)
    confidence, guesses = found.scores.double().softmax(dim=1).max(dim=1)
    bins = (confidence * BINS).long().clamp(max=BINS - 1)
    points = [(confidence[own].mean().item(), (guesses == labels)[own].double().mean().item(), int(own.sum()))
              for own in (bins == b for b in range(BINS)) if own.any()]
    figure = Figure(figsize=(5, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 100], [0, 100], color="gray", linestyle=":", label="says what it means")
    axes.plot([100 * c for c, _, _ in points], [100 * r for _, r, _ in points], marker="o", color="#0072B2",
              label="this model")
    axes.set(xlabel="how sure, %", ylabel="how often right, %", title="Calibration on test")
    axes.legend()
    said = "; ".join(f"{count} pictures {sure:.0%} sure, {right:.0%} right" for sure, right, count in points)
    return Chart(as_svg(figure), f"Calibration: {said}",
                 f"How often the model is right when it is so sure; the error of calibration is "
                 f"{found.metrics.calibration:.1%}.")

"""confusion_explorer, calibration_plot, upload_demo: what a trained classifier does, seen and tried."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from course_utils.pretrained import Images, top_k
from course_utils.teaching.exhibits import Bars, Chart, Line, Picture, Pictures, Table, Words
from course_utils.widgets.explorer import Choice, Explorer, Slider, Upload, explore

MOST_PICTURES = 12       # of one cell


def confusion_explorer(scores: Tensor, images: Images, title: str = "Who is taken for whom?") -> Explorer:
    """The confusion matrix, and the pictures behind the cell that is chosen.

    Args:
        scores: (N, classes) of the model for `images`, in their order.
        images: the pictures, with their labels and class names.
    """
    guesses, labels, classes = scores.argmax(1), torch.tensor(images.labels), list(images.classes)
    confidence = scores.double().softmax(1).max(1).values
    counts = torch.bincount(labels * len(classes) + guesses, minlength=len(classes) ** 2)
    matrix = counts.reshape(len(classes), len(classes))
    off = matrix.clone().fill_diagonal_(0)
    true_first, guess_first = divmod(int(off.argmax()), len(classes))

    def look(true: int, guess: int) -> list:
        rows = [[name, *(f"[{n}]" if (i, j) == (true, guess) else str(n) for j, n in enumerate(row)),
                 f"{row[i] / sum(row):.0%}" if sum(row) else "none"]
                for i, (name, row) in enumerate(zip(classes, matrix.tolist(), strict=True))]
        behind = ((labels == true) & (guesses == guess)).nonzero().flatten().tolist()
        behind.sort(key=lambda i: -confidence[i])
        pictures = [Picture.of(images[i][0], f"{confidence[i]:.0%} sure", f"{classes[true]}, taken for "
                               f"{classes[guess]}, {confidence[i]:.0%} sure") for i in behind[:MOST_PICTURES]]
        cell = f"{len(behind)} of {classes[true]}, taken for {classes[guess]}"
        return [Table("True classes in rows, predicted ones in columns", ["", *classes, "found"], rows,
                      marked=[true]),
                Pictures(cell + (", surest first" if pictures else ""), pictures, width=96)]

    names = {name: i for i, name in enumerate(classes)}
    return explore(title, look, true=Choice("True class", names, true_first),
                   guess=Choice("Taken for", names, guess_first))


def calibration_plot(scores: Tensor, labels: Sequence[int], title: str = "Calibration") -> Explorer:
    """How often the model is right when it says how sure it is. On the diagonal it means what it says.

    Args:
        scores: (N, classes), before softmax.
        labels: the true class of each row.
    """
    confidence, guesses = scores.double().softmax(1).max(1)
    right = (guesses == torch.as_tensor(labels)).double()

    def look(bins: int) -> list:
        bin_of = (confidence * bins).ceil().long().clamp(1, bins) - 1
        filled = [b for b in range(bins) if (bin_of == b).any()]
        sizes = [int((bin_of == b).sum()) for b in filled]
        means = [(confidence[bin_of == b].mean().item(), right[bin_of == b].mean().item(), f"{size} pictures")
                 for b, size in zip(filled, sizes, strict=True)]
        gap = sum(size * abs(sure - share) for size, (sure, share, _) in zip(sizes, means, strict=True))
        lines = [Line("this model", means), Line("perfectly calibrated", [(0, 0), (1, 1)])]
        return [Chart("Right as often as sure?", "mean probability of the predicted class", "share right",
                      lines, percent=True),
                Words(f"Calibration error with {bins} bins: {gap / len(right):.1%}. Points below the "
                      "diagonal: surer than right.")]

    return explore(title, look, bins=Slider("Bins", (5, 10, 15, 20), 10))


def upload_demo(model: nn.Module, title: str = "Try a picture of your own", *,
                size: int | None = None) -> Explorer:
    """A picture from the learner's disk, and what the model says. The picture stays in this kernel.

    Args:
        size: pixels the model was trained with, where these are not those of its weights.
    """
    def look(picture) -> list:
        if picture is None:
            return [Words("Choose a picture. It is read by this notebook's kernel and goes nowhere else.")]
        said = [(p.label, p.probability, f"{p.probability:.1%}") for p in top_k(model, picture, size=size)]
        return [Pictures("Your picture", [Picture.of(picture, f"{picture.width} × {picture.height} pixels")],
                         width=240),
                Bars("The model says", said),
                Words("It can choose only among the classes it knows, whatever the picture shows.")]

    return explore(title, look, picture=Upload("A picture, as JPEG or PNG"))

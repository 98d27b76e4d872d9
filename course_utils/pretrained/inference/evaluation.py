"""What a model is worth on pictures it did not learn from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing

import torch
from torch import Tensor, nn

from course_utils.errors import BadData, CourseError, TrainingDiverged
from course_utils.pretrained.data.batches import batches_of, check_count, check_data, device_of, run
from course_utils.pretrained.data.images import Images
from course_utils.pretrained.data.randomness import seeded
from course_utils.pretrained.inference.metrics import Metrics, metrics_of
from course_utils.pretrained.inference.precision import choose_precision, computing_in
from course_utils.pretrained.inference.processor import memory_reused, weights_in_order
from course_utils.pretrained.models.freezing import in_eval_mode
from course_utils.pretrained.models.heads import need_module


def evaluate(model: nn.Module, data: Images | Iterable, *, batch_size: int = 32,
             size: int | None = None, precision: str = "auto") -> Metrics:
    """What the model is worth on `data`, in eval mode and without gradients; its mode is the same afterwards.

    Args:
        data: Images, prepared as the model's weights expect; or a DataLoader of (inputs, labels), untouched.
        batch_size: of Images, pictures at a time. The result is the same.
        size: pixels of the prepared pictures; None is what the weights were trained for.
        precision: "float32", "bfloat16", or "auto": bfloat16 where the device computes in it.
    Raises:
        CourseError: labels and head do not fit; BadData: there are no pictures; TrainingDiverged: the scores
            are not numbers.
    """
    need_module(model, "evaluate")
    check_data(data, "evaluate", size=size)
    check_count("batch_size", batch_size)
    device = device_of(model)
    precision = choose_precision(precision, device, model)
    scores, labels = [], []
    with seeded("evaluate"), in_eval_mode(model), torch.inference_mode(), memory_reused(), \
            weights_in_order(model), computing_in(precision, model, device), \
            closing(batches_of(model, data, "evaluate", batch_size, size=size)) as batches:
        for inputs, true in batches:
            given = run(model, inputs)                                       # (B, classes)
            check_scores(given, true, model, data)
            check_numbers(given, model)
            scores.append(given.float().cpu())
            labels.append(true)
    if not scores:
        raise BadData("There are no pictures to evaluate on: the loader gave no batch. An iterator can be "
                      "read only once; a DataLoader as often as you like.")
    scores = torch.cat(scores)                                               # (N, classes)
    return metrics_of(scores, torch.cat(labels), _class_names(model, data, scores.shape[1]))


def check_scores(scores: object, labels: Tensor, model: nn.Module, data: object) -> None:
    """Refuse, in words, scores that these labels do not index.

    Raises:
        CourseError: the head has another number of classes than the data, the same ones in another order, or
            labels lie outside.
    """
    if not isinstance(scores, Tensor) or scores.ndim != 2 or len(scores) != len(labels):
        came = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
        raise CourseError(f"A classifier gives scores of shape ({len(labels)}, classes) for {len(labels)} "
                          f"inputs, but this {type(model).__name__} gives {came}.")
    width, head = scores.shape[1], getattr(model, "course_classes", None) or ()
    if isinstance(data, Images) and width != len(data.classes):
        raise CourseError(f"The model's head gives {width:,} scores, but the data has {len(data.classes)} "
                          "classes. Type: replace_head(model, data.classes)")
    # Names of another number are those of a head that was taken off by hand.
    if isinstance(data, Images) and len(head) == width and tuple(head) != data.classes:
        raise CourseError(f"The model's head and the data have {other_classes(head, data.classes)}. Labels "
                          "would be read wrongly; for a new head, type: replace_head(model, data.classes)")
    if labels.min() < 0 or labels.max() >= width:
        wrong = labels[(labels < 0) | (labels >= width)][0].item()
        raise CourseError(f"The model's head gives {width} scores, for labels 0 … {width - 1}, but there is "
                          f"a label {wrong}. Type: replace_head(model, number_of_classes)")


def other_classes(one: Sequence[str], other: Sequence[str]) -> str:
    """How two rows of class names differ, in words."""
    how = "the same classes in another order" if sorted(one) == sorted(other) else "other classes"
    return f"{how}: {', '.join(one)} against {', '.join(other)}"


def check_numbers(scores: Tensor, model: nn.Module) -> None:
    """Refuse scores of which the largest means nothing.

    Raises:
        TrainingDiverged: some are nan or infinite.
    """
    if not scores.isfinite().all():
        raise TrainingDiverged(f"The scores of this {type(model).__name__} are not numbers (nan or inf): its "
                               "training has blown up, or there is nan in its weights or in the pictures.")


def _class_names(model: nn.Module, data: object, count: int) -> tuple[str, ...]:
    """The data's names, else the model's, where there are as many as scores; else numbers."""
    given = (getattr(owner, "classes", None) for owner in (data, getattr(data, "dataset", None)))
    return names_for(count, *given, getattr(model, "course_classes", None)) or tuple(map(str, range(count)))


def names_for(count: int, *given: Sequence[str] | None) -> tuple[str, ...] | None:
    """The first of `given` with a name for each score: of a head put on by hand, old names would be wrong."""
    return next((tuple(names) for names in given if names and len(names) == count), None)

"""Distillation: a small network learns from the whole answer of a large one, not from the label alone."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from course_utils.errors import CourseError
from course_utils.pretrained.data.batches import what_came


def distillation_loss(student_logits: Tensor, teacher_logits: Tensor, labels: Tensor, *,
                      temperature: float = 4.0, alpha: float = 0.7) -> Tensor:
    """alpha · T² · KL(teacher ‖ student), both softened by T, + (1 − alpha) · cross-entropy with the labels.

    Averaged over the batch. The teacher gets no gradients.

    Args:
        student_logits, teacher_logits: (B, classes), before softmax, for the same pictures and classes.
        labels: (B,) int64.
        temperature: T divides the scores before softmax; the higher, the more the unlikely classes count.
        alpha: 1 learns from the teacher alone, 0 from the labels alone.
    Raises:
        CourseError: the two do not fit together, or a number lies outside its range.
    Source: Hinton, Vinyals and Dean, 2015, "Distilling the Knowledge in a Neural Network".
    """
    _check(student_logits, teacher_logits, labels, temperature, alpha)
    # bfloat16 would round away the small probabilities that distillation is about
    exact = torch.promote_types(student_logits.dtype, torch.float32)
    student, teacher = student_logits.to(exact), teacher_logits.detach().to(exact)           # (B, classes)
    soft = F.kl_div(F.log_softmax(student / temperature, dim=1), F.log_softmax(teacher / temperature, dim=1),
                    reduction="batchmean", log_target=True)
    hard = F.cross_entropy(student, labels)
    # softened gradients shrink by 1/T²; T² keeps them level with those of the labels
    return alpha * temperature ** 2 * soft + (1 - alpha) * hard


def _check(student: Tensor, teacher: Tensor, labels: Tensor, temperature: float, alpha: float) -> None:
    for name, logits in [("student_logits", student), ("teacher_logits", teacher)]:
        if not isinstance(logits, Tensor) or logits.ndim != 2 or not len(logits):
            raise CourseError(f"{name} are the scores of a batch, shape (B, classes), but got "
                              f"{what_came(logits)}. For one picture, use scores.unsqueeze(0).")
    if student.shape[1] != teacher.shape[1]:
        raise CourseError(f"The student gives {student.shape[1]} scores, the teacher {teacher.shape[1]}: not "
                          f"the same classes. Adapt the teacher: replace_head(teacher, {student.shape[1]}), "
                          "and train it on your pictures.")
    if len(student) != len(teacher):
        raise CourseError(f"The student saw {len(student)} pictures, the teacher {len(teacher)}. Show both "
                          "the same batch.")
    if not isinstance(labels, Tensor) or labels.shape != student.shape[:1] or labels.is_floating_point():
        raise CourseError(f"labels are whole numbers, shape ({len(student)},), but got {what_came(labels)}.")
    if labels.min() < 0 or labels.max() >= student.shape[1]:
        raise CourseError(f"Labels go from 0 to {student.shape[1] - 1}, one for each score, but these go "
                          f"from {labels.min().item()} to {labels.max().item()}.")
    if not 0 < temperature < math.inf:
        raise CourseError(f"temperature is a number above 0, such as 4.0, but got {temperature!r}.")
    if not 0 <= alpha <= 1:
        raise CourseError(f"alpha is a share, from 0 to 1, but got {alpha!r}.")

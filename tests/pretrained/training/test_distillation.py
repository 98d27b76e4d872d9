"""The distillation loss is what its formula says, and keeps its gradients level."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch.nn import functional as F

from course_utils.errors import CourseError
from course_utils.pretrained import distillation_loss


def reference(student, teacher, labels, temperature, alpha):
    """The formula in NumPy, float64, written out without torch."""
    def log_softmax(scores):
        scores = scores - scores.max(axis=1, keepdims=True)
        return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))

    soft_teacher, soft_student = log_softmax(teacher / temperature), log_softmax(student / temperature)
    divergence = (np.exp(soft_teacher) * (soft_teacher - soft_student)).sum(axis=1).mean()
    entropy = -log_softmax(student)[np.arange(len(labels)), labels].mean()
    return alpha * temperature ** 2 * divergence + (1 - alpha) * entropy


@st.composite
def batches(draw):
    shape = draw(st.integers(1, 6)), draw(st.integers(2, 8))
    scores = arrays(np.float64, shape, elements=st.floats(-30, 30))
    labels = draw(arrays(np.int64, shape[0], elements=st.integers(0, shape[1] - 1)))
    return draw(scores), draw(scores), labels


@settings(max_examples=150, deadline=None)
@given(batches(), st.floats(0.5, 20), st.floats(0, 1))
def test_it_equals_the_formula(batch, temperature, alpha):
    student, teacher, labels = batch
    found = distillation_loss(*map(torch.tensor, batch), temperature=temperature, alpha=alpha)
    assert found.ndim == 0
    expected = reference(student, teacher, labels, temperature, alpha)
    assert found.item() == pytest.approx(expected, rel=1e-9, abs=1e-9)
    rough = distillation_loss(torch.tensor(student).float(), torch.tensor(teacher).float(),
                              torch.tensor(labels), temperature=temperature, alpha=alpha)
    assert rough.item() == pytest.approx(expected, rel=1e-3, abs=1e-3)


def scores(seed, spread=2.0, count=64):
    return spread * torch.randn(count, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


STUDENT, TEACHER, LABELS = scores(0), scores(1), torch.arange(64) % 5


def gradient(temperature, factor=1.0):
    student = STUDENT.clone().requires_grad_()
    (factor * distillation_loss(student, TEACHER, LABELS, temperature=temperature, alpha=1.0)).backward()
    return student.grad.norm().item()


def test_gradients_stay_level_whatever_the_temperature():
    sizes = [gradient(temperature) for temperature in (1, 2, 4, 8)]
    assert max(sizes) < 2 * min(sizes)


def test_without_t_squared_they_would_shrink():
    sizes = [gradient(temperature, factor=1 / temperature ** 2) for temperature in (1, 2, 4, 8)]
    assert max(sizes) > 30 * min(sizes)


def test_alpha_0_is_cross_entropy():
    loss = distillation_loss(STUDENT, TEACHER, LABELS, alpha=0)
    torch.testing.assert_close(loss, F.cross_entropy(STUDENT, LABELS))


def test_alpha_1_with_the_teachers_own_scores_is_0():
    loss = distillation_loss(STUDENT, STUDENT, LABELS, alpha=1)
    assert loss.item() == pytest.approx(0, abs=1e-12)


def test_a_batch_given_twice_has_the_same_loss():
    """"mean", in torch's kl_div, would divide by the number of classes as well."""
    once = distillation_loss(STUDENT, TEACHER, LABELS)
    twice = distillation_loss(*(torch.cat([x, x]) for x in (STUDENT, TEACHER, LABELS)))
    torch.testing.assert_close(once, twice)


def test_the_teacher_gets_no_gradients():
    student, teacher = STUDENT.clone().requires_grad_(), TEACHER.clone().requires_grad_()
    distillation_loss(student, teacher, LABELS).backward()
    assert student.grad is not None and teacher.grad is None


def test_scores_in_bfloat16_are_softened_in_float32():
    low, exact = (distillation_loss(STUDENT.to(dtype), TEACHER.to(dtype), LABELS)
                  for dtype in (torch.bfloat16, torch.float64))
    assert low.dtype == torch.float32 and low.item() == pytest.approx(exact.item(), rel=2e-2)


@pytest.mark.parametrize("student, teacher, labels, options, words", [
    (STUDENT, scores(1, count=63), LABELS, {}, "64 pictures, the teacher 63"),
    (STUDENT, torch.randn(64, 1000), LABELS, {}, r"1000: not the same classes.*replace_head\(teacher, 5\)"),
    (STUDENT[0], TEACHER[0], LABELS[:1], {}, r"got a tensor of torch\.float64, shape \(5,\).*unsqueeze"),
    (STUDENT[:0], TEACHER[:0], LABELS[:0], {}, "a batch"),
    (None, TEACHER, LABELS, {}, "student_logits.*NoneType"),
    (STUDENT, TEACHER, LABELS.float(), {}, "whole numbers"),
    (STUDENT, TEACHER, LABELS[:, None], {}, r"\(64,\), but got a tensor of torch\.int64, shape \(64, 1\)"),
    (STUDENT, TEACHER, LABELS + 1, {}, "from 0 to 4.*from 1 to 5"),
    (STUDENT, TEACHER, LABELS, {"temperature": 0}, "temperature is a number above 0"),
    (STUDENT, TEACHER, LABELS, {"temperature": float("nan")}, "temperature is"),
    (STUDENT, TEACHER, LABELS, {"alpha": 70}, "from 0 to 1, but got 70"),
])
def test_what_does_not_fit_is_said_in_words(student, teacher, labels, options, words):
    with pytest.raises(CourseError, match=words):
        distillation_loss(student, teacher, labels, **options)

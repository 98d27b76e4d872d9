"""What else a training may be given: another loss, mixup, averaged weights, bfloat16."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import TensorDataset

from course_utils.errors import CourseError
from course_utils.pretrained import evaluate, fit
from course_utils.pretrained.inference.precision import choose_precision
from course_utils.pretrained.training.averaging import averaged_copy
from course_utils.pretrained.training.mixing import mix
from tests.pretrained.training.toys import changed, loader, points, small, values

# Losses --------------------------------------------------------------------------------------------

def test_label_smoothing_is_just_a_loss():
    model = small()
    history = fit(model, loader(points()), loader(points()), epochs=60,
                  loss=nn.CrossEntropyLoss(label_smoothing=0.2),
                  optimizer=torch.optim.Adam(model.parameters(), lr=0.05))
    sure = nn.functional.softmax(model(points().tensors[0]), dim=1).max(dim=1).values.mean().item()
    assert history.epochs[-1].val_accuracy == 1 and sure == pytest.approx(0.9, abs=0.03), "1 - 0.2 + 0.2 / 2"


def test_a_loss_may_ask_for_the_inputs_as_distillation_does():
    """A student learns from a teacher's scores alone, the labels being wrong."""
    teacher, student, val = nn.Linear(6, 2), nn.Linear(6, 2), loader(points())
    fit(teacher, val, val, epochs=20, optimizer=torch.optim.Adam(teacher.parameters(), lr=0.1))
    x, y = points().tensors

    def from_teacher(scores, labels, *, inputs):
        with torch.no_grad():
            soft = teacher(inputs).softmax(dim=1)                            # (B, classes)
        return F.cross_entropy(scores, soft)
    fit(student, loader(TensorDataset(x, 1 - y)), val, epochs=20, loss=from_teacher,
        optimizer=torch.optim.Adam(student.parameters(), lr=0.1))
    assert evaluate(student, val).accuracy == 1


def test_a_module_may_ask_for_them_too_and_others_do_not_get_them():
    class Asking(nn.Module):
        def forward(self, scores, labels, *, inputs):
            return F.cross_entropy(scores, labels) + 0 * inputs.sum()

    def focal(inputs, targets):                  # often so called: positional, so these are the scores
        assert inputs.shape[1] == 2
        return F.cross_entropy(inputs, targets)
    for loss in (Asking(), focal):
        assert fit(small(), loader(points()), loader(points()), epochs=1, loss=loss).epochs


# Mixup ---------------------------------------------------------------------------------------------

def test_mixup_blends_inputs_and_weighs_the_losses_of_both_labels():
    x, y = torch.randn(6, 3, 4, 4), torch.tensor([0, 1, 2, 0, 1, 2])
    mixed, ((share, own), (rest, other)) = mix(x, y, 0.4)
    assert 0 < share < 1 and share + rest == 1 and torch.equal(own, y) and torch.equal(other, y.flip(0))
    assert torch.allclose(mixed, share * x + rest * x.flip(0), atol=1e-6)
    scores, soft = torch.randn(6, 3), share * F.one_hot(own, 3) + rest * F.one_hot(other, 3)
    both = share * F.cross_entropy(scores, own) + rest * F.cross_entropy(scores, other)
    assert both.item() == pytest.approx(F.cross_entropy(scores, soft).item(), abs=1e-6), "the paper's loss"


def test_without_alpha_nothing_is_blended():
    x, y = torch.randn(4, 3), torch.arange(4)
    mixed, targets = mix(x, y, 0.0)
    assert mixed is x and targets == [(1.0, y)]


def test_mixup_learns_and_is_far_less_sure():
    def doubt(mixup):
        model, val = nn.Linear(6, 2), points()
        fit(model, loader(points(200), shuffle=True), loader(val), epochs=20, mixup=mixup,
            optimizer=torch.optim.Adam(model.parameters(), lr=0.05))
        assert evaluate(model, loader(val)).accuracy == 1
        return 1 - model(val.tensors[0]).softmax(dim=1).max(dim=1).values.mean().item()
    assert doubt(1.0) > 10 * doubt(0.0)


# Averaged weights ----------------------------------------------------------------------------------

def test_averaged_weights_follow_the_textbook_formula():
    model = nn.Linear(1, 1, bias=False)
    averaged = averaged_copy(model, 0.9)
    expected = None
    for step in range(300):
        with torch.no_grad():
            model.weight.fill_(float(step))
        averaged.update_parameters(model)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = float(step) if expected is None else decay * expected + (1 - decay) * step
    assert averaged.module.weight.item() == pytest.approx(expected, rel=1e-5)
    assert averaged.module.weight.item() == pytest.approx(299 - 9, abs=0.1), "it lags by decay / (1 - decay)"


def test_batchnorms_statistics_are_averaged_and_its_count_is_copied():
    model = nn.BatchNorm1d(2).train()
    averaged = averaged_copy(model, 0.99)
    for _ in range(3):
        model(torch.randn(8, 2) + 5)
        averaged.update_parameters(model)
    assert 0 < averaged.module.running_mean[0] < model.running_mean[0]
    assert averaged.module.num_batches_tracked == 3


def test_what_is_validated_and_handed_over_is_the_average():
    live, val = [], loader(points(seed=1))
    model = small()
    history = fit(model, loader(points()), val, epochs=3, ema=0.9,
                  on_epoch=lambda epoch: live.append(values(model)))
    assert changed(live[-1], model) >= {"0.weight", "4.weight", "1.running_mean"}
    assert evaluate(model, val).loss == pytest.approx(history.epochs[-1].val_loss, rel=1e-6)


def test_averaging_does_not_change_what_is_averaged():
    """The live weights take the same course with and without."""
    courses = []
    for ema in (None, 0.9):
        model, live = small(), []
        fit(model, loader(points()), loader(points()), epochs=3, ema=ema,
            on_epoch=lambda epoch, live=live, model=model: live.append(values(model)))
        courses.append(live[-1])
    assert all(torch.equal(courses[0][name], courses[1][name]) for name in courses[0])


# Precision -----------------------------------------------------------------------------------------

def shades(count: int = 64) -> TensorDataset:
    """Noise on a darker or lighter ground, (3, 16, 16) each."""
    y = torch.arange(count) % 2
    x = torch.randn(count, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    return TensorDataset(x + 0.3 * y[:, None, None, None], y)


def convolutions() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 16, 3, stride=2), nn.BatchNorm2d(16), nn.ReLU(),
                         nn.Conv2d(16, 16, 3, stride=2), nn.ReLU(),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 2))


def test_bfloat16_trains_float32_weights_to_a_like_result():
    results = {}
    for precision in ("float32", "bfloat16"):
        model = convolutions()
        history = fit(model, loader(shades()), loader(shades()), epochs=8, precision=precision,
                      optimizer=torch.optim.Adam(model.parameters(), lr=3e-3))
        assert {p.dtype for p in model.parameters()} == {torch.float32}
        results[precision] = history.epochs[-1]
    exact, short = results["float32"], results["bfloat16"]
    assert exact.train_loss != short.train_loss, "the precision makes a difference"
    assert short.train_loss == pytest.approx(exact.train_loss, abs=0.03) and exact.train_loss < 0.3
    assert short.val_accuracy == exact.val_accuracy == 1


def test_the_loss_is_taken_in_float32():
    seen = set()

    def loss(scores, labels):
        seen.add(scores.dtype)
        return F.cross_entropy(scores, labels)
    fit(convolutions(), loader(shades(8)), loader(shades(8)), epochs=1, precision="bfloat16", loss=loss)
    assert seen == {torch.float32}


def test_a_head_on_stored_features_stays_in_float32_by_itself():
    cpu = torch.device("cpu")
    assert choose_precision("auto", cpu, nn.Linear(6, 2)) == "float32"
    assert choose_precision("bfloat16", cpu, nn.Linear(6, 2)) == "bfloat16"
    assert choose_precision("auto", cpu, nn.Conv2d(3, 4, 3)) == choose_precision("auto", cpu)


def test_an_unknown_precision_is_said_in_words():
    with pytest.raises(CourseError, match="no precision called 'float8'"):
        fit(small(), loader(points()), loader(points()), epochs=1, precision="float8")

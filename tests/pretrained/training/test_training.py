"""The loop trains what should learn, says what is wrong, stops when asked, and repeats itself exactly."""

from __future__ import annotations

import copy
import random
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from course_utils.errors import BadData, CourseError, TrainingDiverged
from course_utils.pretrained import (
    Images,
    evaluate,
    extract_features,
    find_learning_rate,
    fit,
    freeze,
    load_checkpoint,
    load_dataset,
    replace_head,
    unfreeze,
)
from course_utils.pretrained.data.batches import enough_memory
from course_utils.pretrained.inference.metrics import calibration_error, metrics_of
from tests.pretrained.training.toys import changed, loader, points, small, values

CLASSES = ("dark", "light")
SIZE = 32


@pytest.fixture
def model(lite0):
    """Lite0 with a frozen backbone and a new head for two classes."""
    model = replace_head(freeze(lite0), CLASSES, seed=0)
    unfreeze(model.classifier)
    return model


@pytest.fixture(scope="module")
def images(dark_and_light) -> Images:
    return dark_and_light(8, 40)


# What learns ---------------------------------------------------------------------------------------

def test_a_head_on_stored_features_learns():
    head, val = nn.Linear(6, 2), loader(points(seed=1))
    before = evaluate(head, val)
    history = fit(head, loader(points(), shuffle=True), val, epochs=10,
                  optimizer=torch.optim.Adam(head.parameters(), lr=0.1))
    assert history.epochs[-1].val_accuracy == 1.0 and history.epochs[-1].val_loss < before.loss / 3
    assert [epoch.epoch for epoch in history.epochs] == list(range(1, 11)) and history.stopped == ""
    assert "epoch  10" in repr(history)


def test_only_what_is_not_frozen_learns_and_batchnorm_rests(model, images):
    before = values(model)
    fit(model, images, images, epochs=1, size=SIZE)
    assert changed(before, model) == {"classifier.weight", "classifier.bias"}


def test_an_unfrozen_backbone_does_move(model, images):
    """The twin, with BatchNorm's statistics among what moves."""
    before = values(unfreeze(model))
    fit(model, images, images, epochs=1, size=SIZE)
    assert {"conv_stem.weight", "bn1.running_mean", "classifier.weight"} <= changed(before, model)


def test_weights_lie_in_memory_afterwards_as_readers_expect_them(model, images):
    """While it trains they lie in another order, and `view`, as in `parameters_to_vector`, would fail."""
    def one_vector():
        return nn.utils.parameters_to_vector(model.parameters())

    with pytest.raises(RuntimeError, match="view"):
        fit(model, images, images, epochs=1, size=SIZE, on_epoch=lambda epoch: one_vector() is None)
    fit(model, images, images, epochs=1, size=SIZE)
    assert len(one_vector()) == sum(p.numel() for p in model.parameters())


def test_fit_undoes_a_plain_train_call_in_every_epoch(model, images):
    """The trap the course teaches: a learner's own model.train() lets frozen BatchNorm drift."""
    before = values(model)
    fit(model, images, images, epochs=2, size=SIZE, on_epoch=lambda epoch: model.train() and None)
    assert "bn1.running_mean" not in changed(before, model)


def test_pictures_are_learned_and_the_model_is_left_in_eval_mode(model, images):
    history = fit(model, images, images, epochs=8, batch_size=4, size=SIZE, augment=False,
                  optimizer=torch.optim.Adam(model.classifier.parameters(), lr=0.1))
    assert history.epochs[-1].val_accuracy == 1.0
    assert not any(module.training for module in model.modules())


def test_the_default_optimizer_is_adam_at_a_thousandth():
    assert fit(small(), loader(points()), loader(points()), epochs=1).epochs[0].rates == (1e-3,)


def test_a_loss_of_ones_own_is_the_one_that_is_trained():
    seen = []

    def smooth(scores, labels):
        seen.append(len(labels))
        return F.cross_entropy(scores, labels, label_smoothing=0.1)
    fit(small(), loader(points(20)), loader(points()), epochs=1, loss=smooth)
    assert seen == [8, 8, 4]


def test_the_train_loss_weighs_every_picture_the_same():
    """Batches of 8, 8 and 1 with a rate of 0: the mean over 17 pictures, not over 3 batches."""
    head, data = nn.Linear(6, 2), points(17, noise=3)
    history = fit(head, loader(data), loader(data), epochs=1,
                  optimizer=torch.optim.SGD(head.parameters(), lr=0))
    assert history.epochs[0].train_loss == pytest.approx(history.epochs[0].val_loss, abs=1e-6)
    batches = [F.cross_entropy(head(x), y).item() for x, y in loader(data)]
    assert np.mean(batches) != pytest.approx(history.epochs[0].train_loss, abs=1e-3)


# Repeats itself ------------------------------------------------------------------------------------

def test_the_same_seed_gives_the_same_training(model, images):
    runs = []
    for _ in range(2):
        torch.rand(7)                                     # whatever ran before
        trial = copy.deepcopy(model)
        history = fit(trial, images, images, epochs=2, batch_size=4, size=SIZE, seed=3)
        runs.append((values(trial), [(e.train_loss, e.val_loss) for e in history.epochs]))
    assert runs[0][1] == runs[1][1]
    assert all(torch.equal(runs[0][0][name], runs[1][0][name]) for name in runs[0][0])


def test_another_seed_gives_another_training(model, images):
    losses = {fit(copy.deepcopy(model), images, images, epochs=1, size=SIZE, seed=seed).epochs[0].train_loss
              for seed in range(2)}
    assert len(losses) == 2


def test_without_augmentation_only_the_order_is_random(model, images):
    """One batch of all pictures: the order cannot matter, so the seed cannot either."""
    losses = [fit(copy.deepcopy(model), images, images, epochs=1, size=SIZE, augment=False, seed=seed)
              .epochs[0].train_loss for seed in range(2)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


def test_the_callers_random_numbers_go_on_as_if_nothing_had_been_drawn(model, images):
    def draw():
        return torch.rand(2).tolist(), np.random.rand(2).tolist(), random.random()

    def seed_all():
        torch.manual_seed(5)
        np.random.seed(5)
        random.seed(5)
    other = small()
    seed_all()
    expected = draw()
    seed_all()
    fit(model, images, images, epochs=1, size=SIZE)
    fit(other, loader(points(), shuffle=True), loader(points(), shuffle=True), epochs=1)
    assert draw() == expected


# Stops ---------------------------------------------------------------------------------------------

def worse_every_epoch(patience: int | None):
    """Ascent instead of descent: the first epoch is the best."""
    head, kept = nn.Linear(6, 2), []
    history = fit(head, loader(points()), loader(points(seed=1)), epochs=10, patience=patience,
                  optimizer=torch.optim.SGD(head.parameters(), lr=0.05),
                  loss=lambda s, y: -F.cross_entropy(s, y), on_epoch=lambda epoch: kept.append(values(head)))
    return head, history, kept


def test_patience_stops_and_puts_the_best_weights_back():
    head, history, kept = worse_every_epoch(patience=3)
    assert history.stopped == "patience" and len(history.epochs) == 4 and history.best.epoch == 1
    assert not changed(kept[0], head)
    assert evaluate(head, loader(points(seed=1))).loss == pytest.approx(history.best.val_loss)


def test_without_patience_the_last_weights_stay():
    head, history, kept = worse_every_epoch(patience=None)
    assert history.stopped == "" and len(history.epochs) == 10
    assert not changed(kept[-1], head) and changed(kept[0], head)


def test_on_epoch_sees_every_epoch_and_may_stop():
    seen = []
    history = fit(small(), loader(points()), loader(points()), epochs=9,
                  on_epoch=lambda epoch: seen.append(epoch) or (False if epoch.epoch == 3 else None))
    assert seen == history.epochs and len(seen) == 3 and history.stopped == "asked"


def test_on_epoch_that_returns_nothing_does_not_stop():
    assert fit(small(), loader(points()), loader(points()), epochs=2, on_epoch=print).stopped == ""


def test_an_interruption_keeps_what_is_learned():
    model, steps = small(), []

    def interrupted_in_the_third_epoch(scores, labels):
        steps.append(1)
        if len(steps) > 12:
            raise KeyboardInterrupt
        return F.cross_entropy(scores, labels)
    before = values(model)
    history = fit(model, loader(points()), loader(points()), epochs=9, loss=interrupted_in_the_third_epoch)
    assert history.stopped == "interrupted" and len(history.epochs) == 2
    assert "4.weight" in changed(before, model) and not model.training


# BatchNorm and batches of one ----------------------------------------------------------------------

def test_a_last_batch_of_one_is_left_out_where_batchnorm_learns():
    seen = []
    fit(small(), loader(points(17)), loader(points()), epochs=1,
        loss=lambda s, y: seen.append(len(y)) or F.cross_entropy(s, y))
    assert seen == [8, 8]


def test_a_last_batch_of_one_is_used_where_no_batchnorm_learns():
    seen = []
    fit(nn.Linear(6, 2), loader(points(17)), loader(points()), epochs=1,
        loss=lambda s, y: seen.append(len(y)) or F.cross_entropy(s, y))
    assert seen == [8, 8, 1]


def test_only_batches_of_one_are_said_in_words():
    with pytest.raises(BadData, match="BatchNorm"):
        fit(small(), loader(points(), batch_size=1), loader(points()), epochs=1)


# Said in words -------------------------------------------------------------------------------------

def test_a_model_that_is_frozen_whole_is_told_how_to_mend_it(model, images):
    with pytest.raises(CourseError, match=r"every parameter of the model is frozen.*unfreeze"):
        fit(freeze(model), images, images, epochs=1)


def test_an_optimizer_of_the_old_head_is_noticed(model, images):
    optimizer = torch.optim.Adam(model.classifier.parameters())
    replace_head(model, CLASSES)
    with pytest.raises(CourseError, match="before the head was replaced"):
        fit(model, images, images, epochs=1, optimizer=optimizer)


def test_a_head_for_other_classes_is_noticed_before_anything_is_learned(lite0, images):
    model = lite0
    with pytest.raises(CourseError, match=r"1,000 scores, but the data has 2.*replace_head\(model, data"):
        fit(model, images, images, epochs=1, size=SIZE)
    with pytest.raises(CourseError, match="1,000 scores"):
        evaluate(model, images, size=SIZE)


def turned(images) -> Images:
    """The same pictures, the classes in another order."""
    return Images(images.paths, images.labels, CLASSES[::-1], pictures=[picture for picture, _ in images])


def test_classes_in_another_order_are_noticed(model, images):
    with pytest.raises(CourseError, match="another order: dark, light against light, dark"):
        evaluate(model, turned(images), size=SIZE)


def never(*_):
    pytest.fail("it trained")


@pytest.mark.parametrize("names", [CLASSES, None])
def test_train_and_val_with_classes_in_another_order_are_refused_before_training(model, images, names):
    """Whether the head has names or not."""
    model.course_classes = names
    with pytest.raises(CourseError, match=r"train and val have the same classes in another order: dark, "
                                          r"light against light, dark.*data\.train, data\.val"):
        fit(model, images, turned(images), epochs=1, size=SIZE, loss=never)


def outside() -> DataLoader:
    return loader(TensorDataset(torch.randn(4, 6), torch.tensor([0, 1, 2, 1])))


@pytest.mark.parametrize("val, kind, words", [
    (outside, CourseError, "there is a label 2"), (lambda: loader(points(0)), BadData, "no pictures"),
    (lambda: loader(points(width=5)), CourseError, r"shape \(8, 5\)")])
def test_what_is_wrong_with_the_validation_is_said_before_training(tmp_path, val, kind, words):
    with pytest.raises(kind, match=words):
        fit(small(), loader(points()), val(), epochs=1, loss=never, checkpoint=tmp_path / "run.pt")
    assert not list(tmp_path.iterdir())


def test_images_to_validate_with_are_looked_at_too_where_a_loader_trains(model, images):
    prepared = [(torch.randn(4, 3, SIZE, SIZE), torch.tensor([0, 1, 0, 1]))]
    with pytest.raises(CourseError, match="another order"):
        fit(model, prepared, turned(images), epochs=1, loss=never)


def test_nothing_to_learn_from_is_said_before_anything_is_validated():
    model = small()
    evaluated = []
    model.register_forward_hook(lambda module, inputs, output: evaluated.append(len(output)))
    with pytest.raises(BadData, match="nothing to learn from in epoch 1"):
        fit(model, loader(points(0)), loader(points()), epochs=3)
    assert evaluated == [8], "the first batch, to look at"


def test_looking_at_the_first_batch_takes_it_from_no_iterator_and_changes_no_random_numbers():
    model, own = small(), torch.Generator().manual_seed(3)
    once = iter(list(loader(points(17))))
    assert len(fit(model, loader(points()), once, epochs=1).epochs) == 1
    val = DataLoader(points(), batch_size=8, shuffle=True, generator=own)
    with pytest.raises(CourseError, match="NoneType"):
        fit(model, loader(points()), val, epochs=1, loss=lambda scores, labels: None)
    assert torch.equal(own.get_state(), torch.Generator().manual_seed(3).get_state())


def test_other_classes_of_the_same_number_are_noticed(model, images):
    model.course_classes = ("cat", "dog")
    with pytest.raises(CourseError, match="other classes: cat, dog against dark, light"):
        fit(model, images, images, epochs=1, size=SIZE)


def test_a_head_put_on_by_hand_is_not_taken_for_the_old_one(lite0, images):
    lite0.classifier = nn.Linear(1280, 2)               # and course_classes still has ImageNet's thousand
    assert list(evaluate(lite0, images, size=SIZE).per_class) == list(CLASSES)


def test_a_head_without_names_gets_those_of_the_data(model, images):
    model.course_classes = None
    fit(model, images, images, epochs=1, size=SIZE)
    assert model.course_classes == CLASSES


def test_a_label_outside_the_head_is_noticed():
    data = TensorDataset(torch.randn(4, 6), torch.tensor([0, 1, 2, 1]))
    with pytest.raises(CourseError, match=r"labels 0 … 1, but there is a label 2"):
        fit(small(), loader(data), loader(points()), epochs=1)


def test_a_loss_that_blows_up_names_step_rate_and_what_to_try():
    model = small()
    with pytest.raises(CourseError, match=r"step \d+ of epoch \d+, learning rate 1e\+25.*ten times lower"):
        fit(model, loader(points(noise=5)), loader(points()), epochs=20,
            optimizer=torch.optim.SGD(model.parameters(), lr=1e25))


def test_a_loss_far_above_the_first_is_noticed_before_it_is_nan():
    model = nn.Linear(6, 2)
    with pytest.raises(TrainingDiverged, match=r"The loss is \d\S* at step \d+ of epoch 1"):
        fit(model, loader(points(noise=3)), loader(points()), epochs=9,
            optimizer=torch.optim.SGD(model.parameters(), lr=1e5))


@pytest.mark.parametrize("options", [{}, {"ema": 0.9}, {"patience": 9}, {"checkpoint": "run.pt"}])
def test_after_a_loss_that_blows_up_the_model_has_the_weights_of_the_last_epoch_again(tmp_path, options):
    kept, model, val = [], small(), loader(points(seed=1))
    if "checkpoint" in options:
        options = {"checkpoint": tmp_path / "run.pt"}

    def nan_in_the_third_epoch(scores, labels):
        return F.cross_entropy(scores, labels) * (torch.nan if len(kept) == 2 else 1)
    with pytest.raises(TrainingDiverged, match=r"step 1 of epoch 3.*end of epoch 2 again"):
        fit(model, loader(points()), val, epochs=9, loss=nan_in_the_third_epoch, on_epoch=kept.append,
            **options)
    assert evaluate(model, val).loss == pytest.approx(kept[1].val_loss, rel=1e-6) and not model.training
    if options.get("checkpoint"):
        assert not changed(load_checkpoint(options["checkpoint"], small()).model.state_dict(), model)


@pytest.mark.parametrize("options", [{}, {"patience": 2}])
def test_a_last_step_that_blows_up_is_noticed_by_the_validation(tmp_path, options):
    """No step follows it that could notice."""
    model, path = nn.Linear(6, 2), tmp_path / "run.pt"
    one_batch = loader(points(noise=3), batch_size=40)
    before = values(model)
    with pytest.raises(TrainingDiverged, match=r"validation after step 1 of epoch 1, learning rate 1e\+38.*"
                                               r"from before training again.*ten times lower"):
        fit(model, one_batch, one_batch, epochs=1, optimizer=torch.optim.SGD(model.parameters(), lr=1e38),
            checkpoint=path, **options)
    assert not changed(before, model) and not changed(before, load_checkpoint(path, nn.Linear(6, 2)).model)
    fit(model, one_batch, one_batch, epochs=1, optimizer=torch.optim.SGD(model.parameters(), lr=0.1))
    assert changed(before, model), "the twin: with a usual rate it learns"


def ascent(scores, labels):
    return -F.cross_entropy(scores, labels)


@pytest.mark.parametrize("options, epoch", [({"patience": 9}, 1), ({"ema": 0.9}, 3), ({}, 3)])
@pytest.mark.parametrize("error", [RuntimeError("CUDA error"), ValueError, CourseError("not enough memory")])
def test_after_any_other_error_too_the_model_has_the_weights_that_were_kept(options, epoch, error):
    """With ascent the first epoch is the best; with ema the average is what was validated."""
    seen, model, val = [], small(), loader(points(seed=1))

    def trouble(latest):
        seen.append(latest)
        if latest.epoch == 3:
            raise error
    with pytest.raises(type(error) if isinstance(error, Exception) else error):
        fit(model, loader(points()), val, epochs=9, loss=ascent, on_epoch=trouble, **options)
    assert evaluate(model, val).loss == pytest.approx(seen[epoch - 1].val_loss, rel=1e-6)
    assert seen[0].val_loss != pytest.approx(seen[2].val_loss, rel=1e-3) and not model.training


def test_blown_up_in_the_first_epoch_it_has_those_from_before_training():
    model = small()
    before = values(model)
    with pytest.raises(TrainingDiverged, match="from before training again"):
        fit(model, loader(points(noise=5)), loader(points()), epochs=1,
            optimizer=torch.optim.SGD(model.parameters(), lr=1e25))
    assert not changed(before, model)


def test_after_a_blown_up_loss_a_new_optimizer_is_advised():
    """A rate ten times lower is not enough: its moments are nan."""
    model = small()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e25)
    with pytest.raises(TrainingDiverged, match="with a new optimizer"):
        fit(model, loader(points(noise=5)), loader(points()), epochs=9, optimizer=optimizer)


class Greedy(torch.autograd.Function):
    """Needs more memory than there is, on the way there or back."""

    @staticmethod
    def forward(ctx, x, way):
        ctx.way = way
        return x.clone() if way == "back" else x + torch.empty(2**60).sum()

    @staticmethod
    def backward(ctx, gradient):
        return gradient + torch.empty(2**60).sum(), None


class Hungry(nn.Module):
    def __init__(self, way):
        super().__init__()
        self.head, self.way = nn.Linear(6, 2), way

    def forward(self, x):
        return Greedy.apply(self.head(x), self.way)


LITTLE = r"not enough memory for 8 inputs of shape \(6,\).*batch_size=4"


@pytest.mark.parametrize("way", ["there", "back"])
@pytest.mark.parametrize("learn", [partial(fit, epochs=1), find_learning_rate])
def test_too_little_memory_suggests_a_smaller_batch(learn, way):
    data = [loader(points())] * (2 if isinstance(learn, partial) else 1)
    with pytest.raises(CourseError, match=LITTLE):
        learn(Hungry(way), *data)


def test_too_little_memory_is_said_where_nothing_learns_too():
    with pytest.raises(CourseError, match=LITTLE):
        evaluate(Hungry("there"), loader(points()))
    network = nn.Sequential(Hungry("there"), nn.Linear(2, 2))
    with pytest.raises(CourseError, match="not enough memory"):
        extract_features(network, loader(points()))


@pytest.mark.parametrize("said", [
    "CUDA out of memory. Tried to allocate 2.00 GiB", "DefaultCPUAllocator: can't allocate memory",
    "DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes.",
    "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"])
def test_each_systems_words_for_too_little_memory_are_known(said):
    with pytest.raises(CourseError, match="batch_size=4"), enough_memory(torch.zeros(8, 6)):
        raise RuntimeError(said)
    with pytest.raises(RuntimeError, match="STATUS_NOT"), enough_memory(torch.zeros(8, 6)):
        raise RuntimeError("CUDA error: CUBLAS_STATUS_NOT_SUPPORTED")


def test_a_class_without_pictures_is_told(model, images, capsys):
    dark = images.subset([0, 2, 4, 6])
    fit(model, dark, images, epochs=1, size=SIZE)
    fit(model, images, dark, epochs=1, size=SIZE)
    assert capsys.readouterr().out.splitlines() == ["There are no pictures of light to learn from.",
                                                    "There are no pictures of light to validate with."]


@pytest.mark.parametrize("optimizer", ["adam", torch.optim.Adam,
                                       torch.optim.LBFGS(nn.Linear(2, 2).parameters())])
def test_what_is_no_optimizer_for_batches_is_said_in_words(optimizer):
    with pytest.raises(CourseError, match=r"torch optimizer that makes one step a batch.*parameter_groups"):
        fit(small(), loader(points()), loader(points()), epochs=1, optimizer=optimizer)


@pytest.mark.parametrize("loss, words", [
    ("cross_entropy", "a function of"), (lambda s, y: 0.5, "it is float"),
    (lambda s, y: None, "it is NoneType")])
def test_what_is_no_loss_is_said_in_words(loss, words):
    with pytest.raises(CourseError, match=words):
        fit(small(), loader(points()), loader(points()), epochs=1, loss=loss)


def test_nan_in_the_inputs_is_noticed_at_the_first_step():
    data = TensorDataset(torch.full((4, 6), torch.nan), torch.tensor([0, 1, 0, 1]))
    with pytest.raises(CourseError, match=r"nan at step 1 of epoch 1.*nan in the inputs"):
        fit(small(), loader(data), loader(points()), epochs=1)


def test_a_loss_for_each_picture_is_said_to_need_a_mean():
    with pytest.raises(CourseError, match="mean over the batch"):
        fit(small(), loader(points()), loader(points()), epochs=1,
            loss=nn.CrossEntropyLoss(reduction="none"))


def test_parameters_that_take_no_part_are_noticed():
    model = freeze(small())
    model.unused = nn.Parameter(torch.zeros(1))
    with pytest.raises(CourseError, match="take no part"):
        fit(model, loader(points()), loader(points()), epochs=1)


@pytest.mark.parametrize("options, words", [
    ({"epochs": 0}, "epochs is a whole number"), ({"epochs": 1, "patience": 0}, "patience"),
    ({"epochs": 1, "batch_size": -1}, "batch_size"), ({"epochs": 1, "size": 64}, "size is for Images"),
    ({"epochs": 1, "mixup": -1}, "mixup is a number from 0"), ({"epochs": 1, "mixup": None}, "mixup"),
    ({"epochs": 1, "ema": 1}, "ema is a number between 0 and 1"), ({"epochs": 1, "ema": 1.5}, "ema")])
def test_numbers_that_make_no_sense_are_refused(options, words):
    with pytest.raises(CourseError, match=words):
        fit(small(), loader(points()), loader(points()), **options)


def test_wrong_inputs_are_said_in_words(model, images):
    with pytest.raises(CourseError, match=r"shape \(8, 5\)"):
        fit(small(), loader(points(width=5)), loader(points()), epochs=1)
    with pytest.raises(CourseError, match=r"data\.train"):
        fit(model, load_dataset("faces"), images, epochs=1)
    with pytest.raises(BadData, match="empty"):
        fit(model, images.subset([]), images, epochs=1)
    with pytest.raises(BadData, match="read only once"):
        fit(small(), iter(loader(points())), loader(points()), epochs=2)


# Metrics -------------------------------------------------------------------------------------------

def test_metrics_of_a_case_small_enough_to_count():
    scores = torch.log(torch.tensor([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1]]))
    metrics = metrics_of(scores, torch.tensor([0, 0, 0, 1]), ["a", "b", "c"])
    assert metrics.confusion.tolist() == [[2, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert metrics.accuracy == 0.75 and metrics.n == 4
    assert metrics.per_class["a"] == pytest.approx(2 / 3) and metrics.per_class["b"] == 1
    assert np.isnan(metrics.per_class["c"]), "a class without pictures has no recall"
    assert metrics.loss == pytest.approx(-np.log([0.8, 0.2, 0.6, 0.8]).mean(), abs=1e-6)
    # Three bins are in use: 0.6 (right), 0.7 (wrong) and 0.8 (twice, both right).
    assert metrics.calibration == pytest.approx((0.4 + 0.7 + 2 * 0.2) / 4, abs=1e-6)


def test_a_model_as_sure_as_it_is_right_has_no_calibration_error():
    confidence, right = torch.full((100,), 0.7), torch.arange(100) < 70
    assert calibration_error(confidence, right) == pytest.approx(0, abs=1e-6)
    assert calibration_error(torch.full((100,), 0.99), right) == pytest.approx(0.29, abs=1e-6)


def test_evaluation_does_not_depend_on_batches():
    model, data = small().eval(), points(41, noise=3)
    whole, parts = evaluate(model, loader(data, 41)), evaluate(model, loader(data, 8))
    assert whole.loss == pytest.approx(parts.loss, abs=1e-6) and whole.accuracy == parts.accuracy
    assert torch.equal(whole.confusion, parts.confusion) and whole.n == 41


def test_evaluation_uses_eval_mode_and_leaves_the_mode_alone():
    model = small()
    model[1].eval()
    before = values(model)
    first, second = (evaluate(model, loader(points())) for _ in range(2))
    assert first.loss == second.loss, "dropout rests"
    assert not changed(before, model) and model.training and not model[1].training


def test_scores_that_are_no_numbers_are_not_evaluated():
    model = nn.Linear(6, 2)
    nn.init.constant_(model.bias, float("nan"))
    with pytest.raises(TrainingDiverged, match="not numbers"):
        evaluate(model, loader(points()))


def test_a_loaders_own_code_runs_as_if_alone():
    """Rotating pictures multiplies matrices, which autocast would do in bfloat16."""
    seen = []

    class Rotated(TensorDataset):
        def __getitem__(self, i):
            seen.append((torch.is_inference_mode_enabled(), (torch.ones(2, 2) @ torch.ones(2, 2)).dtype))
            return super().__getitem__(i)

    x, y = points(width=27).tensors
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4, 2))
    evaluate(model, DataLoader(Rotated(x.reshape(-1, 3, 3, 3), y), batch_size=8), precision="bfloat16")
    assert set(seen) == {(False, torch.float32)}


def test_an_empty_batch_is_passed_over():
    x, y = points().tensors
    assert evaluate(nn.Linear(6, 2), [(x[:0], y[:0]), (x, y)]).n == len(y)


def test_evaluation_names_the_classes(model, images):
    assert set(evaluate(model, images, size=SIZE).per_class) == set(CLASSES)
    assert set(evaluate(small(), loader(points())).per_class) == {"0", "1"}


def test_an_empty_loader_is_said_in_words():
    with pytest.raises(BadData, match="no pictures"):
        evaluate(small(), loader(points(0)))

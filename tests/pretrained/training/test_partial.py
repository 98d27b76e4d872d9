"""Training the tail from kept activations is the same training, and leaves the same model behind."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from course_utils import paths
from course_utils.errors import BadData, CourseError, UnknownName
from course_utils.pretrained import (
    Images,
    LayerGroup,
    evaluate,
    fit,
    fit_tail,
    freeze,
    layer_groups,
    load_model,
    preprocessing,
    replace_head,
    unfreeze,
)
from course_utils.pretrained.training.cut import FromCut

SIZE, CLASSES = 64, ("dark", "light")


@pytest.fixture
def model(lite0):
    """Lite0 with a new head; the last block, the convolution after it and the head learn."""
    return learning_from(replace_head(lite0, CLASSES, seed=0), -3)


@pytest.fixture(scope="module")
def images(dark_and_light) -> Images:
    return dark_and_light(10, 70, apart=100)


def learning_from(model, first: int):
    """`model`, of which the layer groups from position `first` learn."""
    freeze(model)
    for group in layer_groups(model)[first:]:
        unfreeze(group)
    return model


def loader(size=SIZE, count=10, seed=0, **options) -> DataLoader:
    rng = torch.Generator().manual_seed(seed)
    data = TensorDataset(torch.randn(count, 3, size, size, generator=rng), torch.arange(count) % 2)
    return DataLoader(data, **{"batch_size": 4, **options})


def sgd(model, rate=1e-3):
    return torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=rate, momentum=0.9)


def largest_difference(a: nn.Module, b: nn.Module) -> float:
    """Of any weight or statistic; relative, where those are larger than 1."""
    other = b.state_dict()
    return max(((value.double() - other[name].double()).abs().max() / value.abs().max().clamp(min=1)).item()
               for name, value in a.state_dict().items())


def files():
    return sorted((paths.cache() / "features").glob("*"))


def by_rounding(before, whole, size, options) -> float:
    """How far apart two trainings end whose pictures differ in the last digit: in torchvision's untrained
    EfficientNet, whose signal nearly vanishes before a BatchNorm, that is far."""
    other = copy.deepcopy(before)
    pictures, labels = loader(size, 6).dataset.tensors
    pictures = pictures * (1 + 1e-7 * torch.randn(pictures.shape, generator=torch.Generator().manual_seed(0)))
    batches = DataLoader(TensorDataset(pictures, labels), batch_size=4, shuffle=True)
    fit(other, batches, loader(size, 4, 1), optimizer=sgd(other), **options)
    return largest_difference(other, whole)


# The same training ---------------------------------------------------------------------------------

@pytest.mark.parametrize("name, size, first", [
    ("torchvision/resnet18", 64, -2), ("timm/resnet18", 64, -3), ("torchvision/densenet121", 64, -3),
    ("torchvision/efficientnet_b0", 64, -4), ("timm/efficientnet_b0", 64, -3), ("efficientnet_lite0", 64, -3),
    ("torchvision/mobilenet_v3_small", 64, -4), ("timm/mobilenetv3_small_100", 64, -3),
    ("torchvision/regnet_y_400mf", 64, -2), ("timm/regnety_004", 64, -2),
    ("timm/convnext_atto", 64, -2), ("torchvision/swin_t", 64, -3), ("timm/vit_tiny_patch16_224", 224, -3),
    *[pytest.param(*case, marks=pytest.mark.full) for case in [
        ("torchvision/convnext_tiny", 64, -3), ("torchvision/vit_b_16", 224, -3),
        ("torchvision/vgg11_bn", 64, -4), ("timm/vgg11", 64, -4),
        ("timm/swin_tiny_patch4_window7_224", 224, -3)]]])
def test_the_weights_are_those_of_training_through_the_whole_network(name, size, first):
    torch.manual_seed(0)
    whole = learning_from(replace_head(load_model(name, random_init=True), CLASSES), first)
    tail, before = copy.deepcopy(whole), copy.deepcopy(whole)
    options = {"epochs": 2, "precision": "float32"}
    expected = fit(whole, loader(size, 6, shuffle=True), loader(size, 4, 1), optimizer=sgd(whole), **options)
    found = fit_tail(tail, loader(size, 6), loader(size, 4, 1), optimizer=sgd(tail), batch_size=4, **options)
    assert largest_difference(tail, whole) < max(1e-4, 3 * by_rounding(before, whole, size, options))
    assert largest_difference(tail, before) > 1e-4
    for a, b in zip(expected.epochs, found.epochs, strict=True):
        assert a.train_loss == pytest.approx(b.train_loss, abs=1e-3)
        assert a.val_loss == pytest.approx(b.val_loss, abs=1e-3)


@pytest.mark.parametrize("name", ["torchvision/resnet18", "timm/mobilenetv3_small_100", "timm/convnext_atto"])
def test_every_place_between_two_layer_groups_can_be_the_cut(name):
    model = load_model(name, random_init=True)
    groups, pictures = layer_groups(freeze(model)), torch.randn(3, 3, SIZE, SIZE)
    with torch.no_grad():
        expected = model(pictures)
    for first in range(1, len(groups)):
        cut, seen = FromCut(model, groups[first:], pictures[:2]), []
        hook = cut.cut.register_forward_pre_hook(lambda module, inputs, seen=seen: seen.append(inputs[0]))
        with torch.no_grad():
            model(pictures)
            hook.remove()
            torch.testing.assert_close(cut(seen[0]), expected, atol=1e-4, rtol=1e-4)


def test_pictures_are_prepared_as_fit_prepares_them(model, images):
    prepare = preprocessing(model, size=SIZE)
    batch = torch.stack([prepare(picture) for picture, _ in images]), torch.tensor(images.labels)
    other = copy.deepcopy(model)
    options = {"epochs": 1, "precision": "float32", "batch_size": 5}
    fit_tail(model, images, images, size=SIZE, optimizer=sgd(model), **options)
    fit_tail(other, [batch], [batch], optimizer=sgd(other), **options)
    assert largest_difference(model, other) < 1e-4


def test_bfloat16_is_near_and_takes_half_the_room(model, images):
    other, sizes = copy.deepcopy(model), []
    for one, precision in [(model, "float32"), (other, "bfloat16")]:
        before = set(files())
        fit_tail(one, images, images, size=SIZE, epochs=1, precision=precision, optimizer=sgd(one))
        sizes.append(max(file.stat().st_size for file in set(files()) - before))
    assert sizes[1] < 0.6 * sizes[0]
    a, b = (evaluate(one, images, size=SIZE, precision="float32").loss for one in (model, other))
    assert a == pytest.approx(b, abs=0.05)


# The model afterwards ------------------------------------------------------------------------------

def state(model):
    return ([id(module) for module in model.modules()], [id(p) for p in model.parameters()],
            [module for module in model.modules() if "forward" in vars(module)],
            [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()])


def test_the_model_itself_holds_the_trained_tail(model, images):
    before, weights = state(model), copy.deepcopy(model.state_dict())
    history = fit_tail(model, images, images, size=SIZE, epochs=6, batch_size=5, optimizer=sgd(model, 1e-2))
    assert state(model) == before and not model.training
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, weights[name])}
    tail = ("blocks.6", "conv_head", "bn2", "classifier")
    assert changed and all(name.startswith(tail) for name in changed)
    assert history.epochs[-1].train_loss < history.epochs[0].train_loss
    found = evaluate(model, images, size=SIZE)
    assert found.loss == pytest.approx(history.epochs[-1].val_loss, abs=0.02)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_whatever_happens_the_model_takes_pictures_again(model, images, error):
    def trouble(epoch):
        raise error

    before = state(model)
    if error is KeyboardInterrupt:
        fit_tail(model, images, images, size=SIZE, epochs=2, on_epoch=trouble)
    else:
        with pytest.raises(error):
            fit_tail(model, images, images, size=SIZE, epochs=2, on_epoch=trouble)
    assert state(model) == before
    assert model(torch.randn(2, 3, SIZE, SIZE)).shape == (2, 2)


def test_a_copy_made_in_between_runs_its_own_layers(model):
    pictures = torch.randn(4, 3, SIZE, SIZE)
    model.forward = FromCut(model, layer_groups(model)[-3:], pictures)
    twin = copy.deepcopy(model)
    activations = torch.randn(4, 192, 2, 2)
    with torch.no_grad():
        same = model(activations), twin(activations)
        twin.classifier.weight.zero_()
        other = model(activations), twin(activations)
    torch.testing.assert_close(*same)
    torch.testing.assert_close(other[0], same[0])
    assert torch.equal(other[1], twin.classifier.bias.expand(4, 2))


# Once for each picture -----------------------------------------------------------------------------

def runs_of(layer) -> list[int]:
    runs: list[int] = []
    layer.register_forward_hook(lambda module, inputs, output: runs.append(len(output)))
    return runs


def test_the_frozen_layers_run_once_for_each_picture(model, images):
    frozen, learning = runs_of(model.blocks[3][0].conv_pw), runs_of(model.blocks[6])
    fit_tail(model, images, images.subset([0, 1]), size=SIZE, epochs=5, precision="float32")
    assert sum(frozen) == 10 + 2 + 2, "once each; and two to try the cut on"
    assert sum(learning) >= 5 * 10


@pytest.mark.parametrize("views", [1, 2])
def test_a_repeated_picture_is_run_once_and_learned_from_as_often_as_it_comes(model, images, views):
    frozen, learned = runs_of(model.blocks[3][0].conv_pw), []
    model.blocks[6].register_forward_pre_hook(lambda module, inputs: learned.append(inputs[0])
                                              if module.training else None)
    fit_tail(model, images.subset([1, 0, 1, 2, 1, 1]), images.subset([0, 1]), size=SIZE, epochs=1,
             batch_size=6, views=views, precision="float32")
    assert sum(frozen) == 3 * views + 2 + 2, "of each view once; and two to try the cut on"
    _, times = torch.cat(learned).flatten(1).unique(dim=0, return_counts=True)
    assert times.sum() == 6 and (sorted(times.tolist()) == [1, 1, 4] if views == 1 else len(times) <= 6)


def test_on_repeated_pictures_too_the_weights_are_those_of_the_whole_network(model, images):
    whole, repeated = copy.deepcopy(model), images.subset([3, 0, 3, 9, 9, 1])
    options = {"size": SIZE, "epochs": 1, "batch_size": 6, "precision": "float32"}
    fit(whole, repeated, images.subset([0, 1]), augment=False, optimizer=sgd(whole), **options)
    fit_tail(model, repeated, images.subset([0, 1]), optimizer=sgd(model), **options)
    assert largest_difference(model, whole) < 1e-4


def test_through_the_whole_network_they_run_in_every_epoch(model, images):
    """The twin."""
    frozen = runs_of(model.blocks[3][0].conv_pw)
    fit(model, images, images.subset([0, 1]), size=SIZE, epochs=5)
    assert sum(frozen) == 5 * (10 + 2)


def test_the_next_time_they_come_from_the_cache(model, images):
    val = images.subset([0, 1])
    fit_tail(model, images, val, size=SIZE, epochs=1)
    kept, runs = files(), runs_of(model.blocks[3][0].conv_pw)
    fit_tail(model, images, val, size=SIZE, epochs=1)
    assert runs == [2, 1, 1] and files() == kept, "the tail has changed, the frozen layers have not"


def test_without_cache_nothing_is_kept(model, images):
    fit_tail(model, images, images, size=SIZE, epochs=1, cache=False)
    assert not files()


def test_a_changed_frozen_layer_and_another_cut_are_read_anew(model, images):
    val = images.subset([0, 1])
    fit_tail(model, images, val, size=SIZE, epochs=1)
    with torch.no_grad():
        model.conv_stem.weight *= 1.1
    fit_tail(model, images, val, size=SIZE, epochs=1)
    assert len(files()) == 4
    fit_tail(learning_from(model, -2), images, val, size=SIZE, epochs=1)
    assert len(files()) == 6


# What fit can do, fit_tail can ---------------------------------------------------------------------

def test_the_same_seed_gives_the_same_weights_with_views_too(model, images):
    others = [copy.deepcopy(model) for _ in range(2)]
    for one, seed in zip([model, *others], [0, 0, 1], strict=True):
        fit_tail(one, images, images, size=SIZE, epochs=2, batch_size=5, views=3, seed=seed)
    assert largest_difference(model, others[0]) == 0 < largest_difference(model, others[1])


def test_every_epoch_draws_one_view_of_each_picture(model, images):
    seen = []
    model.blocks[6].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]) if module.training
                                              else None)
    fit_tail(model, images, images, size=SIZE, epochs=4, batch_size=10, views=3, precision="float32")
    drawn = torch.cat(seen)
    assert len(drawn) == 40 and 10 < len(drawn.flatten(1).unique(dim=0)) <= 30


def test_with_one_view_every_epoch_sees_the_same(model, images):
    """The twin."""
    seen = []
    model.blocks[6].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]) if module.training
                                              else None)
    fit_tail(model, images, images, size=SIZE, epochs=4, batch_size=10, precision="float32")
    assert len(torch.cat(seen).flatten(1).unique(dim=0)) == 10


def test_averaged_weights_patience_and_schedule_work(model, images):
    history = fit_tail(model, images, images, size=SIZE, epochs=3, batch_size=5, ema=0.9, patience=2,
                       schedule="cosine")
    assert evaluate(model, images, size=SIZE).loss == pytest.approx(history.best.val_loss, abs=0.02)


def test_a_run_that_was_stopped_goes_on_bit_for_bit(model, images, tmp_path):
    whole, path = copy.deepcopy(model), tmp_path / "run.pt"
    options = {"size": SIZE, "batch_size": 5, "views": 2}
    fit_tail(whole, images, images, epochs=4, optimizer=sgd(whole), **options)
    for epochs in (2, 4):
        fit_tail(model, images, images, epochs=epochs, optimizer=sgd(model), checkpoint=path, resume=True,
                 **options)
    assert largest_difference(model, whole) == 0


def test_the_cut_lies_before_what_is_unfrozen_later(model, images):
    frozen, later = runs_of(model.blocks[4][0].conv_pw), runs_of(model.blocks[5][0].conv_pw)
    before = model.blocks[5][0].conv_pw.weight.clone()
    fit_tail(model, images, images, size=SIZE, epochs=3, unfreeze_at={2: "blocks.5"}, precision="float32")
    assert sum(frozen) == 10 + 2 + 1 and sum(later) >= 3 * 10
    assert not torch.equal(model.blocks[5][0].conv_pw.weight, before)


def test_a_layer_before_the_cut_that_begins_to_learn_is_refused(model, images):
    def too_early(epoch):
        unfreeze(model.conv_stem)

    with pytest.raises(CourseError, match="unfreeze_at"):
        fit_tail(model, images, images, size=SIZE, epochs=3, on_epoch=too_early)


def test_loaders_and_even_iterators_are_read_once(model):
    batches = list(loader())
    history = fit_tail(model, iter(batches), iter(batches), epochs=3, batch_size=5)
    assert len(history.epochs) == 3


# Networks of one's own -----------------------------------------------------------------------------

class Shortcut(nn.Module):
    """What the stem gives goes into the first block, and past it to the head."""

    def __init__(self, passes_by: bool):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.act = nn.ReLU(inplace=True)                # used before and after the cut
        self.middle, self.last = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.fc, self.passes_by = nn.Linear(4, 2), passes_by

    def forward(self, x):
        x = self.act(self.stem(x))
        x = self.middle(x)
        y = self.act(self.last(x))
        return self.fc((x + y if self.passes_by else y).mean(dim=(2, 3)))


def half_frozen(passes_by):
    torch.manual_seed(0)
    model = freeze(Shortcut(passes_by))
    unfreeze(model.fc)
    return model


def tail_of(model):
    return [LayerGroup("last", (model.last,)), LayerGroup("head", (model.fc,))]


def test_a_layer_used_on_both_sides_of_the_cut_works():
    model, pictures = half_frozen(False), torch.randn(5, 3, 8, 8)
    cut = FromCut(model, tail_of(model), pictures[:2])
    with torch.no_grad():
        x = model.middle(model.act(model.stem(pictures)))
        torch.testing.assert_close(cut(x), model(pictures))


def test_a_shortcut_past_the_cut_is_refused_in_words():
    model = half_frozen(True)
    with pytest.raises(CourseError, match=r"Shortcut cannot be cut.*passes the cut by.*fit"):
        FromCut(model, tail_of(model), torch.randn(2, 3, 8, 8))
    assert not any("forward" in vars(module) for module in model.modules())


def test_at_the_head_nothing_passes_by():
    """The twin: the same network, cut where all its paths have met."""
    model = half_frozen(True)
    history = fit_tail(model, loader(8), loader(8), epochs=2)
    assert len(history.epochs) == 2


# What comes in -------------------------------------------------------------------------------------

def all_learning(model, images):
    fit_tail(unfreeze(model), images, images, epochs=1, size=SIZE)


def nothing_learning(model, images):
    fit_tail(freeze(model), images, images, epochs=1, size=SIZE)


def with_inputs(scores, labels, *, inputs):
    pytest.fail("it trained")


@pytest.mark.parametrize("call, kind, words", [
    (all_learning, CourseError, "first layers of the model learn.*fit"),
    (nothing_learning, CourseError, "every parameter of the model is frozen"),
    (lambda m, i: fit_tail(m, i, i, epochs=1, augment=True), CourseError, "views=5"),
    (lambda m, i: fit_tail(m, loader(), i, epochs=1, views=2), CourseError, "read once"),
    (lambda m, i: fit_tail(m, i, i, epochs=1, views=0), CourseError, "views is a whole number"),
    (lambda m, i: fit_tail(m, [], i, epochs=1), BadData, "no batch"),
    (lambda m, i: fit_tail(m, loader(), loader(), epochs=1, size=64), CourseError, "size is for Images"),
    (lambda m, i: fit_tail(replace_head(m, 3), i, i, epochs=1, size=SIZE), CourseError,
     "gives 3 scores, but the data has 2"),
    (lambda m, i: fit_tail(None, i, i, epochs=1), CourseError, "fit_tail needs a model"),
    (lambda m, i: fit_tail(m, i, i, epochs=1, patiense=2), UnknownName, "Did you mean 'patience'"),
    (lambda m, i: fit_tail(m, i, i, epochs=1, patience=0), CourseError, "patience is a whole number"),
    (lambda m, i: fit_tail(m, i, i, epochs=0), CourseError, "epochs is a whole number"),
    (lambda m, i: fit_tail(m, i, i, epochs=1, schedule="cosinus"), UnknownName, "Did you mean 'cosine'"),
    (lambda m, i: fit_tail(m, i, i, epochs=1, loss="l2"), CourseError, "loss is a function"),
    (lambda m, i: fit_tail(m, i, i, epochs=1, loss=with_inputs), CourseError,
     "asks for inputs.*Train with fit"),
    (lambda m, i: fit_tail(m, i, turned(i), epochs=1), CourseError, "train and val have the same classes in"),
])
def test_what_does_not_fit_is_said_in_words_before_the_frozen_layers_run(model, images, call, kind, words):
    runs = runs_of(model.blocks[3][0].conv_pw)
    with pytest.raises(kind, match=words):
        call(model, images)
    assert sum(runs) <= 2, "at most the two that the cut is tried on"


def test_pictures_of_two_sizes_are_said_in_words(model):
    batches = [(torch.randn(2, 3, side, side), torch.tensor([0, 1])) for side in (64, 96)]
    with pytest.raises(CourseError, match=r"activations of shape.*one size"):
        fit_tail(model, batches, batches, epochs=1)


def turned(images) -> Images:
    return Images(images.paths, images.labels, CLASSES[::-1], pictures=[picture for picture, _ in images])


def test_the_head_gets_the_names_of_what_it_learns_from(model, images):
    model.course_classes = None
    fit_tail(model, images, images, size=SIZE, epochs=1)
    assert model.course_classes == CLASSES


def test_numpys_numbers_are_numbers(model):
    history = fit_tail(model, loader(), loader(), epochs=np.int64(1), batch_size=np.int64(5))
    assert len(history.epochs) == 1


def test_from_a_loader_it_gets_none(model):
    """The twin."""
    model.course_classes = None
    fit_tail(model, loader(), loader(), epochs=1)
    assert model.course_classes is None


def test_a_class_without_pictures_is_told_once(model, images, capsys):
    fit_tail(model, images.subset([0, 2, 4]), images, size=SIZE, epochs=1)
    assert capsys.readouterr().out.splitlines() == ["There are no pictures of light to learn from."]

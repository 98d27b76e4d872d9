"""Every family, from torchvision and from timm, through everything a learner does with a model.

The smallest member of each, with random weights. Pictures have 64 pixels where the architecture takes any
size. torchvision's ViT takes 224 only (ViT-B/32 has the fewest patches), timm's test_vit 160; timm's Swin is
told 64 by its own `set_input_size`.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from course_utils.pretrained import (
    Images,
    count_parameters,
    evaluate,
    extract_features,
    find_head,
    fit,
    freeze,
    freeze_report,
    layer_groups,
    load_checkpoint,
    load_model,
    parameter_groups,
    replace_head,
    save_checkpoint,
    train_mode,
    unfreeze,
)

SIZES = {
    "torchvision/resnet18": 64, "timm/test_resnet": 64,
    "torchvision/vgg11": 64, "timm/vgg11": 64,
    "torchvision/densenet121": 64, "timm/densenet121": 64,
    "torchvision/efficientnet_b0": 64, "timm/test_efficientnet": 64,
    "torchvision/mobilenet_v3_small": 64, "timm/mobilenetv3_small_050": 64,
    "torchvision/regnet_y_400mf": 64, "timm/regnetx_002": 64,
    "torchvision/convnext_tiny": 64, "timm/test_convnext": 64,
    "torchvision/vit_b_32": 224, "timm/test_vit": 160,
    "torchvision/swin_t": 64, "timm/swin_tiny_patch4_window7_224": 64,
}
CLASSES = ("ant", "bee", "wasp")


def build(name):
    torch.manual_seed(0)
    model = load_model(name, CLASSES, random_init=True)
    if name.startswith("timm/swin"):
        model.set_input_size((64, 64))
    return model


@pytest.fixture(scope="module", params=SIZES, ids=lambda name: name.replace("/", "-"))
def built(request):
    """(name, model). pytest runs all tests of one model before it builds the next."""
    return request.param, build(request.param)


@pytest.fixture
def model(built):
    """The model of this round, in eval mode, nothing frozen. Tests put back whatever else they change."""
    return unfreeze(built[1]).eval()


@pytest.fixture
def size(built):
    return SIZES[built[0]]


@pytest.fixture(scope="module")
def images():
    """Eight pictures of noise, in three classes."""
    random = np.random.default_rng(0)
    pictures = [Image.fromarray(random.integers(0, 256, (64, 64, 3), dtype=np.uint8)) for _ in range(8)]
    return Images([f"noise {i}" for i in range(8)], [0, 1, 2, 0, 1, 2, 0, 1], CLASSES, pictures=pictures)


def pixels(size, count=2):
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(0))


def copies(tensors):
    return [tensor.detach().clone() for tensor in tensors]


def moved(before, now):
    return any(not torch.equal(a, b) for a, b in zip(before, now, strict=True))


def test_the_head_that_is_found_gives_the_scores(model, size):
    head, heard = model.get_submodule(find_head(model)), []
    hook = head.register_forward_hook(lambda *args: heard.append(args[-1]))
    with torch.inference_mode():
        scores = model(pixels(size))
    hook.remove()
    assert isinstance(head, nn.Linear) and heard[-1] is scores and scores.shape == (2, 3)


def test_a_new_head_replaces_the_old_one_and_nothing_else(model, size):
    before, path = dict(model.named_parameters()), find_head(model)
    old = model.get_submodule(path)
    replace_head(model, 5, dropout=0.5, seed=0)
    now = dict(model.named_parameters())
    with torch.inference_mode():
        assert model(pixels(size)).shape == (2, 5)
    changed = {name for name in now if now[name] is not before.get(name)}
    assert changed == {f"{path}.1.weight", f"{path}.1.bias"}
    assert layer_groups(model)[-1].modules == (model.get_submodule(path),)
    replace_head(model, CLASSES)
    model.set_submodule(find_head(model), old)
    assert [p is before[name] for name, p in model.named_parameters()] == [True] * len(before)


def test_the_groups_hold_every_parameter_once(model):
    groups = layer_groups(model)
    grouped = [id(p) for group in groups for p in group.parameters()]
    assert sorted(grouped) == sorted(id(p) for p in model.parameters())
    assert groups[0].name == "stem" and groups[-1].name == "head" and len(groups) >= 5


def test_what_is_frozen_stays_as_it_is_in_train_mode(model, size):
    freeze(model)
    unfreeze(layer_groups(model)[-1])
    width = model.get_submodule(find_head(model)).in_features
    assert count_parameters(model, trainable=True) == 3 * width + 3
    buffers = copies(model.buffers())
    with torch.no_grad():
        train_mode(model)(pixels(size))
        assert not moved(buffers, model.buffers())
        model.train()(pixels(size))             # the twin: with a plain train(), BatchNorm drifts
    has_batchnorm = any(isinstance(m, nn.BatchNorm2d) for m in model.modules())
    assert moved(buffers, model.buffers()) == has_batchnorm
    for buffer, kept in zip(model.buffers(), buffers, strict=True):
        buffer.copy_(kept)


def test_an_epoch_changes_what_learns_and_nothing_else(model, images, size):
    groups = layer_groups(model)
    freeze(model)
    for group in groups[-2:]:
        unfreeze(group)
    before = [copies(group.parameters()) for group in groups]
    frozen = [module for group in groups[:-2] for part in group.modules for module in part.modules()]
    buffers = copies(buffer for module in frozen for buffer in module.buffers(recurse=False))
    optimizer = torch.optim.SGD(parameter_groups(model, 0.1))
    history = fit(model, images, images.subset(range(4)), epochs=1, batch_size=4, size=size,
                  optimizer=optimizer)
    changed = [moved(old, list(group.parameters())) for old, group in zip(before, groups, strict=True)]
    assert changed == [False] * (len(groups) - 2) + [True, True]
    assert not moved(buffers, [buffer for module in frozen for buffer in module.buffers(recurse=False)])
    assert len(history.epochs) == 1 and history.epochs[0].rates == pytest.approx((0.01, 0.1))
    report = freeze_report(model, optimizer)
    assert (report.trainable == report.in_optimizer).all() and not any(m.training for m in model.modules())


def test_saved_weights_give_the_same_scores_in_a_fresh_model(built, model, images, size, tmp_path):
    path = save_checkpoint(tmp_path / "run.pt", model)
    resized = built[0].startswith("timm/swin")         # by hand, which no file can tell
    fresh = load_checkpoint(path, build(built[0]) if resized else None).model
    path.unlink()                               # VGG's has half a gigabyte
    four = images.subset(range(4))
    assert evaluate(fresh, four, size=size).loss == evaluate(model, four, size=size).loss


def test_features_are_what_goes_into_the_head(model, images, size):
    head, heard = model.get_submodule(find_head(model)), []
    hook = head.register_forward_pre_hook(lambda module, inputs: heard.append(inputs[0].flatten(1)))
    evaluate(model, images, size=size, precision="float32")
    hook.remove()
    features = extract_features(model, images, size=size, precision="float32", cache=False)
    assert features.x.shape == (8, head.in_features) and features.classes == CLASSES
    # batches of another size are summed in another order
    assert torch.allclose(features.x, torch.cat(heard), rtol=1e-3, atol=1e-4)

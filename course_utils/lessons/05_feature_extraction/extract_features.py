"""Exercise: what the backbone says about a picture, without gradients."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from course_utils.lessons._guards import (
    changed,
    further_trained_lite0,
    kind_of,
    pictures,
    snapshot,
    torch_as_it_was,
)
from course_utils.pretrained import extract_features
from course_utils.teaching import Exercise, Table, expect

extract_the_features = Exercise(
    "extract-features", lesson="05_feature_extraction", title="Read the features",
    see="#Cache-the-features", minutes=8, difficulty="medium", objective="features",
    seconds=30, guard=torch_as_it_was)


@extract_the_features.starter
def features_of(model, images):
    """Describe each of N prepared images by Lite0's 1,280 pooled features, without gradients.

    `model` may come in train mode. Afterwards its weights, statistics and head must be the same, while its
    mode may be another.
    """
    ...


@extract_the_features.solved_by
def features_of(model, images):
    """Eval mode, no gradients, and the head's own input."""
    model.eval()
    with torch.inference_mode():
        maps = model.forward_features(images)                # (N, 1280, H, W)
        return model.forward_head(maps, pre_logits=True)     # (N, 1280)


@extract_the_features.alternative("mean-over-the-picture")
def features_of(model, images):
    model.eval()
    with torch.no_grad():
        return model.forward_features(images).mean(dim=(2, 3))


@extract_the_features.alternative("a-copy-with-identity")
def features_of(model, images):
    backbone = copy.deepcopy(model).eval()
    backbone.classifier = nn.Identity()
    return backbone(images).detach()


@extract_the_features.alternative("hook-before-the-head")
def features_of(model, images):
    caught = []
    hook = model.classifier.register_forward_pre_hook(lambda module, inputs: caught.append(inputs[0]))
    model.eval()
    with torch.no_grad():
        model(images)
    hook.remove()
    return caught[0]


@extract_the_features.alternative("with-the-course")
def features_of(model, images):
    labels = torch.zeros(len(images), dtype=torch.long)
    return extract_features(model, [(images, labels)]).x       # in bfloat16 where the processor can


@extract_the_features.wrong("the-scores-of-the-head", says=(
    "These are the head's {width} scores, one for each ImageNet class, not features. Stop one layer earlier: "
    "you want what goes into `model.classifier`."))
def features_of(model, images):
    model.eval()
    with torch.no_grad():
        return model(images)


@extract_the_features.wrong("not-pooled", says=(
    "These are feature maps of shape {shape}: one vector for each place in the picture. Average over height "
    "and width for one vector per picture."), looks_like="maps are not averaged over height and width")
def features_of(model, images):
    model.eval()
    with torch.no_grad():
        return model.forward_features(images)


@extract_the_features.wrong("flattened", says=(
    "{width} numbers per picture: the maps are flattened, not pooled. That ties each feature to a place, and "
    "to this picture size. Average over height and width instead."))
def features_of(model, images):
    model.eval()
    with torch.no_grad():
        return model.forward_features(images).flatten(1)


@extract_the_features.wrong("squeezed-the-batch", says=(
    "One picture comes out as {shape}, not (1, 1280): `squeeze()` takes every dimension of size 1 away, the "
    "batch's too. Say which: `.flatten(1)`."))
def features_of(model, images):
    model.eval()
    with torch.no_grad():
        return nn.functional.adaptive_avg_pool2d(model.forward_features(images), 1).squeeze()


@extract_the_features.wrong("gradients-kept", says=(
    "The features still carry gradients, so every activation behind them stays in memory. Compute them under "
    "`torch.inference_mode()` or `torch.no_grad()`."))
def features_of(model, images):
    model.eval()
    return model.forward_head(model.forward_features(images), pre_logits=True)


@extract_the_features.wrong("still-in-train-mode", says=(
    "A picture's features change with the other pictures in the batch: in train mode BatchNorm uses the "
    "batch's own statistics. Gradients off is not enough, call `model.eval()` too."))
def features_of(model, images):
    with torch.no_grad():
        return model.forward_features(images).mean(dim=(2, 3))


@extract_the_features.wrong("lost-the-head", says=(
    "The model came back without its head: `classifier` is not what it was. Work on `copy.deepcopy(model)`, "
    "or read the features without changing the model."))
def features_of(model, images):
    model.eval()
    model.classifier = nn.Identity()
    with torch.no_grad():
        return model(images)


def read(answer, model: nn.Module, images: Tensor) -> Tensor:
    """The learner's features of `images`, known to be a tensor."""
    features = answer(model, images.clone())
    expect(isinstance(features, Tensor),
           f"`features_of` must return a tensor, but it returned {kind_of(features)}.")
    return features


def reference(images: Tensor) -> Tensor:
    """What goes into the head of the given model in eval mode, (N, 1280)."""
    model = further_trained_lite0()
    with torch.inference_mode():
        return model.forward_head(model.forward_features(images), pre_logits=True)


def near(one: Tensor, other: Tensor) -> bool:
    """Of one shape and within 10 %: bfloat16 rounds by 5 %, a corner instead of the mean makes 20 %."""
    one, other = one.float(), other.float()
    return one.shape == other.shape and bool((one - other).norm() < 0.1 * other.norm())


def still_works(model: nn.Module, images: Tensor) -> bool:
    """Whether the model gives the scores it gave before."""
    try:
        with torch.no_grad():
            return near(model.eval()(images), further_trained_lite0()(images))
    except Exception:           # whatever a model raises whose parts do not fit any more
        return False


def on_the_way(size: int) -> list[Table]:
    """Shapes of what stands in Lite0 between picture and scores, and which of it is asked for."""
    model, images = further_trained_lite0().eval(), pictures(2, size)
    with torch.inference_mode():
        maps = model.forward_features(images)
        found = [("pictures", images), ("maps: forward_features", maps),
                 ("features, before the head", model.forward_head(maps, pre_logits=True)),
                 ("scores of the head", model.forward_head(maps))]
    return [Table(f"Two pictures of {size} pixels on their way through Lite0", ("what", "shape"),
                  [(what, str(tuple(tensor.shape))) for what, tensor in found], marked=[2])]


def side_by_side(features: Tensor, alone: Tensor, right: Tensor) -> list[Table]:
    """How far the features of the same pictures are apart: in another batch, and from the right ones."""
    far = [[f"{(one[i] - other[i]).norm() / right[i].norm():.1%}" for i in range(2)]
           for one, other in ((features, alone), (features, right))]
    return [Table("How far your features of a picture are from …", ("picture", "yours in another batch",
                                                                    "those of eval mode"),
                  [(str(i + 1), *pair) for i, pair in enumerate(zip(*far, strict=True))])]


@extract_the_features.checks("one vector of 1,280 per picture", points=2)
def _(answer):
    shape = tuple(read(answer, further_trained_lite0(), pictures(2, size=96)).shape)

    def show():
        return on_the_way(96)
    expect(shape != (2, 1000), mistake="the-scores-of-the-head", width=1000, show=show)
    expect(shape != (2, 1280, 1, 1), f"Pooled, but of shape {shape}: `.flatten(1)` makes it (2, 1280).",
           show=show)
    expect(len(shape) != 4, mistake="not-pooled", shape=shape, show=show)
    expect(shape != (2, 1280 * 9), mistake="flattened", width=1280 * 9, show=show)
    expect(shape == (2, 1280), f"Two pictures should give features of shape (2, 1280), yours have {shape}.",
           show=show)
    shape = tuple(read(answer, further_trained_lite0(), pictures(1)).shape)
    expect(shape == (1, 1280), mistake="squeezed-the-batch", shape=shape)


@extract_the_features.checks("no gradients")
def _(answer):
    features = read(answer, further_trained_lite0(), pictures(2))
    expect(not features.requires_grad, mistake="gradients-kept")


@extract_the_features.checks("the features of eval mode", points=2)
def _(answer):
    images, model = pictures(3), further_trained_lite0().train()
    before = snapshot(model)
    features = read(answer, model, images)
    expect(features.shape == (3, 1280), "There are no features of shape (3, 1280) to compare.")
    expect(near(features, read(answer, further_trained_lite0().train(), images)),
           "The same pictures give other features the second time: something random is at work.")
    in_another_batch = read(answer, further_trained_lite0().train(), images[:2])
    counted = any("num_batches_tracked" in name for name in changed(before, model))
    right = reference(images)

    def show():
        return side_by_side(features.float(), in_another_batch.float(), right)
    expect(in_another_batch.shape == (2, 1280), "Two of the three pictures alone give no (2, 1280).")
    expect(near(features[:2], in_another_batch) and not counted, mistake="still-in-train-mode", show=show)
    expect(near(features, right), "These are not the numbers that go into the head of the given model.",
           show=show)


@extract_the_features.checks("the model is the same afterwards")
def _(answer):
    model, images = further_trained_lite0(), pictures(2)
    before = snapshot(model)
    read(answer, model.train(), images)
    moved = changed(before, model)
    expect(not any(name.startswith("classifier.") for name in moved), mistake="lost-the-head")
    expect(not moved, f"{len(moved)} weights or statistics changed, as `{min(moved, default='')}`.")
    expect(still_works(model, images),
           "The model's weights are the same, but its scores are not: some part of it was replaced.")
    expect(not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules()),
           "A hook was left in the model, and keeps what passes from now on. Call `.remove()` on it.")


@extract_the_features.fingerprint
def _(answer):
    """How many numbers a picture gets, in whatever shape, and their mean: of small and of larger pictures."""
    found = [read(answer, further_trained_lite0(), pictures(2, size)).float() for size in (64, 96)]
    return [(features.numel() // 2, round(features.mean().item(), 2)) for features in found]


extract_the_features.hints(
    "`model.forward_features(images)` runs everything before pooling and head.",
    "`model.forward_head(maps, pre_logits=True)` pools and stops before the head; "
    "`maps.mean(dim=(2, 3))` does the same here.",
    "Call `model.eval()` first and wrap the rest in `with torch.inference_mode():`.")

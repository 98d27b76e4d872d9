"""Exercise: a new head on a pretrained backbone."""

from __future__ import annotations

import torch
from torch import nn

from course_utils.lessons._guards import changed, fresh_lite0, pictures, snapshot, torch_as_it_was
from course_utils.pretrained import load_model, replace_head
from course_utils.teaching import Exercise, expect

replace_the_head = Exercise(
    "replace-the-head", lesson="05_feature_extraction", title="Give the model a new head",
    see="#A-new-head", minutes=5, difficulty="easy", objective="new-head",
    seconds=30, guard=torch_as_it_was)


@replace_the_head.starter
def give_new_head(model, num_classes):
    """Give EfficientNet-Lite0 a head for `num_classes` classes; leave the rest as it is. Return the model."""
    ...


@replace_the_head.solved_by
def give_new_head(model, num_classes):
    """The head is the Linear called `classifier`; the new one takes the same features."""
    model.classifier = nn.Linear(model.classifier.in_features, num_classes)
    return model


@replace_the_head.alternative("with-the-course")
def give_new_head(model, num_classes):
    return replace_head(model, num_classes)


@replace_the_head.alternative("the-timm-way")
def give_new_head(model, num_classes):
    model.reset_classifier(num_classes)
    return model


@replace_the_head.alternative("with-dropout")
def give_new_head(model, num_classes):
    width = model.get_classifier().in_features
    model.classifier = nn.Sequential(nn.Dropout(0.3), nn.Linear(width, num_classes))
    return model


@replace_the_head.wrong("stacked-on-the-old-head", says=(
    "There are scores for your classes, but the old 1,000-class head is still in between: your new layer "
    "reads ImageNet scores, not features. Replace `model.classifier` instead of adding a layer after it."))
def give_new_head(model, num_classes):
    return nn.Sequential(model, nn.Linear(1000, num_classes))


@replace_the_head.wrong("the-name-from-another-family", says=(
    "You made a layer called `fc`, as in a ResNet, but this model never calls it: it still gives {scores} "
    "scores. Print the model and look for the Linear with 1,000 outputs: here it is `classifier`."))
def give_new_head(model, num_classes):
    model.fc = nn.Linear(1280, num_classes)
    return model


@replace_the_head.wrong("changed-the-label-only", says=(
    "The model still gives {scores} scores. Setting `num_classes` or `out_features` renames a layer, its "
    "weights keep their shape. You need a new `nn.Linear`."))
def give_new_head(model, num_classes):
    model.num_classes = num_classes
    model.classifier.out_features = num_classes
    return model


@replace_the_head.wrong("lost-the-pretrained-weights", says=(
    "The head is right, but the backbone is not the one you were given: its features changed. Building the "
    "model anew starts from random weights. Change the head of `model` itself."))
def give_new_head(model, num_classes):
    return load_model("efficientnet_lite0", num_classes, random_init=True)


@replace_the_head.wrong("softmax-in-the-head", says=(
    "Your model gives probabilities, not scores: each row sums to 1. Cross-entropy applies softmax itself, "
    "and twice is too much: it flattens the loss. End with the Linear."))
def give_new_head(model, num_classes):
    model.classifier = nn.Sequential(nn.Linear(model.classifier.in_features, num_classes), nn.Softmax(dim=1))
    return model


def answered_with(answer, num_classes):
    """The learner's model in eval mode, and the model it was made from."""
    model = answer(fresh_lite0(), num_classes)
    expect(isinstance(model, nn.Module),
           f"`give_new_head` must return the model, but it returned {type(model).__name__}.")
    return model.eval()


@replace_the_head.checks("one score per class", points=2)
def _(answer):
    for num_classes in (5, 3):
        model = answered_with(answer, num_classes)
        with torch.no_grad():
            scores = model(pictures(2))
        width = scores.shape[-1]
        other_name = [n for n, m in model.named_children() if isinstance(m, nn.Linear) and n != "classifier"]
        expect(width == num_classes or not other_name, mistake="the-name-from-another-family", scores=width)
        expect(width == num_classes or width != 1000, mistake="changed-the-label-only", scores=width)
        expect(scores.shape == (2, num_classes),
               f"Two pictures and {num_classes} classes should give scores of shape (2, {num_classes}), "
               f"but yours have {tuple(scores.shape)}.")


@replace_the_head.checks("the head reads features")
def _(answer):
    model = answered_with(answer, 5)
    expect(not any(isinstance(m, nn.Linear) and m.out_features == 1000 for m in model.modules()),
           mistake="stacked-on-the-old-head")


@replace_the_head.checks("the backbone is the one you were given", points=2)
def _(answer):
    model = answered_with(answer, 5)
    backbone = {name: value for name, value in snapshot(fresh_lite0()).items()
                if not name.startswith("classifier.")}
    expect(not changed(backbone, model), mistake="lost-the-pretrained-weights")


@replace_the_head.checks("scores, not probabilities")
def _(answer):
    with torch.no_grad():
        scores = answered_with(answer, 5)(pictures(4))
    sums = scores.sum(dim=1)
    expect(not torch.allclose(sums, torch.ones(4), atol=1e-3), mistake="softmax-in-the-head")


replace_the_head.hints(
    "Print `model` and read its last lines: which layer has 1,000 outputs?",
    "A Linear knows its input width: `model.classifier.in_features`.",
    "Assign a new `nn.Linear(width, num_classes)` to `model.classifier`, then `return model`.")

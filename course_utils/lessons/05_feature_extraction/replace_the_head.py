"""Exercise: a new head on a pretrained backbone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from course_utils.lessons._guards import further_trained_lite0, kind_of, pictures, same, torch_as_it_was
from course_utils.pretrained import load_model, replace_head
from course_utils.teaching import Exercise, Table, expect

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


@replace_the_head.alternative("new-weights-in-the-old-layer")
def give_new_head(model, num_classes):
    head = model.classifier
    head.weight = nn.Parameter(0.01 * torch.randn(num_classes, head.in_features))
    head.bias = nn.Parameter(torch.zeros(num_classes))
    return model


@replace_the_head.alternative("a-head-behind-the-backbone")
def give_new_head(model, num_classes):
    width = model.num_features
    model.reset_classifier(0)
    return nn.Sequential(model, nn.Linear(width, num_classes))


@replace_the_head.wrong("stacked-on-the-old-head", says=(
    "There are scores for your classes, but the old 1,000-class head is still in between: your new layer "
    "reads ImageNet scores, not features. Replace `model.classifier` instead of adding a layer after it."))
def give_new_head(model, num_classes):
    return nn.Sequential(model, nn.Linear(1000, num_classes))


@replace_the_head.wrong("the-name-from-another-family", says=(
    "You made a layer called `{name}`, as in another family, but this model never calls it: it still gives "
    "{scores} scores. Print the model and look for the Linear with 1,000 outputs: here it is `classifier`."))
def give_new_head(model, num_classes):
    model.fc = nn.Linear(1280, num_classes)
    return model


@replace_the_head.wrong("the-width-from-another-family", says=(
    "Your Linear takes {width:,} features, but this backbone gives {features:,}, so the model cannot run. "
    "Ask the old head: `model.classifier.in_features`."))
def give_new_head(model, num_classes):
    model.classifier = nn.Linear(512, num_classes)
    return model


@replace_the_head.wrong("changed-the-label-only", says=(
    "The model still gives {scores} scores. Setting `num_classes` or `out_features` renames a layer, its "
    "weights keep their shape. You need a new `nn.Linear`."))
def give_new_head(model, num_classes):
    model.num_classes = num_classes
    model.classifier.out_features = num_classes
    return model


@replace_the_head.wrong("lost-the-pretrained-weights", says=(
    "{lost} of the backbone's {all} parameters are not those you were given. Building or loading the model "
    "anew loses what it had learned. Change the head of `model` itself."))
def give_new_head(model, num_classes):
    return load_model("efficientnet_lite0", num_classes, random_init=True)


@replace_the_head.wrong("softmax-in-the-head", says=(
    "Your model gives probabilities, not scores: each row sums to 1. Cross-entropy applies softmax itself, "
    "and twice is too much: it flattens the loss. End with the Linear."))
def give_new_head(model, num_classes):
    model.classifier = nn.Sequential(nn.Linear(model.classifier.in_features, num_classes), nn.Softmax(dim=1))
    return model


FEATURES = 1280


def answered_with(answer, num_classes) -> nn.Module:
    """The learner's model in eval mode. It has run once: a LazyLinear has no weights before."""
    model = answer(further_trained_lite0(), num_classes)
    expect(isinstance(model, nn.Module),
           f"`give_new_head` must return the model, but it returned {kind_of(model)}.")
    scores = scores_of(model.eval(), pictures(2))
    expect(isinstance(scores, Tensor), f"The model should give a tensor, but it gives {kind_of(scores)}.")
    return model


@torch.no_grad()
def scores_of(model: nn.Module, images: Tensor) -> Tensor:
    """What the learner's model says, if it can run."""
    try:
        return model(images)
    except Exception as error:          # whatever a model raises that its author never ran
        width = next((m.in_features for m in model.modules() if isinstance(m, nn.Linear)), FEATURES)
        expect(width == FEATURES, mistake="the-width-from-another-family", width=width, features=FEATURES)
        expect(False, f"The model you return cannot run: {type(error).__name__}: {error}.")


def among(tensor: Tensor, others: list[Tensor]) -> bool:
    return any(tensor.shape == other.shape and same(tensor, other) for other in others)


def linears(model: nn.Module) -> list[Table]:
    """Every Linear of the model that is returned, and which of them a picture passes."""
    passed, hooks = [], [(name, m.register_forward_hook(lambda module, *_: passed.append(module)))
                         for name, m in model.named_modules() if isinstance(m, nn.Linear)]
    scores_of(model, pictures(2))
    for _, hook in hooks:
        hook.remove()
    rows = [(name or "the model itself", f"{m.in_features:,}", f"{m.out_features:,}",
             "yes" if m in passed else "no") for name, m in model.named_modules() if isinstance(m, nn.Linear)]
    return [Table("Each Linear in your model", ("name", "takes", "gives", "a picture passes it"), rows)]


@replace_the_head.checks("one score per class", points=2)
def _(answer):
    for num_classes in (5, 3):
        model = answered_with(answer, num_classes)

        def show(model=model):
            return linears(model)
        scores = scores_of(model, pictures(2))
        width = scores.shape[-1]
        unused = next((name.split(".")[0] for name, module in model.named_modules()
                       if isinstance(module, nn.Linear) and not name.startswith("classifier")), None)
        expect(width != 1000 or not unused, mistake="the-name-from-another-family", name=unused, scores=width,
               show=show)
        expect(width != 1000, mistake="changed-the-label-only", scores=width, show=show)
        expect(scores.shape == (2, num_classes),
               f"Two pictures and {num_classes} classes should give scores of shape (2, {num_classes}), "
               f"but yours have {tuple(scores.shape)}.", show=show)


@replace_the_head.checks("the head reads features")
def _(answer):
    model = answered_with(answer, 5)
    width = scores_of(model, pictures(2)).shape[-1]
    expect(width != 1000, "The old head still gives the scores.")
    old = further_trained_lite0().classifier.weight
    expect(not among(old, list(model.parameters())), mistake="stacked-on-the-old-head",
           show=lambda: linears(model))


@replace_the_head.checks("the backbone is the one you were given", points=2)
def _(answer):
    model, backbone = answered_with(answer, 5), further_trained_lite0()
    backbone.classifier = nn.Identity()
    found = list(model.state_dict().values())      # under any name: it may stand in a module of your own
    given = list(backbone.parameters())
    lost = sum(not among(parameter, found) for parameter in given)
    expect(not lost, mistake="lost-the-pretrained-weights", lost=lost, all=len(given))
    expect(all(among(buffer, found) for buffer in backbone.buffers()),
           "BatchNorm's statistics are not those you were given: the model ran in train mode.")
    frozen = sum(not parameter.requires_grad for parameter in model.parameters())
    expect(not frozen,
           f"{frozen} parameters came back frozen. Leave gradients on: freezing is a step of its own.")


@replace_the_head.checks("scores, not probabilities")
def _(answer):
    # Forty, because on like pictures a class has scores of one sign: with five, all may well be above 0.
    model, given = answered_with(answer, 40), list(further_trained_lite0().parameters())
    with torch.no_grad():
        for parameter in model.parameters():
            if not among(parameter, given):
                parameter.normal_(std=0.05)        # scores of both signs, whatever the head began with
    scores = scores_of(model, pictures(4))
    expect(bool(((scores.sum(dim=-1) - 1).abs() > 1e-3).any()), mistake="softmax-in-the-head")
    expect(scores.min() < 0,
           "No score is below 0, whatever the head's weights are: an activation follows the last Linear. "
           "Cross-entropy takes the Linear's own numbers.")
    expect((scores_of(model.train(), pictures(8)) != 0).all(),
           "In train mode some scores are exactly 0: dropout belongs before the last Linear, not behind it.")


replace_the_head.hints(
    "Print `model` and read its last lines: which layer has 1,000 outputs?",
    "A Linear knows its input width: `model.classifier.in_features`.",
    "Assign a new `nn.Linear(width, num_classes)` to `model.classifier`, then `return model`.")

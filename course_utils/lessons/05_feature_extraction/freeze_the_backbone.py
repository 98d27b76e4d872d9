"""Exercise: the three switches of freezing."""

from __future__ import annotations

import torch
from torch import nn

from course_utils.lessons._guards import changed, fresh_lite0, pictures, snapshot, torch_as_it_was
from course_utils.pretrained import freeze, replace_head, train_mode, unfreeze
from course_utils.teaching import Exercise, expect

freeze_the_backbone = Exercise(
    "freeze-the-backbone", lesson="05_feature_extraction", title="Freeze with all three switches",
    see="#Three-switches", minutes=8, difficulty="medium", objective="three-switches",
    seconds=30, guard=torch_as_it_was)


@freeze_the_backbone.starter
def ready_to_train(model):
    """Freeze everything but `model.classifier`, and return an Adam optimizer (1e-3) for what learns.

    When you return, the model is ready for training steps: set its modes as well.
    """
    ...


@freeze_the_backbone.solved_by
def ready_to_train(model):
    """Gradients off, backbone in eval mode, optimizer for the head."""
    for parameter in model.parameters():
        parameter.requires_grad = False
    for parameter in model.classifier.parameters():
        parameter.requires_grad = True
    model.eval()
    model.classifier.train()
    return torch.optim.Adam(model.classifier.parameters(), lr=1e-3)


@freeze_the_backbone.alternative("with-the-course")
def ready_to_train(model):
    freeze(model)
    unfreeze(model.classifier)
    train_mode(model)
    return torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-3)


@freeze_the_backbone.alternative("optimizer-holds-everything")
def ready_to_train(model):
    model.requires_grad_(False)
    model.classifier.requires_grad_(True)
    model.train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    return torch.optim.Adam(model.parameters(), lr=1e-3)   # a frozen parameter in it costs, but stays


@freeze_the_backbone.wrong("froze-everything", says=(
    "Nothing can learn now, the new head neither. Freeze the backbone, then switch the gradients of "
    "`model.classifier` on again."))
def ready_to_train(model):
    for parameter in model.parameters():
        parameter.requires_grad = False
    model.eval()
    model.classifier.train()
    return torch.optim.Adam(model.parameters(), lr=1e-3)


@freeze_the_backbone.wrong("batchnorm-drifts", says=(
    "No weight of the backbone moved, but {count} of its BatchNorm statistics did: in train mode they follow "
    "every batch, whatever `requires_grad` says. Put the frozen part in eval mode."))
def ready_to_train(model):
    for parameter in model.parameters():
        parameter.requires_grad = False
    for parameter in model.classifier.parameters():
        parameter.requires_grad = True
    model.train()
    return torch.optim.Adam(model.classifier.parameters(), lr=1e-3)


@freeze_the_backbone.wrong("gradients-left-on", says=(
    "The backbone stays still, but only because the optimizer does not hold it. {count} of its parameters "
    "still get gradients, which costs the time and memory that freezing should save. Set `requires_grad` "
    "to False."))
def ready_to_train(model):
    model.eval()
    model.classifier.train()
    return torch.optim.Adam(model.classifier.parameters(), lr=1e-3)


@freeze_the_backbone.wrong("nothing-frozen", says=(
    "{count} tensors of the backbone moved in one training step. Nothing is frozen: switch their gradients "
    "off with `requires_grad = False`."))
def ready_to_train(model):
    model.train()
    return torch.optim.Adam(model.parameters(), lr=1e-3)


@freeze_the_backbone.wrong("optimizer-without-the-head", says=(
    "The head has gradients, but the optimizer does not hold it, so it cannot move. Build the optimizer "
    "from the parameters that should learn, after you switched them on."))
def ready_to_train(model):
    model.requires_grad_(False)
    optimizer = torch.optim.Adam(model.conv_stem.parameters(), lr=1e-3)
    model.classifier.requires_grad_(True)
    train_mode(model)
    return optimizer


@freeze_the_backbone.wrong("everything-in-eval-mode", says=(
    "The head is in eval mode too, so its dropout does nothing while it learns. Only what is frozen belongs "
    "in eval mode: call `model.classifier.train()`."))
def ready_to_train(model):
    model.requires_grad_(False)
    model.classifier.requires_grad_(True)
    model.eval()
    return torch.optim.Adam(model.classifier.parameters(), lr=1e-3)


def prepared(answer) -> tuple[nn.Module, torch.optim.Optimizer]:
    """A five-class Lite0 after the learner's preparation, with the optimizer they returned."""
    model = replace_head(fresh_lite0(), 5, dropout=0.2, seed=0)
    optimizer = answer(model)
    expect(isinstance(optimizer, torch.optim.Optimizer),
           f"`ready_to_train` must return the optimizer, but it returned {type(optimizer).__name__}.")
    return model, optimizer


def after_one_step(answer) -> tuple[nn.Module, set[str]]:
    """The model after one training step, and the names of what moved."""
    model, optimizer = prepared(answer)
    before = snapshot(model)
    loss = nn.functional.cross_entropy(model(pictures(4)), torch.tensor([0, 1, 2, 3]))
    if loss.requires_grad:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model, changed(before, model)


def in_backbone(names) -> set[str]:
    return {name for name in names if not name.startswith("classifier.")}


@freeze_the_backbone.checks("the backbone's weights stay")
def _(answer):
    model, moved = after_one_step(answer)
    weights = in_backbone(moved) & {name for name, _ in model.named_parameters()}
    expect(not weights, mistake="nothing-frozen", count=len(weights))


@freeze_the_backbone.checks("the backbone asks for no gradients")
def _(answer):
    model, _ = prepared(answer)
    asking = in_backbone(name for name, p in model.named_parameters() if p.requires_grad)
    expect(not asking, mistake="gradients-left-on", count=len(asking))


@freeze_the_backbone.checks("BatchNorm rests")
def _(answer):
    _, moved = after_one_step(answer)
    statistics = {name for name in moved if "running_" in name}
    expect(not statistics, mistake="batchnorm-drifts", count=len(statistics))


@freeze_the_backbone.checks("the head learns", points=2)
def _(answer):
    model, moved = after_one_step(answer)
    expect(all(p.requires_grad for p in model.classifier.parameters()), mistake="froze-everything")
    head = {f"classifier.{name}" for name, _ in model.classifier.named_parameters()}
    expect(head <= moved, mistake="optimizer-without-the-head")


@freeze_the_backbone.checks("the head's dropout works")
def _(answer):
    model, _ = prepared(answer)
    expect(all(m.training for m in model.classifier.modules()), mistake="everything-in-eval-mode")


freeze_the_backbone.hints(
    "Three switches: gradients, modes, optimizer. Do them in that order, each for backbone and head.",
    "`model.requires_grad_(False)` switches all gradients off; `model.classifier.requires_grad_(True)` "
    "brings the head back.",
    "`model.eval()` puts all to rest, `model.classifier.train()` wakes the head. Then "
    "`torch.optim.Adam(model.classifier.parameters(), lr=1e-3)`.")

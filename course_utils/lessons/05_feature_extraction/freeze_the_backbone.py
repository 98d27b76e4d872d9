"""Exercise: the three switches of freezing."""

from __future__ import annotations

import math

import torch
from torch import nn

from course_utils.lessons._guards import changed, fresh_lite0, kind_of, pictures, snapshot, torch_as_it_was
from course_utils.pretrained import freeze, replace_head, train_mode, unfreeze
from course_utils.teaching import Exercise, Table, expect

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
    "Nothing can learn now, not even the new head. Freeze the backbone, then switch the gradients of "
    "`model.classifier` on again."))
def ready_to_train(model):
    for parameter in model.parameters():
        parameter.requires_grad = False
    model.eval()
    model.classifier.train()
    return torch.optim.Adam(model.parameters(), lr=1e-3)


@freeze_the_backbone.wrong("batchnorm-drifts", says=(
    "{count} BatchNorm statistics of the backbone moved: in train mode they follow every batch, whatever "
    "`requires_grad` says. Put the frozen part in eval mode."))
def ready_to_train(model):
    for parameter in model.parameters():
        parameter.requires_grad = False
    for parameter in model.classifier.parameters():
        parameter.requires_grad = True
    model.train()
    return torch.optim.Adam(model.classifier.parameters(), lr=1e-3)


@freeze_the_backbone.wrong("gradients-left-on", says=(
    "The backbone stays still, but {count} of its parameters still get gradients, which costs the time and "
    "memory that freezing should save. Set their `requires_grad` to False."))
def ready_to_train(model):
    model.eval()
    model.classifier.train()
    return torch.optim.Adam(model.classifier.parameters(), lr=1e-3)


@freeze_the_backbone.wrong("nothing-frozen", says=(
    "{count} tensors of the backbone moved in one training step, as `{first}`: they are not frozen. Switch "
    "their gradients off with `requires_grad = False`."))
def ready_to_train(model):
    model.train()
    return torch.optim.Adam(model.parameters(), lr=1e-3)


@freeze_the_backbone.wrong("optimizer-without-the-head", says=(
    "The head has gradients, but the optimizer does not hold `{first}`, so it cannot move. Build the "
    "optimizer from the parameters that should learn, after you switched them on."))
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


@freeze_the_backbone.wrong("another-head", says=(
    "`{first}` is not what it was. The model came with its head: set switches, and leave what is in it."))
def ready_to_train(model):
    for parameter in model.parameters():
        parameter.requires_grad = False
    model.eval()
    model.classifier = nn.Linear(1280, 5)
    return torch.optim.Adam(model.classifier.parameters(), lr=1e-3)


def prepared(answer, arrives: str = "eval") -> tuple[nn.Module, torch.optim.Optimizer]:
    """A five-class Lite0 after the learner's preparation, with the optimizer they returned."""
    model = replace_head(fresh_lite0(), 5, dropout=0.2, seed=0).train(arrives == "train")
    before = snapshot(model)
    optimizer = answer(model)
    expect(isinstance(optimizer, torch.optim.Optimizer),
           f"`ready_to_train` must return the optimizer, but it returned {kind_of(optimizer)}.")
    # timm's freeze puts in a BatchNorm that rests for good, and counts no batches
    moved = {name for name in changed(before, model) if "num_batches_tracked" not in name}
    expect(not moved, mistake="another-head", first=min(moved, default=""))
    return model, optimizer


def after_one_step(answer, arrives: str = "eval") -> tuple[nn.Module, torch.optim.Optimizer, set[str]]:
    """Model and optimizer after one training step, and the names of what moved."""
    model, optimizer = prepared(answer, arrives)
    before = snapshot(model)
    loss = nn.functional.cross_entropy(model(pictures(4)), torch.tensor([0, 1, 2, 3]))
    if loss.requires_grad:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model, optimizer, changed(before, model)


def in_backbone(names) -> set[str]:
    return {name for name in names if not name.startswith("classifier.")}


def switches(model: nn.Module, optimizer: torch.optim.Optimizer, moved: set[str]) -> list[Table]:
    """The three switches as they are and as they should be, and what moved in one step."""
    held = {p for entry in optimizer.param_groups for p in entry["params"]}
    rows = []
    for part, names in (("backbone", in_backbone(model.state_dict())),
                        ("head", {name for name in model.state_dict() if name.startswith("classifier.")})):
        tensors = {name: p for name, p in model.named_parameters() if name in names}
        statistics = {name for name in names & moved if "running_" in name}
        modules = [m for name, m in model.named_modules() if name and (part == "head") == (
            name.split(".")[0] == "classifier")]
        rows.append((part, len(tensors), sum(p.requires_grad for p in tensors.values()),
                     sum(p in held for p in tensors.values()),
                     f"{sum(m.training for m in modules)} of {len(modules)}", len(moved & set(tensors)),
                     len(statistics)))
    wanted = ("wanted", "", "head: all, backbone: 0", "head: all", "head: all, backbone: 0",
              "head: all, backbone: 0", "0")
    return [Table("The switches, and what moved in one training step", (
        "part", "parameter tensors", "with gradients", "in the optimizer", "modules in train mode", "moved",
        "BatchNorm statistics moved"), [*(tuple(map(str, row)) for row in rows), wanted])]


@freeze_the_backbone.checks("the backbone's weights stay")
def _(answer):
    model, optimizer, moved = after_one_step(answer)
    weights = in_backbone(moved) & {name for name, _ in model.named_parameters()}
    expect(not weights, mistake="nothing-frozen", count=len(weights), first=min(weights, default=""),
           show=lambda: switches(model, optimizer, moved))


@freeze_the_backbone.checks("the backbone asks for no gradients")
def _(answer):
    model, optimizer, moved = after_one_step(answer)
    asking = in_backbone(name for name, p in model.named_parameters() if p.requires_grad)
    expect(not asking, mistake="gradients-left-on", count=len(asking),
           show=lambda: switches(model, optimizer, moved))


@freeze_the_backbone.checks("BatchNorm rests")
def _(answer):
    model, optimizer, moved = after_one_step(answer, arrives="train")
    statistics = {name for name in moved if "running_" in name}
    expect(not statistics, mistake="batchnorm-drifts", count=len(statistics),
           show=lambda: switches(model, optimizer, moved))
    images = pictures(4)
    with torch.no_grad():
        maps, in_another_batch = model.forward_features(images), model.forward_features(images[:2])
    expect(torch.allclose(maps[:2], in_another_batch, atol=1e-3),
           "BatchNorm keeps its statistics, but uses the batch's: a picture gets other features in another "
           "batch. Put the frozen part in eval mode.")


@freeze_the_backbone.checks("the head learns", points=2)
def _(answer):
    model, optimizer = prepared(answer)
    head = dict(model.classifier.named_parameters(prefix="classifier"))

    def show():
        return switches(*after_one_step(answer))
    resting = [name for name, p in head.items() if not p.requires_grad]
    expect(len(resting) < len(head), mistake="froze-everything", show=show)
    expect(not resting, f"`{min(resting, default='')}` gets no gradients: switch all of the head on.",
           show=show)
    rates = {p: entry["lr"] for entry in optimizer.param_groups for p in entry["params"]}
    missing = [name for name, p in head.items() if p not in rates]
    expect(not missing, mistake="optimizer-without-the-head", first=min(missing, default=""), show=show)
    expect(isinstance(optimizer, torch.optim.Adam),
           f"The optimizer should be torch.optim.Adam, yours is {kind_of(optimizer)}.")
    for parameter in head.values():
        expect(math.isclose(rates[parameter], 1e-3, rel_tol=1e-4),
               f"The learning rate should be 1e-3, yours is {rates[parameter]:g}.")
    _, _, moved = after_one_step(answer)
    expect(set(head) <= moved, "The head did not move in a training step, though the optimizer holds it.",
           show=show)


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

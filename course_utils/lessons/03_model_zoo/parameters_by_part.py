"""Exercise: how many parameters stand in each part of a model."""

from __future__ import annotations

from functools import cache
from numbers import Integral

import torch
from torch import nn

from course_utils.lessons._guards import kind_of, torch_as_it_was
from course_utils.pretrained import count_parameters, load_model
from course_utils.teaching import Exercise, Table, expect

parameters_by_part = Exercise(
    "parameters-by-part", lesson="03_model_zoo", title="Where are the parameters?",
    see="#Read-an-architecture", minutes=5, difficulty="easy", objective="architecture",
    guard=torch_as_it_was)


@parameters_by_part.starter
def parameters_of_parts(model):
    """How many parameters each direct child of `model` holds, as {name: number}.

    Frozen or not. What two children share counts once, for the first of them. Parameters that stand in no
    child go under "". So the numbers add up to what the model has.
    """
    ...


@parameters_by_part.solved_by
def parameters_of_parts(model):
    """Child by child, leaving out what was seen before; what the model has beyond its children comes last."""
    seen, counts = set(), {}
    for name, part in [*model.named_children(), ("", model)]:
        new = {parameter: parameter.numel() for parameter in part.parameters() if parameter not in seen}
        counts[name] = sum(new.values())
        seen |= new.keys()
    return counts


@parameters_by_part.alternative("by-dotted-name")
def parameters_of_parts(model):
    counts = {name: 0 for name, _ in model.named_children()} | {"": 0}
    for name, parameter in model.named_parameters():        # each parameter once
        part, dot, _ = name.partition(".")
        counts[part if dot else ""] += parameter.numel()
    return counts


@parameters_by_part.alternative("only-parts-with-parameters")
def parameters_of_parts(model):
    seen, counts = [], {}
    for name, part in [*model.named_children(), ("", model)]:
        for parameter in part.parameters():
            if not any(parameter is other for other in seen):
                seen.append(parameter)
                counts[name] = counts.get(name, 0) + parameter.numel()
    return counts


@parameters_by_part.wrong("tensors-not-numbers", says=(
    "`{part}` has {right:,} parameters, you count {got}: the number of tensors. Add up `p.numel()` of each."))
def parameters_of_parts(model):
    counts = {name: len(list(part.parameters())) for name, part in model.named_children()}
    counts[""] = len(list(model.parameters(recurse=False)))
    return counts


@parameters_by_part.wrong("buffers-counted", says=(
    "`{part}` has {right:,} parameters, you count {got:,}: with BatchNorm's running statistics, which are "
    "buffers. `state_dict()` holds both; go through `parameters()`."))
def parameters_of_parts(model):
    counts = {name: sum(tensor.numel() for tensor in part.state_dict().values())
              for name, part in model.named_children()}
    counts[""] = sum(parameter.numel() for parameter in model.parameters(recurse=False))
    return counts


@parameters_by_part.wrong("only-the-surface", says=(
    "`{part}` has {right:,} parameters and you count {got:,}: they stand deeper, in the layers inside it. "
    "`parameters()` goes all the way down, unless `recurse=False` stops it."))
def parameters_of_parts(model):
    counts = {name: sum(p.numel() for p in part.parameters(recurse=False))
              for name, part in model.named_children()}
    counts[""] = sum(parameter.numel() for parameter in model.parameters(recurse=False))
    return counts


@parameters_by_part.wrong("without-the-frozen", says=(
    "`{part}` is frozen, and you count {got:,} of its {right:,} parameters. Frozen ones are parameters too: "
    "leave `requires_grad` out of it."))
def parameters_of_parts(model):
    seen, counts = set(), {}
    for name, part in [*model.named_children(), ("", model)]:
        new = {p: p.numel() for p in part.parameters() if p not in seen and p.requires_grad}
        counts[name] = sum(new.values())
        seen |= new.keys()
    return counts


@parameters_by_part.wrong("shared-counted-twice", says=(
    "Your numbers add up to {got:,}, but the model has {right:,}: `{first}` and `{second}` share a weight, "
    "and you count it for both. Remember which parameters you have seen."))
def parameters_of_parts(model):
    counts = {name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()}
    counts[""] = sum(parameter.numel() for parameter in model.parameters(recurse=False))
    return counts


@parameters_by_part.wrong("loose-ones-forgotten", says=(
    "Your numbers add up to {got:,}, but the model has {right:,}. What is missing stands in no child: "
    "`{name}` belongs to the model itself, as a ViT's class token does. Freezing child by child forgets it "
    "too."))
def parameters_of_parts(model):
    seen, counts = set(), {}
    for name, part in model.named_children():
        new = {parameter: parameter.numel() for parameter in part.parameters() if parameter not in seen}
        counts[name] = sum(new.values())
        seen |= new.keys()
    return counts


@cache
def resnet18() -> nn.Module:
    """Its shapes alone: counting needs no numbers."""
    with torch.device("meta"):
        return load_model("torchvision/resnet18", random_init=True)


class Shared(nn.Module):
    """Two children with one weight between them, as an encoder and a decoder may have."""

    def __init__(self):
        super().__init__()
        self.encode, self.decode = nn.Linear(7, 7), nn.Linear(7, 7, bias=False)
        self.decode.weight = self.encode.weight


class WithToken(nn.Module):
    """A parameter that stands in no child, beside a child."""

    def __init__(self):
        super().__init__()
        self.class_token = nn.Parameter(torch.zeros(1, 1, 12))
        self.head = nn.Linear(12, 5)


def counted(answer, model: nn.Module) -> dict[str, int]:
    """The learner's numbers, known to be a dict of ints."""
    found = answer(model)
    expect(isinstance(found, dict),
           f"`parameters_of_parts` must return a dict, but it returned {kind_of(found)}.")
    wrong = [number for number in found.values() if not isinstance(number, Integral)]
    expect(not wrong, f"The numbers of the dict must be ints; one is {kind_of((wrong or [0])[0])}.")
    strangers = set(found) - {"", *dict(model.named_children())}
    stranger = min(strangers, default="", key=str)
    expect(not strangers, f"The model has no child called {stranger!r}: give the names of its direct "
                          "children.")
    return found


def side_by_side(found: dict[str, int], wanted: dict[str, int]):
    """Evidence: each part, yours and the right number."""
    rows = [[name or "in no child", f"{found.get(name, 0):,}", f"{right:,}"]
            for name, right in wanted.items()]
    return lambda: [Table("Parameters of each part", ["part", "yours", "right"], rows,
                          marked=[i for i, (_, yours, right) in enumerate(rows) if yours != right])]


@parameters_by_part.checks("ResNet-18, child by child", points=3)
def _(answer):
    model = resnet18()
    wanted = {name: count_parameters(part) for name, part in model.named_children()}
    found = counted(answer, model)
    for name, right in wanted.items():
        part, got, show = model.get_submodule(name), found.get(name, 0), side_by_side(found, wanted)
        others = {"tensors-not-numbers": len(list(part.parameters())),
                  "buffers-counted": sum(t.numel() for t in part.state_dict().values()),
                  "only-the-surface": sum(p.numel() for p in part.parameters(recurse=False))}
        for mistake, number in others.items():
            expect(got == right or got != number, mistake=mistake, part=name, got=got, right=right, show=show)
        expect(got == right, f"`{name}` has {right:,} parameters, you count {got:,}.", show=show)


@parameters_by_part.checks("frozen ones too")
def _(answer):
    model = nn.Sequential(nn.Linear(6, 4), nn.Linear(4, 3))
    model[0].requires_grad_(False)
    got, right = counted(answer, model).get("0", 0), count_parameters(model[0])
    expect(got == right, mistake="without-the-frozen", part="0", got=got, right=right)


@parameters_by_part.checks("what is shared counts once")
def _(answer):
    model = Shared()
    found, right = counted(answer, model), count_parameters(model)
    show = side_by_side(found, {"encode": 56, "decode": 0, "": 0})
    expect(sum(found.values()) != right + 49, mistake="shared-counted-twice", got=sum(found.values()),
           right=right, first="encode", second="decode", show=show)
    expect(found.get("encode") == 56 and found.get("decode", 0) == 0,
           "The shared weight counts for the first of the two children.", show=show)


@parameters_by_part.checks("what stands in no child")
def _(answer):
    model = WithToken()
    found, right = counted(answer, model), count_parameters(model)
    show = side_by_side(found, {"head": 65, "": 12})
    expect(found.get("", 0) != 0, mistake="loose-ones-forgotten", got=sum(found.values()), right=right,
           name="class_token", show=show)
    expect(found.get("") == 12 and found.get("head") == 65,
           f"The head has 65 parameters and 12 stand in no child; you say {found}.", show=show)


parameters_by_part.hints(
    "`model.named_children()` gives (name, part); `part.parameters()` goes all the way down.",
    "Keep a set of the parameters you have counted, and leave out those in it.",
    "After the children take (\"\", model) as one more part: what is not in the set by then stands in no "
    "child.")

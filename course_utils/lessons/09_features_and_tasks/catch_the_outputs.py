"""Exercise: the outputs of chosen layers, caught by forward hooks."""

from __future__ import annotations

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
from course_utils.teaching import Exercise, Table, expect

catch_the_outputs = Exercise(
    "catch-the-outputs", lesson="09_features_and_tasks", title="Catch what layers put out", see="#Hooks",
    minutes=10, difficulty="medium", objective="hooks", seconds=30, guard=torch_as_it_was)


@catch_the_outputs.starter
def outputs_of(model, images, names):
    """What the layers called `names` put out for prepared `images`: a dict of name → detached tensor.

    One forward pass in eval mode, without gradients. No hook may be left behind.
    """
    ...


@catch_the_outputs.solved_by
def outputs_of(model, images, names):
    """A factory makes one hook for each name, and every handle is removed again."""
    caught = {}

    def hook_for(name):
        def hook(module, inputs, output):
            caught[name] = output.detach()
        return hook

    handles = [model.get_submodule(name).register_forward_hook(hook_for(name)) for name in names]
    model.eval()
    try:
        with torch.no_grad():
            model(images)
    finally:
        for handle in handles:
            handle.remove()
    return caught


@catch_the_outputs.alternative("name-as-default-argument")
def outputs_of(model, images, names):
    caught, handles = {}, []
    for name in names:
        def hook(module, inputs, output, name=name):
            caught[name] = output.detach().clone()
        handles.append(model.get_submodule(name).register_forward_hook(hook))
    model.eval()
    with torch.inference_mode():
        model(images)
    for handle in handles:
        handle.remove()
    return {name: caught[name].clone() for name in names}


@catch_the_outputs.alternative("hooks-that-end-with-a-block")
def outputs_of(model, images, names):
    from contextlib import ExitStack
    from functools import partial
    caught = {}

    def keep(name, module, inputs, output):
        caught[name] = output.detach()

    with ExitStack() as stack, torch.inference_mode():
        for name in names:
            handle = model.get_submodule(name).register_forward_hook(partial(keep, name))
            stack.callback(handle.remove)
        model.eval()(images)
    return caught


@catch_the_outputs.wrong("all-under-one-name", says=(
    "{count} layers were asked for, and all of them came back as the output of `{last}`: your hooks share "
    "the loop's variable, which has its last value when they run. Make each hook in a function that takes "
    "the name."))
def outputs_of(model, images, names):
    caught, handles = {}, []
    for name in names:
        handles.append(model.get_submodule(name).register_forward_hook(
            lambda module, inputs, output: caught.__setitem__(name, output.detach())))      # noqa: B023
    model.eval()
    with torch.no_grad():
        model(images)
    for handle in handles:
        handle.remove()
    return {name: caught[names[-1]] for name in names}


@catch_the_outputs.wrong("inputs-instead", says=(
    "`{name}` should put out {wanted}, but you give {got}: that is what goes into it. A hook gets (module, "
    "inputs, output): keep the third."))
def outputs_of(model, images, names):
    caught = {}

    def hook_for(name):
        def hook(module, inputs, output):
            caught[name] = inputs[0].detach()
        return hook

    handles = [model.get_submodule(name).register_forward_hook(hook_for(name)) for name in names]
    model.eval()
    with torch.no_grad():
        model(images)
    for handle in handles:
        handle.remove()
    return caught


@catch_the_outputs.wrong("hooks-left-behind", says=(
    "{count} hooks stayed in the model: they run in every later pass and keep what they see. "
    "`register_forward_hook` returns a handle; call its `.remove()`."))
def outputs_of(model, images, names):
    caught = {}

    def hook_for(name):
        def hook(module, inputs, output):
            caught[name] = output.detach()
        return hook

    for name in names:
        model.get_submodule(name).register_forward_hook(hook_for(name))
    model.eval()
    with torch.no_grad():
        model(images)
    return caught


@catch_the_outputs.wrong("gradients-kept", says=(
    "The tensors still hang on the graph of the forward pass, which keeps every activation in memory. Run "
    "the model under `torch.no_grad()`, or `detach()` what you keep."))
def outputs_of(model, images, names):
    caught = {}

    def hook_for(name):
        def hook(module, inputs, output):
            caught[name] = output
        return hook

    handles = [model.get_submodule(name).register_forward_hook(hook_for(name)) for name in names]
    model.eval()
    model(images)
    for handle in handles:
        handle.remove()
    return caught


@catch_the_outputs.wrong("graph-built", says=(
    "What you return is detached, but the pass ran with gradients on: {count} tensors were kept for a "
    "backward pass that never comes. Run the model under `torch.no_grad()`."))
def outputs_of(model, images, names):
    caught = {}

    def hook_for(name):
        def hook(module, inputs, output):
            caught[name] = output.detach()
        return hook

    handles = [model.get_submodule(name).register_forward_hook(hook_for(name)) for name in names]
    model.eval()
    model(images)
    for handle in handles:
        handle.remove()
    return caught


@catch_the_outputs.wrong("still-in-train-mode", says=(
    "The model ran in train mode: its BatchNorm statistics moved, and what a picture gives depends on its "
    "company. Call `model.eval()` first."))
def outputs_of(model, images, names):
    caught = {}

    def hook_for(name):
        def hook(module, inputs, output):
            caught[name] = output.detach()
        return hook

    handles = [model.get_submodule(name).register_forward_hook(hook_for(name)) for name in names]
    with torch.no_grad():
        model(images)
    for handle in handles:
        handle.remove()
    return caught


NAMES = ("conv_stem", "blocks.2", "blocks.5", "global_pool")


def caught_by(answer, model: nn.Module, images: Tensor, names=NAMES) -> dict[str, Tensor]:
    """The learner's outputs, known to be a dict of tensors under the names asked for."""
    found = answer(model, images.clone(), list(names))
    expect(isinstance(found, dict),
           f"`outputs_of` must return a dict of name → tensor, but it returned {kind_of(found)}.")
    missing = [name for name in names if name not in found]
    expect(not missing,
           f"There is nothing under {', '.join(map(repr, missing))}: use the names as they were given.")
    expect(all(isinstance(found[name], Tensor) for name in names), "Each value of the dict must be a tensor.")
    return found


def wanted_outputs(images: Tensor, names=NAMES) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What those layers put out, and what goes into them, in eval mode."""
    model, outputs, inputs = further_trained_lite0(), {}, {}

    def hook_for(name):
        def hook(module, given, output):
            outputs[name], inputs[name] = output.clone(), given[0].clone()
        return hook

    for name in names:
        model.get_submodule(name).register_forward_hook(hook_for(name))
    with torch.no_grad():
        model(images)
    return outputs, inputs


def alike(one: Tensor, other: Tensor) -> bool:
    return (one.shape, one.dtype) == (other.shape, other.dtype) and torch.allclose(one, other, atol=1e-4)


def shapes(found: dict[str, Tensor], wanted: dict[str, Tensor]):
    """Evidence: the shape of each output, yours beside the layer's."""
    rows = [[name, str(tuple(found[name].shape)), str(tuple(wanted[name].shape))] for name in wanted]
    wrong = [i for i, name in enumerate(wanted) if not alike(found[name], wanted[name])]
    return lambda: [Table("What each layer put out", ["layer", "yours", "the layer's"], rows, marked=wrong)]


@catch_the_outputs.checks("each layer's own output", points=3)
def _(answer):
    images, model = pictures(2), further_trained_lite0()
    found, (wanted, inputs) = caught_by(answer, model, images), wanted_outputs(images)
    show = shapes(found, wanted)
    last = NAMES[-1]
    expect(not all(alike(found[name], found[last]) for name in NAMES), mistake="all-under-one-name",
           count=len(NAMES), last=last, show=show)
    for name in NAMES:
        expect(not alike(found[name], inputs[name]), mistake="inputs-instead", name=name, show=show,
               wanted=tuple(wanted[name].shape), got=tuple(found[name].shape))
        expect(found[name].shape == wanted[name].shape,
               f"`{name}` puts out {tuple(wanted[name].shape)}, but you give {tuple(found[name].shape)}.",
               show=show)
        expect(found[name].dtype == wanted[name].dtype,
               f"`{name}` puts out {wanted[name].dtype}, but you give {found[name].dtype}.", show=show)
        expect(alike(found[name], wanted[name]),
               f"`{name}`: the shape is right, the numbers are not what the layer puts out.", show=show)


@catch_the_outputs.checks("eval mode")
def _(answer):
    model = further_trained_lite0().train()
    before = snapshot(model)
    caught_by(answer, model, pictures(3))
    expect(not changed(before, model), mistake="still-in-train-mode")


@catch_the_outputs.checks("no gradients")
def _(answer):
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(kept.append, lambda nothing: nothing):
        found = caught_by(answer, further_trained_lite0(), pictures(2))
    expect(not any(found[name].requires_grad for name in NAMES), mistake="gradients-kept")
    expect(not kept, mistake="graph-built", count=len(kept))


@catch_the_outputs.checks("no hook is left")
def _(answer):
    model = further_trained_lite0()
    caught_by(answer, model, pictures(1))
    left = sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())
    expect(not left, mistake="hooks-left-behind", count=left)


catch_the_outputs.hints(
    "`model.get_submodule(name).register_forward_hook(hook)` calls `hook(module, inputs, output)` in every "
    "pass, and returns a handle.",
    "Write `def hook_for(name):` with the hook inside: so each hook has a name of its own.",
    "Collect the handles in a list, run the model once in eval mode under `torch.no_grad()`, then call "
    "`handle.remove()` on each.")

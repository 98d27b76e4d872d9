"""Running only the rest of a network, from a cut between its layer groups to the head."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from course_utils.errors import CourseError
from course_utils.pretrained.data.batches import run
from course_utils.pretrained.models.freezing import in_eval_mode
from course_utils.pretrained.models.groups import LayerGroup


class FromCut:
    """In place of a model's `forward`: takes what enters the tail instead of pictures, and gives the scores.

    The model's own `forward` runs all the same, so that whatever it does between its layers is done. But each
    layer before the cut gives back empty memory of the right shape at once, and the first layer after it is
    handed the activations. That needs no knowledge of any family; whether it holds for a network is tried.

    A copy of a model that uses it runs the copy's own layers: it refers to modules, which are copied along.
    """

    def __init__(self, model: nn.Module, tail: Sequence[LayerGroup], pictures: Tensor):
        """
        Args:
            tail: the layer groups after the cut, which are the last ones of the model.
            pictures: (B, 3, H, W), prepared; two are enough to try it on.
        Raises:
            CourseError: the tail needs more of the layers before it than what enters its first layer.
        """
        self.forward, self.picture = model.forward, pictures.shape[1:]
        learning = {p for group in tail for p in group.parameters()}
        self.frozen = [p for p in model.parameters() if p not in learning]
        self.cut: nn.Module | None = None                                   # the first layer after the cut
        self.skipped: dict[nn.Module, list[torch.Size]] = {}                # what each of its calls gives
        entries = {module for group in tail for module in group.modules}
        with in_eval_mode(model), torch.no_grad():
            activations, self.scores = self._trace(model, entries, pictures)
            self._try(model, activations)

    def __call__(self, activations: Tensor, fill: float | None = None) -> Tensor:
        """Scores, (B, classes), from the activations at the cut, (B, …).

        Args:
            fill: what stands in the empty memory; None is whatever was there, as nothing should depend on it.
        """
        if any(p.requires_grad for p in self.frozen):
            raise CourseError("A layer before the cut began to learn, but it is not run any more. Name it in "
                              "unfreeze_at, so that the cut lies before it, or train with fit.")
        entered = []

        def enter(module: nn.Module, inputs: tuple) -> tuple | None:
            if entered:                       # a layer that is used a second time
                return None
            entered.append(module)
            return (activations, *inputs[1:])

        def empty(shape: Sequence[int]) -> Tensor:
            memory = activations.new_empty(len(activations), *shape)
            return memory if fill is None else memory.fill_(fill)

        def skip(module: nn.Module, shapes: Iterator[torch.Size]) -> Callable:
            whole = module.forward
            return lambda *args, **kwargs: whole(*args, **kwargs) if entered else empty(next(shapes))

        with ExitStack() as borrowed:
            for module, shapes in self.skipped.items():
                borrowed.enter_context(replaced_forward(module, skip(module, iter(shapes))))
            # before other hooks, which see the activations then
            borrowed.enter_context(self.cut.register_forward_pre_hook(enter, prepend=True))
            return self.forward(empty(self.picture))

    def _trace(self, model: nn.Module, entries: set[nn.Module], pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Run the whole network once; note what enters the tail, and which layers were done by then."""
        names = {module: name for name, module in model.named_modules()}
        done: dict[str, list[torch.Size]] = {}
        inside: list[tuple] = []

        def enter(module: nn.Module, inputs: tuple) -> None:
            if self.cut is None:
                self.cut = module
                inside.extend(inputs)

        def leave(module: nn.Module, inputs: tuple, output: object) -> None:
            if self.cut is None and isinstance(output, Tensor) and output.shape[:1] == pictures.shape[:1]:
                done.setdefault(names[module], []).append(output.shape[1:])

        with ExitStack() as hooks:
            for module in names:
                hooks.enter_context(module.register_forward_hook(leave))
            for module in entries:
                hooks.enter_context(module.register_forward_pre_hook(enter))
            scores = run(model, pictures)
        if not inside or not isinstance(inside[0], Tensor) or inside[0].shape[:1] != pictures.shape[:1]:
            raise _cannot(model, "its tail is not entered by one tensor with a row for each picture")
        outermost = [name for name in done if not any(name.startswith(f"{other}.") for other in done)]
        self.skipped = {model.get_submodule(name): done[name] for name in outermost}
        return inside[0].clone(), scores

    def _try(self, model: nn.Module, activations: Tensor) -> None:
        """Whatever of the frozen layers still reaches the scores would make them nan."""
        try:
            found = self(activations, fill=math.nan)
        except Exception as error:
            raise _cannot(model, f"without its first layers it fails ({error})") from error
        if not torch.allclose(found, self.scores, rtol=1e-3, atol=1e-3 * self.scores.abs().max().item()):
            raise _cannot(model, "something of the frozen layers passes the cut by")


@contextmanager
def replaced_forward(module: nn.Module, forward: Callable) -> Iterator[None]:
    """`module` with another forward for a while."""
    before = vars(module).get("forward")
    module.forward = forward
    try:
        yield
    finally:
        del module.forward
        if before is not None:
            module.forward = before


def _cannot(model: nn.Module, why: str) -> CourseError:
    return CourseError(f"This {type(model).__name__} cannot be cut before the first layer that learns: {why}."
                       " Train it with fit, or move the cut: unfreeze one layer group more.")

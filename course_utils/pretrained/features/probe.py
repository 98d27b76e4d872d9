"""The linear probe: logistic regression on stored features. A head, trained in a second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.errors import BadData, CourseError
from course_utils.pretrained.features.extraction import Features, check_features
from course_utils.pretrained.inference.processor import one_thread

STRENGTHS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
ITERATIONS = 100       # of LBFGS for each strength, which starts where the next stronger one ended


@dataclass(frozen=True, eq=False, repr=False)
class Probe:
    """A linear classifier of features."""

    weight: Tensor                   # (classes, D) float64, for features as they come
    bias: Tensor                     # (classes,)
    classes: tuple[str, ...]
    strength: float                  # the regularisation with the lowest loss on the validation features
    accuracy: float                  # on those validation features, 0 … 1: flattering, as it chose by them
    tried: dict[float, float]        # loss on validation by strength

    def as_head(self) -> nn.Linear:
        """The same classifier as a layer: put it where the head of the network was."""
        head = nn.Linear(self.weight.shape[1], self.weight.shape[0])
        with torch.no_grad():
            head.weight.copy_(self.weight)
            head.bias.copy_(self.bias)
        return head

    def logits(self, features: Features | Tensor) -> Tensor:
        """Scores before softmax, (N, classes) float64."""
        x = features.x if isinstance(features, Features) else features
        if not isinstance(x, Tensor) or x.ndim != 2 or x.shape[1] != self.weight.shape[1]:
            came = tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__
            raise CourseError(f"This probe needs features of shape (N, {self.weight.shape[1]}), but got "
                              f"{came}. Extract them with the model, layer and size it was trained with.")
        return x.double() @ self.weight.T + self.bias

    def predict(self, features: Features | Tensor) -> Tensor:
        """The most likely class of each row, (N,) int64."""
        return self.logits(features).argmax(dim=1)

    def score(self, features: Features) -> float:
        """Accuracy, 0 … 1."""
        _check_classes(features.classes, self.classes)
        return (self.predict(features) == features.y).double().mean().item()

    def __repr__(self) -> str:
        return (f"Probe: {self.weight.shape[1]} features to {self.weight.shape[0]} classes, "
                f"{self.accuracy:.1%} on validation at strength {self.strength:g}")


def linear_probe(train: Features, val: Features, *, strengths: Sequence[float] = STRENGTHS) -> Probe:
    """Multinomial logistic regression on features, its regularisation chosen on `val`.

    For each strength s it minimises cross-entropy, averaged over `train`, + s/2 · ‖weights‖². Features are
    centred, and all divided by one number, so that their mean square is 1 and s means the same for every
    network. Dividing each by a deviation of its own would amplify the features that hardly respond to these
    pictures, which did worse on real photographs. The same features give the same probe.

    The strength with the lowest cross-entropy on `val` is taken. Accuracy would be a poor guide: on a hundred
    pictures many strengths tie, and the strongest of them gives timid probabilities.

    Raises:
        CourseError: the two do not fit together, a feature is not a number, or there is one class only.
    """
    _check(train, val, strengths)
    mean = train.x.double().mean(dim=0)                                      # (D,)
    x = train.x.double() - mean                                              # (N, D)
    scale = x.square().mean().sqrt().item() or 1.0                           # 0 where no feature ever changes
    x, held_out = x / scale, (val.x.double() - mean) / scale                 # (N, D), (M, D)
    span = None
    if len(x) < x.shape[1]:     # the best weights are sums of these pictures' features: N numbers say them
        with one_thread():      # so that the bits are the same with any number
            span = torch.linalg.qr(x.T).Q                                    # (D, N)
        x, held_out = x @ span, held_out @ span                              # (N, N), (M, N)
    count = len(train.classes) or int(train.y.max()) + 1
    weight = torch.zeros(count, x.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(count, dtype=torch.float64, requires_grad=True)
    tried: dict[float, float] = {}
    fitted = {}
    with one_thread():      # in matrices this small, threads wait for each other longer than they compute
        for strength in sorted(strengths, reverse=True):
            _minimise(x, train.y, weight, bias, strength)
            fitted[strength] = weight.detach().clone(), bias.detach().clone()
            tried[strength] = F.cross_entropy(F.linear(held_out, *fitted[strength]), val.y).item()
    best = min(tried, key=tried.get)
    chosen, shift = fitted[best]
    accuracy = (F.linear(held_out, chosen, shift).argmax(dim=1) == val.y).double().mean().item()
    weight = (chosen if span is None else chosen @ span.T) / scale    # folded in: w·(x − m)/s + b
    return Probe(weight, shift - weight @ mean, train.classes, best, accuracy, tried)


def _minimise(x: Tensor, y: Tensor, weight: Tensor, bias: Tensor, strength: float) -> None:
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=ITERATIONS, history_size=10,
                                  tolerance_grad=1e-5, tolerance_change=1e-9, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(F.linear(x, weight, bias), y) + strength / 2 * weight.square().sum()
        value.backward()
        return value

    with torch.enable_grad():
        optimizer.step(loss)


def _check(train: Features, val: Features, strengths: Sequence[float]) -> None:
    check_features("linear_probe", train=train, val=val)
    for name, features in [("train", train), ("val", val)]:
        if not features.x.isfinite().all():
            raise CourseError(f"The {name} features hold values that are not numbers (nan or inf): something "
                              "went wrong inside the network. Look at its weights and at the pictures.")
    _check_classes(val.classes, train.classes)
    if len(train.y.unique()) < 2:
        raise BadData("The train features are all of one class; learning to tell apart takes two.")
    if max(val.y.max(), train.y.max()) >= (len(train.classes) or int(train.y.max()) + 1):
        raise BadData(f"The val features have a class {int(val.y.max())} that the train features lack. Learn "
                      "from pictures of every class.")
    if not strengths or not all(s > 0 for s in strengths):
        raise CourseError(f"strengths are numbers above 0, such as {STRENGTHS}, but got {strengths!r}.")


def _check_classes(found: tuple[str, ...], expected: tuple[str, ...]) -> None:
    if found and expected and found != expected:
        raise CourseError(f"These features have the classes {', '.join(found)}, the probe's are "
                          f"{', '.join(expected)}. Take both from the same data set.")

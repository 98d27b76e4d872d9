"""What a network is given and says: done right, and as a learner's answer does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor, nn

from course_utils.lessons._guards import kind_of
from course_utils.lessons._preparing import CLOSE, IMAGENET, UNCHANGED, apart, steps, where_pictures_part
from course_utils.pretrained import preprocessing
from course_utils.teaching import Table, expect
from course_utils.teaching.exhibits import Exhibit

EQUAL = 0.005     # the same where nothing is rounded: PIL and torch differ by less, bilinear by more
SHARE = 0.1       # of a probability: what other resampling, or a shift by a pixel, may change

Guesses = Sequence[tuple[str, float]]


# Doing it right -----------------------------------------------------------------------------------------

def asked(model: nn.Module, batch: Tensor) -> Tensor:
    """Scores (N, 1000) in eval mode; the model's modes are put back."""
    modes = [(module, module.training) for module in model.modules()]
    with torch.inference_mode():
        scores = model.eval()(batch)
    for module, training in modes:
        module.training = training
    return scores


def ranked(model: nn.Module, shares: Tensor) -> Guesses:
    best = shares.topk(5)
    return [(model.course_classes[i], p)
            for i, p in zip(best.indices.tolist(), best.values.tolist(), strict=True)]


def named(model: nn.Module, prepared: Tensor) -> Guesses:
    """The five names for one prepared picture, (3, 224, 224), all else done right."""
    return ranked(model, asked(model, prepared[None]).softmax(dim=1)[0])


def truth(model: nn.Module, picture: Image.Image) -> tuple[Guesses, Tensor]:
    prepared = preprocessing(model)(picture)
    return named(model, prepared), prepared[None]


def near(guesses: Guesses, right: Guesses) -> bool:
    found = dict(guesses)
    return all(abs(found.get(name, 0) - share) < SHARE for name, share in right)


def mistake_in(given: Tensor, picture: Image.Image) -> str | None:
    """The known mistake that gives a network these pixels."""
    known = {"imagenet-mean-and-std": steps(IMAGENET), "not-normalised": steps(UNCHANGED),
             "squashed": steps(resize=(224, 224)), "bgr": lambda picture: steps()(picture).flip(0)}
    if apart(given, steps(resize=(256, 256))(picture)[None]) < CLOSE:
        return "squashed"
    return next((id for id, prepare in known.items() if apart(given, prepare(picture)[None]) < CLOSE), None)


# Watching a learner's answer -----------------------------------------------------------------------------

@dataclass
class Run:
    """What the learner's answer gave for a picture, and what was seen inside the network meanwhile."""

    guesses: Guesses
    given: Tensor | None         # what went into the first layer, if it was reached
    gradients: bool              # whether it was noted what gradients would need


def watched(answer: Callable, model: nn.Module, picture: Image.Image) -> Run:
    given, gradients = [], []

    def look(_, inputs):
        given.append(inputs[0].detach().clone())
        gradients.append(torch.is_grad_enabled())
    hook = model.conv_stem.register_forward_pre_hook(look)
    try:
        found = answer(model, picture.copy())
    except (AssertionError, RuntimeError, ValueError) as error:
        expect("4D input" not in str(error), mistake="no-batch-dimension")
        raise
    finally:
        hook.remove()
    expect(isinstance(found, (list, tuple)) and len(found) == 5,
           f"`top_five` must return a list of five pairs, but it returned {kind_of(found)}.")
    for pair in found:
        expect(isinstance(pair, (list, tuple)) and [isinstance(part, kind) for part, kind in zip(
            pair, (str, float), strict=False)] == [True, True],
            f"Each of the five is a pair (name, probability), a text and a float; one is {str(pair)[:60]}.")
    return Run([tuple(pair) for pair in found], given[-1] if given else None, any(gradients))


# Where it parts ---------------------------------------------------------------------------------------

def side_by_side(guesses: Guesses, right_guesses: Guesses, given: Tensor | None,
                 right: Tensor) -> list[Exhibit]:
    """Both top fives; and both pictures after the step at which they part."""
    rows = [(str(place), f"{name} {share:.1%}", f"{true} {true_share:.1%}") for place, ((name, share), (
        true, true_share)) in enumerate(zip(guesses, right_guesses, strict=True), start=1)]
    table = Table("Top five", ("place", "yours", "right"), rows,
                  marked=[i for i, row in enumerate(rows) if row[1] != row[2]])
    if given is None or given.ndim != 4 or given.shape[1] != 3:
        return [table]
    return [table, *where_pictures_part(given, right)]

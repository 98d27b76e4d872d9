"""What a network is given and says: done right but for one step, and where a learner's way parts from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms import v2
from torchvision.transforms.functional import to_pil_image

from course_utils.lessons._guards import kind_of
from course_utils.pretrained import preprocessing
from course_utils.teaching import Picture, Pictures, Table, Words, expect
from course_utils.teaching.exhibits import Exhibit

HALF, UNCHANGED = ([0.5] * 3, [0.5] * 3), ([0] * 3, [1] * 3)
IMAGENET = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
# Of prepared pixels, mean difference on a scale from -1 to 1: other resampling gives 0.01, a shift by one
# pixel 0.06; the mildest of the mistakes in the exercise 0.19.
CLOSE = 0.08
EQUAL = 0.005     # the same where nothing is rounded: PIL and torch differ by less, bilinear by more
COLOURS, FRAME, SCALE, NORMALISE = "colours", "resize and cut out", "from 0 … 255 to 0 … 1", "normalise"
RAW = 20          # prepared pixels lie within about ±3
SHARE = 0.1       # of a probability: what other resampling, or a shift by a pixel, may change

Guesses = Sequence[tuple[str, float]]


# Doing it right, but for one step -----------------------------------------------------------------------

def steps(mean_and_std=HALF, resize=256, divide=True) -> v2.Compose:
    """The usual steps with one thing changed: what the wrong answers below have in common."""
    return v2.Compose([v2.Resize(resize, interpolation=v2.InterpolationMode.BICUBIC), v2.CenterCrop(224),
                       v2.ToImage(), v2.ToDtype(torch.float32, scale=divide), v2.Normalize(*mean_and_std)])


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

def apart(one: Tensor, other: Tensor) -> float:
    """Mean absolute difference per pixel; infinite where shapes differ."""
    return (one - other).abs().mean().item() if one.shape == other.shape else torch.inf


def levelled(pixels: Tensor) -> Tensor:
    """(1, 3, H, W) with mean 0 and deviation 1 in each channel: scaling and normalising change it no more."""
    return (pixels - pixels.mean(dim=(2, 3), keepdim=True)) / pixels.std(dim=(2, 3), keepdim=True)


def parted_at(given: Tensor, right: Tensor) -> str:
    """The first step of the right preparation after which the two, (1, 3, H, W), are no longer alike."""
    if apart(given.flip(1), right) < CLOSE:
        return COLOURS
    if apart(levelled(given), levelled(right)) >= 2 * CLOSE:       # whose deviation is about twice as large
        return FRAME
    return SCALE if given.max() > RAW else NORMALISE


def visible(pixels: Tensor) -> Image.Image:
    """A picture of (1, 3, H, W) normalised by 0.5 and 0.5; beyond black and white there is no more to see."""
    return to_pil_image((pixels[0] * 0.5 + 0.5).clamp(0, 1))


def side_by_side(guesses: Guesses, right_guesses: Guesses, given: Tensor | None,
                 right: Tensor) -> list[Exhibit]:
    """Both top fives; and both pictures after the step at which they part."""
    rows = [(str(place), f"{name} {share:.1%}", f"{true} {true_share:.1%}") for place, ((name, share), (
        true, true_share)) in enumerate(zip(guesses, right_guesses, strict=True), start=1)]
    table = Table("Top five", ("place", "yours", "right"), rows,
                  marked=[i for i, row in enumerate(rows) if row[1] != row[2]])
    if given is None or given.ndim != 4 or given.shape[1] != 3:
        return [table]
    if given.shape != right.shape:
        return [table, Words(f"Your network is given shape {tuple(given.shape)}, the right one "
                             f"{tuple(right.shape)}.")]
    step, shown = parted_at(given, right), given
    if step == FRAME:        # later steps must not hide what the frame is
        shown = levelled(given) * right.std(dim=(2, 3), keepdim=True) + right.mean(dim=(2, 3), keepdim=True)
    return [table, Pictures(f"The first step at which the pictures part: {step}", [
        Picture.of(visible(right), "right", f"The picture as it should be after the step: {step}"),
        Picture.of(visible(shown), "yours", f"Your picture after the step: {step}")], width=224)]

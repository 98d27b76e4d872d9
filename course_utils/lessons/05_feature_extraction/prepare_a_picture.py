"""Exercise: the preprocessing that belongs to these weights."""

from __future__ import annotations

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2

from course_utils.lessons._guards import chelsea, kind_of, torch_as_it_was
from course_utils.lessons._preparing import (
    BICUBIC,
    CLOSE,
    IMAGENET,
    RAW,
    UNCHANGED,
    apart,
    steps,
    where_pictures_part,
)
from course_utils.pretrained import preprocessing
from course_utils.teaching import Exercise, expect

prepare_a_picture = Exercise(
    "prepare-a-picture", lesson="05_feature_extraction", title="Prepare a picture for these weights",
    see="#Preprocessing", minutes=8, difficulty="medium", objective="preprocessing",
    seconds=30, guard=torch_as_it_was)

# Mean difference per pixel on the cat's middle square, where no side is rounded: torch on floats instead of
# PIL 0.002, bilinear 0.008.
EQUAL = 0.004


@prepare_a_picture.starter
def prepare(picture):
    """Turn a PIL picture of any size and mode into a batch of one for EfficientNet-Lite0.

    Returns float32, (1, 3, 224, 224).
    """
    ...


@prepare_a_picture.solved_by
def prepare(picture):
    """Shorter side to 256, the middle 224, pixels to [-1, 1]: what these weights were trained with."""
    steps = v2.Compose([
        v2.Resize(256, interpolation=v2.InterpolationMode.BICUBIC),
        v2.CenterCrop(224),
        v2.ToImage(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize(mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5]),
    ])
    return steps(picture.convert("RGB")).unsqueeze(0)


@prepare_a_picture.alternative("with-the-course")
def prepare(picture):
    return preprocessing("efficientnet_lite0")(picture)[None]


@prepare_a_picture.alternative("pillow-and-arithmetic")
def prepare(picture):
    scale = 256 / min(picture.size)
    width, height = (round(side * scale) for side in picture.size)
    picture = picture.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    left, top = (width - 224) // 2, (height - 224) // 2
    picture = picture.crop((left, top, left + 224, top + 224))
    pixels = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).reshape(224, 224, 3)
    return (pixels.permute(2, 0, 1).float() / 127.5 - 1)[None]


@prepare_a_picture.wrong("imagenet-mean-and-std", says=(
    "This is what you get with ImageNet's mean and standard deviation. Lite0 was trained with 0.5 and 0.5 "
    "per channel. Ask the weights, not your memory: `preprocessing(model)` prints its steps."))
def prepare(picture):
    return steps(IMAGENET)(picture.convert("RGB"))[None]


@prepare_a_picture.wrong("not-normalised", says=(
    "Pixels run from 0 to 1: this is what you get when normalisation is skipped. These weights expect "
    "(pixel − 0.5) / 0.5, from −1 to 1."))
def prepare(picture):
    return steps(UNCHANGED)(picture.convert("RGB"))[None]


@prepare_a_picture.wrong("pixels-to-255", says=(
    "Pixels run up to {largest:.0f}: they were never divided by 255. `ToDtype(torch.float32, scale=True)` "
    "does it before Normalize."))
def prepare(picture):
    return v2.Compose([v2.Resize(256, interpolation=BICUBIC), v2.CenterCrop(224), v2.ToImage(),
                       v2.ToDtype(torch.float32)])(picture.convert("RGB"))[None]


@prepare_a_picture.wrong("squashed", says=(
    "The picture is squashed: Resize((224, 224)), as any two numbers, ignores its proportions. Resize(256) "
    "scales the shorter side, then CenterCrop(224) takes the middle."),
    looks_like="the whole picture is squashed into a square: give Resize one number")
def prepare(picture):
    return steps(resize=(224, 224))(picture.convert("RGB"))[None]


@prepare_a_picture.wrong("resized-to-the-crop", says=(
    "The crop takes nothing away at the top and bottom: you resized to 224. These weights were tested with "
    "a crop of 0.875, which is Resize(256) before CenterCrop(224)."),
    looks_like="nothing is cut off the shorter side: Resize(256) comes before CenterCrop(224)")
def prepare(picture):
    return steps(resize=224)(picture.convert("RGB"))[None]


@prepare_a_picture.wrong("bilinear", says=(
    "Pixels are off by {off:.3f} on average: this is what bilinear resizing gives, the default of `Resize`. "
    "These weights expect `interpolation=v2.InterpolationMode.BICUBIC`."))
def prepare(picture):
    return steps(interpolation=v2.InterpolationMode.BILINEAR)(picture.convert("RGB"))[None]


@prepare_a_picture.wrong("bgr", says=(
    "Red and blue are swapped, as OpenCV gives them. These weights expect RGB: leave the channels as PIL has "
    "them."))
def prepare(picture):
    return steps()(picture.convert("RGB"))[None].flip(1)


@prepare_a_picture.wrong("training-augmentation", says=(
    "The same picture came out differently another time: a random step is at work. Augmentation belongs "
    "to training pictures only."))
def prepare(picture):
    return v2.RandomHorizontalFlip()(steps()(picture.convert("RGB")))[None]


@prepare_a_picture.wrong("no-batch-dimension", says=(
    "This is one picture, (3, 224, 224), and a model takes a batch. Add the first dimension with "
    "`.unsqueeze(0)`."))
def prepare(picture):
    return steps()(picture.convert("RGB"))


@prepare_a_picture.wrong("took-rgb-for-granted", says=(
    "A picture of mode {mode} comes out wrong. Not every file is RGB: begin with "
    "`picture.convert(\"RGB\")`."))
def prepare(picture):
    return steps()(picture)[None]


def tensor_of(answer, picture: Image.Image) -> Tensor:
    """The learner's tensor for a copy of `picture`."""
    result = answer(picture.copy())
    expect(isinstance(result, Tensor),
           f"`prepare` must return a tensor, but it returned {kind_of(result)}.")
    return result


def pixels_of(answer, picture: Image.Image) -> Tensor:
    """The same as (1, 3, 224, 224): whether the batch's dimension is there, another check asks."""
    result = tensor_of(answer, picture)
    result = result[None] if result.ndim == 3 else result
    expect(result.shape == (1, 3, 224, 224), "There are no pixels of shape (1, 3, 224, 224) to compare.")
    return result


def levels(pixels: Tensor) -> Tensor:
    """Mean and standard deviation of each channel, (2, 3): shifts and resampling leave them as they are."""
    return torch.stack([pixels.mean(dim=(0, 2, 3)), pixels.std(dim=(0, 2, 3))])


def known_mistake(result: Tensor, picture: Image.Image) -> str | None:
    """The known mistake whose pixels `result` shows, if there is one."""
    mistakes = {mistake: prepare_a_picture.wrongs[mistake].function for mistake in (
        "imagenet-mean-and-std", "not-normalised", "squashed", "resized-to-the-crop", "bgr")}
    if apart(result, steps(resize=(256, 256))(picture)) < CLOSE:
        return "squashed"
    return next((mistake for mistake, give in mistakes.items() if apart(result, give(picture)) < CLOSE), None)


@prepare_a_picture.checks("a batch of one")
def _(answer):
    result = tensor_of(answer, chelsea())
    expect(result.shape != (3, 224, 224), mistake="no-batch-dimension")
    expect(result.shape == (1, 3, 224, 224),
           f"The shape should be (1, 3, 224, 224), yours is {tuple(result.shape)}.")
    expect(result.dtype == torch.float32, f"The dtype should be torch.float32, yours is {result.dtype}.")


@prepare_a_picture.checks("the same every time")
def _(answer):
    first = tensor_of(answer, chelsea())
    for _ in range(7):             # a random flip leaves one picture in two as it is
        expect(torch.equal(first, tensor_of(answer, chelsea())), mistake="training-augmentation")


@prepare_a_picture.checks("the pixels these weights expect", points=3)
def _(answer):
    small_and_upright = chelsea().transpose(Image.Transpose.ROTATE_90).resize((120, 180))
    for picture in (chelsea(), small_and_upright):
        result, right = pixels_of(answer, picture), preprocessing("efficientnet_lite0")(picture)[None]

        def show(result=result, right=right):
            return where_pictures_part(result, right)
        expect(result.max() < RAW, mistake="pixels-to-255", largest=result.max().item(), show=show)
        if mistake := known_mistake(result, picture):
            expect(False, mistake=mistake, show=show)
        expect(apart(result, right) < CLOSE,
               f"The pixels of a {picture.width} × {picture.height} picture differ from the right ones by "
               f"{apart(result, right):.2f} on average. Yours run from {result.min():.2f} to "
               f"{result.max():.2f}, the right ones from {right.min():.2f} to {right.max():.2f}.", show=show)
        off = (levels(result) - levels(right)).abs().max()
        expect(off < 0.02, f"Mean or standard deviation of a channel is off by {off:.2f}: Normalize takes "
                           "0.5 and 0.5 for each of them.", show=show)


@prepare_a_picture.checks("resized as these weights expect")
def _(answer):
    square = chelsea().crop((0, 0, 300, 300))         # no side to be rounded
    result, right = pixels_of(answer, square), preprocessing("efficientnet_lite0")(square)[None]
    bilinear = steps(interpolation=v2.InterpolationMode.BILINEAR)(square)[None]
    off = apart(result, right)
    expect(apart(result, bilinear) > EQUAL, mistake="bilinear", off=off)
    expect(off < EQUAL, f"On a square picture, where nothing is rounded, pixels still differ by {off:.3f} on "
                        "average. Resize the shorter side to 256, by bicubic interpolation.")


@prepare_a_picture.checks("any mode of picture")
def _(answer):
    for picture in (chelsea().convert("L"), chelsea().convert("RGBA"), chelsea().quantize()):
        torch.manual_seed(0)
        in_rgb = tensor_of(answer, picture.convert("RGB"))
        torch.manual_seed(0)           # what is random is another check's matter
        try:
            result = tensor_of(answer, picture)
        except (RuntimeError, TypeError, ValueError):
            result = torch.empty(0)
        expect(result.shape == in_rgb.shape and apart(result, in_rgb) < CLOSE,
               mistake="took-rgb-for-granted", mode=picture.mode)


@prepare_a_picture.fingerprint
def _(answer):
    """How many slanting stripes are left across and down: what was cut off, whatever the colours became."""
    x, y = torch.arange(480), torch.arange(320)[:, None]
    stripes = Image.fromarray(((x + y) // 25 % 2 * 255).to(torch.uint8).numpy()).convert("RGB")
    red = answer(stripes)[0, 0]
    return [(line > line.mean()).int().diff().abs().sum().item() for line in (red[112], red[:, 112])]


prepare_a_picture.hints(
    "Print `preprocessing(model)`: it lists the steps of these weights, with their numbers.",
    "Steps in order: to RGB, Resize(256, bicubic), CenterCrop(224), to float in [0, 1], Normalize(0.5, 0.5).",
    "`torchvision.transforms.v2` has them all; `ToImage()` then `ToDtype(torch.float32, scale=True)` makes "
    "the tensor. `.unsqueeze(0)` makes the batch.")

"""Exercise: how pictures are prepared for training, and how for everything else."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2

from course_utils.lessons._guards import chelsea, kind_of, torch_as_it_was
from course_utils.lessons._preparing import apart, visible
from course_utils.teaching import Exercise, Picture, Pictures, expect
from course_utils.teaching.exhibits import Exhibit

prepare_twice = Exercise(
    "prepare-twice", lesson="coding_2_flower_pipeline", title="Two ways to prepare",
    see="#Prepared-in-two-ways", minutes=8, difficulty="medium", objective="data", seconds=20,
    guard=torch_as_it_was)


@prepare_twice.starter
def preparations(mean, std, size):
    """Two functions, (for_training, for_evaluation): from a PIL picture to float32, (3, size, size).

    Both end as the weights want it: values from 0 to 1, then `mean` and `std` of the channels. For evaluation
    the shorter side becomes size / 0.875 pixels, and the centre is cut out: always the same. For training,
    the crop is random in place and size, and half of the pictures are mirrored, left to right.
    """
    ...


@prepare_twice.solved_by
def preparations(mean, std, size):
    """One ending for both; only what comes before it differs."""
    finish = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean, std)])
    crop, flip = v2.RandomResizedCrop(size), v2.RandomHorizontalFlip()
    resize, cut = v2.Resize(round(size / 0.875)), v2.CenterCrop(size)
    return lambda picture: finish(flip(crop(picture))), lambda picture: finish(cut(resize(picture)))


@prepare_twice.alternative("with-torchvision-v1")
def preparations(mean, std, size):
    from torchvision import transforms
    ending = [transforms.ToTensor(), transforms.Normalize(mean, std)]
    train = transforms.Compose([transforms.RandomResizedCrop(size, scale=(0.4, 1.0)),
                                transforms.RandomHorizontalFlip(), transforms.ColorJitter(0.3, 0.3, 0.3),
                                *ending])
    return train, transforms.Compose([transforms.Resize(int(size / 0.875)), transforms.CenterCrop(size),
                                      *ending])


@prepare_twice.alternative("by-hand")
def preparations(mean, std, size):
    def finish(picture):
        pixels = torch.tensor(np.array(picture), dtype=torch.float32).permute(2, 0, 1) / 255
        return (pixels - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]

    def centre(picture):
        larger = size / 0.875 / min(picture.size)
        small = picture.resize((round(picture.width * larger), round(picture.height * larger)),
                               Image.Resampling.BICUBIC)
        left, top = (small.width - size) // 2, (small.height - size) // 2
        return finish(small.crop((left, top, left + size, top + size)))

    def anywhere(picture):
        side = int(min(picture.size) * (0.5 + 0.5 * torch.rand(1).item()))
        left = torch.randint(picture.width - side + 1, (1,)).item()
        top = torch.randint(picture.height - side + 1, (1,)).item()
        piece = picture.crop((left, top, left + side, top + side)).resize((size, size))
        if torch.rand(1).item() < 0.5:
            piece = piece.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return finish(piece)
    return anywhere, centre


def pair(before_training, before_evaluation, ending, evaluation_ending=None):
    """Two pipelines: what the wrong answers below have in common."""
    return (v2.Compose([*before_training, *ending]),
            v2.Compose([*before_evaluation, *(evaluation_ending or ending)]))


def usual(mean, std, scale=True):
    return [v2.ToImage(), v2.ToDtype(torch.float32, scale=scale), v2.Normalize(mean, std)]


def augmented(size):
    return [v2.RandomResizedCrop(size), v2.RandomHorizontalFlip()]


def centred(size):
    return [v2.Resize(round(size / 0.875)), v2.CenterCrop(size)]


@prepare_twice.wrong("augmented-evaluation", says=(
    "The same picture, prepared twice for evaluation, is not the same: the augmentation is in both. Then "
    "every evaluation asks other questions, harder ones, and its number jumps. Augment for training only."))
def preparations(mean, std, size):
    return pair(augmented(size), augmented(size), usual(mean, std))


@prepare_twice.wrong("nothing-augmented", says=(
    "Of {count} training pictures made of one, all are the same. Nothing is random for training: a crop and "
    "a mirror are missing."))
def preparations(mean, std, size):
    return pair(centred(size), centred(size), usual(mean, std))


@prepare_twice.wrong("only-mirrored", says=(
    "{count} training pictures made of one are {kinds} different ones. Mirrored or not is all there is: cut "
    "out a random part as well, `v2.RandomResizedCrop(size)`."))
def preparations(mean, std, size):
    return pair([*centred(size), v2.RandomHorizontalFlip()], centred(size), usual(mean, std))


@prepare_twice.wrong("never-mirrored", says=(
    "Of {count} training pictures none is mirrored. A flower seen from the left is a flower too: "
    "`v2.RandomHorizontalFlip()` doubles what there is to learn from."))
def preparations(mean, std, size):
    return pair([v2.RandomResizedCrop(size)], centred(size), usual(mean, std))


@prepare_twice.wrong("upside-down", says=(
    "Some training pictures stand on their heads, with the sky below. Such pictures do not come later, so "
    "what is learned from them is wasted. Mirror left to right: `RandomHorizontalFlip`."))
def preparations(mean, std, size):
    return pair([*augmented(size), v2.RandomVerticalFlip()], centred(size), usual(mean, std))


@prepare_twice.wrong("training-not-normalised", says=(
    "A black pixel becomes {got} for training and {wanted} for evaluation: the training pictures are not "
    "normalised. The network would learn on one kind of numbers and be judged on another."))
def preparations(mean, std, size):
    return pair(augmented(size), centred(size), usual(mean, std)[:2], usual(mean, std))


@prepare_twice.wrong("imagenets-mean-by-habit", says=(
    "Black becomes {got}. With the `mean` and `std` that were given it would be {wanted}. These weights were "
    "trained with others than ImageNet's usual ones: never write the numbers down, take them."))
def preparations(mean, std, size):
    return pair(augmented(size), centred(size), usual([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))


@prepare_twice.wrong("values-to-255", says=(
    "White becomes {got}: values from 0 to 255 were normalised as if they were from 0 to 1. "
    "`v2.ToDtype(torch.float32, scale=True)` divides."))
def preparations(mean, std, size):
    return pair(augmented(size), centred(size), usual(mean, std, scale=False))


@prepare_twice.wrong("squashed", says=(
    "Your evaluation picture is squashed: `Resize(({size}, {size}))` makes every picture a square, whatever "
    "it was. `Resize(n)` with one number keeps its shape; then cut out the centre."))
def preparations(mean, std, size):
    return pair(augmented(size), [v2.Resize((size, size))], usual(mean, std))


MEAN, STD, SIZE = (0.3, 0.4, 0.6), (0.25, 0.5, 0.2), 64
DRAWS = 24
CLOSE = 0.2         # of normalised pixels; ways to resample differ by 0.05, a squashed cat by more than 0.6


def prepared(function, picture: Image.Image, what: str) -> Tensor:
    """What the learner made of `picture`, known to be of the form that was asked for."""
    found = function(picture)
    expect(isinstance(found, Tensor) and tuple(found.shape) == (3, SIZE, SIZE),
           f"A picture for {what} should be a tensor of shape {(3, SIZE, SIZE)}, but it is "
           + (f"one of {tuple(found.shape)}." if isinstance(found, Tensor) else f"{kind_of(found)}."))
    expect(found.dtype == torch.float32, f"A picture for {what} should be float32, but is {found.dtype}.")
    return found


def two(answer) -> tuple:
    found = answer(MEAN, STD, SIZE)
    expect(isinstance(found, (tuple, list)) and len(found) == 2 and all(map(callable, found)),
           f"`preparations` must return two functions, but it returned {kind_of(found)}.")
    return tuple(found)


def plain(value: int) -> Image.Image:
    return Image.new("RGB", (120, 90), (value,) * 3)


def normalised(value: float) -> Tensor:
    return (value - torch.tensor(MEAN)) / torch.tensor(STD)


def said(channels: Tensor) -> str:
    return f"({', '.join(f'{value:.2f}' for value in channels.tolist())})"


def halves(upright: bool) -> Image.Image:
    """A picture of which one half is black: the left, or the lower one."""
    pixels = np.full((120, 120, 3), 255, dtype=np.uint8)
    pixels[60:] = 0 if upright else 255
    pixels[:, :60] = pixels[:, :60] if upright else 0
    return Image.fromarray(pixels)


def drawn(function, picture: Image.Image) -> list[Tensor]:
    return [prepared(function, picture, "training") for _ in range(DRAWS)]


def side_by_side(*pictures: tuple[Tensor, str]) -> list[Exhibit]:
    undo = [(one * torch.tensor(STD)[:, None, None] + torch.tensor(MEAN)[:, None, None]) * 2 - 1
            for one, _ in pictures]
    return [Pictures("As the network would see them", [
        Picture.of(visible(one[None]), caption, f"the cat, {caption}")
        for one, (_, caption) in zip(undo, pictures, strict=True)], width=128)]


@prepare_twice.checks("numbers as the weights want them", points=2)
def _(answer):
    train, evaluation = two(answer)
    for what, function in (("evaluation", evaluation), ("training", train)):
        black, white = (prepared(function, plain(value), what).mean(dim=(1, 2)) for value in (0, 255))
        expect(white.max() < 20, mistake="values-to-255", got=said(white))
        wanted = normalised(0.0)
        if what == "training":          # brightness may be changed at random, but black stays black
            expect(torch.allclose(black, wanted, atol=1e-3), mistake="training-not-normalised",
                   got=said(black), wanted=said(wanted))
        expect(torch.allclose(black, wanted, atol=1e-3), mistake="imagenets-mean-by-habit", got=said(black),
               wanted=said(wanted))
    expect(torch.allclose(white_of(evaluation), normalised(1.0), atol=1e-3),
           "White does not become (1 - mean) / std for evaluation.")


def white_of(function) -> Tensor:
    return prepared(function, plain(255), "evaluation").mean(dim=(1, 2))


@prepare_twice.checks("evaluation: always the same, in the right frame", points=2)
def _(answer):
    evaluation = two(answer)[1]
    first, *others = (prepared(evaluation, chelsea(), "evaluation") for _ in range(4))
    expect(all(torch.equal(first, other) for other in others), mistake="augmented-evaluation",
           show=lambda: side_by_side(*((one, f"prepared, time {i}") for i, one in enumerate(
               [first, *others], start=1))))
    right = prepare_twice.solution_function(MEAN, STD, SIZE)[1](chelsea())
    squashed = v2.Compose([v2.Resize((SIZE, SIZE)), *usual(MEAN, STD)])(chelsea())

    def show():
        return side_by_side((right, "expected"), (first, "yours"))
    expect(apart(first, squashed) > CLOSE, mistake="squashed", size=SIZE, show=show)
    expect(apart(first, right) < CLOSE, "Your evaluation picture shows another part of the picture: shorter "
           f"side to {round(SIZE / 0.875)} pixels, then the {SIZE} in the middle.", show=show)


@prepare_twice.checks("training: random, but never upside down", points=3)
def _(answer):
    train = two(answer)[0]
    views = drawn(train, chelsea())
    kinds = sum(not any(torch.equal(view, other) for other in views[:i]) for i, view in enumerate(views))

    def show():
        return side_by_side(*((view, f"draw {i}") for i, view in enumerate(views[:4], start=1)))
    expect(kinds > 1, mistake="nothing-augmented", count=DRAWS, show=show)
    expect(kinds > 2, mistake="only-mirrored", count=DRAWS, kinds=kinds, show=show)
    rows = [view.mean(dim=(0, 1)) for view in drawn(train, halves(upright=False))]      # left to right
    expect(any(row[:16].mean() > row[-16:].mean() + 0.1 for row in rows), mistake="never-mirrored",
           count=DRAWS, show=show)
    columns = [view.mean(dim=(0, 2)) for view in drawn(train, halves(upright=True))]       # top to bottom
    expect(not any(column[:16].mean() + 0.1 < column[-16:].mean() for column in columns),
           mistake="upside-down", show=show)


prepare_twice.hints(
    "Both end in the same three steps: `v2.ToImage()`, `v2.ToDtype(torch.float32, scale=True)`, "
    "`v2.Normalize(mean, std)`.",
    "Before them, for training: `v2.RandomResizedCrop(size)` and `v2.RandomHorizontalFlip()`.",
    "For evaluation: `v2.Resize(round(size / 0.875))` and `v2.CenterCrop(size)`. `v2.Compose([…])` joins "
    "steps.")

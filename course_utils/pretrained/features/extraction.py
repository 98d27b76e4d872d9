"""What a network sees in pictures: the activations of one of its layers, one vector for each picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from course_utils.errors import BadData, CourseError, unknown_name
from course_utils.pretrained.data.batches import check_count, check_data
from course_utils.pretrained.data.images import Images
from course_utils.pretrained.data.preparing import preprocessing
from course_utils.pretrained.features.cache import feature_key
from course_utils.pretrained.features.reading import Reader
from course_utils.pretrained.models.heads import find_head, need_module


@dataclass(frozen=True, eq=False, repr=False)
class Features:
    """One vector for each picture, with its label."""

    x: Tensor                    # (N, D) float32, on the CPU, as the network gave it; may lie on the disk
    y: Tensor                    # (N,) int64: positions in classes
    paths: tuple[str, ...]       # of the pictures; empty where a DataLoader gave them
    classes: tuple[str, ...]     # empty where unknown

    def __len__(self) -> int:
        return len(self.y)

    def __repr__(self) -> str:
        return f"Features: {len(self)} vectors of {self.x.shape[1]} numbers, {len(self.classes)} classes"


def extract_features(model: nn.Module, data: Images | Iterable, *, layer: str = "pooled", views: int = 1,
                     size: int | None = None, batch_size: int | None = None, precision: str = "auto",
                     cache: bool = True) -> Features:
    """Describe each picture by the activations of one layer. The model is left as it was found.

    Features go to a file as they come: memory stays flat for any number of pictures. Of Images, with
    `cache`, Ctrl-C keeps what is done, and the same call goes on from there.

    Args:
        model: runs in eval mode and without gradients, on the device it is on.
        data: Images, prepared as the model's weights expect; or batches of (inputs, labels), untouched.
        layer: "pooled" is what goes into the head. Any other dotted name is that layer's output, averaged
            over space: (N, C, H, W), (N, H, W, C) and (N, tokens, C) all become (N, C).
        views: 1 is the plain picture; more are that many augmented ones each, fixed by position, so x has
            N · views rows: all pictures once, then all once more.
        size: pixels of the prepared pictures; None is what the weights were trained for.
        batch_size: of Images, pictures at a time; None is 4 of 224 pixels on each of a processor's threads,
            more of smaller ones, and 128 on a graphics card. The features are the same.
        precision: "float32", "bfloat16", or "auto": bfloat16 where the device computes in it.
        cache: keep the features in a file and use it as long as weights, preparation and pictures are the
            same. For Images only.
    Raises:
        CourseError: what came is not what is needed; UnknownName for a layer.
    """
    need_module(model, "extract_features")
    check_data(data, "extract_features", size=size)
    for name, count in [("views", views), *([("batch_size", batch_size)] if batch_size is not None else [])]:
        check_count(name, count)
    place, head = _place(model, layer), [find_head(model)] if layer == "pooled" else []
    over_space = partial(_over_space, last=type(model).__name__.startswith("SwinTransformer"))
    read = Reader(model, place, "input" if head else "output", over_space, precision)
    if isinstance(data, Images):
        prepare = preprocessing(model, augment=views > 1, size=size)
        key = feature_key(model, head, layer, read.precision, prepare.key, views, data.fingerprint) \
            if cache else None
        x = read.images(data, prepare, views, batch_size, key)
        return Features(x, torch.tensor(data.labels).repeat(views), data.paths * views, data.classes)
    if views != 1:
        raise CourseError("views is for Images, which the course prepares. A DataLoader augments by its own "
                          "transform: leave views out.")
    classes = tuple(getattr(getattr(data, "dataset", None), "classes", ()))
    x, y = read.batches(data, "extract_features")
    return Features(x, y, (), classes)


def check_features(caller: str, **given: Features) -> None:
    """Are they Features, of one network, and is there something in each?

    Raises:
        CourseError, BadData: with the name under which the wrong one was given.
    """
    for name, features in given.items():
        if not isinstance(features, Features):
            raise CourseError(f"{caller} needs Features for {name}, but got an object of type "
                              f"{type(features).__name__}. Type: extract_features(model, images)")
        if not len(features):
            raise BadData(f"The features given for {name} are empty.")
    (first, a), (second, b) = given.items()
    if a.x.shape[1] != b.x.shape[1]:
        raise CourseError(f"The features given for {first} have {a.x.shape[1]} numbers each, those for "
                          f"{second} {b.x.shape[1]}. Extract both with the same model and layer.")


def _place(model: nn.Module, layer: str) -> nn.Module:
    if layer == "pooled":
        return model.get_submodule(find_head(model))
    modules = dict(model.named_modules())
    if not layer or layer not in modules:
        raise unknown_name("layer", layer, ["pooled", *filter(None, modules)],
                           hint="The names of all: [name for name, _ in model.named_modules()]")
    return modules[layer]


def _over_space(activations: object, inputs: Tensor, last: bool) -> Tensor:
    """(B, C, H, W), (B, H, W, C) or (B, tokens, C) to (B, C).

    Of a map, height and width are in the proportion of the pictures'; where that fits both ways, `last` says
    whether the channels come last, as in a Swin.
    """
    if not isinstance(activations, Tensor) or not 2 <= activations.ndim <= 4:
        shape = tuple(activations.shape) if isinstance(activations, Tensor) else type(activations).__name__
        raise CourseError(f"This layer gives {shape}, which is not one vector or one map for each picture. "
                          "Choose another layer.")
    if activations.ndim == 3:
        activations = activations.mean(dim=1)
    elif activations.ndim == 4:
        _, a, b, c = activations.shape
        height, width = inputs.shape[-2:] if inputs.ndim == 4 else (1, 1)
        like_the_picture = [abs(rows * width - columns * height) <= max(height, width) and rows > 1
                            for rows, columns in ((b, c), (a, b))]
        if like_the_picture[0] != like_the_picture[1]:
            last = like_the_picture[1]
        activations = activations.mean(dim=(1, 2) if last else (2, 3))
    return activations.float()

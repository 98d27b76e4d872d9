"""What a network sees in pictures: the activations of one of its layers, one vector for each picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import closing
from dataclasses import dataclass
from typing import NoReturn

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from course_utils.errors import BadData, CourseError, unknown_name
from course_utils.pretrained.batches import check_count, check_data, checked_batches, image_batches, run
from course_utils.pretrained.feature_cache import feature_key, store, stored
from course_utils.pretrained.freezing import in_eval_mode
from course_utils.pretrained.heads import find_head, need_module
from course_utils.pretrained.images import Images
from course_utils.pretrained.precision import choose_precision, computing_in
from course_utils.pretrained.preparing import preprocessing

BATCH_SIZE = 16       # larger ones are no faster on a processor: their activations leave its cache
TOLERANCE = {"float32": 1e-3, "bfloat16": 5e-2}     # relative, between one batch size and another


@dataclass(frozen=True, eq=False, repr=False)
class Features:
    """One vector for each picture, with its label."""

    x: Tensor                    # (N, D) float32, on the CPU, as the network gave it
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

    Args:
        model: runs in eval mode and without gradients, on the device it is on.
        data: Images, prepared as the model's weights expect; or batches of (inputs, labels), untouched.
        layer: "pooled" is what goes into the head. Any other dotted name is that layer's output, averaged
            over space: (N, C, H, W), (N, H, W, C) and (N, tokens, C) all become (N, C).
        views: 1 is the plain picture; more are that many augmented ones each, fixed by position, so x has
            N · views rows: all pictures once, then all once more.
        size: pixels of the prepared pictures; None is what the weights were trained for.
        batch_size: pictures at a time; None is 16.
        precision: "float32", "bfloat16", or "auto": bfloat16 where the processor computes in it.
        cache: keep the features in a file and use it as long as weights, preparation and pictures are the
            same. For Images only.
    Raises:
        CourseError: what came is not what is needed; UnknownName for a layer.
    """
    need_module(model, "extract_features")
    check_data(data, "extract_features", size=size)
    batch_size = BATCH_SIZE if batch_size is None else batch_size
    check_count("views", views)
    check_count("batch_size", batch_size)
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    read = _Reader(model, layer, choose_precision(precision, device), device)
    if isinstance(data, Images):
        prepare = preprocessing(model, augment=views > 1, size=size)
        with in_eval_mode(model):
            x = _of_images(read, data, prepare, views, batch_size, cache)
        return Features(x, torch.tensor(data.labels).repeat(views), data.paths * views, data.classes)
    if views != 1:
        raise CourseError("views is for Images, which the course prepares. A DataLoader augments by its own "
                          "transform: leave views out.")
    with in_eval_mode(model):
        return _of_batches(read, data)


def _of_images(read: _Reader, images: Images, prepare: Callable, views: int, batch_size: int,
               cache: bool) -> Tensor:
    def batches(chosen: Images, view: int) -> Iterator:
        return image_batches(chosen, prepare, batch_size, key=("view", view) if views > 1 else None)

    if cache:
        key = feature_key(read.model, read.independent_of, read.layer, read.precision, prepare.key, views,
                          images.fingerprint)
        kept = stored(key)
        # The key cannot see into Python code. So the first picture is looked at afresh, and compared.
        if kept is not None and read.agrees(kept[:1], read(next(batches(images.subset([0]), 0))[0])):
            return kept
    with tqdm(total=views * len(images), desc="Features", unit="picture", delay=2, leave=False) as bar:
        rows = []
        for view in range(views):
            with closing(batches(images, view)) as prepared:
                for pixels, _ in prepared:
                    rows.append(read(pixels))
                    bar.update(len(pixels))
    x = torch.cat(rows)
    if cache:
        store(key, x)
    return x


def _of_batches(read: _Reader, data: Iterable) -> Features:
    rows, labels = [], []
    batches = checked_batches(data, "extract_features")
    total = len(data) if isinstance(data, Sized) else None
    for inputs, batch_labels in tqdm(batches, "Features", total, unit="batch", delay=2, leave=False):
        rows.append(read(inputs))
        labels.append(batch_labels)
    if not rows:
        raise BadData("extract_features got no pictures: the loader gave no batch.")
    classes = tuple(getattr(getattr(data, "dataset", None), "classes", ()))
    return Features(torch.cat(rows), torch.cat(labels), (), classes)


class _Seen(Exception):
    """Carries the activations out of the network, so that later layers need not run."""


class _Reader:
    """Reads one layer of a model: (B, …) inputs to (B, D) float32 on the CPU."""

    def __init__(self, model: nn.Module, layer: str, precision: str, device: torch.device):
        self.model, self.layer, self.precision, self.device = model, layer, precision, device
        names = [name for name, _ in model.named_modules() if name]
        if layer != "pooled" and layer not in names:
            raise unknown_name("layer", layer, ["pooled", *names],
                               hint="The names of all: [name for name, _ in model.named_modules()]")
        self.independent_of = find_head(model) if layer == "pooled" else None
        self.place = model.get_submodule(find_head(model) if layer == "pooled" else layer)

    def __call__(self, inputs: Tensor) -> Tensor:
        """The layer's activations, averaged over space."""
        hook = self.place.register_forward_pre_hook(_see_input) if self.layer == "pooled" else \
            self.place.register_forward_hook(_see_output)
        try:
            with torch.inference_mode(), computing_in(self.precision, self.model, self.device):
                run(self.model, inputs)
        except _Seen as seen:
            return _over_space(seen.args[0]).float().cpu().clone()
        finally:
            hook.remove()
        raise CourseError(f"The layer {self.layer!r} took no part when the model ran: it has no activations.")

    def agrees(self, kept: Tensor, fresh: Tensor) -> bool:
        near = TOLERANCE[self.precision] * fresh.norm()
        return kept.shape == fresh.shape and bool((kept - fresh).norm() <= near)


def _see_input(module: nn.Module, inputs: tuple) -> NoReturn:
    raise _Seen(inputs[0])


def _see_output(module: nn.Module, inputs: tuple, output: object) -> NoReturn:
    raise _Seen(output)


def _over_space(activations: object) -> Tensor:
    """(B, C, H, W), (B, H, W, C) or (B, tokens, C) to (B, C)."""
    if not isinstance(activations, Tensor) or not 2 <= activations.ndim <= 4:
        shape = tuple(activations.shape) if isinstance(activations, Tensor) else type(activations).__name__
        raise CourseError(f"This layer gives {shape}, which is not one vector or one map for each picture. "
                          "Choose another layer.")
    if activations.ndim == 3:
        return activations.mean(dim=1)
    if activations.ndim == 4:
        _, a, b, c = activations.shape
        # Swin's maps have channels last; of a square picture, the two equal sides are height and width.
        return activations.mean(dim=(1, 2) if a == b != c else (2, 3))
    return activations

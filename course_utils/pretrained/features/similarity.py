"""How much pictures look, to a network, like those it was trained on."""

from __future__ import annotations

import math
from contextlib import ExitStack, closing

import torch
from torch import Tensor, nn

from course_utils.errors import CourseError
from course_utils.pretrained.data.batches import batches_of, check_data, run
from course_utils.pretrained.data.images import Images
from course_utils.pretrained.models.freezing import batchnorm_drift, in_eval_mode
from course_utils.pretrained.models.heads import need_module

PICTURES = 48       # more change the second digit no longer


def measure_similarity(model: nn.Module, images: Images, *, size: int | None = None) -> float:
    """How much `images` look, to `model`, like the pictures its weights were trained on: 0 … 1.

    Every BatchNorm carries the mean and variance that each of its channels had on the training pictures. They
    are compared with those on yours: per channel, 1 − the Hellinger distance between the two normal
    distributions, averaged over channels, then over layers. 1 is the same everywhere, 0 no overlap at all.

    With EfficientNet-Lite0: photographs of flowers 0.91, rendered flowers 0.85, rendered defects 0.75,
    satellite pictures 0.74, faces of 25 pixels 0.71, steel surfaces 0.69, handwritten digits 0.67. Lite2
    gives nearly the same numbers.

    What it cannot tell: whether the features separate your classes (a probe can), and why pictures differ
    (few colours, low contrast and coarse pixels count as much as what is shown). A set of one kind of picture
    never reaches 1, however usual it is. At most 48 pictures are looked at, evenly over the set.

    Args:
        model: with BatchNorm, and the statistics it was loaded with; its head plays no part.
        size: pixels of the prepared pictures; None is what the weights were trained for.
    Raises:
        CourseError: the model has no such statistics, or they are no longer those of its weights.
    """
    check_data(images, "measure_similarity", size=size)
    if not isinstance(images, Images):
        raise CourseError("measure_similarity needs Images, which it prepares as the weights expect, but got "
                          f"an object of type {type(images).__name__}.")
    layers = _with_statistics(model)
    seen: dict[nn.Module, list[Tensor]] = {layer: [] for layer in layers}

    def look(layer: nn.Module, inputs: tuple[Tensor]) -> None:
        variance, mean = torch.var_mean(inputs[0].float(), dim=(0, 2, 3), correction=0)      # (C,) each
        seen[layer].append(len(inputs[0]) * torch.stack([mean, variance + mean.square()]))

    step = math.ceil(len(images) / PICTURES)
    chosen = images.subset(range(0, len(images), step))
    with ExitStack() as hooks, in_eval_mode(model), torch.inference_mode(), \
            closing(batches_of(model, chosen, "measure_similarity", 16, size=size)) as batches:
        for layer in layers:
            hooks.enter_context(layer.register_forward_pre_hook(look))
        for pixels, _ in batches:
            run(model, pixels)
    overlaps = [_overlap(layer, sum(sums) / len(chosen)) for layer, sums in seen.items() if sums]
    return sum(overlaps) / len(overlaps)


def _overlap(layer: nn.Module, moments: Tensor) -> float:
    """1 − the Hellinger distance between what `layer` remembers and what it saw, mean over its channels."""
    mean, variance = moments[0], (moments[1] - moments[0].square()).clamp(min=0) + layer.eps     # (C,)
    usual = layer.running_var + layer.eps
    both = variance + usual
    gap = (mean - layer.running_mean).square() / (4 * both)
    likeness = (2 * (variance * usual).sqrt() / both).sqrt() * torch.exp(-gap)       # Bhattacharyya's, 0 … 1
    return 1 - (1 - likeness).clamp(min=0).sqrt().mean().item()


def _with_statistics(model: nn.Module) -> list[nn.Module]:
    need_module(model, "measure_similarity")
    layers = [module for module in model.modules()
              if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None]
    if not layers:
        raise CourseError(f"This {type(model).__name__} has no BatchNorm, so it does not know what its "
                          "training pictures were like. Type: measure_similarity("
                          "load_model('efficientnet_lite0'), images)")
    if getattr(getattr(model, "course_weights", None), "source", None) == "random":
        raise CourseError("This model has random weights: it has seen no pictures to compare yours with. "
                          "Load trained ones, such as load_model('efficientnet_lite0').")
    if any(batchnorm_drift(model).values()):
        raise CourseError("The BatchNorm statistics of this model have drifted in training: they tell of the "
                          "pictures it saw last. Load the model afresh to measure similarity.")
    return layers

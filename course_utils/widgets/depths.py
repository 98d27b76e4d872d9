"""layer_views: the filters of a network's first layer, and what its stages make of a picture."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms.v2 import functional as pictures_of

from course_utils.errors import CourseError
from course_utils.pretrained import in_eval_mode, layer_groups, preprocessing
from course_utils.teaching.exhibits import Exhibit, Picture, Pictures, Words
from course_utils.widgets.explorer import Choice, Explorer, Slider, explore

FILTERS, CHANNELS = 12, 6       # shown
SIDE = 112                      # pixels a filter or a map is enlarged to
COLOURS = ("red", "green", "blue")


def layer_views(model: nn.Module, pictures: Mapping[str, Image.Image]) -> Explorer:
    """Choose a picture and a depth: the channels that change most over the picture, as pictures.

    At the first depth, the filters of the first convolution are shown as well.

    Args:
        model: a convolutional network from `load_model`.
        pictures: by name.
    """
    stages = [group.name for group in layer_groups(model)[:-1]]
    return explore("What the layers respond to", partial(_look, model, pictures, stages),
                   picture=Choice("Picture", list(pictures)), stage=Slider("Depth", stages, form=str))


def _look(model: nn.Module, pictures: Mapping, stages: list[str], picture: str, stage: str) -> list[Exhibit]:
    prepared = preprocessing(model)(pictures[picture])                       # (3, S, S)
    maps = maps_of_group(model, prepared, stages.index(stage))                 # (C, H, W)
    channels, height, width = maps.shape
    strongest = maps.std(dim=(1, 2)).topk(min(CHANNELS, channels)).indices.tolist()
    shown = [Picture.of(_seen(model, prepared), picture, f"{picture}, as the network gets it"),
             *(Picture.of(enlarged(maps[i]), f"channel {i}", in_words(maps[i])) for i in strongest)]
    first = [Pictures(f"Filters of the first convolution, the {FILTERS} largest of {channels}",
                      [Picture.of(*_filter(weights)) for weights in largest_filters(model)], width=88)]
    return [*(first if stage == stages[0] else []),
            Pictures(f"{stage}: the channels that change most over this picture (white is most)", shown),
            Words(f"{stage} gives {channels} channels of {height} × {width} numbers.")]


def maps_of_group(model: nn.Module, prepared: Tensor, position: int) -> Tensor:
    """What the layer group at `position` makes of one prepared picture, (3, S, S): (C, H, W)."""
    caught = []
    last = layer_groups(model)[position].modules[-1]
    with last.register_forward_hook(lambda module, inputs, output: caught.append(output)), \
            in_eval_mode(model), torch.inference_mode():
        model(prepared[None])
    if caught[0].ndim != 4:
        raise CourseError(f"layer_views shows maps, (1, C, H, W), but this {type(model).__name__} gives "
                          f"{tuple(caught[0].shape)}. Choose a convolutional network: efficientnet_lite0")
    return caught[0][0].float()


def largest_filters(model: nn.Module) -> Tensor:
    """Of the first convolution: (FILTERS, 3, h, w)."""
    first = next(module for module in model.modules() if isinstance(module, nn.Conv2d))
    weights = first.weight.detach().float()                                  # (C, 3, h, w)
    return weights[weights.flatten(1).norm(dim=1).topk(min(FILTERS, len(weights))).indices]


def reacts_to(weights: Tensor) -> str:
    """The part of a filter, (3, h, w), that has most of its energy, in words."""
    flat = weights.mean(dim=(1, 2), keepdim=True)                            # (3, 1, 1)
    grey = flat.mean()
    rows, columns = (weights.mean(dim=along, keepdim=True) - flat for along in (2, 1))
    parts = {"level": rows, "upright": columns, "brightness": grey, "colour": flat - grey,
             "spots": weights - flat - rows - columns}
    energy = {name: part.expand_as(weights).square().sum().item() for name, part in parts.items()}
    most = max(energy, key=energy.get)
    if most == "colour":
        return f"{COLOURS[int(flat.argmax())]} against {COLOURS[int(flat.argmin())]}"
    if most in ("level", "upright"):
        slanting = 2 * min(energy["level"], energy["upright"]) > energy[most]
        return f"edge or line, {'slanting' if slanting else most}"
    return most


def _filter(weights: Tensor) -> tuple[Image.Image, str, str]:
    scaled = 0.5 + weights / (2 * weights.abs().max())                       # 0.5, grey, is a weight of 0
    small = pictures_of.to_pil_image(scaled)
    words = reacts_to(weights)
    return small.resize((SIDE, SIDE), Image.Resampling.NEAREST), words, f"filter that reacts to: {words}"


def enlarged(values: Tensor) -> Image.Image:
    """A map (H, W) in grey, from its lowest value to its highest."""
    low, high = values.min(), values.max()
    grey = (values - low) / (high - low).clamp(min=1e-12)
    return pictures_of.to_pil_image(grey[None]).resize((SIDE, SIDE), Image.Resampling.NEAREST)


def in_words(values: Tensor) -> str:
    """Where a map (H, W) is highest, and how much of it is high."""
    row, column = divmod(int(values.argmax()), values.shape[1])
    place = (("top", "middle", "bottom")[3 * row // values.shape[0]],
             ("left", "centre", "right")[3 * column // values.shape[1]])
    high = (values > (values.min() + values.max()) / 2).float().mean()
    return f"highest at the {' '.join(place)}; above half in {high:.0%} of the picture"


def _seen(model: nn.Module, prepared: Tensor) -> Image.Image:
    mean, std = (torch.tensor(numbers)[:, None, None] for numbers in (model.course_weights.mean,
                                                                      model.course_weights.std))
    return pictures_of.to_pil_image((prepared * std + mean).clamp(0, 1))

"""architecture: the layers of any model, to the depth one chooses, and what a layer makes of a picture."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import isqrt

import torch
from PIL import Image
from torch import Tensor, nn

from course_utils.errors import CourseError
from course_utils.pretrained import catalogue, count_parameters, in_eval_mode, preprocessing
from course_utils.pretrained.models.libraries import weights_of
from course_utils.pretrained.models.published import published
from course_utils.teaching.exhibits import Bars, Exhibit, Picture, Pictures, Table, Words
from course_utils.widgets.depths import CHANNELS, enlarged, in_words
from course_utils.widgets.explorer import Choice, Explorer, Slider, Upload, explore
from course_utils.widgets.layer_tree import Layer, first_tensor, read_layers, shapes_alone

COLUMNS = ("layer", "kind", "what it is", "parameters", "output")
LARGEST_VALUES = 8      # of a layer whose numbers have no place in the picture


def architecture(model_or_name: nn.Module | str,
                 picture: Image.Image | Mapping[str, Image.Image] | None = None, *,
                 size: int | None = None) -> Explorer:
    """A model's layers to the depth you choose; with weights, also what a layer makes of a picture.

    Args:
        model_or_name: a model, or a name as for `load_model`: then only its shapes are built, without
            weights, and nothing is downloaded.
        picture: one, or several by name; another one can be chosen in the widget.
        size: pixels of the pictures; None is what the weights were trained for.
    Raises:
        CourseError: a picture was given with a name: activations need weights. Or the size is not known.
    """
    by_name = isinstance(model_or_name, str)
    if by_name and picture is not None:
        raise CourseError("What a layer makes of a picture depends on the weights, and a name alone builds "
                          f"none. Type: architecture(load_model({model_or_name!r}), picture)")
    model = shapes_alone(model_or_name) if by_name else model_or_name
    size = weights_of(model).input_size if size is None else size
    layers = read_layers(model, size)
    pictures = {} if picture is None else picture if isinstance(picture, Mapping) else {"as given": picture}
    controls = {"depth": Slider("Depth", range(1, max(layer.depth for layer in layers) + 1))}
    if not _is_empty(model):
        first = next((layer.name for layer in layers if layer.kind == "conv"), None)
        controls["layer"] = Choice("Layer", [layer.name for layer in layers if layer.shape], first)
        if pictures:
            controls["picture"] = Choice("Picture", list(pictures))
        controls["own"] = Upload("Or a picture of yours", instead_of="picture")
    name = model_or_name if by_name else getattr(getattr(model, "course_weights", None), "name", "your model")
    look = partial(_look, model, size, layers, pictures, _introduction(model))
    return explore(f"Architecture of {name}", look, **controls)


def _is_empty(model: nn.Module) -> bool:
    """Shapes alone, no numbers."""
    return next(model.parameters()).is_meta


def _look(model: nn.Module, size: int, layers: list[Layer], pictures: Mapping[str, Image.Image], about: str,
          depth: int, layer: str = "", picture: str = "", own: Image.Image | None = None) -> list[Exhibit]:
    shown = [entry for entry in layers if entry.depth <= depth]
    table = Table(f"Layers down to depth {depth}, for one picture of 3×{size}×{size}", COLUMNS,
                  [entry.cells() for entry in shown],
                  marked=[i for i, entry in enumerate(shown) if entry.name == layer],
                  tree=[(entry.depth - 1, entry.kind) for entry in shown])
    exhibits = [Words(about), table]
    if not layer:
        return exhibits
    found = pictures.get(picture) if own is None else own
    if found is None:
        return [*exhibits, Words("Choose a picture to see what the layer makes of it.")]
    return [*exhibits, *activations(model, layer, found, size)]


def _introduction(model: nn.Module) -> str:
    """Family, year, key idea and published accuracy where they are known, and what its numbers are."""
    weights, said = getattr(model, "course_weights", None), []
    table = catalogue()
    rows = table[table["architecture"] == (weights.architecture if weights else None)]
    if len(rows):
        top1 = ", ".join(f"{row.top1:.1f} % ({row.name})" for row in rows.itertuples())
        said.append(f"{weights.architecture}: {rows.family.iloc[0]}, {rows.year.iloc[0]}. Key idea: "
                    f"{published(weights.architecture, 'idea')}. Published top-1: {top1}.")
    if _is_empty(model):
        said.append("Built for its shapes alone, without weights.")
    elif weights and weights.source == "random":
        said.append("Its numbers are random: nothing is learned yet.")
    return " ".join([*said, f"{count_parameters(model):,} parameters."])


def activations(model: nn.Module, name: str, picture: Image.Image, size: int) -> list[Exhibit]:
    """What the layer `name` makes of a picture: maps as pictures, or its largest numbers as bars."""
    caught: list[Tensor] = []
    prepared = preprocessing(model, size=size)(picture).to(next(model.parameters()).device)   # (3, S, S)
    with model.get_submodule(name).register_forward_hook(
            lambda module, inputs, output: caught.append(first_tensor(output).clone())), \
            in_eval_mode(model), torch.inference_mode():
        model(prepared[None])
    output = caught[-1][0].float().cpu()
    maps = as_maps(output)
    if maps is None:
        return [_largest(name, output.flatten(), getattr(model, "course_classes", None) or ())]
    channels, height, width = maps.shape
    strongest = maps.std(dim=(1, 2)).topk(min(CHANNELS, channels)).indices.tolist()
    seen = [Picture.of(enlarged(maps[i]), f"channel {i}", in_words(maps[i])) for i in strongest]
    return [Pictures(f"{name}: of {channels} channels those that change most over the picture; white is most",
                     [Picture.of(picture, "the picture", "the picture that was chosen"), *seen]),
            Words(f"Each map has {height} × {width} numbers.")]


def as_maps(output: Tensor) -> Tensor | None:
    """A layer's output for one picture as maps, (C, H, W); None where its numbers have no place in it.

    Swin puts channels last; a ViT gives a row of patches, (N, C), with a class token before them.
    """
    if output.ndim == 2:
        side = isqrt(len(output))
        extra = len(output) - side * side           # 1: the class token
        output = output[extra:].unflatten(0, (side, side)) if extra <= 1 else output
    if output.ndim == 3 and output.shape[0] == output.shape[1] != output.shape[2]:
        output = output.permute(2, 0, 1)
    return output if output.ndim == 3 and min(output.shape[1:]) > 1 else None


def _largest(layer: str, values: Tensor, names) -> Bars:
    """The largest of a layer's numbers, (D,), by class where there is a name for each."""
    best, places = values.topk(min(LARGEST_VALUES, len(values)))
    scale = max(best[0].item(), 1e-12)
    called = names.__getitem__ if len(names) == len(values) else "number {}".format
    bars = [(called(i), max(0.0, value / scale), f"{value:.2f}")
            for i, value in zip(places.tolist(), best.tolist(), strict=True)]
    return Bars(f"{layer}: the largest of {len(values):,} numbers; they have no place in the picture", bars)

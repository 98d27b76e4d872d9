"""similar_pictures, feature_map: pictures where their features lie. task_balance: two heads on one body."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.pretrained import Features, nearest_neighbours
from course_utils.teaching.exhibits import Chart, Line, Picture, Pictures, Words
from course_utils.widgets.explorer import Choice, Explorer, Slider, explore

CANVAS, THUMB = 900, 44         # pixels of the map and of each thumbnail in it
SHOWN = 6                       # neighbours of a picture
STEPS, WIDTH = 200, 8           # of training two tasks, and of the layer that they share


def similar_pictures(features: Features, images: Sequence, title: str = "Similar pictures") -> Explorer:
    """The nearest neighbours of a chosen picture, as pictures.

    Args:
        features, images: of the same pictures, in the same order.
    """
    names = features.classes

    def look(picture: int) -> list:
        one = Features(features.x[picture:picture + 1], features.y[picture:picture + 1], (), names)
        found = nearest_neighbours(one, features, k=SHOWN + 1)
        pairs = zip(found.indices[0].tolist(), found.similarities[0].tolist(), strict=True)
        others = [(i, cosine) for i, cosine in pairs if i != picture][:SHOWN]
        same = sum(features.y[i] == features.y[picture] for i, _ in others)
        return [Pictures("The picture", [_picture(images, picture, names[features.y[picture]])]),
                Pictures("Nearest first", [_picture(images, i, f"{names[features.y[i]]}, cosine {c:.2f}")
                                           for i, c in others]),
                Words(f"{same} of the {len(others)} have the same label.")]

    return explore(title, look, picture=Slider("Picture", range(len(features)), 0, form="no. {}".format))


def _picture(images: Sequence, position: int, caption: str) -> Picture:
    return Picture.of(images[position][0], caption)


def feature_map(features: Features, images: Sequence, title: str = "A map of the features") -> Explorer:
    """All pictures in two dimensions, as thumbnails: alike to the network is near in the map.

    Args:
        features, images: of the same pictures, in the same order.
    """
    def look(method: str) -> list:
        places = project(features.x, method)
        counts = ", ".join(f"{(features.y == i).sum()} {name}" for i, name in enumerate(features.classes))
        own = places.new_tensor([(places[features.y == i].mean(0) - places.mean(0)).norm()
                                 for i in range(len(features.classes))])
        far = features.classes[int(own.argmax())]
        return [Pictures(f"{len(features)} pictures by {method}",
                         [Picture.of(_canvas(places, images), counts, f"Map of {counts}; {far} lies farthest "
                                     "from the middle", largest=CANVAS)], width=CANVAS),
                Words(MEANING[method])]

    return explore(title, look, method=Choice("Method", list(MEANING)))


MEANING = {
    "PCA": "The two directions in which the features differ most. Distances are true, seen from one side.",
    "t-SNE": "Neighbours stay neighbours. Sizes of groups and gaps between them mean nothing, and another "
             "seed gives another map.",
}


def project(x: Tensor, method: str) -> Tensor:
    """Features (N, D) in two dimensions, (N, 2), each from 0 to 1."""
    centred = (x - x.mean(0)).double()
    if method == "PCA":
        places = centred @ torch.linalg.svd(centred, full_matrices=False)[2][:2].T
    else:
        from sklearn.manifold import TSNE  # a second to import, for this choice alone
        places = torch.from_numpy(TSNE(random_state=0, init="pca", perplexity=min(30, (len(x) - 1) / 3))
                                  .fit_transform(centred.numpy()))
    low, high = places.min(0).values, places.max(0).values
    return (places - low) / (high - low)


def _canvas(places: Tensor, images: Sequence) -> Image.Image:
    canvas = Image.new("RGB", (CANVAS, CANVAS * 2 // 3), "white")
    for (x, y), (picture, _) in zip(places.tolist(), images, strict=True):
        small = picture.convert("RGB").resize((THUMB, THUMB))
        canvas.paste(small, (round(x * (canvas.width - THUMB)), round((1 - y) * (canvas.height - THUMB))))
    return canvas


def train_two_tasks(x: Tensor, tasks: Sequence[Tensor], weight: float, held_out: Tensor,
                    seed: int = 0) -> tuple[float, float]:
    """Accuracy on `held_out` rows of two heads over one small shared layer; the second's loss is weighted.

    Args:
        x: features (N, D).
        tasks: labels of the first and of the second task, (N,) each.
        held_out: (N,) bool, the rows that are not trained on.
    """
    torch.manual_seed(seed)
    x = (x - x[~held_out].mean(0)) / x[~held_out].std(0).clamp_min(1e-6)
    body = nn.Sequential(nn.Linear(x.shape[1], WIDTH), nn.Tanh())
    heads = nn.ModuleList(nn.Linear(WIDTH, int(labels.max()) + 1) for labels in tasks)
    optimizer = torch.optim.Adam([*body.parameters(), *heads.parameters()], lr=1e-2, weight_decay=1e-3)
    for _ in range(STEPS):
        shared = body(x[~held_out])
        first, second = (F.cross_entropy(head(shared), labels[~held_out])
                         for head, labels in zip(heads, tasks, strict=True))
        optimizer.zero_grad()
        (first + weight * second).backward()
        optimizer.step()
    with torch.no_grad():
        shared = body(x[held_out])
        return tuple((head(shared).argmax(1) == labels[held_out]).double().mean().item()
                     for head, labels in zip(heads, tasks, strict=True))


def task_balance(x: Tensor, tasks: Sequence[Tensor], names: Sequence[str], held_out: Tensor,
                 seeds: Sequence[int] = (0, 1, 2)) -> Explorer:
    """What the weight of the second task's loss does to both: trained anew at each choice, mean of seeds."""
    weights = (0.0, 0.01, 0.1, 0.5, 1.0, 2.0, 10.0, 100.0)
    tried: dict[float, tuple[float, ...]] = {}

    def look(weight: float) -> list:
        if weight not in tried:
            runs = torch.tensor([train_two_tasks(x, tasks, weight, held_out, seed) for seed in seeds])
            tried[weight] = tuple(runs.mean(0).tolist())
        lines = [Line(name, [(max(w, 0.001), tried[w][i]) for w in sorted(tried)])
                 for i, name in enumerate(names)]
        said = " and ".join(f"{name} {share:.0%}" for name, share in zip(names, tried[weight], strict=True))
        return [Words(f"Weight 1 : {weight:g} gives {said}, mean of {len(seeds)} seeds."),
                Chart("What was tried so far", "weight of the second loss (0 is drawn at 0.001)", "accuracy",
                      lines, log_x=True, percent=True, marks=[(max(weight, 0.001), "now")])]

    return explore("Two tasks, one body", look, weight=Slider("Weight of the second loss", weights, 0.5))

"""The five strategies of lesson 07's learning curves: what its record was made by, and its lab runs again.

Pictures are 64 pixels and steps few, so that all of it takes minutes: the order of strategies is what it is
about, not the height. So that none is a straw man, fine-tuning starts from a probe's head.
"""

from __future__ import annotations

import torch
from torch import nn

from course_utils.pretrained import (
    ImageData,
    Images,
    Probe,
    evaluate,
    extract_features,
    fit,
    fit_tail,
    freeze,
    layer_groups,
    linear_probe,
    load_dataset,
    load_model,
    parameter_groups,
    replace_head,
    unfreeze,
)

MODEL, SIZE, STEPS = "efficientnet_lite0", 64, 60
Scores = tuple[float, float]        # accuracy on validation and on test


def run(dataset: str, per_class: int, strategy: str, seed: int, rate: float | None) -> Scores:
    """One run, with the pictures that the seed draws; the caller's random numbers go on as before."""
    data = load_dataset(dataset)
    with torch.random.fork_rng(devices=[]):
        return STRATEGIES[strategy](data, draw(data.train, per_class, seed), seed, rate)


def draw(images: Images, per_class: int, seed: int) -> Images:
    """So many pictures of each class, drawn with the seed."""
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed)).tolist()
    taken = []
    for label in range(len(images.classes)):
        taken += [i for i in order if images.labels[i] == label][:per_class]
    return images.subset(sorted(taken))


def epochs_for(train: Images) -> int:
    """As many as make `STEPS` steps of 32 pictures, and not less than three."""
    return max(3, round(STEPS * 32 / len(train)))


def probed(data: ImageData, train: Images, views: int) -> Probe:
    val = extract_features(load_model(MODEL), data.val, size=SIZE)
    return linear_probe(extract_features(load_model(MODEL), train, size=SIZE, views=views), val)


def extraction(data: ImageData, train: Images, seed: int, rate: None, views: int = 1) -> Scores:
    probe = probed(data, train, views)
    return probe.accuracy, probe.score(extract_features(load_model(MODEL), data.splits()[2], size=SIZE))


def augmented(data: ImageData, train: Images, seed: int, rate: None) -> Scores:
    return extraction(data, train, seed, rate, views=4)


def from_a_probe(data: ImageData, train: Images, seed: int) -> nn.Module:
    """The pretrained network with the head that a probe found for these classes."""
    torch.manual_seed(seed)
    model = replace_head(load_model(MODEL), data.classes, seed=seed)
    model.classifier = probed(data, train, 1).as_head()
    return model


def partial(data: ImageData, train: Images, seed: int, rate: float) -> Scores:
    """The last two layer groups and the head."""
    model = freeze(from_a_probe(data, train, seed))
    for group in layer_groups(model)[-3:]:
        unfreeze(group)
    optimizer = torch.optim.Adam(parameter_groups(model, rate, factor=1))
    fit_tail(model, train, glance(data), epochs=epochs_for(train), views=2 if augments(data) else 1,
             size=SIZE, seed=seed, cache=False, optimizer=optimizer, schedule="cosine")
    return scores(model, data)


def full(data: ImageData, train: Images, seed: int, rate: float) -> Scores:
    """Every layer."""
    return trained(unfreeze(from_a_probe(data, train, seed)), data, train, seed, rate, epochs_for(train))


def scratch(data: ImageData, train: Images, seed: int, rate: float) -> Scores:
    """The same architecture from random numbers, for twice as many steps."""
    torch.manual_seed(seed)
    model = replace_head(load_model(MODEL, random_init=True), data.classes, seed=seed)
    return trained(model, data, train, seed, rate, 2 * epochs_for(train))


def trained(model: nn.Module, data: ImageData, train: Images, seed: int, rate: float, epochs: int) -> Scores:
    fit(model, train, glance(data), epochs=epochs, size=SIZE, augment=augments(data), seed=seed,
        optimizer=torch.optim.Adam(model.parameters(), lr=rate), schedule="cosine")
    return scores(model, data)


def augments(data: ImageData) -> bool:
    """A mirrored digit is no digit."""
    return data.card.name != "digits"


def glance(data: ImageData) -> Images:
    """What is looked at after each epoch: it decides nothing, so few pictures do."""
    return data.val.subset(range(0, len(data.val), 20))


def scores(model: nn.Module, data: ImageData) -> Scores:
    _, val, test = data.splits()
    return evaluate(model, val, size=SIZE).accuracy, evaluate(model, test, size=SIZE).accuracy


STRATEGIES = {"feature extraction": extraction, "feature extraction, 4 views": augmented,
              "partial fine-tuning": partial, "full fine-tuning": full, "from scratch": scratch}
WITHOUT_RATE = (extraction, augmented)

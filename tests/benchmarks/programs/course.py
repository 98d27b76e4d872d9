"""The course's way to a trained model, as a learner would write it.

    python course.py FOLDER SEED {head|tail|all} EPOCHS {cpu|cuda}

The last line is JSON. The features' cache is a folder of this run's own, empty at the start.
"""

import time

began = time.perf_counter()

import json  # noqa: E402
import sys  # noqa: E402

import torch  # noqa: E402

from course_utils.pretrained import (  # noqa: E402
    evaluate,
    extract_features,
    fit,
    fit_tail,
    freeze,
    layer_groups,
    linear_probe,
    load_dataset,
    load_model,
    unfreeze,
)

imported = time.perf_counter()
MODEL = "efficientnet_lite0"
TAIL = 4        # of the last layer groups: two blocks, the convolution behind them, the head
VIEWS = 2       # augmented ones of each picture, of which every epoch draws one


def head(data, seed, epochs, device):
    """Features read once, a linear probe on them. No epochs."""
    model = load_model(MODEL).to(device)
    train, val, test = (extract_features(model, part) for part in (data.train, data.val, data.test))
    return linear_probe(train, val).score(test), len(train)


def tail(data, seed, epochs, device):
    """The frozen layers run once for each view, and the rest learns from what they give."""
    model = freeze(load_model(MODEL, data.classes)).to(device)
    groups = layer_groups(model)[-TAIL:]
    for group in groups:
        unfreeze(group)
    fit_tail(model, data.train, data.val, epochs=epochs, views=VIEWS, optimizer=adam(groups), seed=seed)
    return evaluate(model, data.test).accuracy, epochs * len(data.train)


def whole(data, seed, epochs, device):
    """Every layer learns."""
    model = unfreeze(load_model(MODEL, data.classes)).to(device)
    fit(model, data.train, data.val, epochs=epochs, optimizer=adam(layer_groups(model)), seed=seed)
    return evaluate(model, data.test).accuracy, epochs * len(data.train)


def adam(groups):
    """The rates of the textbook loop: the new head at 1e-3, all else at a tenth of it."""
    *body, top = groups
    return torch.optim.Adam([{"params": list(top.parameters()), "lr": 1e-3},
                             {"params": [p for group in body for p in group.parameters()], "lr": 1e-4}])


WAYS = {"head": head, "tail": tail, "all": whole}


def main(folder: str, seed: str, learn: str, epochs: str, device: str = "cpu") -> None:
    accuracy, pictures = WAYS[learn](load_dataset(f"folder:{folder}"), int(seed), int(epochs), device)
    print(json.dumps({"accuracy": accuracy, "import_seconds": imported - began, "pictures": pictures}))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The course's way to a trained model, as a learner would write it.

    python course.py FOLDER SEED {head|tail|all} EPOCHS

The last line is JSON. The features' cache is a folder of this run's own, empty at the start.
"""

import time

began = time.perf_counter()

import json  # noqa: E402
import sys  # noqa: E402

from course_utils.pretrained import (  # noqa: E402
    evaluate,
    extract_features,
    fit,
    layer_groups,
    linear_probe,
    load_dataset,
    load_model,
    unfreeze,
)

imported = time.perf_counter()
MODEL = "efficientnet_lite0"
TAIL = "blocks.5"       # the first group that learns when "the last two blocks" do


def head(data, seed, epochs):
    """Features read once, a linear probe on them. No epochs."""
    model = load_model(MODEL)
    train, val, test = (extract_features(model, part) for part in (data.train, data.val, data.test))
    return linear_probe(train, val).score(test), len(train)


def whole(data, seed, epochs):
    """Every layer learns, the head ten times faster."""
    model = unfreeze(load_model(MODEL, data.classes))
    import torch
    body, top = [], list(model.classifier.parameters())
    for group in layer_groups(model)[:-1]:
        body += group.parameters()
    optimizer = torch.optim.Adam([{"params": top, "lr": 1e-3}, {"params": body, "lr": 1e-4}])
    fit(model, data.train, data.val, epochs=epochs, optimizer=optimizer, seed=seed)
    return evaluate(model, data.test).accuracy, epochs * len(data.train)


WAYS = {"head": head, "all": whole}


def main(folder: str, seed: str, learn: str, epochs: str) -> None:
    accuracy, pictures = WAYS[learn](load_dataset(f"folder:{folder}"), int(seed), int(epochs))
    print(json.dumps({"accuracy": accuracy, "import_seconds": imported - began, "pictures": pictures}))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Fine-tuning from a probe's head, BatchNorm learning or at rest: `python tools/records/batchnorm.py`.

Three data sets, half of their training pictures drawn anew by each of three seeds, every layer trained for
sixty steps at two rates. Beside them stands the probe whose head they start from. Some twenty minutes on two
slow cores.
"""

from __future__ import annotations

from itertools import product
from statistics import mean, stdev

import torch
from _record import write_record
from torch import nn

from course_utils import paths
from course_utils.pretrained import (
    ImageData,
    Images,
    evaluate,
    extract_features,
    fit,
    linear_probe,
    load_dataset,
    load_model,
    unfreeze,
)
from course_utils.pretrained.features.probe import Probe
from course_utils.pretrained.study.plan import NOT_AUGMENTED
from course_utils.pretrained.study.strategies import BATCH, drawn, keeping_statistics, passes, with_probe

SIZES = {"digits": 32, "defects": 64, "flowers": 64}
SEEDS, STEPS, SHARE = (0, 1, 2), 60, 0.5
MODEL, RATES = "efficientnet_lite0", (1e-4, 1e-3)


def probed(data: ImageData, train: Images) -> tuple[Probe, float]:
    """A probe on the drawn pictures, and its accuracy on test."""
    train, val, test = (extract_features(load_model(MODEL), part, size=SIZES[data.card.name])
                        for part in (train, *data.splits()[1:]))
    probe = linear_probe(train, val)
    return probe, probe.score(test)


def tuned(data: ImageData, train: Images, probe: Probe, rate: float, seed: int, *, at_rest: bool) -> float:
    """Accuracy on test after one pass over `train`, from the probe's head."""
    model = unfreeze(with_probe(load_model(MODEL), data.classes, probe))
    model = keeping_statistics(model) if at_rest else model
    size, few = SIZES[data.card.name], data.val.subset(drawn(data.val, 0.1, seed=0))
    fit(model, train, few, epochs=1, size=size, batch_size=BATCH, seed=seed,
        augment=data.card.name not in NOT_AUGMENTED, schedule="cosine", optimizer=adam(model, rate))
    return evaluate(model, data.splits()[2], size=size).accuracy


def adam(model: nn.Module, rate: float) -> torch.optim.Optimizer:
    return torch.optim.Adam((p for p in model.parameters() if p.requires_grad), lr=rate)


def measure(name: str, seeds=SEEDS, steps=STEPS) -> list[dict]:
    """A row for the probe, and one for each rate and each way with BatchNorm."""
    data = load_dataset(name)
    found: dict[tuple, list[float]] = {}
    for seed in seeds:
        chosen = drawn(data.train, SHARE, seed)
        probe, accuracy = probed(data, data.train.subset(chosen))
        found.setdefault(("probe", None), []).append(accuracy)
        train = data.train.subset(passes(chosen, steps, seed))
        for rate, way in product(RATES, ("learns", "at rest")):
            accuracy = tuned(data, train, probe, rate, seed, at_rest=way == "at rest")
            found.setdefault((way, rate), []).append(accuracy)
            print(name, seed, rate, way, round(accuracy, 4), flush=True)
    return [{"dataset": name, "batchnorm": way, "rate": rate, "pictures": len(chosen),
             "accuracy": [round(one, 4) for one in accuracies], "mean": round(mean(accuracies), 4),
             "spread": round(stdev(accuracies), 4) if len(accuracies) > 1 else None}
            for (way, rate), accuracies in found.items()]


if __name__ == "__main__":
    write_record(paths.results() / "batchnorm.json", command="python tools/records/batchnorm.py", seeds=SEEDS,
                 results={"model": MODEL, "sizes": SIZES, "rates": RATES, "share": SHARE, "steps": STEPS,
                          "rows": [row for name in SIZES for row in measure(name)]})

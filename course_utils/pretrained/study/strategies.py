"""The five strategies that a study compares, from random numbers to every layer from a probe's head.

None chooses anything by the test pictures: they are opened once a run, at its end. All compute in float32, on
every machine: on pictures as small as a study's, bfloat16 is not faster.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn
from torch.utils.data import RandomSampler

from course_utils.pretrained.data.images import ImageData, Images
from course_utils.pretrained.features.extraction import Features, extract_features
from course_utils.pretrained.features.probe import Probe, linear_probe
from course_utils.pretrained.inference.evaluation import evaluate
from course_utils.pretrained.inference.metrics import Metrics, metrics_of
from course_utils.pretrained.models.freezing import freeze, unfreeze
from course_utils.pretrained.models.groups import layer_groups
from course_utils.pretrained.models.heads import find_head, replace_head
from course_utils.pretrained.models.loading import load_model
from course_utils.pretrained.study.plan import Row
from course_utils.pretrained.training.loop import fit
from course_utils.pretrained.training.partial import fit_tail

BATCH = 32
TAIL = 3            # of the last layer groups: two, and the head
VIEWS = 2           # augmented ones of each picture, for the strategy that keeps activations
PRECISION = "float32"
Outcome = tuple[Metrics, int]       # on test; and how often a picture was learned from


def probe(row: Row, data: ImageData, chosen: Sequence[int]) -> Outcome:
    """Features extracted once, and a linear probe on them. The network stays as it is."""
    model = load_model(row.backbone)
    test = features(model, row, data.splits()[2])
    return metrics_of(_probed(model, row, data, chosen).logits(test), test.y, data.classes), len(chosen)


def scratch(row: Row, data: ImageData, chosen: Sequence[int]) -> Outcome:
    """The same architecture from random numbers; every layer learns."""
    model = _fresh_head(load_model(row.backbone, random_init=True), row, data)
    return _train(model, row, data, chosen, fit, augment=row.augment)


def full(row: Row, data: ImageData, chosen: Sequence[int]) -> Outcome:
    """Every layer of the pretrained network learns but BatchNorm, with a fresh head."""
    model = keeping_statistics(_fresh_head(load_model(row.backbone), row, data))
    return _train(model, row, data, chosen, fit, augment=row.augment)


def lp_ft(row: Row, data: ImageData, chosen: Sequence[int]) -> Outcome:
    """A linear probe first; then it learns as head, with every layer but BatchNorm (Kumar et al., 2022)."""
    return _train(_on_a_probe(row, data, chosen), row, data, chosen, fit, augment=row.augment)


def partial(row: Row, data: ImageData, chosen: Sequence[int]) -> Outcome:
    """A linear probe first; then it learns as head, with the last two layer groups but for BatchNorm."""
    model = _on_a_probe(row, data, chosen)
    for group in layer_groups(model)[:-TAIL]:
        freeze(group)
    return _train(model, row, data, chosen, fit_tail, views=VIEWS if row.augment else 1, cache=False)


STRATEGIES: dict[str, Callable[[Row, ImageData, Sequence[int]], Outcome]] = {
    "scratch": scratch, "probe": probe, "partial": partial, "full": full, "lp-ft": lp_ft}
ON_FEATURES = ("probe", "partial", "lp-ft")


def features(model: nn.Module, row: Row, images: Images) -> Features:
    """What the pretrained network sees in pictures; kept in files, so that all runs share them."""
    return extract_features(model, images, size=row.size, precision=PRECISION)


def drawn(images: Images, share: float, seed: int) -> list[int]:
    """Positions of a share of every class, at least one picture; a larger share holds the smaller one."""
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed)).tolist()
    chosen: list[int] = []
    for label in range(len(images.classes)):
        own = [position for position in order if images.labels[position] == label]
        chosen += own[:max(1, round(share * len(own)))]
    return sorted(chosen)


def _probed(model: nn.Module, row: Row, data: ImageData, chosen: Sequence[int]) -> Probe:
    """A probe on the drawn pictures. Features of all are extracted, for they serve every share and seed."""
    whole = features(model, row, data.train)
    part = Features(whole.x[list(chosen)], whole.y[list(chosen)], tuple(whole.paths[i] for i in chosen),
                    whole.classes)
    return linear_probe(part, features(model, row, data.val))


def _on_a_probe(row: Row, data: ImageData, chosen: Sequence[int]) -> nn.Module:
    """The pretrained network with a probe as its head, all of it learning but BatchNorm."""
    model = load_model(row.backbone)
    return keeping_statistics(unfreeze(with_probe(model, data.classes, _probed(model, row, data, chosen))))


def with_probe(model: nn.Module, classes: Sequence[str], probe: Probe) -> nn.Module:
    """The model with a probe as its head."""
    model = replace_head(model, classes)
    model.get_submodule(find_head(model)).load_state_dict(probe.as_head().state_dict())
    return model


def keeping_statistics(model: nn.Module) -> nn.Module:
    """BatchNorm as pretraining left it; `fit` keeps in eval mode what is frozen.

    With the statistics of each batch, pictures far from ImageNet come out otherwise than the head and the
    layers behind know them, and a short training is not enough to learn that anew.
    """
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            freeze(module)
    return model


def _train(model: nn.Module, row: Row, data: ImageData, chosen: Sequence[int], learn: Callable,
           **options: object) -> Outcome:
    """Train what is not frozen by `learn`, which is `fit` or `fit_tail`, and evaluate.

    Raises:
        KeyboardInterrupt: somebody stopped it. `fit` keeps what is done, but half a training is no result.
    """
    train = data.train.subset(passes(chosen, row.steps, row.seed))
    history = learn(model, train, _glance(data), epochs=1, size=row.size, batch_size=BATCH,
                    seed=row.seed, precision=PRECISION, optimizer=_adam(model, row), schedule="cosine",
                    **options)
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    found = evaluate(model, data.splits()[2], size=row.size, precision=PRECISION)
    return found, len(train)


def _fresh_head(model: nn.Module, row: Row, data: ImageData) -> nn.Module:
    return unfreeze(replace_head(model, data.classes, seed=row.seed))


def _adam(model: nn.Module, row: Row) -> torch.optim.Optimizer:
    # fused: on one thread and small pictures, else a fifth of a step
    return torch.optim.Adam((p for p in model.parameters() if p.requires_grad), lr=row.rate, fused=True)


def passes(chosen: Sequence[int], steps: int, seed: int) -> list[int]:
    """The drawn pictures, pass after pass, as many as so many steps take.

    So a smaller share of the data means the same training on fewer pictures, each of them more often.
    """
    order = RandomSampler(chosen, num_samples=steps * BATCH, generator=torch.Generator().manual_seed(seed))
    return [chosen[position] for position in order]


def _glance(data: ImageData) -> Images:
    """What `fit` looks at at its end. It decides nothing here, so few pictures do."""
    return data.val.subset(drawn(data.val, 0.1, seed=0))

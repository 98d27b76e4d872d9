"""From a folder of one's own pictures to a model that others can use, in one call."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from course_utils.errors import CourseError
from course_utils.pretrained.audit.auditing import Audit, audit_folder
from course_utils.pretrained.data.images import ImageData, Images
from course_utils.pretrained.features.extraction import extract_features
from course_utils.pretrained.features.probe import Probe, linear_probe
from course_utils.pretrained.features.similarity import measure_similarity
from course_utils.pretrained.inference.metrics import Metrics, metrics_of
from course_utils.pretrained.models.freezing import freeze, unfreeze
from course_utils.pretrained.models.groups import layer_groups
from course_utils.pretrained.models.heads import find_head
from course_utils.pretrained.models.loading import load_model
from course_utils.pretrained.saving.export import FORMATS, Export, export
from course_utils.pretrained.saving.facts import versions
from course_utils.pretrained.study.strategies import TAIL, keeping_statistics, with_probe
from course_utils.pretrained.training.loop import fit
from course_utils.pretrained.training.partial import fit_tail
from course_utils.pretrained.training.strategy import (
    AUGMENTED,
    BUDGETS,
    DEPTH,
    DOMAIN,
    EXTRACTION,
    FULL,
    PARTIAL,
    Recommendation,
    recommend_strategy,
)

VIEWS, EPOCHS, PATIENCE = 5, 8, 2
MODEL = "model"                             # the folder in `out` that is handed on
RATES = {PARTIAL: 3e-4, FULL: 1e-4}         # Adam's, from a probe's head
# What competes with a plain probe where the advice is that, or weights of the pictures' own domain, which are
# not here.
INSTEAD = {EXTRACTION: (PARTIAL,), DOMAIN: (AUGMENTED, PARTIAL)}
Say = Callable[[str], object]


@dataclass(frozen=True, eq=False)
class OwnModel:
    """What became of a folder of pictures."""

    audit: Audit
    data: ImageData
    similarity: float | None            # to the pictures of pretraining; None where the network cannot tell
    recommendation: Recommendation
    tried: dict[str, float]             # accuracy on validation by strategy
    chosen: str                         # the better one on validation; of equals the simpler
    model: nn.Module
    size: int | None                    # pixels of the prepared pictures; None is that of the weights
    scores: Tensor                      # (N, classes) of the model on the test pictures, before softmax
    metrics: Metrics                    # on test, opened once
    export: Export
    report: str                         # path of the page that tells all this


def study_folder(path: str | os.PathLike, out: str | os.PathLike, *, model: str = "efficientnet_lite0",
                 size: int | None = None, budget: str = "medium", seed: int = 0, formats=FORMATS,
                 say: Say = print) -> OwnModel:
    """Audit a folder, split it without leaks, train, test once, and write model, card and report into `out`.

    A linear probe is always tried, and what `recommend_strategy` says for so many pictures of such a kind, or
    partial fine-tuning where that is the probe itself, as far as `budget` pays for it. The better one on
    validation is tested and exported. Training goes on where it was stopped; nothing in `path` is changed.

    Args:
        path: a folder for each class, or train, val and test with those inside.
        model: as for `load_model`.
        size: pixels of the prepared pictures; None is what the weights were trained for.
        budget: "low", "medium" or "high", as for `recommend_strategy`.
        say: told what is going on, a line each.
    Raises:
        BadData: nothing can be learned from the folder. UnknownName, WeightsUnavailable: no such model here.
        CourseError: `out` is inside the folder of pictures, or cannot be written.
        KeyboardInterrupt: somebody stopped it; half a training is not tested.
    """
    from course_utils.pretrained.study.own_report import write_own_report  # brings matplotlib

    out = _place(path, out)
    network = load_model(model)
    say(f"Looking through {path} …")
    audit = audit_folder(path)
    say(str(audit))
    data = audit.propose_split(seed=seed)
    say(f"\n{data}")
    similarity = _similarity(network, data.train, size)
    advice = recommend_strategy(round(len(data.train) / len(data.classes)),
                                "different" if similarity is None else similarity, budget=budget)
    said = "cannot be measured with this network" if similarity is None else f"{similarity:.2f}"
    say(f"\nSimilarity to the pictures of pretraining: {said}\n{advice}\n")
    trained, tried = {}, {}
    for strategy in _to_try(advice, budget):
        say(f"Trying {strategy} …")
        trained[strategy], tried[strategy] = _train(strategy, model, data, out, size, seed)
        say(f"  {tried[strategy]:.1%} of the validation pictures")
    chosen = max(tried, key=tried.get)          # the first of equals, which is the simpler
    test = data.test
    scores = scores_of(trained[chosen], test, size)
    metrics = metrics_of(scores, torch.tensor(test.labels), data.classes)
    say(f"\n{chosen} is taken. On test, opened once: {metrics}")
    files = export(trained[chosen], out / MODEL, formats=formats, data=data, metrics=metrics, size=size)
    found = OwnModel(audit, data, similarity, advice, tried, chosen, trained[chosen], size, scores, metrics,
                     files, str(out / "report.html"))
    write_own_report(found)
    say(f"\n{files}\nReport: {found.report}")
    return found


def scores_of(model: nn.Module, images: Images, size: int | None = None) -> Tensor:
    """What a classifier gives for pictures, (N, classes) before softmax, in their order."""
    seen = extract_features(model, images, size=size, cache=False)
    with torch.inference_mode():
        return model.get_submodule(find_head(model))(seen.x)


def _place(path: str | os.PathLike, out: str | os.PathLike) -> Path:
    """Where to write: never among the learner's pictures."""
    folder, out = Path(path).expanduser().resolve(), Path(out).expanduser().resolve()
    if any(place.resolve().is_relative_to(folder) for place in (out, out / MODEL)):
        raise CourseError(f"What is written to '{out}' would lie inside the folder of pictures, which stays "
                          f"as it is. Name a place beside it: {folder.parent / (folder.name + '_study')}")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CourseError(f"'{out}' cannot be made: {error.strerror}. Name another place.") from None
    return out


def _to_try(advice: Recommendation, budget: str) -> list[str]:
    """A plain probe and a rival, as far as the budget pays for it."""
    rivals = INSTEAD.get(advice.strategy, (advice.strategy,))
    return [EXTRACTION, *(rival for rival in rivals if DEPTH[rival] <= DEPTH[BUDGETS[budget]])]


def _similarity(network: nn.Module, images: Images, size: int | None) -> float | None:
    """By the BatchNorms; a network without any cannot tell."""
    if not any(isinstance(module, nn.BatchNorm2d) for module in network.modules()):
        return None
    return measure_similarity(network, images, size=size)


def _train(strategy: str, name: str, data: ImageData, out: Path, size: int | None,
           seed: int) -> tuple[nn.Module, float]:
    """A model trained so, and its accuracy on the validation pictures."""
    model = load_model(name)
    probe = _probe(model, data, size, VIEWS if strategy == AUGMENTED else 1)
    model = with_probe(model, data.classes, probe)
    if strategy in RATES:
        # another model, size or seed, other pictures or another version of a library are another run
        pictures = data.train.fingerprint, data.val.fingerprint
        run = hashlib.sha256(repr((name, size, seed, pictures, versions())).encode()).hexdigest()[:12]
        checkpoint = out / f"{strategy.replace(' ', '_')}_{run}.pt"
        _fine_tune(model, strategy, data, size, checkpoint, seed)
        right = scores_of(model, data.val, size).argmax(dim=1) == torch.tensor(data.val.labels)
        return model, right.double().mean().item()
    return model, probe.accuracy


def _probe(model: nn.Module, data: ImageData, size: int | None, views: int) -> Probe:
    train = extract_features(model, data.train, size=size, views=views)
    return linear_probe(train, extract_features(model, data.val, size=size))


def _fine_tune(model: nn.Module, strategy: str, data: ImageData, size: int | None, checkpoint: Path,
               seed: int) -> None:
    """From the probe's head on, until validation gets no better; `checkpoint` keeps what is done."""
    keeping_statistics(unfreeze(model))
    for group in layer_groups(model)[:-TAIL] if strategy == PARTIAL else []:
        freeze(group)
    optimizer = torch.optim.Adam((p for p in model.parameters() if p.requires_grad), lr=RATES[strategy])
    options = {"epochs": EPOCHS, "size": size, "optimizer": optimizer, "patience": PATIENCE, "seed": seed,
               "checkpoint": checkpoint, "resume": True}
    if strategy == PARTIAL:
        history = fit_tail(model, data.train, data.val, views=VIEWS, **options)
    else:
        history = fit(model, data.train, data.val, **options)
    if history.stopped == "interrupted":
        raise KeyboardInterrupt         # `fit` keeps what is done; the same call goes on from there

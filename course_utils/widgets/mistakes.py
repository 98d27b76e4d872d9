"""mistake_lab: what Lite0 sees and says with one mistake, and what each mistake was measured to cost."""

from __future__ import annotations

import copy
import json
from functools import cache, partial
from statistics import mean

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from course_utils import paths
from course_utils.pretrained import load_model
from course_utils.teaching.exhibits import Bars, Exhibit, Picture, Pictures, Table, Words
from course_utils.widgets.explorer import Choice, Explorer, Upload, explore
from course_utils.widgets.wrong_steps import MISTAKES, Mistake

MODEL, RECORD = "efficientnet_lite0", "mistakes.json"
PHOTOGRAPHS = {"cat": "chelsea", "coffee": "coffee", "rocket": "rocket", "astronaut": "astronaut"}
COLUMNS = {"mistake": "name", "daisies named": "named", "probe, mistake at the test only": "deployed",
           "probe, mistake in training too": "throughout"}


def mistake_lab() -> Explorer:
    """One mistake of preparing or running beside the right way, on a photograph; and its cost on many.

    Raises:
        OSError: the record is not there. `python tools/records/mistakes.py` measures it.
    """
    record = json.loads((paths.results() / RECORD).read_text(encoding="utf-8"))
    return explore("One mistake at a time", partial(_look, record),
                   mistake=Choice("Mistake", {one.name: one for one in MISTAKES}, MISTAKES[1]),
                   photograph=Choice("Photograph", list(PHOTOGRAPHS)),
                   own=Upload("Or a picture of yours", instead_of="photograph"))


def _look(record: dict, mistake: Mistake, photograph: str, own: Image.Image | None) -> list[Exhibit]:
    picture = _photograph(photograph) if own is None else own
    alt = f"The {photograph}" if own is None else "Your picture"
    pictures, bars = [], []
    for one, title in ((MISTAKES[0], "the right way"), (mistake, mistake.name)):
        view = one.prepare(_model().course_weights, picture)
        pictures.append(Picture.of(_visible(view), title, f"{alt}, {title}"))
        bars.append(Bars(f"Top five, {title}", _top_five(view, one.train_mode)))
    return [Words(mistake.says), Pictures("What the network is given, on the scale that its weights expect",
                                          pictures, width=224), *bars, _measured(record, mistake)]


@cache
def _model() -> nn.Module:
    return load_model(MODEL)


def _photograph(name: str) -> Image.Image:
    from skimage import data  # half a second that only pictures need
    return Image.fromarray(getattr(data, PHOTOGRAPHS[name])())


def _visible(view: Tensor) -> Image.Image:
    """Numbers (3, H, W) back to colours; what lies beyond black or white becomes black or white."""
    weights = _model().course_weights
    mean, std = (torch.tensor(numbers)[:, None, None] for numbers in (weights.mean, weights.std))
    colours = (view * std + mean).clamp(0, 1).permute(1, 2, 0)                   # (H, W, 3)
    return Image.fromarray((colours * 255).numpy().astype(np.uint8))


def _top_five(view: Tensor, train_mode: bool) -> list[tuple[str, float, str]]:
    trial = copy.deepcopy(_model()).train(train_mode)          # train mode changes statistics
    with torch.inference_mode():
        best = trial(view[None])[0].softmax(dim=0).topk(5)
    return [(trial.course_classes[index], share, f"{share:.1%}")
            for share, index in zip(best.values.tolist(), best.indices.tolist(), strict=True)]


def _measured(record: dict, mistake: Mistake) -> Table:
    """What the record says of every mistake; the chosen one is marked."""
    found = record["results"]
    seeds = ", ".join(map(str, record["seeds"]))
    title = (f"On photographs of flowers: the share of {found['daisies']} daisies that Lite0 names, and the "
             f"accuracy of a five-class probe on {found['test']} test photographs; mean (lowest … highest) "
             f"over seeds {seeds}. Recorded by: {record['command']}")
    rows = [[_cell(row[key]) for key in COLUMNS.values()] for row in found["mistakes"]]
    chosen = [number for number, row in enumerate(found["mistakes"]) if row["id"] == mistake.id]
    return Table(title, list(COLUMNS), rows, marked=chosen)


def _cell(found: str | list[float]) -> str:
    """A name as it is; shares as their mean, with the spread where there is one."""
    if isinstance(found, str):
        return found
    low, high = min(found), max(found)
    return f"{mean(found):.1%}" if low == high else f"{mean(found):.1%} ({low:.1%} … {high:.1%})"

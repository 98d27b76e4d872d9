"""loader_switch: one wish put to torchvision, timm or torch.hub, in code that is run as it is shown.

What would need a download is not run: `load_model` is asked for it instead, with the network switched off.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import torch

from course_utils import paths
from course_utils.errors import WeightsUnavailable
from course_utils.pretrained import load_model
from course_utils.pretrained.models.loading import kept
from course_utils.teaching.exhibits import Exhibit, Words
from course_utils.widgets.explorer import Choice, Explorer, explore
from course_utils.widgets.loader_code import LIBRARIES, MODELS, STEPS, snippet

NOWHERE = "http://127.0.0.1:9"       # a port of this machine at which nobody listens


def loader_switch() -> Explorer:
    """Choose a library, an architecture, its weights and a step: what to type, and what it gives here."""
    return explore("One wish, three libraries", _look, library=Choice("Library", LIBRARIES),
                   model=Choice("Architecture", list(MODELS)),
                   newer=Choice("Weights", {"the older": False, "the newer": True}, True),
                   step=Choice("Step", STEPS))


def _look(library: str, model: str, newer: bool, step: str) -> list[Exhibit]:
    wish = snippet(library, model, newer, step)
    shown = _lines("You type:" if wish.runs else "You type, with a network:", wish.code)
    if wish.runs:
        shown += _lines("It prints:", _printed(wish.code))
    if wish.weights:
        shown += _asked_without_network(wish.weights)
    return [*shown, Words(wish.remark)] if wish.remark else shown


def _lines(title: str, text: str) -> list[Exhibit]:
    """Code or output, line by line."""
    return [Words(title), *(Words(f"`{line.rstrip()}`") for line in text.splitlines() if line.strip())]


def _printed(code: str) -> str:
    """What `code`, one of this course's own snippets, prints."""
    with tempfile.TemporaryDirectory() as home, torch.random.fork_rng(devices=[]):
        fetched = Path(home, "hub", "this_course_here")
        fetched.mkdir(parents=True)
        shutil.copy(paths.repository() / "hubconf.py", fetched)
        with _environment(TORCH_HOME=home), redirect_stdout(io.StringIO()) as out, \
                redirect_stderr(io.StringIO()):
            exec(compile(code, "<loader_switch>", "exec"), {})
    return out.getvalue()


def _asked_without_network(weights: str) -> list[Exhibit]:
    """What `load_model` says of weights that are not on this machine, as it would be without a network."""
    line = f"`load_model(\"{weights}\")`"
    if file := kept(weights).file:
        return [Words(f"These weights are on this machine: {line} reads them from {file}.")]
    off = dict.fromkeys(("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"), NOWHERE)
    with _environment(no_proxy="", NO_PROXY="", **off):
        try:
            load_model(weights)
        except WeightsUnavailable as error:
            said = str(error)
        else:                       # a cache that `kept` does not know
            return [Words(f"These weights are on this machine: {line} loads them.")]
    return [Words(f"They are not on this machine. With the network switched off, {line} raises "
                  "`WeightsUnavailable`:"), Words(said)]


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """Other environment variables inside; outside they are what they were."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value

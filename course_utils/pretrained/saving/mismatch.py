"""Why saved weights do not fit a model, in words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from torch import Tensor, nn

from course_utils.errors import CourseError, or_none
from course_utils.pretrained.models.heads import find_head

REBUILD = "or leave the model out, load_checkpoint(path), and it is built as it was saved."


def check_fits(state: dict[str, Tensor], about: dict, model: nn.Module, path: Path) -> None:
    """Refuse weights with other names or shapes than the model's; nothing is changed.

    Raises:
        CourseError: the head was saved with dropout and has none here, or the other way round; it has another
            number of classes; or it is another architecture.
    """
    here = model.state_dict()
    missing, extra = here.keys() - state.keys(), state.keys() - here.keys()
    wrong = [name for name in here if name in state and state[name].shape != here[name].shape]
    if not missing and not extra and not wrong:
        return
    width = next((state[name].shape[0] for name in (*sorted(extra), *wrong) if state[name].ndim), None)
    if extra and missing == set(map(_without_dropout, extra)):
        dropout = (about.get("head") or {}).get("dropout") or 0.5
        raise CourseError(
            f"{path} holds a head saved as Sequential(Dropout, Linear), {min(extra)}; the head here is a "
            f"bare Linear, {min(missing)}. Give the model the same head first, replace_head(model, {width}, "
            f"dropout={dropout}); {REBUILD}")
    if missing and extra == set(map(_without_dropout, missing)):
        raise CourseError(
            f"{path} holds a head saved as a bare Linear, {min(extra)}; the head here is Sequential(Dropout, "
            f"Linear), {min(missing)}. Give the model the same head first, replace_head(model, {width}); "
            f"{REBUILD}")
    if not missing and not extra and set(wrong) <= _head_names(model):
        names = f", {', '.join(about['classes'][:5])} …" if about.get("classes") else ""
        raise CourseError(f"{path} was saved for {width} classes{names}; the model here has "
                          f"{here[wrong[0]].shape[0]}. Type replace_head(model, {width}) first; {REBUILD}")
    saved = about.get("architecture") or about.get("type") or "another model"
    raise CourseError(
        f"The weights in {path} are those of {saved} and do not fit this {type(model).__name__}: of its "
        f"{len(here)} names, {len(missing)} are missing there{_such_as(missing)} and {len(wrong)} have "
        f"another shape{_such_as(wrong)}; {len(extra)} names there are unknown here{_such_as(extra)}.")


def _without_dropout(name: str) -> str:
    """fc.weight for fc.1.weight: a Linear behind a Dropout stands at position 1."""
    return re.sub(r"\.1\.(weight|bias)$", r".\1", name)


def _head_names(model: nn.Module) -> set[str]:
    head = or_none(find_head, model)
    return set() if head is None else {f"{head}.weight".lstrip("."), f"{head}.bias".lstrip(".")}


def _such_as(names: Iterable[str]) -> str:
    return f" ({', '.join(sorted(names)[:2])} …)" if names else ""

"""The model zoo as a table: one row for each set of weights, and choosing among them."""

from __future__ import annotations

import math
from operator import eq, ge, le
from typing import TYPE_CHECKING

from course_utils.errors import CourseError, unknown_name
from course_utils.pretrained.models.bundled import BUNDLED
from course_utils.pretrained.models.libraries import (
    MIB,
    TIMM,
    file_in_hub,
    file_of_timm,
    known_timm,
    known_torchvision,
    licence_of,
    torchvision_names,
    weights_named,
)
from course_utils.pretrained.models.published import counted, names_with, published
from course_utils.pretrained.models.weights import Weights

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_FIRST = ("top1", "top5", "year", "bundled", "available")     # other columns begin with the least


def catalogue(*, family: str | None = None, source: str | None = None, bundled: bool | None = None,
              available: bool | None = None, min_top1: float | None = None,
              max_params_m: float | None = None, max_gflops: float | None = None,
              sort: str | None = None) -> DataFrame:
    """One row for each set of weights: the bundled ones, torchvision's, and those of timm's the course names.

    Nothing is built or downloaded: figures are the libraries' own; what none tells stands in
    data/weights.csv with its source. timm has some 1,800 more: `timm.list_pretrained()`.

    Args:
        family, source: only these, as "ResNet" or "timm".
        bundled, available: True for those only, False for the others only.
        min_top1, max_params_m, max_gflops: bounds on the columns of those names.
        sort: a column: best accuracy, newest, or smallest first. None is the bundled ones, then by top1.

    Columns:
        name, source, family, architecture: `load_model(name)` loads it.
        top1, top5: per cent of ImageNet's validation pictures, at `input_size`, as published.
        params_m: parameters, in millions.
        gflops: multiply–adds for one picture, in billions, as torchvision and most papers count. A counter
            of single operations, such as torch's, gives twice as much: never mix the two.
        size_mb: the file, in MiB; for timm's, what float32 takes.
        input_size, mean, std: how pictures are prepared (see `preprocessing`).
        licence, year: of the weights; of the architecture's first publication. Of a family that the course
            does not know, family is empty and year NaN.
        bundled: came with the installation. available: on this machine now.
        reference: where the recipe or the figures stand.

    Raises:
        UnknownName: no such family, source or column; the nearest is given.
    """
    from pandas import DataFrame  # half a second that only this table needs

    rows = [_bundled_row(name) for name in BUNDLED]
    rows += [_torchvision_row(name) for names in torchvision_names().values() for name in names]
    rows += [_timm_row(name) for name in names_with("top1", TIMM)]
    table = DataFrame(rows)
    fits = table["name"].notna()
    for column, wanted in (("family", family), ("source", source)):
        if wanted is not None:
            known = {value.lower(): value for value in table[column].unique()}
            if str(wanted).lower() not in known:
                raise unknown_name(column, wanted, known.values())
            fits &= table[column] == known[str(wanted).lower()]
    for column, wanted, meets in (("bundled", bundled, eq), ("available", available, eq),
                                  ("top1", min_top1, ge), ("params_m", max_params_m, le),
                                  ("gflops", max_gflops, le)):
        if wanted is not None:
            if isinstance(wanted, bool) != (meets is eq) or not isinstance(wanted, (int, float)):
                needs = "True or False" if meets is eq else "a number"
                raise CourseError(f"For {column}, catalogue needs {needs}, but got {wanted!r}.")
            fits &= meets(table[column], wanted)
    columns = ["bundled", "top1"] if sort is None else [_need_column(table, sort)]
    return table[fits].sort_values(columns, ascending=[column not in MOST_FIRST for column in columns],
                                   ignore_index=True, kind="stable")


def _bundled_row(name: str) -> dict:
    file = BUNDLED[name]
    return _row(weights_named(name), **_published_accuracy(name), **_counted_cost(name),
                size_mb=file.size / MIB, available=file.path is not None,
                reference=published(name, "reference"))


def _torchvision_row(name: str) -> dict:
    member = known_torchvision(name)
    meta = member.meta
    accuracy = meta["_metrics"]["ImageNet-1K"]
    return _row(weights_named(name), top1=accuracy["acc@1"], top5=accuracy["acc@5"],
                params_m=meta["num_params"] / 1e6, gflops=meta["_ops"], size_mb=meta["_file_size"],
                available=file_in_hub(member.url) is not None, reference=meta["recipe"])


def _timm_row(name: str) -> dict:
    cfg, cost = known_timm(name), _counted_cost(name)
    return _row(weights_named(name), **_published_accuracy(name), **cost,
                size_mb=cost["params_m"] * 4e6 / MIB, available=file_of_timm(cfg) is not None,
                reference=f"https://huggingface.co/{cfg.hf_hub_id}")


def _published_accuracy(name: str) -> dict[str, float]:
    return {column: float(published(name, column)) for column in ("top1", "top5")}


def _counted_cost(name: str) -> dict[str, float]:
    cost = counted(name)
    return {"params_m": cost["parameters"] / 1e6, "gflops": cost["multiply_adds"] / 1e9}


def _row(weights: Weights, **figures) -> dict:
    family, year = (published(weights.architecture, column) for column in ("family", "year"))
    return {"name": weights.name, "source": weights.source, "family": family,
            "architecture": weights.architecture,
            **{column: figures[column] for column in ("top1", "top5", "params_m", "gflops", "size_mb")},
            "input_size": weights.input_size, "mean": weights.mean, "std": weights.std,
            "licence": licence_of(weights), "year": int(year) if year else math.nan,
            "bundled": weights.source == "bundled", "available": figures["available"],
            "reference": figures["reference"]}


# Choosing ---------------------------------------------------------------------------------------------

def pareto(table: DataFrame, *, cost: str = "gflops", worth: str = "top1") -> DataFrame:
    """The rows of a catalogue that nothing beats: whatever costs as little or less is worth less.

    Args:
        cost, worth: columns; less of the one and more of the other is better.
    Returns:
        The cheapest first; each row is worth more than the one before.
    Raises:
        UnknownName: the table has no such column; the nearest is given.
    """
    columns = [_need_column(table, column) for column in (cost, worth)]
    order = table.dropna(subset=columns).sort_values(columns, ascending=[True, False])
    return order[~(order[worth] <= order[worth].cummax().shift())].reset_index(drop=True)


def _need_column(table: DataFrame, column: object) -> str:
    """`column`, if the table has it; otherwise an error that names the nearest."""
    if column not in list(table):
        raise unknown_name("column", column, table)
    return column

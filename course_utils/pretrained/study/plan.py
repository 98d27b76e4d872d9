"""What a study consists of: rows, each of which says all that one run depends on."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from numbers import Integral, Real

from course_utils.errors import CourseError, unknown_name
from course_utils.pretrained.data.preparing import SMALLEST

# What every strategy does stands in strategies.py. Rates are for twenty steps on small pictures: where layers
# are fine-tuned, the best on validation of those tried. A study of your own may need others.
RATES = {"scratch": 3e-3, "probe": 0.0, "partial": 1e-4, "full": 3e-4, "lp-ft": 3e-5}
SIZE = 64                           # pixels: small, so that a study of a hundred runs takes minutes
SIZES = {"digits": 32, "defects": 48}       # digits have 8
STEPS = 20
NOT_AUGMENTED = ("digits",)         # a mirrored digit is no digit


@dataclass(frozen=True, order=True)
class Row:
    """One run of a study. The same row gives the same result, wherever and whenever it runs."""

    seed: int
    share: float          # of the training pictures of each class, above 0, up to 1
    dataset: str          # as for load_dataset
    backbone: str         # as for load_model
    strategy: str         # one of RATES
    size: int             # pixels of the prepared pictures
    steps: int            # of 32 pictures, where layers are trained
    rate: float           # Adam's; 0 where nothing has one
    augment: bool

    @property
    def key(self) -> str:
        """A text that no other row has."""
        return json.dumps(asdict(self), sort_keys=True)

    def __str__(self) -> str:
        return (f"{self.strategy} on {self.dataset}, {self.share:.0%} of the pictures, {self.backbone}, "
                f"seed {self.seed}")

    @classmethod
    def from_dict(cls, said: Mapping) -> Row:
        """The row of what `asdict` made.

        Raises:
            ValueError: something is missing, left over, or of another type.
        """
        kinds = {"int": int, "float": int | float, "str": str, "bool": bool}
        if not isinstance(said, Mapping) or set(said) != {field.name for field in fields(cls)}:
            raise ValueError("not the fields of a run")
        for field in fields(cls):
            value, kind = said[field.name], kinds[field.type]
            if not isinstance(value, kind) or isinstance(value, bool) != (kind is bool):
                raise ValueError(f"{field.name} is {value!r}")
        return cls(**said)


def grid(*, datasets: Iterable[str], backbones: Iterable[str], strategies: Iterable[str],
         shares: Iterable[float], seeds: Iterable[int], size: int | Mapping[str, int], steps: int,
         rates: Mapping[str, float],
         not_augmented: Iterable[str]) -> list[Row]:
    """Every combination, seed after seed, so that what is done so far is whole curves, not half of each.

    Raises:
        UnknownName: a strategy that there is not; the nearest are given.
        CourseError: a list that is empty or names something twice, or a number out of its range.
    """
    seeds, shares = _listed("seeds", seeds, int), _listed("shares", shares, float)
    datasets, backbones = _listed("datasets", datasets, str), _listed("backbones", backbones, str)
    strategies = _listed("strategies", strategies, str)
    for strategy in [*strategies, *rates]:
        if strategy not in RATES:
            raise unknown_name("strategy", strategy, RATES)
    if wrong := [share for share in shares if not 0 < share <= 1]:
        raise CourseError(f"shares are parts of the training pictures, above 0 and up to 1, but there is "
                          f"{wrong[0]:g}. Ten per cent is 0.1.")
    sizes = {name: size.get(name, SIZE) if isinstance(size, Mapping) else size for name in datasets}
    for name, value, least in [*(("size", side, SMALLEST) for side in sizes.values()), ("steps", steps, 1)]:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise CourseError(f"{name} is a whole number from {least} up, but got {value!r}.")
    rates, plain = RATES | dict(rates), set(not_augmented)
    for strategy, rate in rates.items():
        if not math.isfinite(rate) or rate < 0:
            raise CourseError(f"The rate of {strategy} is a number from 0 up, such as 0.001, but got "
                              f"{rate!r}.")
    return [Row(seed, float(share), dataset, backbone, strategy, sizes[dataset], steps,
                float(rates[strategy]), dataset not in plain)
            for seed, share, dataset, backbone, strategy
            in itertools.product(seeds, shares, datasets, backbones, strategies)]


def arguments_of(rows: Sequence[Row]) -> dict[str, object]:
    """What to give `grid`, or `Study`, to get these rows."""
    def listed(name: str) -> list:
        return list(dict.fromkeys(getattr(row, name) for row in rows))

    return {"datasets": listed("dataset"), "backbones": listed("backbone"), "strategies": listed("strategy"),
            "shares": listed("share"), "seeds": listed("seed"), "steps": rows[0].steps,
            "size": {row.dataset: row.size for row in rows},
            "rates": {row.strategy: row.rate for row in rows},
            "not_augmented": list(dict.fromkeys(row.dataset for row in rows if not row.augment))}


def _listed(name: str, given: Iterable, kind: type) -> Sequence:
    """What was given as a list of one kind, each thing once."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise CourseError(f"{name} is a list, such as [{given!r}], but got {given!r}.")
    found, fits = list(given), {int: Integral, float: Real}.get(kind, kind)         # NumPy's too
    if not found:
        raise CourseError(f"{name} is empty. A study needs at least one of each.")
    for one in found:
        if isinstance(one, bool) or not isinstance(one, fits):
            words = {str: "names", int: "whole numbers", float: "numbers"}[kind]
            raise CourseError(f"{name} are {words}, but there is {one!r}.")
    if twice := [one for one in found if found.count(one) > 1]:
        raise CourseError(f"{name} has {twice[0]!r} twice.")
    return list(map(kind, found))

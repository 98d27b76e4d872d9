"""Study: a grid of runs, kept in one file."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

from tqdm.auto import tqdm

from course_utils.errors import CourseError
from course_utils.pretrained.data.datasets import load_dataset
from course_utils.pretrained.data.images import DataCard, ImageData
from course_utils.pretrained.models.loading import load_model
from course_utils.pretrained.saving.facts import versions
from course_utils.pretrained.study.plan import NOT_AUGMENTED, RATES, SIZES, STEPS, Row, arguments_of, grid
from course_utils.pretrained.study.records import Record, StudyFile
from course_utils.pretrained.study.running import Failure, digest, machine_in_words
from course_utils.pretrained.study.strategies import ON_FEATURES, features

if TYPE_CHECKING:       # a second to import, which trained heads should not wait for
    import pandas as pd

PRICE = 0.05        # a core and an hour, in the currency you like: an assumption, to be replaced by your own
COLUMNS = ["dataset", "backbone", "strategy", "share", "seed"]


class Study:
    """Strategies compared on the same pictures: data sets × backbones × strategies × shares × seeds.

    Each run that is done is a line of the file; `run` does what is missing, whatever stopped it before. The
    plan is in the file too: more seeds or shares can be added later under the same name.
    """

    def __init__(self, path: str | os.PathLike, *, datasets: Iterable[str] = ("digits", "defects"),
                 backbones: Iterable[str] = ("efficientnet_lite0",), strategies: Iterable[str] = tuple(RATES),
                 shares: Iterable[float] = (0.1, 0.25, 0.5, 1.0), seeds: Iterable[int] = (0, 1, 2),
                 size: int | Mapping[str, int] = SIZES, steps: int = STEPS,
                 rates: Mapping[str, float] | None = None, not_augmented: Iterable[str] = NOT_AUGMENTED,
                 question: str = "", hypothesis: str = "", price: float = PRICE):
        """
        Args:
            path: the file of the study, study.jsonl for instance; made by `run`.
            datasets: names as for `load_dataset`; backbones: names as for `load_model`.
            strategies: of "scratch", "probe", "partial", "full", "lp-ft".
            shares: parts of the training pictures; validation and test stay whole.
            seeds: decide which pictures are drawn, how a fresh head begins, and in which order pictures come.
            size: pixels of the prepared pictures, one number or one by data set; others have 64.
            steps: of 32 pictures, where layers are trained; as many for every share.
            rates: Adam's rate by strategy, where it is to be another than usual.
            not_augmented: data sets whose pictures must not be mirrored, cropped and coloured.
            question, hypothesis: what you want to know, and what you expect; they go into the report.
            price: of one core for one hour, for the estimated cost.
        Raises:
            UnknownName, CourseError: the plan cannot be meant so.
        """
        self._file = StudyFile(path)
        self.question, self.hypothesis, self.price = str(question), str(hypothesis), float(price)
        self.rows = grid(datasets=datasets, backbones=backbones, strategies=strategies, shares=shares,
                         seeds=seeds, size=size, steps=steps, rates=rates or {}, not_augmented=not_augmented)
        self.failures: list[Failure] = []       # of the last `run`

    @classmethod
    def open(cls, path: str | os.PathLike) -> Study:
        """The study that a file holds, with the plan it was last run with.

        Raises:
            CourseError: there is no such file, it holds no study, or that of another version of the course.
        """
        file = StudyFile(path)
        plan = file.read().plan
        if not plan:
            raise CourseError(f"There is no study in '{file.path}'. Make one: Study({str(path)!r}).run()")
        try:
            rows = [Row.from_dict(row) for row in plan["rows"]]
            said = {name: plan[name] for name in ("question", "hypothesis", "price")}
        except (KeyError, ValueError) as error:
            raise CourseError(f"The study in '{file.path}' was planned by another version of the course "
                              f"({error}). Plan it again under another name.") from None
        return cls(path, **arguments_of(rows), **said)

    @property
    def path(self) -> str:
        return str(self._file.path)

    def run(self, *, workers: int | None = None, scheduler: str | None = None,
            on_result: Callable[[pd.DataFrame], object] | None = None) -> pd.DataFrame:
        """Do the runs that are missing. Interrupt as you like: what is done is kept.

        Args:
            workers: processes of this machine; None is one for each core, as far as memory reaches.
            scheduler: address of a Dask scheduler, "tcp://10.0.0.1:8786"; its workers do the runs then. They
                need this course, the weights, and the same pictures.
            on_result: called with all results so far after each run, to plot them for instance.
        Returns:
            the results, as `results` gives them.
        Raises:
            UnknownName, WeightsUnavailable, CourseError: a data set or a backbone is not to be had, another
                program runs this study, or not one run could be done. Single runs that fail are printed at
                the end, stand in `failures`, and are tried again next time.
        """
        from course_utils.pretrained.study.workers import here, on_cluster  # joblib, a second to import

        with self._file.held():
            data = {name: load_dataset(name) for name in self._names("dataset")}
            for backbone in self._names("backbone"):
                load_model(backbone)            # before anything else begins: is it there?
            self._note_plan(data)
            if lost := self._file.read().unreadable:
                print(f"{lost} line{'s' * (lost > 1)} of '{self.path}' cannot be read, torn or of another "
                      "version of the course. What stood there is done again.")
            missing = self.missing()
            if not scheduler:
                self._share_features(missing, data)
            pictures = self._file.read().plan["pictures"]
            jobs = [(row, pictures[row.dataset]) for row in missing]
            self.failures = []
            if jobs:
                self._collect(on_cluster(jobs, scheduler) if scheduler else here(jobs, workers), len(jobs),
                              on_result)
        if self.failures:
            self._say_failures(len(jobs))
        return self.results()

    def missing(self) -> list[Row]:
        """The rows of the plan that have no result yet."""
        found = self._file.read()
        pictures = found.plan.get("pictures", {})
        return [row for row in self.rows if (row.key, pictures.get(row.dataset)) not in found.records]

    def records(self) -> list[Record]:
        """The results of the plan's rows on its pictures, in the order of the plan."""
        found = self._file.read()
        pictures = found.plan.get("pictures", {})
        keys = ((row.key, pictures.get(row.dataset)) for row in self.rows)
        return [found.records[key] for key in keys if key in found.records]

    def results(self) -> pd.DataFrame:
        """One line for each run that is done: its row, accuracy with its interval, loss, and what it cost."""
        import pandas as pd

        found = [asdict(record.row) | {name: value for name, value in vars(record).items() if name != "row"}
                 | {"cost": record.seconds / 3600 * self.price} for record in self.records()]
        columns = [*COLUMNS, "accuracy", "low", "high", "loss", "n_train", "n_test", "seconds", "peak_mib",
                   "images_per_second", "cost"]
        return pd.DataFrame(found, columns=columns)

    def cards(self) -> list[DataCard]:
        """What the pictures are, as noted when the study last ran."""
        return [DataCard(**card) for card in self._file.read().plan.get("cards", [])]

    def lacking(self) -> list[str]:
        """What a reader would miss before believing it, in words; nothing is said of the results."""
        from course_utils.pretrained.study.comparing import lacking  # pandas

        return lacking(self)

    def extractions(self) -> list[dict]:
        """The features that runs share: dataset, backbone, size, and the seconds it took on all cores."""
        return self._file.read().extractions

    def places(self) -> list[tuple[str, str]]:
        """Machine and versions with which it was run, each pair once."""
        found = [(plan.get("machine", "a machine unknown"),
                  ", ".join(f"{name} {version}" for name, version in plan.get("versions", {}).items()))
                 for plan, _ in self._file.read().plans]
        return list(dict.fromkeys(found))

    def runs_before_hypothesis(self) -> int:
        """How many runs were done when this hypothesis was noted; it is noted when `run` begins."""
        plans = self._file.read().plans
        return next((done for plan, done in plans if plan.get("hypothesis") == self.hypothesis),
                    len(self.records()))

    def report(self, path: str | os.PathLike) -> str:
        """Write what was found into one file: .html that needs nothing else, or .md, its charts beside it.

        Returns:
            the path of the report.
        Raises:
            CourseError: there is no result yet, or it cannot be written.
        """
        from course_utils.pretrained.study.report import write_report  # brings matplotlib

        return write_report(self, path)

    def __repr__(self) -> str:
        done = len(self.rows) - len(self.missing())
        return f"Study: {done} of {len(self.rows)} runs done, {self.path}"

    # What run is made of -----------------------------------------------------------------------------

    def _names(self, column: str) -> list[str]:
        return list(dict.fromkeys(getattr(row, column) for row in self.rows))

    def _note_plan(self, data: Mapping[str, ImageData]) -> None:
        """Write the plan down, and where it is run, unless that stands there already."""
        plan = {"question": self.question, "hypothesis": self.hypothesis, "price": self.price,
                "versions": versions(), "machine": machine_in_words(),
                "pictures": {name: digest(one) for name, one in data.items()},
                "cards": [asdict(one.card) for one in data.values()],
                "rows": [asdict(row) for row in self.rows]}
        if plan != self._file.read().plan:
            self._file.add_plan(plan)

    def _share_features(self, rows: Iterable[Row], data: Mapping[str, ImageData]) -> None:
        """Extract what several runs need, once, before they begin, and note the seconds.

        What fails here fails in each of these runs, and they say so; the others go on.
        """
        needed = {(row.dataset, row.backbone, row.size): row for row in rows if row.strategy in ON_FEATURES}
        for row in needed.values():
            with suppress(Exception):
                model, start = load_model(row.backbone), time.perf_counter()
                for images in data[row.dataset].splits():
                    features(model, row, images)
                self._file.add_extraction({"dataset": row.dataset, "backbone": row.backbone, "size": row.size,
                                           "seconds": round(time.perf_counter() - start, 1)})

    def _collect(self, results: Iterator[Record | Failure], count: int,
                 on_result: Callable[[pd.DataFrame], object] | None) -> None:
        with closing(results), tqdm(total=count, desc="Study", unit="run") as bar:
            for result in results:
                bar.update()
                if isinstance(result, Failure):
                    self.failures.append(result)
                    continue
                self._file.add(result)
                if on_result:
                    on_result(self.results())

    def _say_failures(self, count: int) -> None:
        reasons: dict[str, list[Row]] = {}
        for failure in self.failures:
            reasons.setdefault(failure.reason, []).append(failure.row)
        lines = [f"- {rows[0]}" + (f", and {len(rows) - 1} more" if len(rows) > 1 else "") + f": {reason}"
                 for reason, rows in reasons.items()]
        said = "\n".join([f"{len(self.failures)} of {count} runs could not be done:", *lines])
        if len(self.failures) == count:
            raise CourseError(said)
        print(f"{said}\nThe others are kept; run again when that is mended.")

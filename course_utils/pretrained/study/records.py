"""The file of a study: a line of JSON for each plan, each extraction of features, each run that is done."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from filelock import FileLock, Timeout

from course_utils.errors import CourseError
from course_utils.pretrained.study.plan import Row


@dataclass(frozen=True)
class Record:
    """What one run found, and what it took."""

    row: Row
    pictures: str               # digest of the data set: other pictures under the same name are other runs
    n_train: int                # pictures learned from
    n_test: int
    accuracy: float             # on test, 0 … 1
    low: float                  # Wilson's 95 % interval for these n_test pictures
    high: float
    loss: float                 # cross-entropy on test
    seconds: float              # on one core; features that runs share were extracted before
    peak_mib: int               # largest memory of the process while it ran, libraries included
    images_per_second: float    # pictures learned from, repeats counted, by all seconds

    def as_line(self) -> str:
        return json.dumps({"run": asdict(self)})

    @classmethod
    def from_dict(cls, said: Mapping) -> Record:
        """Raises ValueError where a field is missing, left over, or of another type."""
        if not isinstance(said, Mapping) or set(said) != {field.name for field in fields(cls)}:
            raise ValueError("not the fields of a record")
        for field in fields(cls)[1:]:
            kind = str if field.type == "str" else (int, float)
            if not isinstance(said[field.name], kind):
                raise ValueError(f"{field.name} is {said[field.name]!r}")
        return cls(**{**said, "row": Row.from_dict(said["row"])})


@dataclass(frozen=True)
class Contents:
    """What a study's file holds."""

    plans: list[tuple[dict, int]]       # each with the number of runs that were done before it was written
    records: dict[tuple[str, str], Record]      # by row and pictures; of two for one run the first counts
    extractions: list[dict]             # of features that several runs share: of what, and the seconds
    unreadable: int                     # lines that hold none of these

    @property
    def plan(self) -> dict:
        """The last one written; empty where there is none."""
        return self.plans[-1][0] if self.plans else {}


class StudyFile:
    """Reads, and adds to, the file of a study."""

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path).expanduser().absolute()

    def read(self) -> Contents:
        """What is there; nothing where there is no file.

        Raises:
            CourseError: it cannot be read, or it is something else.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            content = b""
        except OSError as error:
            raise CourseError(f"The study '{self.path}' cannot be read: {error.strerror}.") from None
        plans, records, extractions, unreadable = [], {}, [], []
        for line in content.splitlines():
            try:
                said = json.loads(line)
                if "plan" in said:
                    plans.append((dict(said["plan"]), len(records)))
                elif "features" in said:
                    extractions.append(dict(said["features"]))
                else:
                    record = Record.from_dict(said["run"])
                    records.setdefault((record.row.key, record.pictures), record)
            except (ValueError, TypeError, KeyError):
                unreadable += [line] if line.strip() else []
        if len(unreadable) > 1 and not (plans or records or extractions or all(map(_torn, unreadable))):
            raise CourseError(f"'{self.path}' is no study: none of its {len(unreadable)} lines is a run. "
                              "Name another file; this one was not changed.")
        return Contents(plans, records, extractions, len(unreadable))

    def add(self, record: Record) -> None:
        self._add(record.as_line())

    def add_plan(self, plan: Mapping) -> None:
        self._add(json.dumps({"plan": plan}))

    def add_extraction(self, features: Mapping) -> None:
        self._add(json.dumps({"features": features}))

    def _add(self, line: str) -> None:
        """One line, on the disk when this returns. A torn one before it is closed first.

        Raises:
            CourseError: no room, or no right to write there.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab+") as file:
                if file.tell():
                    file.seek(-1, os.SEEK_END)
                    line = line if file.read(1) == b"\n" else f"\n{line}"
                file.write(f"{line}\n".encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise CourseError(f"The study '{self.path}' cannot be written: {error.strerror}. What was in it "
                              "is still there. Make room, or name another file.") from None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else runs this study meanwhile. A process that is killed lets go.

        Raises:
            CourseError: another one does.
        """
        lock = FileLock(self.path.with_name(f".{self.path.name}.lock"))
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout:
            raise CourseError(f"Another program is running the study '{self.path}' just now. Wait until it "
                              "is done, or name another file.") from None
        except OSError as error:
            raise CourseError(f"The study '{self.path}' cannot be written: {error.strerror}. Name another "
                              "file.") from None
        try:
            yield
        finally:
            lock.release()


def _torn(line: bytes) -> bool:
    """The beginning of a line of a study: its program was killed while it wrote."""
    try:
        json.loads(line)
    except ValueError:
        return any(line.startswith(begin[:len(line)]) for begin in (b'{"plan":', b'{"run":', b'{"features":'))
    return False

"""The learner's copies of the lessons. What a learner has changed is never overwritten.

A copy counts as changed when the text of its cells differs from what was copied. Running a lesson changes
only outputs and counts: one that was run but not changed follows a newer one, and its outputs go.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from course_utils import paths
from course_utils.errors import CourseError, unknown_name
from course_utils.teaching.content import position

MANIFEST = ".course.json"
OLD = ".old"


@dataclass(frozen=True)
class Change:
    """What was done to one lesson in the work folder."""

    kind: str          # "new" | "updated" | "beside"
    lesson: str        # "05_feature_extraction"
    copy: Path         # what was written


def in_words(changes: list[Change]) -> list[str]:
    """What a learner should be told, a line each."""
    names = {kind: ", ".join(c.lesson for c in changes if c.kind == kind) for kind in ("new", "updated")}
    lines = [f"Copied to {paths.work()}: {names['new']}"] if names["new"] else []
    lines += [f"Brought up to date: {names['updated']}"] if names["updated"] else []
    return lines + [f"There is a newer {c.lesson}. Yours has changes of your own and stays as it is; the "
                    f"newer one is beside it: {c.copy.name}" for c in changes if c.kind == "beside"]


@dataclass
class Manifest:
    """By lesson, a fingerprint of what was copied last, and of what was laid beside a changed copy."""

    copied: dict[str, str] = field(default_factory=dict)
    offered: dict[str, str] = field(default_factory=dict)


def bring_up_to_date() -> list[Change]:
    """Copy lessons that are missing, renew untouched copies, lay newer lessons beside changed ones."""
    manifest = _read_manifest()
    changes = [change for lesson in shipped() if (change := _bring_up_to_date(lesson, manifest))]
    _write(paths.work() / MANIFEST, json.dumps(asdict(manifest), indent=1) + "\n")
    return changes


def _bring_up_to_date(lesson: str, manifest: Manifest) -> Change | None:
    mine, newest = paths.work() / lesson, fingerprint(paths.notebooks() / lesson)
    before, have = manifest.copied.get(lesson), fingerprint(mine) if mine.exists() else None
    if have in (None, newest, before):
        manifest.copied[lesson] = newest
        if have == newest:
            return None
        _copy(lesson, mine)
        return Change("updated" if have else "new", mine.stem, mine)
    if newest in (before, manifest.offered.get(lesson)):      # changed, and nothing newer to tell of
        return None
    beside = _free_name_beside(mine, manifest.offered.get(lesson))
    manifest.offered[lesson] = newest
    _copy(lesson, beside)
    return Change("beside", mine.stem, beside)


def _free_name_beside(mine: Path, offered: str | None) -> Path:
    """NAME.new.ipynb, or, where the learner has begun to work in that one, NAME.new-2.ipynb and so on."""
    number = 1
    while True:
        beside = mine.with_name(f"{mine.stem}.new{f'-{number}' if number > 1 else ''}.ipynb")
        if not beside.exists() or fingerprint(beside) == offered:
            return beside
        number += 1


def reset(name: str) -> tuple[Path, Path | None]:
    """Replace the copy of one lesson by a fresh one.

    Args:
        name: the lesson's name, a part of it, or its number: "05_feature_extraction", "feature", "5". Its
            folder may stand before it: "exercises/conceptual".
    Returns:
        the fresh copy, and where the old one is now, if there was one.
    Raises:
        UnknownName: there is no such lesson; the nearest are suggested.
    """
    lesson, manifest = find(name), _read_manifest()
    mine, old = paths.work() / lesson, None
    if mine.exists():
        folder = paths.work() / OLD / Path(lesson).parent
        old = _unused(folder / f"{mine.stem}-{datetime.now():%Y%m%d-%H%M%S}.ipynb")
        with _writing(old):
            folder.mkdir(parents=True, exist_ok=True)
            os.replace(mine, old)
    _copy(lesson, mine)
    manifest.copied[lesson] = fingerprint(mine)
    manifest.offered.pop(lesson, None)
    _write(paths.work() / MANIFEST, json.dumps(asdict(manifest), indent=1) + "\n")
    return mine, old


def shipped() -> list[str]:
    """The lessons that ship, as paths below notebooks/, in the course's order; others after those."""
    folder = paths.notebooks()
    found = [path.relative_to(folder) for path in folder.rglob("*.ipynb")]
    if not found:
        raise CourseError(f"There are no lessons in {folder}. To get them, type: git checkout -- notebooks")
    shown = [path for path in found if not any(part.startswith(".") for part in path.parts)]
    return [path.as_posix() for path in sorted(shown, key=lambda path: (position(path.stem), path))]


def find(name: str) -> str:
    """The lesson that `name` means: all of its name, its number, or a part that only one has."""
    known = {Path(lesson).stem: lesson for lesson in shipped()}
    name = name.removesuffix(".ipynb").rpartition("/")[2]
    if name in known:
        return known[name]
    begin = f"{int(name):02d}_" if name.isascii() and name.isdigit() else name
    matching = [stem for stem in known if stem.startswith(begin)] or [stem for stem in known if begin in stem]
    if len(matching) > 1:
        raise CourseError(f"{name!r} could be {' or '.join(matching)}. Write a little more of the name.")
    if not matching:
        raise unknown_name("lesson", name, known)
    return known[matching[0]]


def fingerprint(path: Path) -> str:
    """Tells notebooks with different cells apart. Outputs, counts, metadata and empty cells do not matter:
    running a lesson changes those."""
    content = path.read_bytes()
    try:
        cells = [(cell["cell_type"], "".join(cell["source"])) for cell in json.loads(content)["cells"]]
    except (ValueError, KeyError, TypeError):      # not a notebook any more; certainly not what was copied
        return hashlib.sha256(content).hexdigest()
    said = json.dumps([cell for cell in cells if cell[1].strip()])
    return hashlib.sha256(said.encode()).hexdigest()


def _copy(lesson: str, target: Path) -> None:
    """Copy a lesson without its outputs: the learner's own will stand there."""
    notebook = json.loads((paths.notebooks() / lesson).read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    _write(target, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


def _read_manifest() -> Manifest:
    """What was copied before. A manifest that cannot be read counts as none: then every copy that differs
    from its lesson is taken for the learner's own."""
    work = paths.work()
    if work.is_relative_to(paths.notebooks()):
        raise CourseError(f"COURSE_WORK names {work}, where the lessons themselves are. Name another folder.")
    try:
        said = json.loads((work / MANIFEST).read_text(encoding="utf-8"))
        return Manifest(copied=dict(said["copied"]), offered=dict(said["offered"]))
    except (OSError, ValueError, TypeError, KeyError):
        return Manifest()


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_text(text, encoding="utf-8", newline="\n")
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def _writing(path: Path):
    try:
        yield
    except OSError as error:
        raise CourseError(
            f"{path} cannot be written: {error.strerror}. Make room, or give yourself the right to "
            "write there, or name another folder in COURSE_WORK.") from None


def _unused(path: Path) -> Path:
    """`path`, or the first of path-2, path-3 … that does not exist."""
    stem, number = path.stem, 1
    while path.exists():
        number += 1
        path = path.with_name(f"{stem}-{number}{path.suffix}")
    return path

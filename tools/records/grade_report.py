"""How well exercises tell right from wrong: `make grade-report`, all anew with ARGS=--all.

For each exercise: its known answers, its slowest check, and the mutants of its solution that get full marks
all the same. What was measured before stays while the files it depends on do; Ctrl-C keeps what is done.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import hashlib
import inspect
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from importlib.util import resolve_name
from pathlib import Path

import pandas
import yaml
from tqdm.auto import tqdm

from course_utils import paths
from course_utils.teaching import content
from course_utils.teaching.bytecode import response_hash
from course_utils.teaching.exercises import Exercise
from course_utils.teaching.running import Printed, run
from tools import mutants
from tools.records._record import write_record

RECORD = paths.results() / "grade_report.json"
REVIEWED = paths.repository() / "tests" / "lessons" / "equivalent_mutants.yaml"
MOST = 100                  # mutants of one exercise: about a minute; beyond, a sample
MOST_EQUIVALENT = 0.1       # of them


def exercises() -> list[Exercise]:
    """Every exercise of every lesson, in order."""
    return [exercise for lesson in content.lessons() for exercise in content.load_lesson(lesson).exercises()]


def files_of(exercise: Exercise) -> list[Path]:
    """What decides about its mutants: its own file, those of the lessons it imports from, and their kinds.

    The engine is not among them. Known wrong answers hold that, and they are graded in every test run.
    """
    module = inspect.getmodule(exercise.check_list[0].function)
    names = {resolve_name("." * node.level + (node.module or ""), module.__package__)
             for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.ImportFrom)}
    helpers = [sys.modules[name] for name in sorted(names) if name.startswith("course_utils.lessons.")]
    return [Path(source.__file__) for source in (module, *helpers, mutants)]


def hash_of(files: Iterable[Path]) -> str:
    """SHA-256 of the files' contents, in this order."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def functions(exercise: Exercise) -> tuple[dict[str, Callable], int]:
    """The mutants of the solution, by what was changed, and how many more were left out to keep to `MOST`.

    Those that compile to the same as the solution, the starter or another mutant are not counted.
    """
    def compiled(source: str) -> Callable:
        names = dict(exercise.solution_function.__globals__)
        exec(compile(source, "<mutant>", "exec"), names)
        return names[exercise.starter_function.__name__]

    originals = exercise.solution_source(), exercise.starter_source()
    # laid out as a mutant's source is, because a call over several lines has other bytecode
    seen, found = {response_hash(compiled(ast.unparse(ast.parse(source)))) for source in originals}, {}
    for change, source in mutants.mutants(exercise.solution_source()):
        function = compiled(source)
        if response_hash(function) not in seen:
            seen.add(response_hash(function))
            found[change] = function
    kept = set(random.Random(0).sample(sorted(found), min(MOST, len(found))))
    return {change: found[change] for change in found if change in kept}, len(found) - len(kept)


def survivors(exercise: Exercise, tried: Iterable[tuple[str, Callable]]) -> list[str]:
    """The changes that no check finds. One that raises or never ends is found; one at which a check itself
    breaks is not."""
    alive = []
    for change, function in tried:
        verdict = exercise.grade(function)
        if verdict.outcome not in ("wrong", "partly right"):
            alive.append(change if verdict.passed else f"{change}: {verdict.outcome}")
    return alive


def slowest_check(exercise: Exercise) -> tuple[str, float]:
    """The check that takes longest on any known answer, and its seconds."""
    answers = [exercise.solution_function, *exercise.alternatives.values(),
               *(wrong.function for wrong in exercise.wrongs.values())]
    seconds = dict.fromkeys((check.name for check in exercise.check_list), 0.0)
    for check in exercise.check_list:
        for answer in answers:
            begin = time.perf_counter()
            run(partial(check.function, answer), seconds=exercise.seconds, mib=exercise.mib, seed=0,
                printed=Printed(), guard=exercise.guard)
            seconds[check.name] = max(seconds[check.name], time.perf_counter() - begin)
    return max(seconds.items(), key=lambda entry: entry[1])


def measured(exercise: Exercise) -> dict:
    """One row of the report. What mutants write without a folder's name is thrown away."""
    tried, left_out = functions(exercise)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        alive = survivors(exercise, tqdm(tried.items(), desc=exercise.id, leave=False, disable=None))
        name, seconds = slowest_check(exercise)
    return {"hash": hash_of(files_of(exercise)), "checks": len(exercise.check_list),
            "known_wrong": len(exercise.wrongs), "alternatives": len(exercise.alternatives),
            "mutants": len(tried), "left_out": left_out, "killed": len(tried) - len(alive),
            "survived": alive, "slowest_check": name, "seconds": round(seconds, 3)}


def score(row: Mapping, equivalent: Sequence[Mapping]) -> float:
    """The share of mutants that are killed, of those that do not do what the solution does."""
    known = {entry["mutant"] for entry in equivalent}
    return row["killed"] / max(row["mutants"] - len(known.intersection(row["survived"])), 1)


def complaints(row: Mapping, equivalent: Sequence[Mapping]) -> list[str]:
    """What an author must mend: `equivalent` is what was reviewed for this exercise."""
    known = [entry["mutant"] for entry in equivalent]
    found = [f"full marks for “{change}”: add the check that is missing, or show in {REVIEWED.name} that it "
             "does what the solution does" for change in row["survived"] if change not in known]
    found += [f"“{change}” is no mutant with full marks: take it out of {REVIEWED.name}"
              for change in known if change not in row["survived"]]
    if len(known) > MOST_EQUIVALENT * row["mutants"]:
        found.append(f"{len(known)} of {row['mutants']} mutants called equivalent: at most one in ten may be")
    return found


def reviewed() -> dict[str, list[dict]]:
    """Mutants that do what the solution does, by exercise: each with why, and an expression that shows it."""
    return yaml.safe_load(REVIEWED.read_text(encoding="utf-8"))


def recorded() -> dict[str, dict]:
    """The rows of the last report, by exercise."""
    return json.loads(RECORD.read_text(encoding="utf-8"))["results"] if RECORD.exists() else {}


def is_current(row: Mapping | None, exercise: Exercise) -> bool:
    """Whether the row was measured with the files as they are now."""
    return row is not None and row["hash"] == hash_of(files_of(exercise))


def table(rows: Mapping[str, Mapping], equivalent: Mapping[str, Sequence[Mapping]]) -> str:
    """The report as text, with a line for all exercises together."""
    shown = pandas.DataFrame.from_dict(rows, orient="index").drop(columns="hash")
    shown["equivalent"] = [len(equivalent.get(id, [])) for id in rows]
    counts = ["checks", "known_wrong", "alternatives", "mutants", "left_out", "killed", "equivalent"]
    slowest = shown.loc[shown["seconds"].idxmax(), ["slowest_check", "seconds"]]
    shown.loc[f"all {len(rows)} exercises"] = {**shown[counts].sum(), **slowest}
    shown["score"] = (shown["killed"] / (shown["mutants"] - shown["equivalent"])).map("{:.1%}".format)
    shown = shown[[*counts, "score", "slowest_check", "seconds"]]
    return shown.rename(columns=lambda name: name.replace("_", " ")).to_string()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="also what has not changed since the record")
    asked, shipped, before = parser.parse_args(arguments), exercises(), recorded()
    rows = {exercise.id: before.get(exercise.id) for exercise in shipped}

    def save() -> None:
        write_record(RECORD, command="make grade-report", seeds=[0],
                     results={id: row for id, row in rows.items() if row})
    try:
        for exercise in shipped:
            if asked.all or not is_current(rows[exercise.id], exercise):
                rows[exercise.id] = measured(exercise)
                save()
    except KeyboardInterrupt:
        print("Stopped. What is done is in the record; `make grade-report` goes on from there.")
        return 130
    if set(before) - set(rows):         # an exercise is gone
        save()
    known = reviewed()
    print(table(rows, known))
    wrong = [f"{id}: {words}" for id in rows for words in complaints(rows[id], known.get(id, []))]
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

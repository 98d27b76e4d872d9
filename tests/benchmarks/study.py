"""What a study costs: the default plan, beside the textbook loop, and on a cluster.

    python -m tests.benchmarks.study [plan textbook cluster] [--report FOLDER]

    plan        the default plan, 120 runs, as a whole process with an empty cache; its file and report go to
                FOLDER
    textbook    the runs of one seed with a quarter and with all of the pictures, 20 in all: by the study, and
                one by one by programs/textbook_study.py; whole processes
    cluster     16 equal runs on one and on two Dask workers of one thread; what a run costs beside computing;
                and, on paper, 1,000 runs on 50 workers

The record goes to data/results/study.json; what is not measured now stays in it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from course_utils import paths
from tools.records._record import write_record

RECORD = paths.results() / "study.json"
SUBSET = {"shares": [0.25, 1.0], "seeds": [0]}
EQUAL = {"datasets": ["digits"], "strategies": ["full"], "shares": [1.0], "seeds": list(range(16))}
ROUNDS = 2              # of one worker and two, in turn
MANY = 1_000            # records and tasks, for what one costs
PAPER = {"runs": 1_000, "workers": 50}
PLACE = ["dataset", "strategy", "share"]


# Measured in processes of their own ---------------------------------------------------------------------

def plan(folder: str) -> dict:
    """The default plan, and what its runs took."""
    from course_utils.pretrained import Study

    study = Study(Path(folder) / "study.jsonl", question="Which strategy for pictures far from ImageNet?",
                  hypothesis="A probe, until there are many pictures.")
    found = study.run()
    study.report(Path(folder) / "report.html")
    taken = found.groupby("strategy", sort=False)["seconds"]
    return {"runs": len(found), "failures": len(study.failures), "peak_mib": int(found["peak_mib"].max()),
            "seconds_of_a_run": taken.mean().round(2).to_dict(), "computing": round(taken.sum().sum(), 1)}


def subset(folder: str) -> dict:
    from course_utils.pretrained import Study

    found = Study(Path(folder) / "subset.jsonl", **SUBSET).run()
    return {"accuracy": {" ".join(map(str, row[:3])): round(row[3], 4)
                         for row in found[[*PLACE, "accuracy"]].itertuples(index=False)}}


def equal_runs(folder: str, address: str) -> dict:
    """Runs that are all alike, on the cluster that is there."""
    from course_utils.pretrained import Study

    study = Study(Path(folder) / f"equal_{time.time_ns()}.jsonl", **EQUAL)
    start = time.perf_counter()
    found = study.run(scheduler=address)
    return {"seconds": time.perf_counter() - start, "runs": len(found),
            "seconds_of_a_run": float(found["seconds"].median())}


def beside_computing(folder: str, address: str) -> dict:
    """Milliseconds that a run costs whoever asks: sent and fetched, noted; all results read, and drawn."""
    from distributed import Client, as_completed

    from course_utils.pretrained import Study
    from course_utils.pretrained.study.records import Record, StudyFile
    from course_utils.widgets import study_curves

    with Client(address) as client:
        start = time.perf_counter()
        for future in as_completed(client.map(abs, range(MANY), pure=False)):
            future.result()
        sent = time.perf_counter() - start
    study = Study(Path(folder) / "many.jsonl", datasets=["digits"], strategies=["probe"], shares=[1.0],
                  seeds=range(MANY))
    study._file.add_plan({"pictures": {"digits": "0"}})
    start = time.perf_counter()
    for row in study.rows:
        StudyFile(study.path).add(Record(row, "0", 100, 100, 0.9, 0.8, 0.95, 0.3, 1.0, 500, 100.0))
    noted = time.perf_counter() - start
    study.results()             # imports pandas
    start = time.perf_counter()
    results = study.results()
    read = time.perf_counter() - start
    study_curves(results)       # imports matplotlib
    start = time.perf_counter()
    study_curves(results)
    drawn = time.perf_counter() - start
    assert len(results) == MANY
    return {"sent_ms": round(1000 * sent / MANY, 2), "noted_ms": round(1000 * noted / MANY, 2),
            "read_ms": round(1000 * read, 1), "drawn_ms": round(1000 * drawn, 1), "records": MANY}


def begin(folder: str) -> dict:
    """What a worker that shares no files with others does before its first run: imports, and features."""
    start = time.perf_counter()
    from course_utils.pretrained.study.running import load_dataset
    from course_utils.pretrained.study.strategies import features, load_model
    from course_utils.pretrained.study.study import Study

    imported = time.perf_counter() - start
    rows = {row.dataset: row for row in Study(Path(folder) / "none.jsonl").rows}
    for name, row in rows.items():
        for images in load_dataset(name).splits():
            features(load_model(row.backbone), row, images)
    return {"import_seconds": round(imported, 1),
            "features_seconds": round(time.perf_counter() - start - imported, 1)}


MEASURES = {f.__name__: f for f in (plan, subset, equal_runs, beside_computing, begin)}


def apart(name: str, *arguments: str, threads: int | None = None) -> dict:
    """One measurement as a process with an empty cache: what it says, and how long all of it took."""
    with tempfile.TemporaryDirectory() as cache:
        settings = os.environ | {"COURSE_CACHE": cache}
        settings |= {"OMP_NUM_THREADS": str(threads)} if threads else {}
        command = [sys.executable, "-m", "tests.benchmarks.study", "--measure", name, *arguments]
        return whole(command, settings)


def whole(command: list[str], settings: dict[str, str] | None = None) -> dict:
    start = time.perf_counter()
    done = subprocess.run(command, cwd=paths.repository(), text=True, check=True, stdout=subprocess.PIPE,
                          env=settings)
    seconds = time.perf_counter() - start
    found = {"whole_seconds": round(seconds, 1)} | json.loads(done.stdout.strip().splitlines()[-1])
    print(found, flush=True)
    return found


# The textbook loop --------------------------------------------------------------------------------------

def textbook_runs(folder: Path) -> list[dict]:
    """The same runs for the textbook loop: the drawn pictures as files, as many steps."""
    from course_utils.pretrained import Study, load_dataset
    from course_utils.pretrained.study.strategies import drawn

    runs = []
    for row in Study(folder / "none.jsonl", **SUBSET).rows:
        place, data = folder / row.dataset / str(row.share), load_dataset(row.dataset)
        chosen = drawn(data.train, row.share, row.seed)
        if not place.exists():
            for split, images in [("train", data.train.subset(chosen)), ("val", data.val),
                                  ("test", data.splits()[2])]:
                for number, (picture, label) in enumerate(images):
                    target = place / split / data.classes[label] / f"{number}.png"
                    target.parent.mkdir(parents=True, exist_ok=True)
                    picture.save(target)
        runs.append({"folder": str(place), "strategy": row.strategy, "size": row.size, "rate": row.rate,
                     "steps": row.steps, "augment": row.augment})
    return runs


def measure_textbook(folder: Path) -> dict:
    """The subset by both; how many times faster, in all and by strategy, and the accuracies side by side."""
    runs = textbook_runs(folder)
    (folder / "runs.json").write_text(json.dumps(runs))
    program = Path(__file__).parent / "programs" / "textbook_study.py"
    study = apart("subset", str(folder))
    loop = whole([sys.executable, str(program), str(folder / "runs.json")])
    taken: dict[str, float] = {}
    for run, done in zip(runs, loop["runs"], strict=True):
        taken[run["strategy"]] = taken.get(run["strategy"], 0) + done["seconds"]
    return {"runs": len(runs), "study_seconds": study["whole_seconds"],
            "textbook_seconds": loop["whole_seconds"], "textbook_import_seconds":
            round(loop["import_seconds"], 1), "times_faster":
            round(loop["whole_seconds"] / study["whole_seconds"], 1),
            "textbook_seconds_by_strategy": {name: round(seconds, 1) for name, seconds in taken.items()},
            "accuracy": {place: {"study": found, "textbook": round(done["accuracy"], 4)}
                         for (place, found), done
                         in zip(study["accuracy"].items(), loop["runs"], strict=True)}}


# A cluster ----------------------------------------------------------------------------------------------

def measure_cluster(folder: Path) -> dict:
    """The same runs on one worker and on two, in turn; each cluster is new, so its workers import anew."""
    from tests.pretrained.study.clusters import Cluster

    taken: dict[int, list[dict]] = {1: [], 2: []}
    costs: dict = {}
    os.environ["OMP_NUM_THREADS"] = "1"
    for _ in range(ROUNDS):
        for workers, found in taken.items():
            cluster = Cluster(folder)
            try:
                for _ in range(workers):
                    cluster.add_worker()
                found.append(apart("equal_runs", str(folder), cluster.address))
                costs = costs or apart("beside_computing", str(folder), cluster.address)
            finally:
                cluster.close()
    one, two = (statistics.median(run["seconds"] for run in taken[workers]) for workers in (1, 2))
    costs |= apart("begin", str(folder), threads=1)
    of_a_run = statistics.median(run["seconds_of_a_run"] for run in taken[1])
    return {"equal_runs": len(EQUAL["seeds"]), "one_worker_seconds": round(one, 1),
            "two_workers_seconds": round(two, 1), "of_ideal": round(one / two / 2, 3),
            "seconds_of_a_run": round(of_a_run, 2), "beside_computing": costs,
            "on_paper": on_paper(of_a_run, costs)}


def on_paper(of_a_run: float, costs: dict) -> dict:
    """1,000 runs on 50 workers that share no files, and how many workers the asking program can keep busy.

    To watch, half of all results are read again, on average, each time one comes in; drawing them takes one
    part in twenty-one of the time at most (see `watch_study`).
    """
    asking = (costs["sent_ms"] + costs["noted_ms"]) / 1000
    watching = (asking + costs["read_ms"] / 1000 * PAPER["runs"] / costs["records"] / 2) * 21 / 20
    begins = costs["import_seconds"] + costs["features_seconds"]
    computing = of_a_run * PAPER["runs"] / PAPER["workers"]
    return PAPER | {"begin_seconds": round(begins, 1), "computing_seconds": round(computing, 1),
                    "asking_seconds": round(asking * PAPER["runs"], 1),
                    "asking_and_watching_seconds": round(watching * PAPER["runs"], 1),
                    "seconds": round(begins + max(computing, watching * PAPER["runs"]), 1),
                    "ideal_seconds": round(computing, 1),
                    "workers_kept_busy": int(of_a_run / asking),
                    "workers_kept_busy_while_watching": int(of_a_run / watching)}


PARTS = {"plan": lambda folder: apart("plan", str(folder)), "textbook": measure_textbook,
         "cluster": measure_cluster}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"only these: {', '.join(PARTS)}")
    parser.add_argument("--report", metavar="FOLDER", help="where the plan's file and report stay")
    parser.add_argument("--measure", nargs="+", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        name, *arguments = asked.measure
        print(json.dumps(MEASURES[name](*arguments)))
        return
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    results = json.loads(RECORD.read_text())["results"] if RECORD.exists() else {}
    for part in asked.parts or PARTS:
        with tempfile.TemporaryDirectory() as private:
            folder = Path(asked.report if asked.report and part == "plan" else private)
            folder.mkdir(parents=True, exist_ok=True)
            results[part] = PARTS[part](folder)
        write_record(RECORD, command="python -m tests.benchmarks.study", seeds=[0, 1, 2], results=results)


if __name__ == "__main__":
    main()

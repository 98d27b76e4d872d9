"""What an audit costs beside decoding the pictures alone.

    python -m tests.benchmarks.audit [--quick]

    speed       10,000 pictures, in turn: decoded whole in two threads, decoded in two threads to the fraction
                that an audit needs, and audited
    memory      resident at most while 1,000 and 10,000 are audited
    search      near duplicates among 100,000 hashes, alone

The pictures are made from the test photographs, two blended into one, mirrored or not: JPEGs of about 256
pixels, each unlike the others. Each measurement is a process of its own; its clock starts after importing.
The record goes to data/results/audit.json.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from course_utils import paths
from tools.records._record import write_record

COMMAND = "python -m tests.benchmarks.audit"
ROUNDS = 5
CHUNK = 32          # files that a thread takes at a time, as in the audit


def make_pictures(folder: Path, count: int) -> None:
    """`count` JPEGs in five classes, the same every time."""
    from PIL import Image, ImageOps

    photos = sorted((paths.test_photos() / "flowers").glob("*/*/*.jpg"))
    rng = random.Random(0)
    for number in range(count):
        one, other = (Image.open(path) for path in rng.sample(photos, 2))
        one = ImageOps.mirror(one) if rng.random() < 0.5 else one
        picture = Image.blend(one, other.resize(one.size), rng.uniform(0.3, 0.7))
        target = folder / f"class {number % 5}" / f"{number:05d}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        picture.save(target, quality=85)


# Measured in processes of their own ---------------------------------------------------------------------

def files_in(folder: str) -> list[str]:
    return sorted(map(str, Path(folder).glob("*/*.jpg")))


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def decode(folder: str, at_least: int | None = None) -> dict:
    """Every picture decoded and dropped."""
    from course_utils.pretrained import open_image

    files = files_in(folder)
    chunks = [files[start:start + CHUNK] for start in range(0, len(files), CHUNK)]

    def drop(chunk: list[str]) -> None:
        for path in chunk:
            open_image(path, at_least=at_least)

    start = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(drop, chunks))
    return {"seconds": time.perf_counter() - start}


def decode_fraction(folder: str) -> dict:
    from course_utils.pretrained.audit.looking import ENOUGH
    return decode(folder, ENOUGH)


def audit(folder: str) -> dict:
    from course_utils.pretrained import audit_folder

    before, start = peak_mib(), time.perf_counter()
    found = audit_folder(folder)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "pictures": len(found.pictures), "findings": len(found.findings),
            "before_mib": before, "peak_mib": peak_mib()}


def search(count: str) -> dict:
    import numpy as np

    from course_utils.pretrained.audit.likeness import groups_alike

    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**63, int(count), dtype=np.uint64)
    drawings = rng.integers(-127, 128, (int(count), 256), dtype=np.int8)
    before, start = peak_mib(), time.perf_counter()
    groups_alike(hashes, drawings)
    return {"hashes": int(count), "seconds": time.perf_counter() - start, "more_mib": peak_mib() - before}


MEASURES = {f.__name__: f for f in (decode, decode_fraction, audit, search)}


def apart(name: str, argument: str) -> dict:
    done = subprocess.run([sys.executable, "-m", "tests.benchmarks.audit", "--measure", name, argument],
                          cwd=paths.repository(), text=True, check=True, stdout=subprocess.PIPE)
    found = {key: round(value, 3) if isinstance(value, float) else value
             for key, value in json.loads(done.stdout.strip().splitlines()[-1]).items()}
    print(name, found, flush=True)
    return found


# All of it ----------------------------------------------------------------------------------------------

def measure_all(count: int, hashes: int, rounds: int) -> dict:
    with tempfile.TemporaryDirectory() as private:
        few, many = Path(private, "few"), Path(private, "many")
        make_pictures(few, count // 10)
        make_pictures(many, count)
        apart("decode", str(many))              # so that all have the files in memory
        runs = {name: [] for name in ("decode", "decode_fraction", "audit")}
        for _ in range(rounds):
            for name, found in runs.items():
                found.append(apart(name, str(many)))
        memory = {str(count // 10): apart("audit", str(few)), str(count): runs["audit"][-1]}
    seconds = {name: [run["seconds"] for run in found] for name, found in runs.items()}
    middle = {name: statistics.median(taken) for name, taken in seconds.items()}
    return {
        "pictures": count, "seconds": seconds,
        "pictures_per_second": {name: round(count / taken, 1) for name, taken in middle.items()},
        "times_decoding": round(middle["audit"] / middle["decode"], 3),
        "times_decoding_a_fraction": round(middle["audit"] / middle["decode_fraction"], 3),
        "memory": {of: {key: run[key] for key in ("before_mib", "peak_mib")} for of, run in memory.items()},
        "search": apart("search", str(hashes))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of it, once, and nothing recorded")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        name, argument = asked.measure
        print(json.dumps(MEASURES[name](argument)))
        return
    results = measure_all(1_000, 10_000, 1) if asked.quick else measure_all(10_000, 100_000, ROUNDS)
    print(json.dumps(results, indent=1))
    if not asked.quick:
        write_record(paths.results() / "audit.json", command=COMMAND, seeds=[0], results=results)


if __name__ == "__main__":
    main()

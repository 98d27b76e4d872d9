"""Where the seconds of an extraction go, and how they grow: part of `make bench`.

    python -m tests.benchmarks.extraction [--quick]

    cache       the same pictures a second time
    pipeline    files to features, against the forward pass alone on pictures that are prepared already: as
                the course computes it, and with every convolution in bfloat16
    growth      seconds and memory by number of pictures, pixels, and classes of the probe behind it
    many        100,000 pictures of 64 × 64 pixels, made on the fly: memory flat, time linear

Each measurement is a process of its own, so that its peak memory is its own. Results and a plot go to
data/results/extraction.json and .png.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise

from course_utils import paths
from tools.records._record import write_record

MODEL = "efficientnet_lite0"
COMMAND = "python -m tests.benchmarks.extraction"


# Measured in processes of their own ---------------------------------------------------------------------

def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def photographs(count: int = 950):
    """The first `count` of the flower photographs, all splits in one."""
    from course_utils.pretrained import load_dataset
    from tools.records.probe_study import together
    pictures = together(load_dataset(f"folder:{paths.test_photos() / 'flowers'}")).pictures
    step = max(1, len(pictures) // count)
    return pictures.subset(range(0, len(pictures), step)[:count])


def timed(work) -> tuple[float, object]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def cache() -> dict:
    from course_utils.pretrained import extract_features, load_model
    model, pictures = load_model(MODEL), photographs()
    first, _ = timed(lambda: extract_features(model, pictures))
    second, _ = timed(lambda: extract_features(model, pictures))
    return {"first_seconds": first, "second_seconds": second, "times_faster": first / second}


def pipeline() -> dict:
    """Files to features; then the same network on the same pictures, prepared and in memory."""
    import torch

    from course_utils.pretrained import extract_features, load_model, preprocessing
    from course_utils.pretrained.inference import precision
    model, pictures = load_model(MODEL), photographs(480)
    prepare = preprocessing(model)
    ready = torch.stack([prepare(picture) for picture, _ in pictures])       # (480, 3, 224, 224)
    batches = [(part, torch.zeros(len(part), dtype=torch.long)) for part in ready.split(16)]
    extract_features(model, batches[:2])                                     # warm
    seconds: dict[str, list[float]] = {"pipeline": [], "forward": [], "forward_all_bfloat16": []}
    exact = precision.FEW_PRODUCTS
    for _ in range(3):
        seconds["pipeline"].append(timed(lambda: extract_features(model, pictures, cache=False))[0])
        seconds["forward"].append(timed(lambda: extract_features(model, batches))[0])
        precision.FEW_PRODUCTS = 0
        seconds["forward_all_bfloat16"].append(timed(lambda: extract_features(model, batches))[0])
        precision.FEW_PRODUCTS = exact
    best = {name: min(times) for name, times in seconds.items()}
    return {f"{name}_pictures_per_second": len(pictures) / time for name, time in best.items()} | {
        "ratio": best["pipeline"] / best["forward"],
        "ratio_all_bfloat16": best["pipeline"] / best["forward_all_bfloat16"]}


def images(count: int) -> dict:
    from course_utils.pretrained import extract_features, load_model
    model, pictures = load_model(MODEL), photographs(count)
    seconds, _ = timed(lambda: extract_features(model, pictures, cache=False))
    return {"seconds": seconds, "peak_mib": peak_mib()}


def pixels(size: int) -> dict:
    from course_utils.pretrained import extract_features, load_model
    model, pictures = load_model(MODEL), photographs(160)
    seconds, _ = timed(lambda: extract_features(model, pictures, size=size, cache=False))
    return {"seconds": seconds, "peak_mib": peak_mib()}


def classes(count: int) -> dict:
    """The probe alone, on 2,000 made-up feature vectors."""
    import torch

    from course_utils.pretrained import Features, linear_probe
    torch.manual_seed(0)
    centres = torch.randn(count, 1280)
    def made(n):
        y = torch.arange(n) % count
        return Features(centres[y] + 2 * torch.randn(n, 1280), y, (), tuple(map(str, range(count))))
    train, val = made(2000), made(500)
    return {"seconds": timed(lambda: linear_probe(train, val))[0], "peak_mib": peak_mib()}


def many(count: int) -> dict:
    import torch

    from course_utils.pretrained import extract_features, load_model
    model = load_model(MODEL)
    resident: list[float] = []
    clock: list[float] = []

    def stream() -> Iterator:
        generator = torch.Generator().manual_seed(0)
        for start in range(0, count, 50):
            if start % (count // 4) == 0:
                resident.append(peak_mib())
                clock.append(time.perf_counter())
            yield torch.rand(50, 3, 64, 64, generator=generator) * 2 - 1, torch.zeros(50, dtype=torch.long)
        clock.append(time.perf_counter())

    features = extract_features(model, stream())
    quarters = [later - earlier for earlier, later in pairwise(clock)]
    return {"pictures": len(features), "quarter_seconds": [round(q, 1) for q in quarters],
            "peak_mib_at_quarters": [round(r) for r in resident], "peak_mib": peak_mib()}


MEASURES = {f.__name__: f for f in (cache, pipeline, images, pixels, classes, many)}


def apart(name: str, *numbers: int) -> dict:
    """One measurement in a process of its own, with an empty cache."""
    with tempfile.TemporaryDirectory() as private:
        done = subprocess.run([sys.executable, "-m", "tests.benchmarks.extraction", "--measure", name,
                               *map(str, numbers)], cwd=paths.repository(), text=True, check=True,
                              stdout=subprocess.PIPE, env=os.environ | {"COURSE_CACHE": private})
    found = {key: round(value, 3) if isinstance(value, float) else value
             for key, value in json.loads(done.stdout.strip().splitlines()[-1]).items()}
    print(name, *numbers, found, flush=True)
    return found


# All of it ----------------------------------------------------------------------------------------------

def measure_all(quick: bool) -> dict:
    growth = {"images": (100, 200, 400, 800), "pixels": (64, 96, 128, 160, 224, 288),
              "classes": (2, 5, 20, 100)}
    return {"cache": apart("cache"), "pipeline": apart("pipeline"),
            "growth": {name: {count: apart(name, count) for count in (counts[:2] if quick else counts)}
                       for name, counts in growth.items()},
            "many": apart("many", 2_000 if quick else 100_000)}


def plot(results: dict, target) -> None:
    """Seconds by pictures, pixels and classes, one panel each."""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    labels = {"images": "pictures of 224 × 224", "pixels": "pixels a side, 160 pictures",
              "classes": "classes of a probe on 2,000 vectors"}
    figure, axes = plt.subplots(1, 3, figsize=(10, 3), layout="constrained")
    for axis, (name, points) in zip(axes, results["growth"].items(), strict=True):
        axis.plot(list(points), [point["seconds"] for point in points.values()], "o-", color="#0072b2")
        axis.set(xlabel=labels[name], ylabel="seconds", ylim=(0, None))
    figure.savefig(target, dpi=100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few points, and nothing recorded")
    parser.add_argument("--measure", nargs="+", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        name, *numbers = asked.measure
        print(json.dumps(MEASURES[name](*map(int, numbers))))
        return
    results = measure_all(asked.quick)
    if not asked.quick:
        write_record(paths.results() / "extraction.json", command=COMMAND, seeds=[0], results=results)
        plot(results, paths.results() / "extraction.png")


if __name__ == "__main__":
    main()

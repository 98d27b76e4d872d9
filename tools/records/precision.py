"""What bfloat16 does to features and to the probes on them: `python tools/records/precision.py`.

Three data sets, each read in float32 and in bfloat16 by the same network; probes on both see the same deals.
Needs the photographs (`COURSE_TEST_PHOTOS`).
"""

from __future__ import annotations

from statistics import mean

from _record import write_record
from probe_study import MODEL, deal, probe_accuracy, together
from torch.nn.functional import cosine_similarity

from course_utils import paths
from course_utils.pretrained import extract_features, load_dataset, load_model

SEEDS = (0, 1, 2, 3, 4)
PRECISIONS = ("float32", "bfloat16")


def measure(name: str) -> dict:
    pool = together(load_dataset(name))
    exact, rough = (extract_features(load_model(MODEL), pool.pictures, precision=p) for p in PRECISIONS)
    cosines = cosine_similarity(exact.x.double(), rough.x.double())
    per_seed = [[probe_accuracy(features, deal(pool, seed)) for features in (exact, rough)] for seed in SEEDS]
    return {"pictures": len(exact), "lowest_cosine": round(cosines.min().item(), 5),
            "mean_cosine": round(cosines.mean().item(), 6),
            "probe": {p: [row[i] for row in per_seed] for i, p in enumerate(PRECISIONS)},
            "difference_in_points": round(100 * mean(rough - exact for exact, rough in per_seed), 2)}


if __name__ == "__main__":
    sets = {"flower photographs": f"folder:{paths.test_photos() / 'flowers'}", "flowers": "flowers",
            "defects": "defects"}
    results = {"model": MODEL} | {title: measure(name) for title, name in sets.items()}
    for title in sets:
        print(title, results[title])
    write_record(paths.results() / "precision.json", command="python tools/records/precision.py", seeds=SEEDS,
                 results=results)

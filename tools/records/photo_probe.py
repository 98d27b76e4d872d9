"""A linear probe on real flower photographs: `python tools/records/photo_probe.py`.

Five classes, 120 photographs of each for training and 30 for validation, dealt anew for each seed; the 200
test photographs stay the same. One photograph is half a point, so the mean over five seeds is what counts.
Needs the photographs (`COURSE_TEST_PHOTOS`).
"""

from __future__ import annotations

from statistics import mean

from _record import write_record
from probe_study import MODEL, as_shipped, deal, probe_accuracy, together

from course_utils import paths
from course_utils.pretrained import extract_features, load_dataset, load_model

SEEDS = (0, 1, 2, 3, 4)


def measure() -> dict:
    data = load_dataset(f"folder:{paths.test_photos() / 'flowers'}")
    pool = together(data)
    features = extract_features(load_model(MODEL), pool.pictures)
    accuracies = [probe_accuracy(features, deal(pool, seed, keep_test=True)) for seed in SEEDS]
    return {"model": MODEL, "classes": list(data.classes), "pictures": data.card.counts,
            "as_shipped": probe_accuracy(features, as_shipped(pool)),
            "per_seed": accuracies, "mean": round(mean(accuracies), 4)}


if __name__ == "__main__":
    write_record(paths.results() / "photo_probe.json", command="python tools/records/photo_probe.py",
                 seeds=SEEDS, results=measure())

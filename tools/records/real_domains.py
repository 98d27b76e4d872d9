"""Scratch, probe and fine-tuning on real pictures: `python tools/records/real_domains.py [--report FOLDER]`.

Satellite photographs (EuroSAT) and close-ups of steel (NEU), a quarter and all of the training pictures,
three seeds. The pictures lie where COURSE_TEST_PHOTOS says, fewer than the published ones. FOLDER gets the
study's file and its report.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import asdict
from pathlib import Path

from _record import write_record

from course_utils import paths
from course_utils.pretrained import Study, load_dataset, load_model, measure_similarity
from course_utils.pretrained.study.comparing import by_strategy, in_pairs

SETS, SEEDS = ("eurosat", "steel_defects"), (0, 1, 2)
STRATEGIES, SHARES = ("scratch", "probe", "partial", "full", "lp-ft"), (0.25, 1.0)


def plan(folder: Path) -> Study:
    photos = paths.test_photos().resolve()
    return Study(folder / "study.jsonl", datasets=[f"folder:{photos / name}" for name in SETS],
                 strategies=STRATEGIES, shares=SHARES, seeds=SEEDS, steps=40,
                 question="From scratch, a probe, or fine-tuning on satellite pictures and steel?",
                 hypothesis="With these few pictures nothing is ahead of the probe.")


def measure(folder: Path) -> dict:
    """Means, comparisons, and how near the pictures are to ImageNet.

    A data set is called after its folder: where that lies is nobody's business.
    """
    study = plan(folder)
    results = study.run()
    results["dataset"] = results["dataset"].map(lambda name: Path(name).name)
    study.report(folder / "report.html")
    rows = by_strategy(results)[["dataset", "strategy", "share", "seeds", "n_train", "accuracy", "least",
                                 "most", "low", "high", "seconds", "peak_mib"]]
    model = load_model(study.rows[0].backbone)
    similarity = {Path(name).name: round(measure_similarity(model, load_dataset(name).train), 3)
                  for name in dict.fromkeys(row.dataset for row in study.rows)}
    return {"steps": study.rows[0].steps, "size": study.rows[0].size, "similarity": similarity,
            "rows": rows.round(4).to_dict("records"),
            "pairs": [{name: round(value, 2) if isinstance(value, float) else value
                       for name, value in asdict(pair).items()} for pair in in_pairs(results)]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--report", metavar="FOLDER", help="where the study's file and report stay")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as private:
        folder = Path(asked.report or private)
        folder.mkdir(parents=True, exist_ok=True)
        write_record(paths.results() / "real_domains.json", command="python tools/records/real_domains.py",
                     seeds=SEEDS, results=measure(folder))


if __name__ == "__main__":
    main()

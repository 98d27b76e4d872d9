"""What records that are studies share: runs are kept in .bench/, so that an interrupted one goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from _record import write_record

from course_utils import paths
from course_utils.pretrained import Study
from course_utils.pretrained.study.comparing import by_strategy, in_pairs

KEPT = paths.repository() / ".bench"
COLUMNS = ["dataset", "strategy", "share", "seeds", "n_train", "accuracy", "least", "most", "low", "high"]


def record_study(name: str, plan: Callable[[Path], Study], **more: object) -> None:
    """Run what is missing; the record goes to data/results/NAME.json, the report to .bench/NAME.html."""
    KEPT.mkdir(exist_ok=True)
    study = plan(KEPT / f"{name}.jsonl")
    study.run()
    study.report(KEPT / f"{name}.html")
    write_record(paths.results() / f"{name}.json", command=f"python tools/records/{name}.py",
                 seeds=sorted({row.seed for row in study.rows}), results=said(study) | more)


def said(study: Study) -> dict:
    """Means over the seeds and comparisons with the probe. Of a data set in a folder the folder's name."""
    results = study.results()
    results["dataset"] = results["dataset"].map(lambda name: Path(name).name)
    runs = results.sort_values("seed").groupby(["dataset", "strategy", "share"])["accuracy"].apply(list)
    return {"steps": study.rows[0].steps, "size": {Path(row.dataset).name: row.size for row in study.rows},
            "rates": {row.strategy: row.rate for row in study.rows},
            "rows": [row | {"accuracies": [round(one, 4) for one in
                                           runs[row["dataset"], row["strategy"], row["share"]]]}
                     for row in by_strategy(results)[COLUMNS].round(4).to_dict("records")],
            "pairs": [{key: round(value, 2) if isinstance(value, float) else value
                       for key, value in asdict(pair).items()} for pair in in_pairs(results)]}

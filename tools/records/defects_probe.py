"""What pretraining is worth on the rendered surface defects: `python tools/records/defects_probe.py`."""

from __future__ import annotations

from _record import write_record
from probe_study import probe_study

from course_utils import paths

SEEDS = (0, 1, 2)

if __name__ == "__main__":
    write_record(paths.results() / "defects_probe.json", command="python tools/records/defects_probe.py",
                 seeds=SEEDS, results=probe_study("defects", SEEDS, scratch_size=64))

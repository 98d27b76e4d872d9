"""study_curves: the learning curves of a study. watch_study: the same, while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable

import pandas as pd
from IPython.display import display

from course_utils.pretrained.study.charts import learning_charts
from course_utils.pretrained.study.pages import part_as_html
from course_utils.widgets.figures import Still

OFTEN_ENOUGH = 20


def study_curves(results: pd.DataFrame) -> Still:
    """Accuracy by pictures learned from, for each data set and backbone.

    Args:
        results: as `Study.results` gives them, of a study that is done or under way.
    """
    charts = learning_charts(results)
    markup = "".join(map(part_as_html, charts))
    return Still(markup, "\n".join(chart.alt for chart in charts) or "There is no result yet.")


def watch_study() -> Callable[[pd.DataFrame], None]:
    """For `study.run(on_result=watch_study())`: curves below the cell that grow as runs are done.

    Drawing takes a twentieth of the time at most, so the last runs may be missing: `study_curves` draws all.
    """
    waiting = "Curves stand here when the first run is done."
    place, drawn_at, took = display(Still(f"<p>{waiting}</p>", waiting), display_id=True), 0.0, 0.0

    def watch(results: pd.DataFrame) -> None:
        nonlocal drawn_at, took
        begin = time.monotonic()
        if place is not None and begin - drawn_at >= OFTEN_ENOUGH * took:      # None outside a notebook
            place.update(study_curves(results))
            drawn_at = time.monotonic()
            took = drawn_at - begin
    return watch

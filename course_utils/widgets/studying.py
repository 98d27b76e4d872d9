"""study_curves: the learning curves of a study. watch_study: the same, while it runs."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
from IPython.display import display

from course_utils.pretrained.study.charts import learning_charts
from course_utils.pretrained.study.pages import part_as_html
from course_utils.widgets.figures import Still


def study_curves(results: pd.DataFrame) -> Still:
    """Accuracy by pictures learned from, for each data set and backbone.

    Args:
        results: as `Study.results` gives them, of a study that is done or under way.
    """
    charts = learning_charts(results)
    markup = "".join(map(part_as_html, charts))
    return Still(markup, "\n".join(chart.alt for chart in charts) or "There is no result yet.")


def watch_study() -> Callable[[pd.DataFrame], None]:
    """For `study.run(on_result=watch_study())`: curves below the cell that grow with every run."""
    place = display(Still("<p>The first run is under way.</p>", "The first run is under way."),
                    display_id=True)
    return lambda results: place.update(study_curves(results))

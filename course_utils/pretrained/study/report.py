"""What a study found, as a page that others can check: figures, comparisons, method, how to repeat it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from course_utils.errors import CourseError
from course_utils.pretrained.study.charts import charts
from course_utils.pretrained.study.comparing import by_strategy, in_pairs
from course_utils.pretrained.study.pages import Bullets, Code, Grid, Heading, Part, write_page
from course_utils.pretrained.study.plan import arguments_of
from course_utils.pretrained.study.strategies import STRATEGIES

if TYPE_CHECKING:
    from course_utils.pretrained.study.study import Study


def write_report(study: Study, path: str | os.PathLike) -> str:
    """Write the report of a study. See `Study.report`."""
    if study.results().empty:
        raise CourseError("There is no result to report yet. Type: study.run()")
    return str(write_page(path, study.question or "A study of strategies", list(parts_of(study))))


def parts_of(study: Study) -> Iterator[Part]:
    """Question, answer in figures, comparisons, data, method, how to repeat it."""
    results = study.results()
    if study.hypothesis:
        late = study.runs_before_hypothesis()
        when = f"written after {late} runs" if late else "written before the first run"
        yield f"Hypothesis, {when}: {study.hypothesis}"
    done = len(study.rows) - len(study.missing())
    yield (f"{done} of {len(study.rows)} runs are done" + ("." if done == len(study.rows) else
           ": what follows is what there is so far."))
    if lacks := study.lacking():
        yield "What this study lacks:"
        yield Bullets(lacks)
    yield Heading("In pairs")
    yield ("Each strategy against the baseline on the same drawn pictures, seed by seed: mean difference in "
           "accuracy on test, with the interval in which it lies with 95 % by Student's t. Where the "
           "interval holds zero, these seeds do not decide. Of twenty comparisons between equals, one comes "
           "out as “ahead” by chance.")
    yield _pairs(results)
    yield Heading("Curves")
    yield from charts(results)
    yield Heading("All figures")
    yield _figures(results)
    yield ("The interval is Wilson's for the number of test pictures, averaged over seeds: it says how far "
           "accuracy on other pictures of the kind may differ. Seconds are those of one core, cost is at a "
           f"price of {study.price:g} for a core and an hour: an assumption, unless it is yours.")
    yield from _shared(study)
    yield from _data(study)
    yield from _method(study)


def _pairs(results) -> Grid:
    pairs = in_pairs(results)
    baseline = pairs[0].baseline if pairs else "the baseline"
    rows = [[pair.dataset, pair.backbone, f"{pair.share:.0%}", pair.strategy, pair.in_words(),
             str(pair.seeds), pair.verdict] for pair in pairs]
    head = ["data", "backbone", "pictures", "strategy", "difference", "seeds", "what it says"]
    return Grid(f"Against {baseline}", head, rows)


def _figures(results) -> Grid:
    rows = [[one.dataset, one.backbone, one.strategy, f"{one.n_train:.0f}", f"{one.accuracy:.1%}",
             f"{one.least:.1%} to {one.most:.1%}", f"{one.low:.1%} to {one.high:.1%}", f"{one.loss:.2f}",
             f"{one.seconds:.1f}", f"{one.images_per_second:.0f}", f"{one.peak_mib:.0f}", f"{one.cost:.5f}"]
            for one in by_strategy(results).itertuples()]
    return Grid("Means over seeds", ["data", "backbone", "strategy", "pictures", "accuracy", "over seeds",
                                     "95 % interval", "loss", "seconds", "pictures/s", "MiB", "cost"], rows)


def _shared(study: Study) -> Iterator[Part]:
    """What several runs use together, so that no single one pays for it."""
    first = {(one["dataset"], one["backbone"], one["size"]): one for one in reversed(study.extractions())}
    if first:
        took = ", ".join(f"{one['seconds']:g} s for {one['dataset']} with {one['backbone']}"
                         for one in first.values())
        yield ("Not in these seconds: features that all runs of a data set and a backbone share, extracted "
               f"once, on all cores, or found in the cache. It took {took}.")


def _data(study: Study) -> Iterator[Part]:
    yield Heading("Data")
    for card in study.cards():
        counts = ", ".join(f"{split} {count}" for split, count in card.counts.items())
        yield Heading(f"{card.title} ({card.kind})", 3)
        yield f"{card.description} Pictures: {counts}. Source: {card.source}. Licence: {card.licence}."


def _method(study: Study) -> Iterator[Part]:
    first = study.rows[0]
    sizes = ", ".join(sorted({f"{row.dataset} {row.size} pixels" for row in study.rows}))
    rates = {row.strategy: row.rate for row in study.rows}
    plain = sorted({row.dataset for row in study.rows if not row.augment})
    yield Heading("Method")
    yield ("Of the training pictures of each class a share is drawn with the seed; a larger share holds the "
           "smaller one. Validation and test stay whole. Nothing is chosen by test, which each run opens "
           f"once, at its end. Pictures are prepared as the weights expect: {sizes}. Where layers are "
           f"trained: Adam, {first.steps} steps of 32 pictures, whatever the share, so that the pictures of "
           "a smaller one come more often, cosine schedule, augmented views"
           + (f" (not of {', '.join(plain)})" if plain else "")
           + ". Every run has one thread and computes in float32.")
    yield Bullets([f"{name}: {' '.join(STRATEGIES[name].__doc__.split())}"
                   + (f" Rate {rate:g}." if rate else "") for name, rate in rates.items()])
    yield Heading("How to repeat it")
    yield "With the course installed, in Python:"
    yield Code(as_code(study))
    yield from (f"Run on {machine} with {versions}." for machine, versions in study.places())


def as_code(study: Study) -> str:
    """Python that makes the same plan."""
    arguments = "".join(f"    {name}={value!r},\n" for name, value in arguments_of(study.rows).items())
    return ("from course_utils.pretrained import Study\n\n"
            f"study = Study(\n    'again.jsonl',\n{arguments})\nstudy.run()\nstudy.report('again.html')")

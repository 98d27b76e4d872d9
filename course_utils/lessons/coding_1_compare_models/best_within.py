"""Exercise: which model to take when time is limited."""

from __future__ import annotations

from course_utils.lessons._guards import kind_of
from course_utils.teaching import Exercise, Table, expect

best_within = Exercise(
    "best-within", lesson="coding_1_compare_models", title="The best within a limit",
    see="#Which-one-to-take", minutes=5, difficulty="easy", objective="choice")


@best_within.starter
def choose(rows, top1, limit):
    """The name of the most accurate model whose passes take at most `limit` seconds; None if there is none.

    `rows` are those of `compare`; `top1` is {name: published top-1 accuracy in percent}.
    """
    ...


@best_within.solved_by
def choose(rows, top1, limit):
    """First what the limit allows, then the best of it."""
    allowed = [row["name"] for row in rows if row["seconds"] <= limit]
    return max(allowed, key=lambda name: top1[name], default=None)


@best_within.alternative("a-loop")
def choose(rows, top1, limit):
    best = None
    for row in rows:
        if row["seconds"] <= limit and (best is None or top1[row["name"]] > top1[best]):
            best = row["name"]
    return best


@best_within.alternative("with-pandas")
def choose(rows, top1, limit):
    import pandas
    table = pandas.DataFrame(rows)
    table["top1"] = table["name"].map(top1)
    allowed = table[table["seconds"].le(limit)]
    return None if allowed.empty else allowed.set_index("name")["top1"].idxmax()


@best_within.wrong("limit-ignored", says=(
    "You chose “{got}”, which takes {seconds} s where {limit} s are allowed. A better answer that comes too "
    "late is none: leave out what is too slow first."))
def choose(rows, top1, limit):
    return max((row["name"] for row in rows), key=lambda name: top1[name])


@best_within.wrong("the-fastest", says=(
    "You chose “{got}”, the fastest. Within the limit, time costs nothing more: take the most accurate of "
    "what is fast enough, “{wanted}”."))
def choose(rows, top1, limit):
    allowed = [row for row in rows if row["seconds"] <= limit]
    return min(allowed, key=lambda row: row["seconds"])["name"] if allowed else None


@best_within.wrong("accuracy-per-second", says=(
    "You chose “{got}” by accuracy per second. Such a ratio favours whatever is smallest: half the accuracy "
    "at a third of the time would win. The limit says what time is worth; within it only accuracy counts."))
def choose(rows, top1, limit):
    allowed = [row for row in rows if row["seconds"] <= limit]
    return max(allowed, key=lambda row: top1[row["name"]] / row["seconds"])["name"] if allowed else None


@best_within.wrong("the-limit-left-out", says=(
    "A model that takes exactly {limit} s is allowed, “at most”, and you left it out: `<=`, not `<`."))
def choose(rows, top1, limit):
    allowed = [row["name"] for row in rows if row["seconds"] < limit]
    return max(allowed, key=lambda name: top1[name], default=None)


@best_within.wrong("something-at-any-price", says=(
    "Nothing is fast enough here, and you chose “{got}” all the same. Return None: whoever asked must change "
    "the limit or the machine, and knows it only if you say so."))
def choose(rows, top1, limit):
    allowed = [row["name"] for row in rows if row["seconds"] <= limit]
    return max(allowed or [row["name"] for row in rows], key=lambda name: top1[name])


ROWS = [{"name": name, "parameters": count, "seconds": seconds, "top5": []} for name, count, seconds in
        (("tiny", 2, 1.4), ("large", 60, 4.0), ("small", 5, 1.5), ("middle", 25, 2.0), ("old", 138, 1.8))]
TOP1 = {"tiny": 30.0, "small": 75.0, "middle": 80.0, "large": 83.0, "old": 76.0}


def given(answer, limit: float) -> str | None:
    got = answer([dict(row) for row in ROWS], dict(TOP1), limit)
    expect(got is None or isinstance(got, str),
           f"`choose` must return a name, but it returned {kind_of(got)}.")
    expect(got is None or got in TOP1, f"“{got}” is the name of no row.")
    return got


def show() -> list[Table]:
    return [Table("The rows", ["model", "seconds", "top-1"],
                  [[row["name"], f"{row['seconds']}", f"{TOP1[row['name']]}"] for row in ROWS])]


@best_within.checks("the most accurate of what is fast enough", points=2)
def _(answer):
    seconds = {row["name"]: row["seconds"] for row in ROWS}
    for limit, wanted in ((1.9, "old"), (3.0, "middle"), (9.0, "large"), (1.45, "tiny")):
        got = given(answer, limit)
        expect(got is not None, f"Within {limit} s there is “{wanted}”, but you return None.", show=show)
        expect(seconds[got] <= limit, mistake="limit-ignored", got=got, seconds=seconds[got], limit=limit,
               show=show)
        expect(limit != 1.9 or got != "tiny", mistake="the-fastest", got=got, wanted=wanted, show=show)
        expect(limit != 1.9 or got != "small", mistake="accuracy-per-second", got=got, show=show)
        expect(got == wanted, f"Within {limit} s the most accurate is “{wanted}”; you chose “{got}”.",
               show=show)


@best_within.checks("at most means at most")
def _(answer):
    expect(given(answer, 2.0) == "middle", mistake="the-limit-left-out", limit=2.0, show=show)


@best_within.checks("where nothing is fast enough")
def _(answer):
    try:
        got = given(answer, 0.1)
    except ValueError:
        expect(False, "Nothing is fast enough here, and `max` of nothing is an error. Return None.")
    expect(got is None, mistake="something-at-any-price", got=got)


best_within.hints(
    "Two steps: first the names of the rows with `row[\"seconds\"] <= limit`, then the best of them.",
    "`max(names, key=…, default=None)` gives None where there is no name.")

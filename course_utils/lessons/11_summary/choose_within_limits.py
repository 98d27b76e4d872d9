"""Exercise: the best model that fits, from the table."""

from __future__ import annotations

import pandas as pd

from course_utils.lessons._guards import kind_of, torch_as_it_was
from course_utils.pretrained import catalogue
from course_utils.teaching import Exercise, Table, expect

choose_within_limits = Exercise(
    "choose-within-limits", lesson="11_summary", title="The best that fits", see="#What-to-take-along",
    minutes=8, difficulty="medium", objective="models", guard=torch_as_it_was)


@choose_within_limits.starter
def choose(table, most_params_m, most_gflops):
    """Name of the weights with the highest `top1` within both limits; of equals, the fewest parameters.

    `table` has columns name, top1, params_m and gflops, some top1 missing (nan). None if nothing fits.
    """
    ...


@choose_within_limits.solved_by
def choose(table, most_params_m, most_gflops):
    """Filter, drop what is unknown, sort by both columns."""
    fits = table[(table.params_m <= most_params_m) & (table.gflops <= most_gflops)].dropna(subset=["top1"])
    if fits.empty:
        return None
    return fits.sort_values(["top1", "params_m"], ascending=[False, True]).iloc[0]["name"]


@choose_within_limits.alternative("plain-python")
def choose(table, most_params_m, most_gflops):
    best = None
    for row in table.to_dict("records"):
        if row["params_m"] <= most_params_m and row["gflops"] <= most_gflops and row["top1"] == row["top1"]:
            key = (row["top1"], -row["params_m"])
            if best is None or key > best[0]:
                best = (key, row["name"])
    return best and best[1]


@choose_within_limits.alternative("query")
def choose(table, most_params_m, most_gflops):
    fits = table.query("params_m <= @most_params_m and gflops <= @most_gflops and top1 == top1")
    fits = fits[fits.top1 == fits.top1.max()]
    return None if fits.empty else fits.loc[fits.params_m.idxmin(), "name"]


@choose_within_limits.wrong("one-limit-forgotten", says=(
    "{name} takes {gflops:g} billion multiply–adds, and {limit:g} are allowed. Both limits hold: join the "
    "conditions with `&`."))
def choose(table, most_params_m, most_gflops):
    fits = table[table.params_m <= most_params_m].dropna(subset=["top1"])
    return None if fits.empty else fits.sort_values("top1", ascending=False).iloc[0]["name"]


@choose_within_limits.wrong("largest-not-best", says=(
    "{name} is the largest that fits, not the most accurate: {top1:g} % against {best:g} %. Size is what you "
    "pay."))
def choose(table, most_params_m, most_gflops):
    fits = table[(table.params_m <= most_params_m) & (table.gflops <= most_gflops)].dropna(subset=["top1"])
    return None if fits.empty else fits.sort_values("params_m", ascending=False).iloc[0]["name"]


@choose_within_limits.wrong("worst-first", says=(
    "{name} has the lowest accuracy of those that fit: `sort_values` begins with the smallest. Sort with "
    "`ascending=False`."))
def choose(table, most_params_m, most_gflops):
    fits = table[(table.params_m <= most_params_m) & (table.gflops <= most_gflops)].dropna(subset=["top1"])
    return None if fits.empty else fits.sort_values("top1").iloc[0]["name"]


@choose_within_limits.wrong("unknown-taken-for-best", says=(
    "{name} has no known accuracy: nan is not a high number. Leave rows without `top1` out."))
def choose(table, most_params_m, most_gflops):
    fits = table[(table.params_m <= most_params_m) & (table.gflops <= most_gflops)]
    fits = fits.sort_values("top1", ascending=False, na_position="first")
    return None if fits.empty else fits.iloc[0]["name"]


@choose_within_limits.wrong("limit-excluded", says=(
    "A model that meets a limit exactly is within it, but you leave it out: `<=`, not `<`."))
def choose(table, most_params_m, most_gflops):
    fits = table[(table.params_m < most_params_m) & (table.gflops < most_gflops)].dropna(subset=["top1"])
    if fits.empty:
        return None
    return fits.sort_values(["top1", "params_m"], ascending=[False, True]).iloc[0]["name"]


@choose_within_limits.wrong("fails-where-nothing-fits", says=(
    "Nothing fits limits of 0, and then you should return None. It raised {error} instead."))
def choose(table, most_params_m, most_gflops):
    fits = table[(table.params_m <= most_params_m) & (table.gflops <= most_gflops)].dropna(subset=["top1"])
    return fits.sort_values(["top1", "params_m"], ascending=[False, True]).iloc[0]["name"]


ROWS = [("tiny", 55.0, 1.0, 0.1), ("small", 70.0, 5.0, 0.4), ("small-twin", 70.0, 4.0, 0.4),
        ("middle", 75.0, 10.0, 2.0), ("heavy-but-poor", 71.0, 20.0, 1.9), ("slow", 78.0, 9.0, 9.0),
        ("large", 82.0, 60.0, 8.0), ("unknown", float("nan"), 3.0, 0.2)]


def shelf() -> pd.DataFrame:
    return pd.DataFrame(ROWS, columns=["name", "top1", "params_m", "gflops"])


def chosen(answer, table: pd.DataFrame, most_params_m: float, most_gflops: float):
    """The learner's choice, known to be a name of the table or None."""
    found = answer(table.copy(), most_params_m, most_gflops)
    expect(found is None or (isinstance(found, str) and found in set(table["name"])),
           f"Return a name from the table, or None; it returned {kind_of(found)}.")
    return found


def right_choice(table: pd.DataFrame, most_params_m: float, most_gflops: float) -> str | None:
    fits = table[(table.params_m <= most_params_m) & (table.gflops <= most_gflops) & table.top1.notna()]
    fits = fits.sort_values(["top1", "params_m"], ascending=[False, True])
    return None if fits.empty else fits.iloc[0]["name"]


def within(table: pd.DataFrame, most_params_m: float, most_gflops: float, found: str | None):
    """Evidence: the table, the choice marked."""
    rows = [[row["name"], f"{row.top1:g}", f"{row.params_m:g}", f"{row.gflops:g}",
             "fits" if row.params_m <= most_params_m and row.gflops <= most_gflops else "does not fit"]
            for _, row in table.iterrows()]
    title = f"At most {most_params_m:g} M parameters and {most_gflops:g} billion multiply–adds"
    return lambda: [Table(title, ["name", "top1", "params_m", "gflops", ""], rows,
                          marked=[i for i, row in enumerate(rows) if row[0] == found])]


@choose_within_limits.checks("the most accurate within both limits", points=3)
def _(answer):
    table = shelf()
    found, limits = chosen(answer, table, 20.0, 2.0), (20.0, 2.0)
    row = table.set_index("name").loc[found] if found else None
    show = within(table, *limits, found)
    expect(found is not None, "You found nothing, but five of them fit.", show=show)
    expect(row.gflops <= 2.0, mistake="one-limit-forgotten", name=found, gflops=row.gflops, limit=2.0,
           show=show)
    expect(found != "unknown", mistake="unknown-taken-for-best", name=found, show=show)
    expect(found != "heavy-but-poor", mistake="largest-not-best", name=found, top1=row.top1, best=75.0,
           show=show)
    expect(found != "tiny", mistake="worst-first", name=found, show=show)
    strictly_below = right_choice(table, 19.99, 1.99)
    expect(found == "middle" or found != strictly_below, mistake="limit-excluded", show=show)
    expect(found == "middle", f"“middle” is the best that fits, you chose “{found}”.", show=show)
    expect(chosen(answer, table, 10.0, 2.5) == "middle", mistake="limit-excluded",
           show=within(table, 10.0, 2.5, "middle"))
    found = chosen(answer, table, 5.0, 1.0)
    expect(found == "small-twin", f"Two have 70 %. The one with fewer parameters is “small-twin”, you chose "
                                  f"“{found}”.", show=within(table, 5.0, 1.0, found))
    table = catalogue()[["name", "top1", "params_m", "gflops"]]
    for params, gflops in [(6.0, 1.0), (30.0, 5.0), (90.0, 20.0)]:
        found, wanted = chosen(answer, table, params, gflops), right_choice(table, params, gflops)
        expect(found == wanted, f"In the real table, within {params:g} M parameters and {gflops:g} billion "
                                f"multiply–adds, the best is {wanted}; you chose {found}.")


@choose_within_limits.checks("None where nothing fits")
def _(answer):
    try:
        found = chosen(answer, shelf(), 0.0, 0.0)
    except (IndexError, KeyError, ValueError) as error:
        expect(False, mistake="fails-where-nothing-fits", error=type(error).__name__)
    expect(found is None, f"Nothing fits limits of 0, but you chose “{found}”.")
    found = chosen(answer, shelf()[1:], 3.0, 0.2)
    expect(found is None, mistake="unknown-taken-for-best", name=found)


choose_within_limits.hints(
    "`table[(table.params_m <= a) & (table.gflops <= b)]` keeps the rows within both limits.",
    "`dropna(subset=[\"top1\"])` leaves out what is unknown; ask `.empty` before you take a row.",
    "`sort_values([\"top1\", \"params_m\"], ascending=[False, True])` puts the best first.")

"""cost_calculator: what training from scratch and adapting pretrained weights cost, from rules of thumb."""

from __future__ import annotations

from course_utils.teaching.exhibits import Bars, Exhibit, Table, Words
from course_utils.widgets.explorer import Explorer, Slider, explore

HOURS_PER_DAY = 24
RULES = {       # what is often said, without a source: from scratch, pretrained
    "GPU hours": ("100 to 1,000+", "1 to 10"), "time": ("weeks to months", "hours to days"),
    "computing": ("$1,000 to 50,000+", "$10 to 100"), "labelled pictures": ("1,000,000+", "100 to 10,000"),
}


def cost_calculator() -> Explorer:
    """Time and money for both ways, from figures the learner changes. All of them are rules of thumb."""
    whole = "{:,}".format
    return explore(
        "What does it cost?", _look,
        hours=Slider("GPU hours, from scratch", (100, 200, 500, 1000, 2000, 5000), 500, form=whole),
        adapting=Slider("GPU hours, pretrained", (1, 2, 5, 10), 5, form=whole),
        gpus=Slider("GPUs at once", (1, 2, 4, 8, 16), 1, form=whole),
        price=Slider("Dollars for a GPU hour", (0.5, 1, 2, 5, 10, 20), 10, form=_dollars),
        images=Slider("Labelled pictures, from scratch", (10_000, 100_000, 1_000_000, 3_000_000), 1_000_000,
                      form=whole),
        few=Slider("Labelled pictures, pretrained", (100, 300, 1000, 3000, 10_000), 1000, form=whole),
        label=Slider("Dollars for a label", (0.01, 0.02, 0.05, 0.2, 1, 5, 20), 0.05, form=_dollars))


def _look(hours: int, adapting: int, gpus: int, price: float, images: int, few: int,
          label: float) -> list[Exhibit]:
    ways = {"from scratch": (hours, images), "pretrained": (adapting, few)}
    computing = {way: spent * price for way, (spent, _) in ways.items()}
    labels = {way: needed * label for way, (_, needed) in ways.items()}
    total = {way: computing[way] + labels[way] for way in ways}
    columns = [[f"{spent:,}", _time(spent / gpus), _dollars(computing[way]), f"{needed:,}",
                _dollars(labels[way]), _dollars(total[way])] for way, (spent, needed) in ways.items()]
    names = ("GPU hours", "time", "computing", "labelled pictures", "labels", "together")
    rows = [(name, scratch, adapted, *RULES.get(name, ("", "")))
            for name, scratch, adapted in zip(names, *columns, strict=True)]
    table = Table("One training run each, by your figures", (
        "", "from scratch", "pretrained", "rule of thumb, from scratch", "rule of thumb, pretrained"), rows,
        marked=[len(rows) - 1])
    bars = [(f"{way}: {what}", part[way] / max(total.values()), _dollars(part[way]))
            for way in ways for what, part in (("computing", computing), ("labels", labels))]
    dearer = ["computing" if computing[way] > labels[way] else "labels" for way in ways]
    return [table, Bars("Where the money goes", bars),
            Words(f"From scratch costs {total['from scratch'] / total['pretrained']:,.0f} times as much. The "
                  f"larger part: {dearer[0]} from scratch, {dearer[1]} with pretrained weights.")]


def _time(hours: float) -> str:
    """Hours of waiting, in the unit one would say."""
    if hours < HOURS_PER_DAY:
        return f"{hours:.1f} hours"
    days = hours / HOURS_PER_DAY
    return f"{days:.1f} days" if days < 14 else f"{days / 7:.1f} weeks"


def _dollars(amount: float) -> str:
    cents = amount < 100 and amount != int(amount)
    return f"${amount:,.2f}" if cents else f"${amount:,.0f}"

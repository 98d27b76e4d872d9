"""What pretraining is worth on the rendered flowers: `python tools/records/flowers_probe.py`.

Beside the common experiment: how often the pretrained network itself, which knows daisies from photographs,
has "daisy" among its five likeliest labels, on pictures of each species.
"""

from __future__ import annotations

from _record import write_record
from probe_study import MODEL, probe_study, together

from course_utils import paths
from course_utils.pretrained import Images, load_dataset, load_model, top_k

SEEDS = (0, 1, 2)


def called_daisy(pictures: Images) -> dict[str, float]:
    """Share of each class's pictures that have "daisy" among the network's five likeliest labels."""
    model = load_model(MODEL)
    found: dict[str, list[bool]] = {name: [] for name in pictures.classes}
    for picture, label in pictures:
        guesses = [guess.label for guess in top_k(model, picture, k=5)]
        found[pictures.classes[label]].append("daisy" in guesses)
    return {name: round(sum(hits) / len(hits), 4) for name, hits in found.items()}


if __name__ == "__main__":
    results = probe_study("flowers", SEEDS, scratch_size=112)
    results["daisy_in_top5"] = called_daisy(together(load_dataset("flowers")).pictures)
    write_record(paths.results() / "flowers_probe.json", command="python tools/records/flowers_probe.py",
                 seeds=SEEDS, results=results)

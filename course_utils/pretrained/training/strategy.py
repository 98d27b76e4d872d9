"""How much of a pretrained network to train: advice from two rules of thumb, and the run that tests it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from course_utils.errors import CourseError, unknown_name

EXTRACTION, AUGMENTED = "feature extraction", "feature extraction with augmentation"
PARTIAL, FULL, DOMAIN = "partial fine-tuning", "full fine-tuning", "domain-specific weights"

LARGE, VERY_LARGE = 1_000, 10_000              # pictures per class
# `measure_similarity` with EfficientNet-Lite0: photographs of objects 0.88 to 0.92, rendered flowers 0.85;
# pictures from above and rendered defects 0.72 to 0.76; scans of digits and of steel 0.64 to 0.70.
SIMILAR, DIFFERENT = 0.80, 0.70                # at least
DEGREES = ("similar", "different", "very different")

TABLE = {       # by size and similarity
    ("few", "similar"): (EXTRACTION, "the features suffice as they are, and a head alone hardly overfits"),
    ("few", "different"): (AUGMENTED, "there are too few pictures to change the features, so show the "
                                      "head more views of each"),
    ("few", "very different"): (DOMAIN, "ImageNet's features may not help, and there are too few pictures to "
                                        "learn others: look for weights trained on pictures like yours"),
    ("many", "similar"): (PARTIAL, "there are enough pictures to adjust the last, most specialised features"),
    ("many", "different"): (FULL, "every level can adapt, and there are enough pictures for it"),
    ("many", "very different"): (FULL, "ImageNet's features may not help: every level must adapt, or start "
                                       "from weights of your domain, or from random numbers"),
}
DEPTH = {EXTRACTION: 0, AUGMENTED: 0, DOMAIN: 0, PARTIAL: 1, FULL: 2}     # how much of the network is trained
BUDGETS = {"low": AUGMENTED, "medium": PARTIAL, "high": FULL}             # the most each can pay for
HOW = {
    EXTRACTION: "extract_features, then linear_probe",
    AUGMENTED: "extract_features with views=5, then linear_probe",
    PARTIAL: "unfreeze the last two layer groups and the head, then fit_tail",
    FULL: "unfreeze everything, parameter_groups for the rates, then fit",
    DOMAIN: "load_model with those weights, extract_features, then linear_probe",
}


@dataclass(frozen=True, repr=False)
class Recommendation:
    """What to try first, why, and the experiment that would show it wrong."""

    strategy: str                  # one of the five above
    reasons: tuple[str, ...]
    experiment: str

    def __repr__(self) -> str:
        return "\n".join([f"Try {self.strategy}.", *(f"  {reason}" for reason in self.reasons),
                          f"To test it: {self.experiment}"])


def recommend_strategy(images_per_class: float, similarity: str | float, *,
                       budget: str | None = None) -> Recommendation:
    """What to try first on pictures of your own.

    Two rules of thumb are asked: a table of size and similarity, and the number of pictures per class alone.
    Where they disagree, the table's answer is given and the other is named. Rules know neither your pictures
    nor your network; the experiment does.

    Args:
        images_per_class: training pictures in a typical class.
        similarity: to what the weights were trained on, "similar", "different" or "very different"; or a
            number from 0 to 1, as `measure_similarity` gives: from 0.8 it is similar, from 0.7 different.
        budget: "low" pays for features and a head (minutes on a processor), "medium" for the last layers
            (an hour), "high" for the whole network (hours, or a graphics card). None: whatever is best.
    Raises:
        CourseError: a number lies outside its range; UnknownName for a word.
    """
    if isinstance(images_per_class, bool) or not isinstance(images_per_class, (int, float)) or \
            not 1 <= images_per_class < math.inf:
        raise CourseError(f"images_per_class is a number from 1, such as 120, but got {images_per_class!r}.")
    if budget is not None and budget not in tuple(BUDGETS):
        raise unknown_name("budget", budget, BUDGETS)
    degree = _degree(similarity)
    size = "many" if images_per_class >= LARGE else "few"
    best, why = TABLE[size, degree]
    counted = EXTRACTION if size == "few" else PARTIAL if images_per_class < VERY_LARGE else FULL
    reasons = [f"Rule of thumb by size and similarity: {size} pictures ({images_per_class:,} per class, "
               f"{LARGE:,} are many), domain {degree}: {best}, because {why}.",
               f"Rule of thumb by pictures per class ({LARGE:,} for partial, {VERY_LARGE:,} for full "
               f"fine-tuning): {counted}."]
    agreed = DEPTH[counted] == DEPTH[best] and best != DOMAIN
    if not agreed:
        reasons.append("The two rules disagree: only a run can decide.")
    if budget and DEPTH[best] > DEPTH[BUDGETS[budget]]:
        strategy, rival = BUDGETS[budget], best
        reasons.append(f"A {budget} budget pays for {strategy} at most; with more, {best} would come first.")
    else:
        strategy, rival = best, counted
        if agreed:      # a step deeper, or from full fine-tuning a step back
            rival = EXTRACTION if best == PARTIAL else PARTIAL
    return Recommendation(strategy, tuple(reasons), _experiment(strategy, rival, degree))


def _degree(similarity: str | float) -> str:
    if isinstance(similarity, str):
        if similarity not in DEGREES:
            raise unknown_name("similarity", similarity, DEGREES)
        return similarity
    if isinstance(similarity, bool) or not isinstance(similarity, (int, float)) or not 0 <= similarity <= 1:
        raise CourseError(f"similarity is {', '.join(map(repr, DEGREES))}, or a number from 0 to 1, but got "
                          f"{similarity!r}.")
    return DEGREES[0] if similarity >= SIMILAR else DEGREES[1] if similarity >= DIFFERENT else DEGREES[2]


def _experiment(strategy: str, rival: str, degree: str) -> str:
    scratch = (" Add load_model(..., random_init=True), trained in full: if it comes as far, the weights "
               "gave nothing." if degree == DEGREES[2] else "")
    return (f"on the same splits, with five seeds, compare {strategy} ({HOW[strategy]}) with {rival} "
            f"({HOW[rival]}). Take {rival} if it is better on validation by more than the seeds differ."
            + scratch)

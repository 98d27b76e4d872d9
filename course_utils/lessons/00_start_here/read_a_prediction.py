"""Exercise: the name of the most likely class."""

from __future__ import annotations

from course_utils.lessons._guards import kind_of
from course_utils.pretrained import Prediction
from course_utils.teaching import Exercise, Table, expect

read_a_prediction = Exercise(
    "read-a-prediction", lesson="00_start_here", title="Name what the model sees",
    see="#First-prediction", minutes=3, difficulty="easy", objective="first-prediction")


@read_a_prediction.starter
def best_guess(guesses):
    """Return the label of the most likely of the `guesses`, a list of predictions in any order."""
    ...


@read_a_prediction.solved_by
def best_guess(guesses):
    """The largest probability wins, wherever it stands in the list."""
    return max(guesses, key=lambda guess: guess.probability).label


@read_a_prediction.alternative("sorted")
def best_guess(guesses):
    return sorted(guesses, key=lambda guess: -guess.probability)[0].label


@read_a_prediction.alternative("plain-loop")
def best_guess(guesses):
    best = guesses[0]
    for guess in guesses:
        if guess.probability > best.probability:
            best = guess
    return best.label


@read_a_prediction.wrong("the-first-in-the-list", says=(
    "You took the first of the list, but the list may come in any order: here “{label}” has the "
    "largest probability. Compare the probabilities."))
def best_guess(guesses):
    return guesses[0].label


@read_a_prediction.wrong("the-whole-prediction", says=(
    "You returned the whole prediction. Its name alone is `.label`."))
def best_guess(guesses):
    return max(guesses, key=lambda guess: guess.probability)


@read_a_prediction.wrong("the-index", says=(
    "{answer} is the class's index, its place among the 1,000 classes. Its name is `.label`."))
def best_guess(guesses):
    return max(guesses, key=lambda guess: guess.probability).index


@read_a_prediction.wrong("the-last-by-name", says=(
    "“{answer}” comes last by the alphabet: you compared labels, not probabilities. Give `max` a key: "
    "`key=lambda guess: guess.probability`."))
def best_guess(guesses):
    return max(guess.label for guess in guesses)


@read_a_prediction.wrong("the-least-likely", says=(
    "“{answer}” is the least likely. `sorted` puts the smallest first: take the last, say `reverse=True`, or "
    "use `max`."))
def best_guess(guesses):
    return sorted(guesses, key=lambda guess: guess.probability)[0].label


# First, last, last by name, largest index and least likely are five different guesses.
GUESSES = [Prediction("tabby", 281, 0.17), Prediction("tiger cat", 282, 0.37),
           Prediction("window screen", 904, 0.06), Prediction("lynx", 287, 0.01),
           Prediction("toilet tissue", 999, 0.03), Prediction("Egyptian cat", 285, 0.36)]


def as_given(guesses: list[Prediction], found: object) -> list[Table]:
    """The list as the answer got it; the most likely is marked."""
    best = max(guesses, key=lambda guess: guess.probability)
    rows = [(guess.label, str(guess.index), f"{guess.probability:.2f}",
             "← you returned it" if found in (guess, guess.label, guess.index) else "") for guess in guesses]
    return [Table("The guesses you were given, in their order; the marked one is the most likely",
                  (".label", ".index", ".probability", ""), rows, marked=[guesses.index(best)])]


@read_a_prediction.checks("the name of the most likely class", points=2)
def _(answer):
    for guesses in (GUESSES, GUESSES[::-1], GUESSES[2:]):
        best = max(guesses, key=lambda guess: guess.probability)
        found = answer(list(guesses))

        def show(guesses=guesses, found=found):
            return as_given(guesses, found)
        expect(not isinstance(found, Prediction), mistake="the-whole-prediction", show=show)
        expect(not isinstance(found, int) or found != best.index, mistake="the-index", answer=found,
               show=show)
        expect(isinstance(found, str), f"The answer should be a label, a str, but it is {kind_of(found)}.")
        if found == best.label:
            continue
        expect(found != guesses[0].label, mistake="the-first-in-the-list", label=best.label, show=show)
        expect(found != max(g.label for g in guesses), mistake="the-last-by-name", answer=found, show=show)
        expect(found != min(guesses, key=lambda guess: guess.probability).label,
               mistake="the-least-likely", answer=found, show=show)
        expect(False, f"“{found}” is not the most likely: that is “{best.label}”.", show=show)


read_a_prediction.hints(
    "Each guess has `.label`, `.index` and `.probability`.",
    "`max` takes a key: `max(guesses, key=...)`.",
    "`max(guesses, key=lambda guess: guess.probability)` is the best guess; its `.label` is the answer.")

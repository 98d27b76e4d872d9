"""label_explorer: ImageNet's 1,000 classes by their words, and where they stand in the tree."""

from __future__ import annotations

import difflib
import re

from course_utils.pretrained import Synset, imagenet_synsets, imagenet_tree
from course_utils.teaching.exhibits import Exhibit, Table, Words
from course_utils.widgets.explorer import Explorer, Field, explore

MOST_ROWS = 12
ALIKE = 0.8         # of two spellings; at 0.75, "tulip" is like "tup"


def label_explorer() -> Explorer:
    """Type a word: which branches and classes of ImageNet are called so, and what lies above and below."""
    return explore("Where a word falls among ImageNet's 1,000 classes", _look_up, word=Field("Word", "cat"))


def path_up(synset: Synset) -> list[Synset]:
    """From a synset to "entity", the root; where several are above one, along the first."""
    path = [synset]
    while path[-1].above:
        path.append(imagenet_tree()[path[-1].above[0]])
    return path


def the_classes() -> list[Synset]:
    """The 1,000 classes, by position."""
    return sorted((synset for synset in imagenet_tree().values() if synset.definition),
                  key=lambda synset: synset.classes)


def _look_up(word: str) -> list[Exhibit]:
    word = word.strip().lower()
    if not word:
        return [Words("Type a word, as dog, crane or tulip.")]
    exact = imagenet_synsets(word)
    below = {position for synset in exact for position in synset.classes}
    inside = [synset for synset in the_classes() if synset.classes[0] in below]
    beside = [synset for synset in the_classes() if synset not in inside and _holds(synset.words, word)]
    if not inside and not beside:
        return _not_there(word)
    shown = []
    if exact:
        shown.append(_meanings(word, exact))
        shown.append(_class_table(f"Classes that fall under “{word}”, {len(inside)} of 1,000", inside))
    if beside:
        shown.append(_class_table(f"Other classes with “{word}” in a name: {len(beside)}", beside))
    return [*shown, *(Words(_way_up(synset)) for synset in exact or beside[:1])]


def _way_up(synset: Synset) -> str:
    """All that is above a synset, with the number of classes below each."""
    above = " → ".join(f"{step.words[0]} ({len(step.classes)})" for step in path_up(synset)[1:])
    return f"Above “{', '.join(synset.words)}”, with the number of classes below each: {above}."


def _holds(texts: tuple[str, ...], word: str) -> bool:
    """Whether `word` stands in one of the texts as a word of its own."""
    return any(re.search(rf"\b{re.escape(word)}\b", text.lower()) for text in texts)


def _meanings(word: str, synsets: list[Synset]) -> Table:
    return Table(f"Meanings of “{word}” in the tree", ("words", "synset", "classes at or below it"),
                 [(", ".join(synset.words), synset.id, str(len(synset.classes))) for synset in synsets])


def _class_table(title: str, classes: list[Synset]) -> Table:
    more = f"; the first {MOST_ROWS}" if len(classes) > MOST_ROWS else ""
    return Table(title + more, ("class", "position", "synset", "definition"),
                 [(synset.words[0], str(synset.classes[0]), synset.id, synset.definition)
                  for synset in classes[:MOST_ROWS]])


def _not_there(word: str) -> list[Exhibit]:
    known = sorted({name.lower() for synset in imagenet_tree().values() for name in synset.words})
    alike = ", ".join(difflib.get_close_matches(word, known, cutoff=ALIKE)) or "none"
    mentioned = [synset for synset in the_classes() if _holds((synset.definition,), word)]
    table = [_class_table(f"“{word}” stands in definitions of other things", mentioned)] if mentioned else []
    return [Words(f"No class is called “{word}”, and no branch with classes in it. Shown one, a model names "
                  f"something else. Words spelt much like it: {alike}."), *table]

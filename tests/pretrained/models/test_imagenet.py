"""ImageNet's classes in WordNet's tree: the links agree with timm and torchvision, and hold together."""

from __future__ import annotations

import timm
import torchvision
from hypothesis import given
from hypothesis import strategies as st

from course_utils import paths
from course_utils.pretrained import imagenet_synsets, imagenet_tree, top_k
from course_utils.pretrained.models.libraries import imagenet_definitions

TREE = imagenet_tree()
ORDER = list(TREE)
INFO = timm.data.ImageNetInfo()


def above(synset: str) -> set[str]:
    """Everything above a synset, found another way than the tree was built."""
    return {wider for direct in TREE[synset].above for wider in {direct} | above(direct)}


def test_every_class_of_timm_is_there_at_its_position_with_its_words_and_definition():
    for position, synset in enumerate(INFO.label_names()):
        ours = TREE[synset]
        assert ours.classes == (position,)
        detailed = f"{', '.join(ours.words)}: {ours.definition}"
        assert detailed == INFO.label_name_to_description(synset, detailed=True)


def test_wordnets_words_are_timms_for_branches_too():
    known = [synset for synset in TREE.values() if synset.id in INFO._lemmas]
    assert len(known) > 1500
    assert all(", ".join(synset.words) == INFO._lemmas[synset.id] for synset in known)


def test_positions_are_those_of_torchvisions_names():
    names = torchvision.models.ResNet18_Weights.IMAGENET1K_V1.meta["categories"]
    differ = [position for position, synset in enumerate(imagenet_definitions())
              if names[position] != TREE[synset].words[0]]
    assert differ == [134, 639]         # torchvision tells the two cranes and the two maillots apart


def test_each_synset_stands_before_what_is_above_it_and_the_root_comes_last():
    place = {synset: at for at, synset in enumerate(ORDER)}
    assert all(place[wider] > place[synset.id] for synset in TREE.values() for wider in synset.above)
    assert [synset.words[0] for synset in TREE.values() if not synset.above] == ["entity"]
    assert TREE[ORDER[-1]].words[0] == "entity" and len(TREE[ORDER[-1]].classes) == 1000


@given(st.sampled_from(ORDER))
def test_a_branch_has_exactly_the_classes_that_have_it_above_them(synset):
    expected = {position for position, name in enumerate(imagenet_definitions())
                if synset == name or synset in above(name)}
    assert set(TREE[synset].classes) == expected


def test_no_class_stands_above_another():
    classes = set(imagenet_definitions())
    assert not any(above(synset) & classes for synset in classes)


def test_nothing_is_there_that_leads_to_no_class():
    assert all(synset.classes for synset in TREE.values())


def test_several_hypernyms_are_all_followed():
    [dog] = imagenet_synsets("dog")
    over = {TREE[synset].words[0] for synset in dog.above}
    assert over == {"canine", "domestic animal"}
    assert all(set(dog.classes) <= set(imagenet_synsets(word)[0].classes) for word in over)


def test_the_numbers_that_the_lesson_names():
    count = {word: len(imagenet_synsets(word)[0].classes) for word in
             ("animal", "dog", "domestic cat", "artifact", "person", "plant", "flower")}
    assert count == {"animal": 398, "dog": 118, "domestic cat": 5, "artifact": 522, "person": 3, "plant": 2,
                     "flower": 2}
    assert len(TREE) == 1860 and sum(len(synset.above) > 1 for synset in TREE.values()) == 75


def test_a_word_finds_all_its_meanings_the_widest_first():
    assert [len(synset.classes) for synset in imagenet_synsets("Cat ")] == [7, 6]
    assert imagenet_synsets("tulip") == [] and imagenet_synsets("") == []


def test_positions_name_what_a_model_says(lite0, cat):
    """The tree's positions and a prediction's index are the same thing."""
    best = top_k(lite0, cat, k=3)
    [house_cat] = imagenet_synsets("domestic cat")
    assert {guess.index for guess in best} <= set(house_cat.classes)


def test_the_table_carries_wordnets_licence_and_no_other_words_of_it():
    lines = (paths.data() / "imagenet_hypernyms.csv").read_text(encoding="utf-8").splitlines()
    licence = " ".join(line.removeprefix("#").strip() for line in lines if line.startswith("#"))
    assert "Permission to use, copy, modify and distribute" in licence
    assert "WordNet 3.0 Copyright 2006 by Princeton University" in licence
    assert licence.endswith("LICENSEE agrees to preserve same.")

"""What the label explorer says of words, and the branch view of a picture."""

from __future__ import annotations

import pytest
from PIL import Image
from skimage import data

from course_utils.errors import CourseError
from course_utils.pretrained import imagenet_synsets, load_model, replace_head, top_k
from course_utils.widgets import branch_view, label_explorer


@pytest.fixture(scope="module")
def model():
    return load_model("efficientnet_lite0")


@pytest.fixture(scope="module")
def cat():
    return Image.fromarray(data.chelsea())


def looked_up(word: str) -> str:
    return label_explorer().set(word=word).text()


def test_a_branch_lists_its_classes_with_position_synset_and_definition():
    said = looked_up("domestic cat")
    assert "fall under “domestic cat”, 5 of 1,000" in said
    assert all(words in said for words in ("282", "n02123159", "a cat having a striped coat"))


def test_a_class_is_found_by_a_word_of_its_name_and_by_synonyms():
    assert "golden retriever" in looked_up("golden") and "n02106662" in looked_up("Alsatian")


def test_what_is_only_called_so_does_not_fall_under_the_word():
    """A hot dog is no dog."""
    _, below, beside, _ = label_explorer().set(word="dog").view
    assert "118 of 1,000" in below["title"] and beside["title"].endswith(": 3")
    assert "hotdog" in [row[0] for row in beside["rows"]]


def test_part_of_a_word_is_not_that_word():
    """ "ant" stands in "elephant" and "pants"; neither falls under it."""
    said = looked_up("ant")
    assert "n02219486" in said and "elephant" not in said


@pytest.mark.parametrize("word, synsets", [("crane", ["n02012849", "n03126707"]),
                                           ("plant", ["n00017222", "n03956922"])])
def test_every_meaning_of_a_word_is_shown(word, synsets):
    said = looked_up(word)
    assert all(synset in said for synset in synsets) and said.count("Above “") == len(synsets)


def test_the_way_up_ends_at_the_root():
    assert "domestic cat (5) → cat (7)" in looked_up("tabby") and "entity (1000)" in looked_up("tabby")


def test_a_word_that_is_not_there_is_said_not_to_be_there():
    said = looked_up("tulip")
    assert "No class is called “tulip”" in said and "fall under" not in said
    assert "spelt much like it: none" in said


def test_a_slip_of_spelling_gives_words_much_like_it():
    assert "labrador retriever" in looked_up("labradr retriever")


def test_a_word_of_definitions_alone_is_found_there():
    said = looked_up("mottled")
    assert "No class is called" in said and "tabby" in said


@pytest.mark.parametrize("word", ["", "   ", "(", "c[", "\\", "<b>cat</b>", "🐈", "x" * 500])
def test_whatever_is_typed_there_is_an_answer(word):
    assert label_explorer().set(word=word).view


def test_case_and_blanks_do_not_matter():
    assert label_explorer().set(word="  CAT ").view == label_explorer().set(word="cat").view


def test_a_long_list_is_cut_and_says_so():
    panel = label_explorer().set(word="dog")
    table = panel.view[1]
    assert len(table["rows"]) == 12 and table["title"].endswith("; the first 12")


# branch_view -------------------------------------------------------------------------------------------

def test_a_branch_has_the_probabilities_of_its_classes_together(model, cat):
    share = {guess.index: guess.probability for guess in top_k(model, cat, k=1000)}
    [branch] = imagenet_synsets("domestic cat")
    together = sum(share[position] for position in branch.classes)
    said = branch_view(model, cat).set(up=1).text()
    assert f"the 5 of “domestic cat” have {together:.1%} together" in said
    assert together > 2 * max(share.values())


def test_sums_grow_on_the_way_up_to_all(model, cat):
    bars = branch_view(model, cat).view[1]["bars"]
    shares = [share for _, share, _ in bars]
    assert shares == sorted(shares) and bars[-1][2] == "100.0%"


def test_no_step_up_is_the_best_class_alone(model, cat):
    panel = branch_view(model, cat).set(up=0)
    assert [label for label, _, _ in panel.view[2]["bars"]] == [top_k(model, cat, k=1)[0].label]


def test_many_steps_up_stay_on_the_path(model, cat):
    assert "“animal”" in branch_view(model, cat).set(up=9).text()


def test_another_picture_takes_the_place_of_the_given_one(model, cat):
    panel = branch_view(model, cat).set(own=Image.fromarray(data.coffee()), up=0)
    assert "espresso" in panel.text() and "Your picture" in panel.text() and "cat" not in panel.text()


def test_a_model_with_a_new_head_is_refused(cat):
    with pytest.raises(CourseError, match="1,000 classes"):
        branch_view(replace_head(load_model("efficientnet_lite0"), 5), cat)

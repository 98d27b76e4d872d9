"""walkthrough: a note lights the lines it is about, in the browser's data and in words."""

from __future__ import annotations

import pytest

from course_utils.errors import CourseError
from course_utils.pretrained import distillation_loss
from course_utils.widgets import walkthrough


def double(numbers):
    """Twice each of the numbers."""
    found = []
    for number in numbers:
        found.append(2 * number)
    return found


NOTES = {"found = []": "Empty at first.", ("for number", "append"): "One after another.",
         "return": "All of them."}


def lit(panel) -> list[str]:
    code = panel.view[0]
    return [code["lines"][number].strip() for number in code["lit"]]


def test_the_first_note_is_chosen_and_its_line_is_lit():
    panel = walkthrough(double, NOTES)
    assert lit(panel) == ["found = []"]
    assert panel.controls[0]["texts"] == ["1. found = []", "2. for number in numbers:", "3. return found"]


def test_a_note_on_several_lines_lights_them_all_and_no_other():
    panel = walkthrough(double, NOTES).set(note="2. for number in numbers:")
    assert lit(panel) == ["for number in numbers:", "found.append(2 * number)"]
    assert panel.view[1]["marked"] == [1]


def test_all_notes_and_the_lines_can_be_read_as_text():
    said = walkthrough(double, NOTES).set(note="3. return found").text()
    for note in NOTES.values():
        assert note in said
    assert "▸     return found" in said and "▸     for number" not in said


def test_words_of_a_docstring_are_not_taken_for_code():
    assert lit(walkthrough(double, {"numbers": "In the loop, not in the docstring."})) == [
        "for number in numbers:"]
    with pytest.raises(CourseError, match="each of"):
        walkthrough(double, {"each of the": "only the docstring says so"})


def test_a_function_of_the_course_is_read_from_its_module():
    panel = walkthrough(distillation_loss, {"hard =": "The labels' part."})
    assert lit(panel) == ["hard = F.cross_entropy(student, labels)"]


@pytest.mark.parametrize("function", [len, 3])
def test_what_has_no_source_is_refused_in_words(function):
    with pytest.raises(CourseError, match="no source"):
        walkthrough(function, {"x": "…"})


def test_words_that_stand_nowhere_are_named():
    with pytest.raises(CourseError, match="No line of double has 'triple'"):
        walkthrough(double, {"triple": "…"})

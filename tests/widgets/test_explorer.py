"""explore: what is chosen decides what is seen, from the browser and without one."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image

from course_utils.errors import CourseError
from course_utils.widgets import Choice, Field, Slider, Switch, Table, Upload, Words, explore


def look(factor, word, loud, model, picture):
    said = f"{factor} {word.upper() if loud else word} {model}"
    return [Words(said), Table("Size", ["side"], [[str(picture.size if picture else None)]])]


@pytest.fixture
def explorer():
    return explore("Try it", look, factor=Slider("Factor", [1, 2.5, 10], 2.5), word=Field("Word", "cat"),
                   loud=Switch("Loud"), model=Choice("Model", {"small": 11, "large": 44}),
                   picture=Upload("Your picture"))


def said(explorer):
    return explorer.view[0]["said"]


def test_it_looks_at_once_with_the_first_values(explorer):
    assert said(explorer) == "2.5 cat 11"
    assert [c["kind"] for c in explorer.controls] == ["slider", "field", "switch", "choice", "upload"]
    assert explorer.controls[0]["texts"] == ["1", "2.5", "10"] and explorer.controls[0]["value"] == 1


def test_the_browser_chooses_by_position(explorer, press):
    press(explorer, "set", name="factor", value=2)
    press(explorer, "set", name="model", value=1)
    press(explorer, "set", name="loud", value=True)
    press(explorer, "set", name="word", value="dog")
    assert said(explorer) == "10 DOG 44" and explorer.replies == 4 and explorer.trouble == ""


def test_without_a_browser_values_are_chosen_by_name_or_text(explorer):
    assert said(explorer.set(factor=1, model="large", loud=True)) == "1 CAT 44"
    assert said(explorer.set(model=11)) == "1 CAT 11"
    for words in ("Try it", "Factor: 1", "Loud: on", "Model: small", "Your picture: none yet"):
        assert words in explorer.text()


@pytest.mark.parametrize("values, words", [({"factr": 1}, "factor"), ({"factor": 3}, "2.5"),
                                           ({"model": "huge"}, "large")])
def test_what_cannot_be_chosen_is_said_with_what_can(explorer, values, words):
    with pytest.raises(CourseError, match=words):
        explorer.set(**values)


def test_an_uploaded_picture_arrives_whole_and_stays_in_the_kernel(explorer, sent_to_browser):
    file = io.BytesIO()
    Image.new("L", (30, 20)).save(file, format="PNG")
    explorer._handle_custom_msg({"do": "upload", "name": "picture"}, [memoryview(file.getvalue())])
    assert explorer.view[1]["rows"] == [["(30, 20)"]]
    assert "30 × 20 pixels" in explorer.text() and "PNG" not in sent_to_browser(explorer)


def test_a_file_that_is_no_picture_is_said_in_the_widget(explorer):
    explorer._handle_custom_msg({"do": "upload", "name": "picture"}, [memoryview(b"not a picture")])
    assert "did not work" in explorer.trouble and explorer.replies == 1


def test_an_error_while_looking_is_said_and_what_was_seen_stays(press):
    explorer = explore("Divide", lambda by: [Words(str(10 / by))], by=Slider("By", [1, 0]))
    press(explorer, "set", name="by", value=1)
    assert "ZeroDivisionError" in explorer.trouble and said(explorer) == "10.0"


def test_something_to_choose_is_needed():
    with pytest.raises(CourseError, match="at least one control"):
        explore("Nothing", lambda: [])


def test_what_is_sent_is_plain(explorer):
    json.dumps([explorer.controls, explorer.view], allow_nan=False)


def shown_of(explorer) -> str:
    return explorer.view[1]["rows"][0][0]


@pytest.fixture
def with_upload():
    """A choice, an upload that takes its place, and one that takes nobody's; both are there."""
    explorer = explore("Pictures", lambda given, own, other: [Words(given), Table("Own", ["size"], [[
        " ".join(str(one and one.size) for one in (own, other))]])],
        given=Choice("Given", ["cat", "rocket"]), own=Upload("Or yours", instead_of="given"),
        other=Upload("Another"))
    return explorer.set(own=Image.new("L", (3, 2)), other=Image.new("L", (5, 4)))


def test_choosing_again_puts_away_the_upload_that_took_its_place(with_upload, press):
    assert shown_of(with_upload) == "(3, 2) (5, 4)"
    press(with_upload, "set", name="given", value=1)
    assert said(with_upload) == "rocket" and shown_of(with_upload) == "None (5, 4)"
    assert shown_of(with_upload.set(own=Image.new("L", (3, 2)))) == "(3, 2) (5, 4)", "and it can come back"
    assert shown_of(with_upload.set(given="cat")) == "None (5, 4)"


def test_an_upload_is_put_away_by_a_button_of_its_own(with_upload, press):
    assert [control.get("there") for control in with_upload.controls] == [None, True, True]
    press(with_upload, "set", name="other", value=None)
    assert shown_of(with_upload) == "(3, 2) None" and with_upload.controls[2]["there"] is False
    assert "Another: none yet" in with_upload.text()

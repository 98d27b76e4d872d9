"""mistake_lab: what one mistake does to a picture and to an answer, beside what was recorded."""

from __future__ import annotations

import io
import json

import pytest
import torch
from PIL import Image
from skimage import data

from course_utils import paths
from course_utils.pretrained import load_model, preprocessing, top_k
from course_utils.widgets import mistake_lab
from course_utils.widgets.wrong_steps import MISTAKES

BY_ID = {mistake.id: mistake for mistake in MISTAKES}
each = pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.id)


@pytest.fixture(scope="module")
def model():
    return load_model("efficientnet_lite0")


@pytest.fixture(scope="module")
def cat():
    return Image.fromarray(data.chelsea())


@pytest.fixture
def lab():
    return mistake_lab()


def bars(lab) -> tuple[list, list]:
    """The right top five and the mistaken one, as drawn."""
    right, wrong = (exhibit["bars"] for exhibit in lab.view if exhibit["kind"] == "bars")
    return right, wrong


def test_the_right_way_is_the_preparation_of_these_weights(model, cat):
    assert torch.equal(BY_ID["none"].prepare(model.course_weights, cat), preprocessing(model)(cat))


@each
def test_every_mistake_gives_a_picture_of_the_right_shape_that_differs(model, cat, mistake):
    found = mistake.prepare(model.course_weights, cat)
    assert found.shape == (3, 224, 224) and found.dtype == torch.float32
    same = torch.equal(found, preprocessing(model)(cat))
    assert same == (mistake.id in ("none", "no-eval"))


@each
def test_every_mistake_is_looked_at_and_marked_in_the_record(lab, mistake):
    lab.set(mistake=mistake.name)
    right, wrong = bars(lab)
    table = lab.view[-1]
    assert (right == wrong) == (mistake.id == "none")
    [marked] = table["marked"]
    assert table["rows"][marked][0].startswith(mistake.name) and lab.trouble == ""


def test_the_right_bars_are_what_the_course_says(lab, model, cat):
    right, _ = bars(lab)
    assert [(label, pytest.approx(share, abs=1e-4)) for label, share, _ in right] == [
        (guess.label, guess.probability) for guess in top_k(model, cat)]


def test_no_eval_is_a_change_of_mode_alone(lab, model):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    lab.set(mistake="no eval()")
    right, wrong = bars(lab)
    assert right[0][1] != wrong[0][1]
    assert bars(lab.set(mistake="nothing wrong"))[0] == right
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_the_record_is_shown_with_its_command_and_seeds(lab):
    record = json.loads((paths.results() / "mistakes.json").read_text(encoding="utf-8"))
    title = lab.view[-1]["title"]
    assert record["command"] in title and "seeds 0, 1, 2" in title
    assert len(lab.view[-1]["rows"]) == len(record["results"]["mistakes"])


def test_a_picture_of_ones_own_takes_the_place_until_another_is_chosen(lab, press):
    file = io.BytesIO()
    Image.fromarray(data.rocket()).save(file, format="PNG")
    lab._handle_custom_msg({"do": "upload", "name": "own"}, [memoryview(file.getvalue())])
    uploaded = bars(lab)[0]
    assert uploaded == bars(mistake_lab().set(photograph="rocket"))[0] and lab.trouble == ""
    assert "Your picture" in lab.text()
    press(lab, "set", name="photograph", value=1)
    assert "The coffee" in lab.text() and "Your picture" not in lab.text()


def test_pictures_carry_words(lab):
    assert "[picture] ImageNet's mean and std: The cat, ImageNet's mean and std" in lab.text()

"""What mistakes of preparing and running cost on photographs, as recorded by `tools/records/mistakes.py`."""

from __future__ import annotations

import json
from statistics import mean

import pytest
import torch

from course_utils import paths
from course_utils.widgets.wrong_steps import MISTAKES

SMALL_FILES = "no-resize"          # the shorter side of these photographs has at most 256 pixels
COSTLY = [*(mistake.id for mistake in MISTAKES if mistake.id not in ("none", SMALL_FILES)), "no-resize-large"]


@pytest.fixture(scope="module")
def record() -> dict:
    return json.loads((paths.results() / "mistakes.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def rows(record) -> dict[str, dict]:
    return {row["id"]: row for row in record["results"]["mistakes"]}


def test_every_mistake_was_measured_with_every_seed(record, rows):
    assert set(rows) == {mistake.id for mistake in MISTAKES} | {"no-eval-batch", "no-resize-large"}
    assert len(record["seeds"]) >= 3
    for row in rows.values():
        for column in ("named", "deployed", "throughout"):
            assert len(row[column]) == len(record["seeds"]) and all(0 <= share <= 1 for share in row[column])


def test_the_pictures_are_real_photographs_and_as_many_as_said(record):
    assert record["results"]["daisies"] == 190 and record["results"]["test"] == 200


@pytest.mark.parametrize("id", COSTLY)
def test_a_mistake_at_the_test_costs_accuracy_with_every_seed(rows, id):
    pairs = zip(rows[id]["deployed"], rows["none"]["deployed"], strict=True)
    assert all(wrong < right for wrong, right in pairs)


@pytest.mark.parametrize("id", COSTLY)
def test_it_costs_less_where_training_made_it_too(rows, id):
    pairs = zip(rows[id]["throughout"], rows[id]["deployed"], strict=True)
    assert all(throughout > deployed for throughout, deployed in pairs)


def test_not_resizing_costs_nothing_on_files_that_are_small_already(rows):
    """The twin: without it, one could think that any change to a picture costs."""
    assert abs(mean(rows[SMALL_FILES]["deployed"]) - mean(rows["none"]["deployed"])) < 0.01


def test_imagenets_mean_and_std_cost_about_five_points_and_some_daisies(rows):
    lost = mean(rows["none"]["deployed"]) - mean(rows["imagenet-mean-std"]["deployed"])
    assert 0.04 < lost < 0.07
    assert rows["imagenet-mean-std"]["named"][0] < rows["none"]["named"][0] - 0.05


def test_in_train_mode_one_picture_at_a_time_the_probe_guesses(rows):
    assert max(rows["no-eval"]["deployed"]) < 0.25 and max(rows["no-eval"]["named"]) < 0.01


def test_the_right_way_is_the_recorded_probe_on_photographs(rows):
    other = json.loads((paths.results() / "photo_probe.json").read_text(encoding="utf-8"))["results"]
    assert rows["none"]["deployed"] == pytest.approx(other["per_seed"], abs=0.01)


def test_one_mistake_comes_out_as_recorded(rows):
    """Daisies named with ImageNet's mean and std, within two of a hundred."""
    from mistakes import NAME, named, run
    from probe_study import Pool, together

    from course_utils.pretrained import Features, load_dataset

    folder = paths.test_photos() / "flowers"
    if not folder.is_dir():
        pytest.skip(f"no photographs in {folder}; COURSE_TEST_PHOTOS says where they are")
    pool = together(load_dataset(f"folder:{folder}"))
    label = pool.pictures.classes.index(NAME)
    daisies = Pool(pool.pictures.subset([i for i, y in enumerate(pool.pictures.labels) if y == label]), ())
    mistake = next(one for one in MISTAKES if one.id == "imagenet-mean-std")
    x = run(mistake, daisies, torch.arange(len(daisies.pictures)), batch=25)
    found = Features(x, torch.tensor(daisies.pictures.labels), daisies.pictures.paths, pool.pictures.classes)
    assert named(found) == pytest.approx(rows["imagenet-mean-std"]["named"][0], abs=0.02)

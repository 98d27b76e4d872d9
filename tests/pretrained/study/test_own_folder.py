"""From a folder to a model with card and report; the folder stays as it is, and what is claimed was done."""

from __future__ import annotations

import hashlib
import html
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from course_utils import paths
from course_utils.errors import BadData, CourseError
from course_utils.pretrained import load_checkpoint, study_folder, top_k
from course_utils.pretrained.study import own_folder
from course_utils.pretrained.study.own_folder import _to_try, scores_of
from course_utils.pretrained.training.strategy import (
    AUGMENTED,
    DOMAIN,
    EXTRACTION,
    FULL,
    PARTIAL,
    Recommendation,
)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """Stripes that run up, and across: sixteen of each, one of them damaged, one twice."""
    folder, rng = tmp_path_factory.mktemp("own") / "stripes", np.random.default_rng(0)
    for name in ("across", "up"):
        (folder / name).mkdir(parents=True)
        for number in range(16):
            pixels = rng.integers(0, 90, (48, 48, 3), dtype=np.uint8)
            pixels[number % 5::6] += 150
            Image.fromarray(pixels if name == "across" else pixels.swapaxes(0, 1)).save(
                folder / name / f"{number}.png")
    (folder / "up" / "cut.png").write_bytes((folder / "up" / "0.png").read_bytes()[:3000])
    (folder / "up" / "twice.png").write_bytes((folder / "up" / "1.png").read_bytes())
    return folder


def state(folder: Path) -> dict:
    return {path: (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file()
                   else "") for path in sorted(folder.rglob("*"))}


@pytest.fixture(scope="module")
def studied(pictures, tmp_path_factory):
    before, said = state(pictures), []
    found = study_folder(pictures, tmp_path_factory.mktemp("out"), size=32, formats="safetensors",
                         say=said.append)
    return found, before, said


def test_nothing_in_the_folder_is_changed(studied, pictures):
    assert state(pictures) == studied[1]


def test_the_better_on_validation_is_tested_and_exported(studied):
    found, _, _ = studied
    assert EXTRACTION in found.tried and PARTIAL in found.tried
    assert found.tried[found.chosen] == max(found.tried.values())
    assert found.metrics.n == len(found.data.splits()[2]) and found.metrics.accuracy > 0.7
    stranger = load_checkpoint(found.export.folder / "weights.safetensors").model
    test = found.data.splits()[2]
    assert torch.allclose(scores_of(stranger, test, 32), found.scores, atol=1e-3)
    page = html.unescape(Path(found.report).read_text(encoding="utf-8"))
    assert "k=2, size=32))" in page and str(found.export.folder) not in page
    assert top_k(stranger, test[0][0], k=2, size=32)[0].label in ("across", "up")


def test_damaged_pictures_and_copies_are_named_and_kept_from_two_parts(studied):
    found, _, said = studied
    assert any("cut.png" in line for line in said)
    parts = [{Path(path).name for path in images.paths if "/up/" in path} for images in found.data.splits()]
    assert not any("cut.png" in part for part in parts)
    assert [part for part in parts if "1.png" in part] == [part for part in parts if "twice.png" in part]


def test_the_report_tells_what_was_found_tried_and_taken(studied):
    found, _, _ = studied
    page = Path(found.report).read_text(encoding="utf-8")
    for words in ("cut.png", "What was tried", found.chosen, "True classes in rows", "Calibration",
                  "load_checkpoint(", "can be expected"):
        assert words in page, words
    assert "<script" not in page and 'src="http' not in page


def test_the_same_command_again_gives_the_same(studied, pictures):
    found, _, _ = studied
    again = study_folder(pictures, found.export.folder.parent, size=32, formats="safetensors",
                         say=lambda line: None)
    assert again.tried == found.tried and torch.equal(again.scores, found.scores)


def test_another_size_into_the_same_place_is_another_run(studied, pictures):
    found, _, _ = studied
    other = study_folder(pictures, found.export.folder.parent, size=40, formats="safetensors",
                         say=lambda line: None)
    assert other.scores.shape == found.scores.shape and not torch.equal(other.scores, found.scores)


def test_nothing_is_written_among_the_pictures(pictures):
    before = state(pictures)
    with pytest.raises(CourseError, match="beside it"):
        study_folder(pictures, pictures / "out")
    assert state(pictures) == before


def test_nothing_is_written_into_a_folder_of_pictures_that_is_called_model(tmp_path):
    """The place asked for is beside the pictures, but the model would go among them."""
    there = tmp_path / "model" / "a"
    there.mkdir(parents=True)
    with pytest.raises(CourseError, match="inside the folder of pictures"):
        study_folder(tmp_path / "model", tmp_path)
    assert list(there.parent.rglob("*")) == [there]


def test_half_a_training_is_not_tested(pictures, tmp_path, monkeypatch):
    def stop(epoch):
        raise KeyboardInterrupt

    train = own_folder.fit_tail
    monkeypatch.setattr(own_folder, "fit_tail",
                        lambda *given, **named: train(*given, **named, on_epoch=stop))
    with pytest.raises(KeyboardInterrupt):
        study_folder(pictures, tmp_path, size=32, formats="safetensors", say=lambda line: None)
    assert not (tmp_path / "report.html").exists() and not (tmp_path / "model").exists()


def test_a_folder_with_one_class_is_refused_in_words(tmp_path):
    (tmp_path / "own" / "a").mkdir(parents=True)
    Image.new("RGB", (40, 40)).save(tmp_path / "own" / "a" / "1.png")
    with pytest.raises(BadData, match=r"takes two classes.*no class"):
        study_folder(tmp_path / "own", tmp_path / "out", say=lambda line: None)


@pytest.mark.parametrize("advised, budget, tried", [
    (EXTRACTION, "medium", [EXTRACTION, PARTIAL]), (EXTRACTION, "low", [EXTRACTION]),
    (AUGMENTED, "low", [EXTRACTION, AUGMENTED]), (DOMAIN, "medium", [EXTRACTION, AUGMENTED, PARTIAL]),
    (DOMAIN, "low", [EXTRACTION, AUGMENTED]), (FULL, "high", [EXTRACTION, FULL])])
def test_weights_that_are_not_here_are_not_claimed_to_be_tried(advised, budget, tried):
    assert _to_try(Recommendation(advised, (), ""), budget) == tried


@pytest.mark.full
def test_photographs_of_steel_become_a_model_whose_onnx_file_agrees(tmp_path):
    """The command as it is typed; agreement is checked by `export`, and said."""
    folder = paths.test_photos() / "steel_defects"
    if not folder.is_dir():
        pytest.skip(f"no photographs in {folder}; where are they? COURSE_TEST_PHOTOS=…")
    found = study_folder(folder, tmp_path / "out", say=lambda line: None)
    assert found.metrics.accuracy > 0.95
    assert "1e-04 is allowed" in found.export.agreement and (tmp_path / "out" / "report.html").is_file()

"""`course study` and `course report`: what is typed ends in files, and what is wrong is said in words."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from course_utils.cli import main
from course_utils.pretrained import Study


def course(*arguments: str):
    return CliRunner().invoke(main, arguments)


@pytest.fixture
def pictures(tmp_path):
    """Light and dark noise, eight of each."""
    rng = np.random.default_rng(0)
    for name, light in [("dark", 0), ("light", 140)]:
        (tmp_path / "mine" / name).mkdir(parents=True)
        for number in range(8):
            pixels = rng.integers(light, light + 100, (40, 40, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "mine" / name / f"{number}.png")
    return tmp_path / "mine"


def test_a_folder_becomes_a_model_and_a_report_beside_it(pictures, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    done = course("study", str(pictures), "--size", "32", "--budget", "low")
    assert done.exit_code == 0, done.output
    place = tmp_path / "mine_study"
    assert {"README.md", "model.onnx", "weights.safetensors"} <= {f.name for f in (place / "model").iterdir()}
    assert (place / "report.html").is_file() and str(place / "report.html") in done.output


def test_a_folder_that_is_not_there_is_said(tmp_path):
    done = course("study", str(tmp_path / "none"))
    assert done.exit_code == 1 and "does not exist" in done.output and "Traceback" not in done.output


def test_the_report_of_a_study_is_written_beside_it(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "study.jsonl"
    Study(file, datasets=["faces"], strategies=["probe"], shares=[1.0], seeds=[0], size=32).run(workers=1)
    done = course("report", str(file))
    assert done.exit_code == 0 and (tmp_path / "study.html").is_file()


def test_a_file_that_is_no_study_is_said(tmp_path):
    done = course("report", str(tmp_path / "none.jsonl"))
    assert done.exit_code == 1 and "no study" in done.output

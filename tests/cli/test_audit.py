"""course audit: a report for people or tools; a folder that cannot be audited ends with an error in words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from course_utils.cli import main

COURSE = "from course_utils.cli import main; main()"


def course(*arguments: str):
    return CliRunner().invoke(main, arguments)


@pytest.fixture
def pictures(tmp_path) -> Path:
    """Two classes of five pictures each, in a folder of its own."""
    rng = np.random.default_rng(0)
    for number in range(10):
        folder = tmp_path / "mine" / ("rose", "tulip")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    return tmp_path / "mine"


def test_a_clean_folder_is_reported_so(pictures):
    done = course("audit", str(pictures))
    assert done.exit_code == 0 and "10 usable pictures in 2 classes" in done.output
    assert "Nothing was found" in done.output


def test_what_is_wrong_is_named_and_is_no_failure_of_the_command(pictures):
    (pictures / "rose" / "zero.jpg").touch()
    (pictures / "daisy").mkdir()
    done = course("audit", str(pictures))
    assert done.exit_code == 0 and "rose/zero.jpg (0 bytes)" in done.output
    assert "✘ stops learning" in done.output and "'daisy'" in done.output


def test_tools_get_json_and_nothing_else(pictures):
    (pictures / "rose" / "zero.jpg").touch()
    done = course("audit", "--json", str(pictures))
    said = json.loads(done.output)
    assert said["usable"] == 10 and said["counts"] == {"train": {"rose": 5, "tulip": 5}}
    assert said["findings"][0]["cases"][0]["paths"] == ["rose/zero.jpg"]


@pytest.mark.parametrize("name, words", [("nowhere", "does not exist"), ("rose/0.png", "is a file")])
def test_a_folder_that_is_none_ends_with_an_error_in_words(pictures, name, words):
    done = course("audit", str(pictures / name))
    assert done.exit_code == 1 and words in done.output and "Traceback" not in done.output


def test_strange_names_are_printed_in_a_terminal_that_knows_only_ascii(pictures):
    strange = os.fsencode(pictures / "rose") + b"/line\nbreak \xff.jpg"
    Path(os.fsdecode(strange)).touch()
    done = subprocess.run([sys.executable, "-c", COURSE, "audit", str(pictures)], capture_output=True,
                          env=os.environ | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
    assert done.returncode == 0 and rb"rose/line\nbreak \udcff.jpg (0 bytes)" in done.stdout

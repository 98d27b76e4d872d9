"""tools/run_tests.py: every test counts once, and nothing that fails is taken for green."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import nbformat
import pytest

from course_utils import paths
from tools import file_lengths, run_tests

ROOT = paths.repository()


@pytest.fixture
def stage(tmp_path, monkeypatch):
    """A function: the text of a test file to the counts of a stage that runs it."""
    def run(text: str | None, *, full: bool = False) -> Counter:
        if text is not None:
            (tmp_path / "test_it.py").write_text("import pytest\n" + text)
        config = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path), "-p", "no:cacheprovider"]
        monkeypatch.setitem(run_tests.STAGES, "mine", [*config, str(tmp_path)])
        return run_tests.run_stage("mine", full=full)
    return run


def test_passed_failed_and_skipped_are_counted(stage):
    counted = stage("def test_a(): pass\ndef test_b(): pass\ndef test_c(): assert 0\n"
                    "@pytest.mark.skip\ndef test_d(): pass\n"
                    "@pytest.fixture\ndef broken(): raise OSError\ndef test_e(broken): pass\n")
    assert counted == {"passed": 2, "failed": 2, "skipped": 1}
    assert run_tests.in_words(counted) == "2 passed, 2 failed, 1 skipped"


@pytest.mark.parametrize("text, why", [
    (None, "found no tests"), ("def test_a(:", "1 failed"), ("import os; os._exit(3)", "broke off")])
def test_a_stage_that_finds_nothing_or_breaks_off_is_a_failure(stage, capfd, text, why):
    assert stage(text)["failed"] == 1
    assert why in capfd.readouterr().out


def test_a_stage_tells_where_its_time_went(stage, capfd):
    stage("import time\ndef test_slow(): time.sleep(0.6)\ndef test_slow_too(): time.sleep(0.6)\n")
    [line] = [line for line in capfd.readouterr().out.splitlines() if line.endswith("  test_it")]
    assert 1.2 <= float(line.split()[0]) < 5
    stage("def test_quick(): pass\n")
    assert "  test_it" not in capfd.readouterr().out


def test_long_tests_run_only_when_asked_for(stage):
    text = "def test_short(): pass\n@pytest.mark.full\ndef test_long(): assert 0\n"
    assert stage(text) == {"passed": 1, "failed": 0, "skipped": 0}
    assert stage(text, full=True)["failed"] == 1


def test_every_test_file_belongs_to_exactly_one_stage():
    """The units are all that the other stages leave, so no folder can be forgotten."""
    units, others = run_tests.STAGES["units"], []
    for name, arguments in run_tests.STAGES.items():
        others += [word for word in arguments if name != "units" and word.startswith("tests/")
                   and not word.endswith(".cfg")]
    assert units[0] == "tests" and {word.removeprefix("--ignore=") for word in units[1:]} == set(others)
    assert all((ROOT / folder).is_dir() for folder in others)


def test_every_stage_runs_in_exactly_one_lane():
    assert sorted(stage for lane in run_tests.LANES for stage in lane) == sorted(run_tests.STAGES)


def test_the_last_line_counts_everything(tmp_path):
    """The whole program, on the smallest stage."""
    done = subprocess.run([sys.executable, "-m", "tools.run_tests", "no-such-stage"], cwd=ROOT,
                          capture_output=True, text=True)
    assert done.returncode != 0 and "there is no stage no-such-stage" in done.stderr
    total = run_tests.altogether({"a": Counter(passed=3), "b": Counter(passed=2, skipped=1)})
    assert run_tests.in_words(total) == "5 passed, 0 failed, 1 skipped"


def test_cells_are_counted_from_what_ran_and_the_total_stays_last(monkeypatch, capsys):
    results = {"units": Counter(passed=7, skipped=1), "cells": Counter(passed=3, failed=1),
               "more-cells": Counter(failed=1)}                 # broke off
    monkeypatch.setattr(run_tests, "run_lanes", lambda names, full: results)
    monkeypatch.setattr(sys, "argv", ["run_tests.py"])
    assert run_tests.main() == 1
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "3 of these are cells of notebooks", "10 passed, 2 failed, 1 skipped"]
    monkeypatch.setattr(run_tests, "run_lanes", lambda names, full: {"units": results["units"]})
    assert run_tests.main() == 0
    assert "cells" not in capsys.readouterr().out, "where no cell was to run"


def test_each_cell_of_a_notebook_is_one_case(tmp_path, monkeypatch):
    cells = [nbformat.v4.new_code_cell(source) for source in ("x = 1", "x + 1", "1 / 0")]
    path = tmp_path / "three.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    monkeypatch.setitem(run_tests.STAGES, "cells", [
        "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path), "-p", "no:cacheprovider",
        "--nbval-lax", "--nbval-current-env", str(path)])
    counted = run_tests.run_stage("cells", full=False)
    assert counted["passed"] == 2 and counted["failed"] == 1


def test_hashes_are_of_what_was_tested_and_leave_out_pictures():
    hashes = run_tests.file_hashes(["Makefile", "pyproject.toml", "data/flowers/train/daisy/000.jpg",
                                    "data/results/test_full.json"])
    assert set(hashes) == {"Makefile", "pyproject.toml"} and all(len(h) == 64 for h in hashes.values())


def test_long_files_are_warned_of_and_longer_ones_refused():
    warnings, failures = file_lengths.judge({"a.py": 250, "b.py": 251, "c.py": 300, "d.py": 301})
    assert warnings == ["b.py has 251 lines", "c.py has 300 lines"] and failures == ["d.py has 301 lines"]

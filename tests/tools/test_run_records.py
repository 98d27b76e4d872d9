"""make records: every record has a script that writes it again, and the script can be named."""

from __future__ import annotations

import json
import subprocess
import sys

from course_utils import paths
from tools.run_records import SCRIPTS, scripts


def listed(*names: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "tools.run_records", "--list", *names],
                          cwd=paths.repository(), capture_output=True, text=True)


def test_every_record_names_a_command_that_make_runs():
    makefile = (paths.repository() / "Makefile").read_text(encoding="utf-8")
    for file in paths.results().glob("*.json"):
        command = json.loads(file.read_text(encoding="utf-8"))["command"]
        if "tools/records/" in command:
            assert command.split("tools/records/")[1].split(".py")[0] in scripts(), file.name
        elif command.startswith("make "):
            assert f"\n{command.split()[1]}:" in makefile, file.name
        else:
            module = next(word for word in command.split() if word.startswith("tests."))
            assert f"-m {module}\n" in makefile or f"-m {module} $(ARGS)\n" in makefile, file.name


def test_what_is_shared_by_scripts_is_none():
    assert "probe_study" not in scripts() and (SCRIPTS / "probe_study.py").exists()


def test_each_says_what_it_measures():
    done = listed("mistakes", "strategies")
    assert done.returncode == 0 and done.stdout.splitlines()[0].startswith("mistakes: What mistakes")


def test_a_record_that_is_not_there_is_refused_with_the_nearest():
    done = listed("mistaks")
    assert done.returncode == 2 and "mistakes" in done.stderr and "Traceback" not in done.stderr

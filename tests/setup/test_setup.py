"""tools/setup.py: what stands in the way is said, nothing half-made stays, and a second run does nothing."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib

import pytest

from course_utils import paths

ROOT = paths.repository()
# The real interpreter, but it says of itself that it is old.
OLD_PYTHON = """
import sys
class Old(tuple):
    major, minor = 3, 9
sys.version_info = Old((3, 9, 18, "final", 0))
"""
NO_NETWORK = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_FIND_LINKS": "",
              "PIP_NO_CACHE_DIR": "1", "PIP_CONFIG_FILE": os.devnull, "NO_PROXY": "*", "no_proxy": "*"}


def finish(checkout, monkeypatch):
    """Make `checkout` look as a set-up that ended well leaves it."""
    checkout.make_venv()
    setup = checkout.module(monkeypatch)
    setup.STAMP.write_text(json.dumps(setup.stamp()))
    return setup


# What stands in the way

def test_an_old_python_is_refused_with_found_needed_and_what_to_type(checkout, shadow):
    done = checkout.set_up(PYTHONPATH=shadow("sitecustomize", OLD_PYTHON))
    assert done.returncode == 1
    assert "needs Python 3.11" in done.stderr and "Python 3.9" in done.stderr
    assert "make lab PYTHON=python3.11" in done.stderr and "Traceback" not in done.stderr
    assert not checkout.venv.exists()


def test_an_old_python_can_read_the_scripts_that_refuse_it():
    for name in ("setup.py", "setup_checks.py"):
        ast.parse((ROOT / "tools" / name).read_text(encoding="utf-8"), feature_version=(3, 7))
    with pytest.raises(SyntaxError):        # the twin: the reader does notice newer words
        ast.parse("if (n := 1): pass", feature_version=(3, 7))


@pytest.mark.parametrize("module", ["ensurepip", "venv"])
def test_a_python_without_venv_is_told_what_to_install(checkout, shadow, module):
    missing = f"raise ModuleNotFoundError(\"No module named '{module}'\")"
    done = checkout.set_up(PYTHONPATH=shadow(module, missing))
    assert done.returncode == 1 and f"No module named '{module}'" in done.stderr
    assert "apt install python3" in done.stderr and "-venv" in done.stderr
    assert not checkout.venv.exists()


def test_too_little_disk_is_told_in_numbers(checkout, monkeypatch):
    setup = checkout.module(monkeypatch)
    monkeypatch.delenv("COURSE_SETUP_SKIP_DISK", raising=False)
    with pytest.raises(setup.SetupProblem, match=r"needs 9999999 GB .* only [\d.]+ GB are free"):
        setup.check_disk(checkout.root, 9_999_999)
    setup.check_disk(checkout.root, 0)
    monkeypatch.setenv("COURSE_SETUP_SKIP_DISK", "1")
    setup.check_disk(checkout.root, 9_999_999)


def test_a_disk_that_fills_up_on_the_way_is_not_taken_for_a_missing_network(checkout, monkeypatch):
    setup = checkout.module(monkeypatch)
    full = str(setup.explain("pip install uv", "ERROR: [Errno 28] No space left on device", checkout.root))
    offline = str(setup.explain("pip install uv", "ERROR: Connection refused", checkout.root))
    assert "disk is full" in full and "network" not in full
    assert "network" in offline and "disk is full" not in offline


def test_without_a_network_it_says_what_was_tried_and_leaves_nothing(checkout):
    done = checkout.set_up(**NO_NETWORK)
    assert done.returncode == 1
    assert "-m pip install" in done.stderr and "network" in done.stderr and "HTTPS_PROXY" in done.stderr
    assert not checkout.venv.exists()


def test_a_failed_update_keeps_the_environment_and_is_not_taken_for_finished(checkout, monkeypatch):
    """The twin of the test above: what was there before stays, and the next run goes on."""
    checkout.make_venv(pip=True)
    done = checkout.set_up(**NO_NETWORK)
    assert done.returncode == 1 and "network" in done.stderr
    setup = checkout.module(monkeypatch)
    assert setup.is_usable() and not setup.is_ready()
    assert not setup.UNFINISHED.exists()        # nothing was touched, so what is there may be built upon


@pytest.mark.parametrize("killed", [True, False])
def test_a_set_up_that_was_killed_is_done_anew(checkout, killed):
    """However usable .venv looks: which of its packages are whole is not known."""
    checkout.make_venv(pip=True)
    if killed:
        (checkout.root / ".setup").mkdir()
        (checkout.root / ".setup" / "unfinished").touch()
    done = checkout.set_up(**NO_NETWORK)
    assert done.returncode == 1
    assert done.stdout.startswith("Setting the course up" if killed else "Bringing .venv up to date")


def test_an_update_that_breaks_off_half_way_is_not_built_upon(checkout, monkeypatch):
    checkout.make_venv(pip=True)
    setup = checkout.module(monkeypatch)
    setup.UNFINISHED.parent.mkdir()

    def half():
        next(checkout.venv.rglob("site-packages")).joinpath("half_a_package").mkdir()
        raise setup.SetupProblem("the disk is full")
    monkeypatch.setattr(setup, "install", half)
    with pytest.raises(setup.SetupProblem):
        setup.update()
    assert setup.UNFINISHED.exists()


def test_half_a_checkout_is_named_as_such(checkout):
    (checkout.root / "requirements.lock").unlink()
    done = checkout.set_up()
    assert done.returncode == 1 and "requirements.lock is missing" in done.stderr
    assert "git checkout" in done.stderr and "Traceback" not in done.stderr


def test_a_link_in_place_of_the_environment_is_left_alone(checkout, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "mine.txt").write_text("keep")
    checkout.venv.symlink_to(tmp_path / "elsewhere")
    done = checkout.set_up()
    assert done.returncode == 1 and "is a link" in done.stderr
    assert (tmp_path / "elsewhere" / "mine.txt").read_text() == "keep"


def test_make_names_a_python_that_is_not_there(checkout):
    done = subprocess.run(["make", "setup", "PYTHON=no-such-python"], cwd=checkout.root,
                          capture_output=True, text=True)
    assert done.returncode != 0 and "There is no no-such-python here" in done.stderr


# Interrupted, moved, renewed

@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_interrupted_set_up_leaves_nothing_half_made(checkout):
    """Pip is made to wait for an index that listens and never answers; then comes Ctrl-C."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        index = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        process = subprocess.Popen(
            checkout.command(), env=checkout.environment(**NO_NETWORK | {"PIP_INDEX_URL": index}),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
        connection, _ = silent.accept()         # pip has begun
        assert checkout.venv.exists()
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
        connection.close()
    assert process.returncode == 130
    assert "Interrupted" in said and "Traceback" not in said
    assert not checkout.venv.exists() and not (checkout.root / ".setup" / "unfinished").exists()


def test_a_finished_set_up_is_not_done_again(checkout, monkeypatch):
    finish(checkout, monkeypatch)
    begin = time.monotonic()
    done = checkout.set_up(**NO_NETWORK)        # it could not install anything
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("change", ["requirements.lock", "pyproject.toml", "stamp", "python"])
def test_whatever_changes_sets_up_again(checkout, monkeypatch, change):
    setup = finish(checkout, monkeypatch)
    assert setup.is_ready()
    if change == "stamp":                       # killed before the end
        setup.STAMP.unlink()
    elif change == "python":                    # the system's Python went away
        setup.PYTHON.unlink()
    else:
        with (checkout.root / change).open("a") as file:
            file.write("\n# newer\n")
    assert not setup.is_ready()


def test_another_python_is_used_only_when_asked_for(checkout, monkeypatch):
    setup = finish(checkout, monkeypatch)
    here = sys.version_info[:2]
    other = (here[0], here[1] + 1)
    assert setup.is_ready() and setup.is_ready(here) and not setup.is_ready(other)
    assert not setup.is_usable(other)


@pytest.mark.parametrize("damage", ["nothing", "no pip", "no python", "moved"])
def test_a_broken_environment_is_not_kept(checkout, monkeypatch, damage):
    checkout.make_venv(pip=damage != "no pip")
    setup = checkout.module(monkeypatch)
    if damage == "no python":
        setup.PYTHON.unlink()
    if damage == "moved":
        moved = checkout.root.with_name("moved")
        shutil.move(checkout.root, moved)
        checkout.root = moved
        setup = checkout.module(monkeypatch)
    assert setup.is_usable() == (damage == "nothing")


@pytest.mark.skipif(os.name == "nt", reason="holds the lock as POSIX does")
def test_two_at_once_wait_for_each_other(checkout, monkeypatch):
    import fcntl

    setup = finish(checkout, monkeypatch)
    stamp = setup.STAMP.read_text()
    setup.STAMP.unlink()
    (checkout.root / ".setup").mkdir()
    with (checkout.root / ".setup" / "lock").open("wb") as first:
        fcntl.flock(first, fcntl.LOCK_EX)       # the first one is at work …
        second = subprocess.Popen(checkout.command(), env=checkout.environment(**NO_NETWORK),
                                  stdout=subprocess.PIPE, text=True)
        assert "waiting" in second.stdout.readline()
        setup.STAMP.write_text(stamp)           # … and done
    assert second.wait(timeout=30) == 0
    second.stdout.close()


# What it installs

def test_the_needed_python_is_the_one_that_pyproject_declares(checkout, monkeypatch):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=" + ".".join(
        map(str, checkout.module(monkeypatch).NEEDED_PYTHON))


def test_uv_itself_comes_by_hash(checkout, monkeypatch):
    lines = checkout.module(monkeypatch).locked_lines("uv")
    assert re.match(r"uv==[\d.]+ ", lines) and lines.count("--hash=sha256:") > 1
    assert [line for line in lines.splitlines() if "==" in line] == lines.splitlines()[:1]


def test_the_lock_holds_names_and_hashes_but_no_address():
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    blocks = re.findall(r"^\w\S*==(?:.*\\\n)*.*", lock, flags=re.M)
    assert len(blocks) > 100 and all("--hash=sha256:" in block for block in blocks)


def test_uv_uses_the_index_that_pip_was_told_of(checkout, monkeypatch):
    checkout.make_venv(pip=True)
    setup = checkout.module(monkeypatch)
    for name, value in {"UV_DEFAULT_INDEX": None, "UV_INDEX_URL": None, "PIP_CONFIG_FILE": os.devnull,
                        "PIP_INDEX_URL": "http://mirror.invalid/simple"}.items():
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    assert setup.index_of_pip() == {"UV_DEFAULT_INDEX": "http://mirror.invalid/simple"}
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://own.invalid/simple")
    assert setup.index_of_pip() == {}


@pytest.mark.full
def test_a_fresh_clone_sets_up_and_a_second_run_installs_nothing(tmp_path):
    """The whole installation: some minutes, and a network to install from."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    # as typed in a terminal, also where a make runs this test
    terminal = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    first = subprocess.run(["make", "setup"], cwd=clone, capture_output=True, text=True, env=terminal)
    assert first.returncode == 0, first.stdout[-2000:] + first.stderr[-2000:]
    second = subprocess.run(["make", "setup"], cwd=clone, capture_output=True, text=True, env=terminal)
    assert second.returncode == 0 and second.stdout == "", second.stdout
    helped = subprocess.run([clone / ".venv" / "bin" / "course", "--help"], capture_output=True, text=True)
    assert "doctor" in helped.stdout
    assert subprocess.run(["git", "status", "--short"], cwd=clone, capture_output=True).stdout == b""

"""Set the course up in .venv: its own uv, the packages of requirements.lock, the course itself.

    python3 tools/setup.py [--this-python]

Done once; after that it only looks whether anything is to do. It runs on whatever Python is there, so it
uses the standard library alone, in words that Python 3.7 can read: it must be able to say that a Python is
too old.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from setup_checks import (
    LOCKED,
    NEEDED_GB,
    NEEDED_PYTHON,
    SetupProblem,
    check_disk,
    check_python,
    check_venv_module,
    check_whole,
    explain,
)

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / ".course-setup.json"          # what the last set-up obeyed; written when it ended well
UNFINISHED = ROOT / ".setup" / "unfinished"  # there while .venv is changed; one that was killed leaves it
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--this-python", action="store_true",
                        help="make .venv anew if it has another version of Python than this one")
    asked = parser.parse_args()
    try:
        set_up(sys.version_info[:2] if asked.this_python else None)
    except SetupProblem as problem:
        print(f"\nThe course is not set up: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Nothing is broken; the same command sets up again.", file=sys.stderr)
        return 130
    return 0


def set_up(wanted=None) -> None:
    """Bring .venv up to what the checkout asks for; do nothing where it is.

    Args:
        wanted: (major, minor) that .venv's Python must have; None for any that will do.
    """
    if is_ready(wanted):
        return
    check_whole(ROOT)
    with only_one_at_a_time(ROOT / ".setup" / "lock"):
        if is_ready(wanted):            # another set-up was faster
            return
        begin = time.time()
        if UNFINISHED.exists() or not is_usable(wanted):    # which packages are whole is not known then
            build()
        else:
            update()
        STAMP.write_text(json.dumps(stamp()), encoding="utf-8")
        UNFINISHED.unlink()
        print(f"The course is set up ({time.time() - begin:.0f} s).", flush=True)


def build() -> None:
    """Make .venv anew, whole or not at all. What was downloaded stays in uv's own cache."""
    check_python(sys.version_info[:2], sys.executable)
    check_venv_module()
    check_disk(ROOT, NEEDED_GB)
    if VENV.is_symlink():
        raise SetupProblem(f"{VENV} is a link, and what it leads to does not serve. Remove the link, then "
                           "the course makes a folder of its own.")
    print(f"Setting the course up in {VENV}, once: a few minutes, {NEEDED_GB} GB of disk.", flush=True)
    UNFINISHED.touch()
    try:
        run([sys.executable, "-m", "venv", "--clear", VENV])
        install()
    except BaseException:
        shutil.rmtree(str(VENV), ignore_errors=True)
        UNFINISHED.unlink()
        raise


def update() -> None:
    """Install into the .venv that is there what has changed."""
    print("Bringing .venv up to date.", flush=True)
    UNFINISHED.touch()
    with suppress(FileNotFoundError):
        STAMP.unlink()
    before = packages_changed_at()
    try:
        install()
    except SetupProblem:
        if packages_changed_at() == before:     # it failed before it touched anything, as without a network
            UNFINISHED.unlink()
        raise


def packages_changed_at():
    """When a package was last put into .venv or taken out."""
    folders = [*VENV.glob("lib/python*/site-packages"), *VENV.glob("Lib/site-packages")]
    return [folder.stat().st_mtime_ns for folder in folders]


# What is there

def setting_of_venv(name: str) -> str:
    """A setting of .venv/pyvenv.cfg, "" where there is none."""
    try:
        text = (VENV / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return ""
    found = re.search(rf"^{name}\s*=\s*(.*)$", text, flags=re.M)
    return found.group(1).strip() if found else ""


def version_of_venv():
    """(major, minor) of .venv's Python, () where there is none."""
    version = setting_of_venv("version") or setting_of_venv("version_info")     # uv's word for it
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def stamp() -> dict:
    """What a finished set-up leaves behind: the files it obeyed, its place and its Python."""
    content = hashlib.sha256()
    for name in (LOCKED, "pyproject.toml"):
        content.update((ROOT / name).read_bytes() + b"\0")
    return {"content": content.hexdigest(), "place": str(ROOT), "python": list(version_of_venv())}


def is_ready(wanted=None) -> bool:
    """Whether a set-up for exactly this checkout ended well."""
    try:
        if json.loads(STAMP.read_text(encoding="utf-8")) != stamp():
            return False
    except (OSError, ValueError):
        return False
    return PYTHON.exists() and wanted in (None, version_of_venv())


def is_usable(wanted=None) -> bool:
    """Whether .venv can be kept: its Python starts, is new enough, and was made in this place."""
    if version_of_venv() < NEEDED_PYTHON or wanted not in (None, version_of_venv()):
        return False
    command = setting_of_venv("command")
    made_for = Path(re.split(r" -m venv (?:--\S+ )*", command)[-1])
    if command and not (made_for.exists() and made_for.samefile(VENV)):
        return False                    # moved or copied: its programs name the old place
    try:
        return subprocess.call([str(PYTHON), "-c", "import pip"], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


@contextmanager
def only_one_at_a_time(path: Path):
    """Wait until no other set-up runs in this checkout. The system lets go of the lock if its holder dies."""
    path.parent.mkdir(exist_ok=True)
    with path.open("a+b") as file:
        if not take(file, wait=False):
            print("Another set-up is running here; waiting until it is done.", flush=True)
            while not take(file, wait=True):
                pass
        yield


def take(file, wait: bool) -> bool:
    """Lock `file` for this process. Without `wait`, returns at once whether that succeeded."""
    try:
        if os.name == "nt":
            import msvcrt
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        else:
            import fcntl
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


# Installing

def run(command) -> None:
    """Run `command` in silence; where it fails, raise with its last words."""
    command = [str(word) for word in command]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise explain(" ".join(command), done.stdout, ROOT)


def install() -> None:
    """uv by pip, everything else by uv; all by the hashes of requirements.lock."""
    with tempfile.TemporaryDirectory() as folder:
        only_uv = Path(folder) / "uv.lock"
        only_uv.write_text(locked_lines("uv"), encoding="utf-8")
        run([PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--retries", "2",
             "--require-hashes", "--no-deps", "-r", only_uv])
    uv = [str(PYTHON.with_name("uv")), "pip", "install", "--python", str(PYTHON)]
    settings = dict(os.environ, **index_of_pip())
    for what in (["--require-hashes", "-r", str(ROOT / LOCKED)],
                 ["--quiet", "--no-deps", "--no-build-isolation", "-e", str(ROOT)]):
        if subprocess.call(uv + what, env=settings):     # uv draws its progress on the screen itself
            raise explain(" ".join(uv + what), "", ROOT)


def locked_lines(package: str) -> str:
    """The lines of one package in requirements.lock, with its hashes."""
    text = (ROOT / LOCKED).read_text(encoding="utf-8")
    found = re.search(rf"^{package}==(?:.*\\\n)*.*\n?", text, flags=re.M)
    if not found:
        raise SetupProblem(f"{LOCKED} does not name {package}. Type: git checkout -- {LOCKED}")
    return found.group(0)


def index_of_pip() -> dict:
    """uv reads none of pip's settings, but who told pip of another package index means uv as well."""
    if "UV_DEFAULT_INDEX" in os.environ or "UV_INDEX_URL" in os.environ:
        return {}
    asked = subprocess.run([str(PYTHON), "-m", "pip", "config", "get", "global.index-url"],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    index = os.environ.get("PIP_INDEX_URL") or asked.stdout.strip()
    return {"UV_DEFAULT_INDEX": index} if index else {}


if __name__ == "__main__":
    sys.exit(main())

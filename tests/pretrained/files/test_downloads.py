"""A download comes whole and checked or not at all, goes on where it stopped, and fails in words."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import resource
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from course_utils.errors import DamagedFile, DownloadFailed
from course_utils.pretrained.files.downloads import download, why_unreachable

CONTENT = bytes(range(256)) * 2000                 # 512,000 bytes: several pieces
CHECKSUM = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def url(server):
    server.files["/set.bin"] = CONTENT
    return f"{server.url}/set.bin"


@pytest.fixture
def target(tmp_path):
    return tmp_path / "new" / "set.bin"


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# Tricks of the server

def cut(after):
    return lambda handler: handler.give(until=after)


def stall(after):
    def trick(handler):
        handler.give(until=after)
        handler.server.patience.wait(10)
    return trick


def answer(status):
    return lambda handler: handler.send_error(status)


# What comes ------------------------------------------------------------------------------------------

def test_a_file_comes_whole_and_nothing_else_is_left(url, target, capsys):
    assert download(url, target, checksum=CHECKSUM) == target
    assert target.read_bytes() == CONTENT and left_in(target.parent) == {"set.bin"}
    shown = capsys.readouterr().err
    assert "set.bin" in shown and "100%" in shown and "500k/500k" in shown


def test_a_file_that_is_there_is_taken_and_nobody_is_asked(url, target, server):
    target.parent.mkdir()
    target.write_bytes(b"of yesterday")
    assert download(url, target).read_bytes() == b"of yesterday" and not server.seen


@pytest.mark.parametrize("checksum", [
    CHECKSUM, CHECKSUM[:15], f"md5:{hashlib.md5(CONTENT).hexdigest()}"])
def test_a_checksum_that_fits_is_let_through(url, target, checksum):
    assert download(url, target, checksum=checksum).read_bytes() == CONTENT


@pytest.mark.parametrize("checksum", ["sha256:00000000", f"md5:{'0' * 32}"])
def test_a_checksum_that_does_not_fit_is_refused_and_what_came_deleted(url, target, checksum):
    with pytest.raises(DamagedFile, match=r"should begin with 00000000.*It was deleted"):
        download(url, target, checksum=checksum)
    assert left_in(target.parent) == {"set.bin.lock"}


def test_an_archive_stays_packed_where_a_server_calls_it_gzip_encoded(url, target, server):
    server.headers["Content-Encoding"] = "gzip"
    assert download(url, target, checksum=CHECKSUM).read_bytes() == CONTENT


# Going on --------------------------------------------------------------------------------------------

def ranges(server) -> list[str | None]:
    return [asked for _, asked in server.seen]


def test_a_connection_that_breaks_off_is_taken_up_where_it_stopped(url, target, server):
    server.tricks = [cut(200_000), cut(100_000)]
    assert download(url, target).read_bytes() == CONTENT
    assert ranges(server)[0] is None and len(server.seen) == 3
    first, second = (int(asked.removeprefix("bytes=").removesuffix("-")) for asked in ranges(server)[1:])
    assert 100_000 < first <= 200_000 and first < second <= first + 100_000


def test_ctrl_c_keeps_what_has_come_and_the_next_call_goes_on(url, target, server):
    def press_ctrl_c(handler):
        handler.give(until=300_000)
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)
        handler.server.patience.wait(10)

    server.tricks = [press_ctrl_c]
    with pytest.raises(KeyboardInterrupt):
        download(url, target)
    kept = (target.parent / "set.bin.part").read_bytes()
    assert not target.exists() and kept and CONTENT.startswith(kept)
    assert download(url, target).read_bytes() == CONTENT
    assert ranges(server)[1] == f"bytes={len(kept)}-"


def broken_off(url, target, server):
    """A first call that leaves a part."""
    server.tricks = [cut(100_000)] * 3
    with pytest.raises(DownloadFailed):
        download(url, target)
    server.seen.clear()


def test_a_file_that_changed_in_the_meantime_is_not_glued_to_the_old_part(url, target, server):
    broken_off(url, target, server)
    server.files["/set.bin"] = changed = CONTENT[::-1]
    assert download(url, target).read_bytes() == changed
    assert ranges(server)[0] is not None, "it did ask to go on"


@pytest.mark.parametrize("lacking", ["ranges", "versions"])
def test_a_server_that_cannot_go_on_begins_anew(url, target, server, lacking):
    setattr(server, lacking, False)
    broken_off(url, target, server)
    assert download(url, target).read_bytes() == CONTENT


def test_a_whole_part_is_not_brought_again(url, target, server, monkeypatch):
    """Of a process that was killed while it computed the checksum."""
    def killed(*given):
        raise KeyboardInterrupt
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("course_utils.pretrained.files.downloads._check", killed)
        download(url, target, checksum=CHECKSUM)
    assert download(url, target, checksum=CHECKSUM).read_bytes() == CONTENT
    assert ranges(server) == [None, f"bytes={len(CONTENT)}-"] and left_in(target.parent) == {"set.bin"}


def test_a_part_longer_than_the_file_is_thrown_away(url, target, server):
    broken_off(url, target, server)
    with (target.parent / "set.bin.part").open("ab") as part:
        part.write(bytes(len(CONTENT)))
    assert download(url, target).read_bytes() == CONTENT


# What fails ------------------------------------------------------------------------------------------

def test_a_server_that_breaks_off_every_time_is_given_up_and_what_came_is_kept(url, target, server):
    server.tricks = [cut(100_000)] * 9
    with pytest.raises(DownloadFailed, match=r"the connection broke off.*goes on after the 0\.\d MB"):
        download(url, target)
    assert len(server.seen) == 3 and not target.exists() and (target.parent / "set.bin.part").exists()


def test_a_server_that_stalls_is_given_up(url, target, server):
    server.tricks = [stall(100_000)] * 9
    started = time.monotonic()
    with pytest.raises(DownloadFailed, match=r"nothing came for 0\.5 s"):
        download(url, target)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("status, times, said", [
    (403, 1, "answers 403 Forbidden. It is kept from this machine"),
    (404, 1, "answers 404 Not Found. It is not there any more"), (410, 1, "answers 410 Gone"),
    (500, 3, "answers 500 Internal Server Error. Run the same line again"), (503, 3, "503")])
def test_a_refusal_is_final_and_trouble_is_tried_again(url, target, server, status, times, said):
    server.tricks = [answer(status)] * 9
    with pytest.raises(DownloadFailed) as told:
        download(url, target)
    assert said in str(told.value) and len(server.seen) == times
    assert "set.bin could not be downloaded from 127.0.0.1" in str(told.value)


def test_trouble_that_passes_is_not_told(url, target, server):
    server.tricks = [answer(503), cut(200_000)]
    assert download(url, target).read_bytes() == CONTENT


def test_no_network_is_said_at_once(no_network, target):
    started = time.monotonic()
    with pytest.raises(DownloadFailed, match=r"Name or service not known.*With a network"):
        download("http://example.org/set.bin", target)
    assert time.monotonic() - started < 2


def test_a_port_where_nobody_listens_is_said(target):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(DownloadFailed, match="Connection refused"):
            download(f"http://127.0.0.1:{free.getsockname()[1]}/set.bin", target)


def silence(*args, **kwargs):
    time.sleep(1.5)
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


def test_a_name_that_is_looked_up_for_ever_is_given_up(quick, monkeypatch, target):
    monkeypatch.setattr(quick, "PATIENCE", 0.3)
    monkeypatch.setattr(socket, "getaddrinfo", silence)
    with pytest.raises(DownloadFailed, match=r"no answer within 0\.3 s"):
        download("http://example.org/set.bin", target)


def test_a_server_that_refuses_to_say_is_there_all_the_same(server):
    assert why_unreachable(server.url) is None


# The disk --------------------------------------------------------------------------------------------

@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own of 256 KiB, of 4 KiB pages."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    try:
        subprocess.run(mounting, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the right to mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_said_and_with_more_room_it_goes_on(url, small_disk, server):
    with pytest.raises(DownloadFailed, match=r"set\.bin cannot be written: No space left.*Make room"):
        download(url, small_disk / "set.bin")
    assert not (small_disk / "set.bin").exists()
    subprocess.run(["mount", "-o", "remount,size=2m", str(small_disk)], check=True)
    assert download(url, small_disk / "set.bin").read_bytes() == CONTENT
    assert ranges(server)[1] is not None


def test_a_limit_on_files_is_said_and_without_it_it_goes_on(url, target, server):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        with pytest.raises(DownloadFailed, match=r"set\.bin cannot be written: File too large"):
            download(url, target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert download(url, target).read_bytes() == CONTENT
    assert ranges(server)[1] is not None


def test_a_folder_that_cannot_be_written_to_is_said(url, small_disk):
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(DownloadFailed, match=r"Read-only.*COURSE_CACHE"):
        download(url, small_disk / "set.bin")


def test_a_file_where_a_folder_should_be_is_said(url, tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(DownloadFailed, match=r"cannot be written"):
        download(url, tmp_path / "taken" / "set.bin")


# Several processes -----------------------------------------------------------------------------------

def child(*arguments):
    """A process of its own. Forked, because a fresh one imports torch for seconds first."""
    process = multiprocessing.get_context("fork").Process(target=download, args=arguments)
    process.start()
    return process


def test_two_processes_at_once_download_once(quick, monkeypatch, url, target, server):
    monkeypatch.setattr(quick, "STALLED", 10)
    asked, may_go_on = threading.Event(), threading.Event()

    def slowly(handler):
        asked.set()
        may_go_on.wait(10)
        handler.give()

    server.tricks = [slowly]
    first = child(url, target)
    assert asked.wait(10)
    second = child(url, target)
    second.join(0.5)
    assert second.is_alive(), "it waits for the first"
    may_go_on.set()
    first.join(10)
    second.join(10)
    assert (first.exitcode, second.exitcode) == (0, 0) and len(server.seen) == 1
    assert target.read_bytes() == CONTENT and left_in(target.parent) == {"set.bin"}


def test_whoever_waits_is_told(url, target, server, capfd):
    """A process in the way is named, and its failure does not spoil the one that waits."""
    asked = threading.Event()

    def never(handler):
        asked.set()
        handler.server.patience.wait(10)

    server.tricks = [never]
    first = child(url, target)
    assert asked.wait(10)
    threading.Timer(0.5, first.kill).start()
    assert download(url, target).read_bytes() == CONTENT
    assert "Another process is fetching set.bin" in capfd.readouterr().out
    first.join(10)


def test_a_killed_process_leaves_a_part_that_the_next_one_goes_on_with(url, target, server):
    server.tricks = [stall(300_000)]
    first, part = child(url, target), target.parent / "set.bin.part"
    waited = time.monotonic() + 10
    while not (part.exists() and part.stat().st_size) and time.monotonic() < waited:
        time.sleep(0.02)
    first.kill()
    first.join(10)
    assert download(url, target).read_bytes() == CONTENT
    assert ranges(server)[1] is not None

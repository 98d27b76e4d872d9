"""The one downloader: a file comes whole and checked or not at all, once, and goes on where it stopped."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import IncompleteRead
from pathlib import Path
from urllib.parse import urlparse

import requests
from filelock import FileLock, Timeout
from tqdm.auto import tqdm
from urllib3.exceptions import HTTPError

from course_utils.errors import DamagedFile, DownloadFailed, first_line

PATIENCE = 5.0       # seconds for a server to show that it is there
STALLED = 30.0       # seconds without a byte before a connection is given up
ATTEMPTS = 3
PAUSE = 1.0          # seconds before the second attempt, and one more before each further one
PIECE = 2**16        # bytes; as much is lost where a connection breaks off
BROKE_OFF = "the connection broke off"
TRY_AGAIN = {408, 416, 429, 500, 502, 503, 504}     # answers that may be others in a moment
NO_NETWORK = "With a network, run the same line again; behind a proxy, set HTTPS_PROXY."
REFUSED = {403: "It is kept from this machine; another network may be let in.",
           404: "It is not there any more."}


def download(url: str, target: str | Path, *, checksum: str | None = None) -> Path:
    """Bring the file at `url` to `target`, unless it is there. What is there is taken as it is.

    The bytes gather in "TARGET.part". Whatever stops them (Ctrl-C, a broken connection, a full disk), the
    next call goes on from there, if the server still has the same file (ETag). Of several processes that want
    one file, one fetches it and the others wait.

    Args:
        checksum: "sha256:4c54ace7…" or "md5:…"; the first digits are enough.
    Raises:
        DownloadFailed: no network, a server that refuses or breaks off again and again, or a disk that does
            not take it. Says which, and what has come so far.
        DamagedFile: what came is not what was released. It is deleted.
    """
    target = Path(target)
    if target.exists():
        return target
    with writing(target), alone(target):
        if not target.exists():       # another process may have brought it in the meantime
            part = target.with_name(f"{target.name}.part")
            _fetch(url, part)
            if checksum:
                _check(part, checksum, url)
            _tag_of(part).unlink(missing_ok=True)       # not before: killed here, it is asked for the rest
            os.replace(part, target)
    return target


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """A disk that does not take what is written for `target` is said in words."""
    try:
        yield
    except OSError as error:
        raise DownloadFailed(
            f"{target} cannot be written: {error.strerror or error}. Make room, or give yourself the right "
            "to write there, and run this again. To keep such files in another place, set COURSE_CACHE for "
            "data sets, TORCH_HOME for torchvision's weights or HF_HOME for timm's.") from error


@contextmanager
def alone(target: Path) -> Iterator[None]:
    """One process at a time works on `target`; another one waits, and says so."""
    target.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(target.with_name(f"{target.name}.lock"))
    try:
        lock.acquire(blocking=False)
    except Timeout:
        print(f"Another process is fetching {target.name}; waiting for it.")
        lock.acquire()
    try:
        yield
    finally:
        if target.exists():           # then nobody needs the lock: whoever comes looks for the target first
            with suppress(OSError):
                Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def why_unreachable(url: str) -> str | None:
    """Why the server of `url` cannot be asked, in a few words; None if it answers, whatever it answers.

    It asks from a thread of its own, because looking up a name without a network may take a minute.
    """
    answers: list[str | None] = []

    def ask() -> None:
        try:
            requests.head(url, timeout=PATIENCE).close()
        except requests.RequestException as error:
            answers.append(_reason(error, PATIENCE))
        else:
            answers.append(None)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return answers[0] if answers else f"no answer within {PATIENCE:g} s"


def _fetch(url: str, part: Path) -> None:
    """Fill `part`, in a few attempts."""
    reason, advice = why_unreachable(url), NO_NETWORK
    for attempt in range(0 if reason else ATTEMPTS):
        time.sleep(PAUSE * attempt)
        try:
            return _go_on(url, part)
        except (requests.RequestException, HTTPError) as error:
            reason, advice = _reason(error, STALLED), "Run the same line again, now or later."
            status = error.response.status_code if isinstance(error, requests.HTTPError) else None
            if status and status not in TRY_AGAIN:
                advice = REFUSED.get(status, f"Its address is {url}")
                break
    if part.exists():
        advice += f" It goes on after the {part.stat().st_size / 2**20:.1f} MB that have come."
    raise DownloadFailed(f"{part.stem} could not be downloaded from {urlparse(url).netloc}: {reason}. "
                         f"{advice}")


def _go_on(url: str, part: Path) -> None:
    """One attempt: the rest of `part`, or all of it where the server cannot or must not go on."""
    have, tag = part.stat().st_size if part.exists() else 0, _tag_of(part)
    headers = {"Accept-Encoding": "identity"}
    if have and tag.exists():
        headers |= {"Range": f"bytes={have}-", "If-Range": tag.read_text()}
    with requests.get(url, headers=headers, stream=True, timeout=(PATIENCE, STALLED)) as reply:
        if reply.status_code == 416:              # there is no rest: all of it is here, or more than that
            if reply.headers.get("Content-Range") == f"bytes */{have}":
                return
            part.unlink()
        reply.raise_for_status()
        if reply.status_code != 206:              # all of it, from its first byte
            have = 0
            part.unlink(missing_ok=True)
            tag.unlink(missing_ok=True)
            if version := reply.headers.get("ETag") or reply.headers.get("Last-Modified"):
                tag.write_text(version)
        length = reply.headers.get("Content-Length")
        total = have + int(length) if length else None
        with part.open("ab") as file, tqdm(desc=part.stem, total=total, initial=have, unit="B",
                                           unit_scale=True, unit_divisor=1024) as bar:
            # Undecoded: some servers call a .tgz gzip-encoded, and it must stay one.
            for piece in reply.raw.stream(PIECE, decode_content=False):
                bar.update(file.write(piece))
            if total is not None and file.tell() != total:
                raise requests.ConnectionError(BROKE_OFF)


def _tag_of(part: Path) -> Path:
    """Where the server's name for the version that `part` is a part of is kept."""
    return part.with_name(f"{part.name}.etag")


def _check(part: Path, checksum: str, url: str) -> None:
    kind, _, digits = checksum.partition(":")
    with part.open("rb") as file:
        found = hashlib.file_digest(file, kind).hexdigest()
    if not found.startswith(digits):
        part.unlink()
        _tag_of(part).unlink(missing_ok=True)
        raise DamagedFile(
            f"What came from {url} is not what was released: its {kind.upper()} should begin with "
            f"{digits[:12]} but begins with {found[:12]}. It was deleted. Run the same line again; if that "
            "does not help, something on the way answers for the server, such as a network's log-in page.")


def _reason(error: BaseException, patience: float) -> str:
    """What lies at the bottom of an error of the network, in a few words."""
    if isinstance(error, requests.HTTPError):
        return f"the server answers {error.response.status_code} {error.response.reason}"
    while cause := error.__cause__ or error.__context__:
        error = cause
    if isinstance(error, TimeoutError):
        return f"nothing came for {patience:g} s"
    if isinstance(error, IncompleteRead):
        return BROKE_OFF
    return first_line(error)

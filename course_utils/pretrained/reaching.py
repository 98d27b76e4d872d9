"""Weights that do not come with the course: from a library's cache or the network, or a clear answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from course_utils.errors import CourseError, DamagedFile, WeightsUnavailable
from course_utils.pretrained.bundled import nearest_bundled

PATIENCE = 5.0       # seconds for a server to show that it is there
STALLED = 30.0       # seconds without a byte before a download is given up


@contextmanager
def fetching(name: str, *, url: str, cached: Path | None, parameters: int, size_mb: float) -> Iterator[None]:
    """Around a library's own loading of the weights `name`: what can go wrong is said in words, and soon.

    Raises:
        WeightsUnavailable: neither cached nor reachable, or the download broke off.
        DamagedFile: the cached file cannot be loaded.
    """
    if cached is None and (reason := why_unreachable(url)):
        raise _unavailable(name, reason, parameters, size_mb)
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALLED)
    try:
        yield
    except CourseError:
        raise
    except Exception as error:        # whatever a library says of a torn file, a full disk, a proxy
        if cached is not None:
            raise DamagedFile(
                f"The weights {name!r} could not be read from {cached}: {_first_line(error)}. "
                "If the file is damaged, delete it and run this line again to download it afresh.") from error
        raise _unavailable(name, _first_line(error), parameters, size_mb) from error
    finally:
        socket.setdefaulttimeout(before)


def why_unreachable(url: str) -> str | None:
    """Why the server of `url` cannot be asked, in a few words; None if it answers, whatever it answers.

    It asks from a thread of its own, because looking up a name without a network may take a minute.
    """
    answers: list[str | None] = []

    def ask() -> None:
        try:
            urlopen(Request(url, method="HEAD"), timeout=PATIENCE).close()
        except (HTTPError, HTTPException):        # an answer, if not a good one: the download will say more
            answers.append(None)
        except (URLError, OSError) as error:
            answers.append(_first_line(getattr(error, "reason", error)))
        else:
            answers.append(None)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return answers[0] if answers else f"no answer within {PATIENCE:g} s"


def _unavailable(name: str, reason: str, parameters: int, size_mb: float) -> WeightsUnavailable:
    return WeightsUnavailable(
        f"The weights {name!r} ({size_mb:.0f} MB) are not on this machine, and could not be downloaded: "
        f"{reason}. With a network, run the same line again: it downloads and keeps them. Without one, "
        f"load_model({nearest_bundled(parameters)!r}) serves instead: ImageNet weights that are installed.")


def _first_line(error: object) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")

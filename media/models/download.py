"""Downloads one large file: resumable, bounded, checked."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

ATTEMPTS = 5
WAIT_S = 1.0
"""Before the second attempt; doubled each time."""
TIMEOUT_S = 30.0
CHUNK = 256 * 1024
LARGEST = 1024**3
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}

Progress = Callable[[int, int | None], None]
"""Called with the bytes here and the bytes expected, if known."""


class DownloadFailed(OSError):
    """The file could not be had; the text says why and what is kept."""


def download(url: str, to: Path, progress: Progress) -> None:
    """Brings `url` to `to`; what an earlier attempt left in `to` is continued where the server can.

    Raises DownloadFailed, also where the server does not say the length, or says more than `LARGEST`.
    """
    _check_scheme(url)
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(WAIT_S * 2 ** (attempt - 1))
        try:
            _fetch(url, to, progress)
            return
        except DownloadFailed:
            raise
        except _Restart:
            to.unlink(missing_ok=True)
            reason = "the server's file is another one than was begun"
        except urllib.error.HTTPError as error:
            reason = f"the server answered {error.code}"
            if error.code < 500 and error.code not in (408, 429):
                break
        except (OSError, http.client.HTTPException) as error:
            reason = str(getattr(error, "reason", error)) or type(error).__name__
    here = to.stat().st_size if to.exists() else 0
    kept = f"; {here} bytes are kept, the same command continues" if here else ""
    raise DownloadFailed(f"{urllib.parse.urlsplit(url).hostname}: {reason}{kept}")


class _Restart(Exception):
    """What is here does not fit what the server has."""


def _check_scheme(url: str) -> None:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise DownloadFailed("models are only downloaded over https")


def _fetch(url: str, to: Path, progress: Progress) -> None:
    """One attempt."""
    here = to.stat().st_size if to.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "kaika"})  # noqa: S310 - scheme is checked
    if here:
        request.add_header("Range", f"bytes={here}-")
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT_S)  # noqa: S310
    except urllib.error.HTTPError as error:
        if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and here:
            raise _Restart from error
        raise
    with answer:
        continues = answer.status == HTTPStatus.PARTIAL_CONTENT
        if continues and not (answer.headers.get("Content-Range") or "").startswith(f"bytes {here}-"):
            raise _Restart
        here = here if continues else 0
        total = _total(answer.headers.get("Content-Length"), here)
        with to.open("ab" if continues else "wb") as file:
            while chunk := answer.read(CHUNK):
                here += len(chunk)
                file.write(chunk)
                progress(here, total)
    if here < total:
        raise ConnectionError(f"the connection ended after {here} of {total} bytes")


def _total(length: str | None, here: int) -> int:
    if length is None or not length.isdigit():
        raise DownloadFailed("the server does not say how long the file is")
    total = here + int(length)
    if total > LARGEST:
        raise DownloadFailed(f"the file is larger than {LARGEST} bytes")
    return total

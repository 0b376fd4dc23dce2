"""A real web server on 127.0.0.1 that serves one file well, or badly in a chosen way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Behaviour(StrEnum):
    GOOD = "good"
    BREAKS_OFF_ONCE = "breaks_off_once"
    ALWAYS_BREAKS_OFF = "always_breaks_off"
    NO_RANGES = "no_ranges"
    NO_LENGTH = "no_length"
    MISSING = "missing"
    ALWAYS_BUSY = "always_busy"
    BUSY_ONCE = "busy_once"
    TOO_LONG = "too_long"
    OTHER_RANGE = "other_range"


@dataclass
class Served:
    """What is served, and the requests that came: the value of their Range header."""

    content: bytes
    behaviour: Behaviour = Behaviour.GOOD
    ranges: list[str | None] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(content: bytes, behaviour: Behaviour = Behaviour.GOOD) -> Iterator[Served]:
    served = Served(content, behaviour)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, served)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}/model.onnx"
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(to: BaseHTTPRequestHandler, served: Served) -> None:
    asked = to.headers.get("Range")
    served.ranges.append(asked)
    first = len(served.ranges) == 1
    match served.behaviour:
        case Behaviour.MISSING:
            to.send_error(404)
            return
        case Behaviour.ALWAYS_BUSY:
            to.send_error(503)
            return
        case Behaviour.BUSY_ONCE if first:
            to.send_error(503)
            return
        case _:
            pass
    start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
    if served.behaviour is Behaviour.NO_RANGES:
        start = 0
    if start >= len(served.content):
        to.send_error(416)
        return
    partial = start > 0
    to.send_response(206 if partial else 200)
    if partial:
        shown = 0 if served.behaviour is Behaviour.OTHER_RANGE else start
        to.send_header("Content-Range", f"bytes {shown}-{len(served.content) - 1}/{len(served.content)}")
    body = served.content[start:]
    if served.behaviour is not Behaviour.NO_LENGTH:
        length = 2**40 if served.behaviour is Behaviour.TOO_LONG else len(body)
        to.send_header("Content-Length", str(length))
    to.end_headers()
    breaks = served.behaviour is Behaviour.ALWAYS_BREAKS_OFF or (
        served.behaviour is Behaviour.BREAKS_OFF_ONCE and first
    )
    to.wfile.write(body[: len(body) // 2] if breaks else body)

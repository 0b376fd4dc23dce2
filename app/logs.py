"""Structured logs, one JSON object a line, without personal data.

Own events are named and carry only chosen members. What libraries log goes through the same net: long
runs of digits are blotted out, and of an exception only its type and the places in the code are kept, because
exceptions' texts may hold what was being worked on.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

MAX_FRAMES = 12
"""Innermost frames kept of a traceback."""
MAX_DEPTH = 4
"""Lists and objects in one another that are written."""
LONGEST_NUMBER = 10**8
"""Longer ones may be a phone or a document."""
MAX_TEXT = 500
"""Characters kept of a library's message."""

# Phones, document numbers, IMSIs and card numbers, whatever stands beside them; ids of ours, which are
# hexadecimal, of known lengths and with letters among the digits, are matched first and left alone.
_NUMBERS = re.compile(
    r"(?P<id>\b(?:[a-z]{3}_)?(?=(?:\d*[a-f]){2})(?:[0-9a-f]{16}|[0-9a-f]{24}|[0-9a-f]{32}|[0-9a-f]{64})\b)"
    r"|\+?\d[\d\- ]{6,}\d[\dXx]?"
)
# Names and addresses of people are Chinese; nothing that the code logs by itself is.
_CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+")
# The same, escaped for Python, JSON or an address.
_ESCAPES = re.compile(r"(?:\\{1,2}x[0-9a-f]{2}|\\{1,2}u[0-9a-f]{4}|%[0-9a-f]{2})+", re.IGNORECASE)
_ADDRESSES = re.compile(r"(?<![\w.])\d{1,3}(\.\d{1,3}){3}(?![\w.]*\d)")
_BLOT = "…"

Event = MutableMapping[str, Any]


def blot(text: str) -> str:
    """`text` without anything that could be a person's number, name, home or network address."""
    text = _ESCAPES.sub(_BLOT, _ADDRESSES.sub(_BLOT, text[:MAX_TEXT]))
    return _CHINESE.sub(_BLOT, _NUMBERS.sub(lambda found: found["id"] or _BLOT, text))


def exception_shape(error: BaseException) -> dict[str, Any]:
    """What may be logged of an exception: type and where in the code, not its text.

    `cause`: the same of what it came from.
    """
    frames = traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    shape: dict[str, Any] = {
        "type": f"{type(error).__module__}.{type(error).__qualname__}",
        "at": [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames],
    }
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        shape["cause"] = f"{type(cause).__module__}.{type(cause).__qualname__}"
    return shape


def configure_logs(level: str = "INFO", *, json: bool = True, stream: TextIO | None = None) -> None:
    """Sends structlog and the standard library's logging through one chain. stream: default stderr."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _shape_exceptions,
        _blot_values,
    ]
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if json
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # aiohttp's own access log writes raw paths; ours writes the route's template.
    logging.getLogger("aiohttp.access").disabled = True


def _shape_exceptions(_logger: Any, _method: str, event: Event) -> Event:
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["error"] = exception_shape(error)
    record = event.get("_record")
    if isinstance(record, logging.LogRecord):
        # Otherwise the formatter would add the traceback with its texts.
        record.exc_info, record.exc_text, record.stack_info = None, None, None
    return event


def _blot_values(_logger: Any, _method: str, event: Event) -> Event:
    for name, value in list(event.items()):
        if not name.startswith("_") and name not in ("timestamp", "level", "logger"):
            event[name] = _blotted(value, MAX_DEPTH)
    return event


def _blotted(value: Any, depth: int) -> Any:
    """What may be written of a value, whatever it is: nobody knows what an object's text says."""
    match value:
        case None | bool():
            return value
        case int() | float():
            return value if abs(value) < LONGEST_NUMBER else _BLOT
        case str():
            return blot(value)
        case dict() if depth:
            return {blot(str(name)): _blotted(each, depth - 1) for name, each in value.items()}
        case list() | tuple() | set() | frozenset() if depth:
            return [_blotted(each, depth - 1) for each in value]
        case _:
            return f"<{type(value).__name__}>"


def _short(filename: str) -> str:
    """The last three parts of a path: enough to find the line, nothing about the machine."""
    return "/".join(filename.replace("\\", "/").split("/")[-3:])

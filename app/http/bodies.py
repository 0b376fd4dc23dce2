"""Reading what a stranger sends: bytes up to a limit, in time, then a model that knows its members."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from multidict import MultiMapping
from pydantic import BaseModel, ConfigDict, ValidationError

from app.http import common
from app.http.callers import CALLER
from app.http.problems import ProblemRaised
from app.texts.fields import field_text
from app.texts.text import Locale, preferred_locale
from media.images import MAX_BYTES

JSON_LIMIT = 64 * 1024
"""Bytes of a JSON body."""
CAPTURE_LIMIT = MAX_BYTES
"""Bytes of a capture or photo."""
JSON_SECONDS = 15.0
RAW_SECONDS = 120.0
"""Longest time a body may take to arrive; 12 MB in 120 s are 0.8 Mbit/s."""
RAW_AT_ONCE = 16
"""Large bodies on their way in at the same time, in one process."""
RAW_PER_CALLER = 3
"""Of these from one caller, who could otherwise keep everybody else out by sending slowly."""
RAW_WAIT_SECONDS = 5.0
MAX_ERRORS = 20
"""Errors listed in one problem."""

M = TypeVar("M", bound=BaseModel)

# A NUL passes JSON but not PostgreSQL; it can only come as an escape.
_NUL_ESCAPE = re.compile(rb"\\u0000")
_KNOWN_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_UNKNOWN_NAME = "*"


class Input(BaseModel):
    """What a client sends: strict types, finite numbers, no unknown members, nothing of it in a repr."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, allow_inf_nan=False
    )

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    __str__ = __repr__


class Output(BaseModel):
    """What a client gets."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    __str__ = __repr__


@dataclass(frozen=True)
class RawBody:
    """A body that is not JSON. limit: bytes; media_types: lower case, without parameters."""

    media_types: tuple[str, ...]
    limit: int = CAPTURE_LIMIT


IMAGE_BODY = RawBody(
    (
        "image/jpeg",
        "image/png",
        "image/webp",
        "image/heic",
        "image/heif",
        "application/octet-stream",
    )
)
"""A photo. Only the bytes say what it is; some phones send no better type than octet-stream."""


class _Places:
    """RAW_AT_ONCE places for large bodies, of which one caller gets RAW_PER_CALLER."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(RAW_AT_ONCE)
        self._taken: Counter[str] = Counter()

    @asynccontextmanager
    async def one(self, caller: str) -> AsyncIterator[None]:
        """Raises ProblemRaised (503) where there is none in time."""
        if self._taken[caller] >= RAW_PER_CALLER:
            raise ProblemRaised(common.BUSY, retry_after_s=RAW_WAIT_SECONDS)
        self._taken[caller] += 1
        try:
            try:
                async with asyncio.timeout(RAW_WAIT_SECONDS):
                    await self._free.acquire()
            except TimeoutError:
                raise ProblemRaised(common.BUSY, retry_after_s=RAW_WAIT_SECONDS) from None
            try:
                yield
            finally:
                self._free.release()
        finally:
            self._taken[caller] -= 1
            self._taken += Counter()  # forgets callers who have none


_places_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, _Places] = WeakKeyDictionary()


async def read_raw(request: web.Request, body: RawBody) -> bytes:
    """The body, at most `body.limit` bytes. Raises ProblemRaised (415, 413, 408, 400, 503)."""
    _demand_type(request, body.media_types)
    if body.limit <= JSON_LIMIT:
        return await _read(request, body.limit, JSON_SECONDS)
    places = _places_by_loop.setdefault(asyncio.get_running_loop(), _Places())
    async with places.one(request[CALLER].subject):
        return await _read(request, body.limit, RAW_SECONDS)


async def read_json(request: web.Request, model: type[M]) -> tuple[M, bytes]:
    """The parsed body and its bytes. Raises ProblemRaised (415, 413, 408, 400, 422)."""
    _demand_type(request, ("application/json",))
    data = await _read(request, JSON_LIMIT, JSON_SECONDS)
    return parse_json(request, model, data), data


def parse_json(request: web.Request, model: type[M], data: bytes) -> M:
    """A body that was read already as `model`. Raises ProblemRaised (400, 422)."""
    if _NUL_ESCAPE.search(data):
        raise ProblemRaised(common.NOT_JSON)
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise _invalid(error, request) from None


def parse_query(request: web.Request, model: type[M]) -> M:
    """The query as `model`. Raises ProblemRaised (422)."""
    return _parse_strings(request, model, request.query)


def parse_path(request: web.Request, model: type[M]) -> M:
    """The path's variables as `model`; one that cannot exist is not found (404)."""
    try:
        return model.model_validate_strings(dict(request.match_info))
    except (ValidationError, UnicodeEncodeError):
        raise ProblemRaised(common.NOT_FOUND) from None


def _parse_strings(request: web.Request, model: type[M], given: MultiMapping[str]) -> M:
    repeated = {name for name in given if len(given.getall(name)) > 1}
    if repeated:
        raise ProblemRaised(
            common.INVALID,
            errors=[_entry((_shown(name),), "repeated", _locale(request)) for name in repeated],
        )
    if not all(_is_plain(value) for value in given.values()):
        raise ProblemRaised(common.INVALID, errors=[_entry((), "bytes_not_text", _locale(request))])
    try:
        return model.model_validate_strings(dict(given))
    except ValidationError as error:
        raise _invalid(error, request) from None


def _is_plain(value: str) -> bool:
    return value.isprintable() and not any("\ud800" <= char <= "\udfff" for char in value)


def _demand_type(request: web.Request, allowed: Iterable[str]) -> None:
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        # A compressed body could be a thousand times its size.
        raise ProblemRaised(common.WRONG_MEDIA_TYPE)
    if "Content-Type" not in request.headers or request.content_type not in allowed:
        raise ProblemRaised(common.WRONG_MEDIA_TYPE)


async def _read(request: web.Request, limit: int, seconds: float) -> bytes:
    """Stops at the first byte too many."""
    if request.content_length is not None and request.content_length > limit:
        raise ProblemRaised(common.BODY_TOO_LARGE)
    data = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.content.iter_any():
                data += chunk
                if len(data) > limit:
                    raise ProblemRaised(common.BODY_TOO_LARGE)
    except TimeoutError:
        raise ProblemRaised(common.BODY_TOO_SLOW) from None
    except (web.RequestPayloadError, HttpProcessingError, ConnectionError, ValueError):
        raise ProblemRaised(common.BODY_CUT_OFF) from None
    return bytes(data)


def _invalid(error: ValidationError, request: web.Request) -> ProblemRaised:
    """The problem for `error`; names what is wrong and never repeats what was sent."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    if any(each["type"] == "json_invalid" for each in found):
        return ProblemRaised(common.NOT_JSON)
    return ProblemRaised(
        common.INVALID,
        errors=[_entry(_pointer(each), each["type"], _locale(request)) for each in found[:MAX_ERRORS]],
    )


def _pointer(error: Mapping[str, Any]) -> tuple[str, ...]:
    """Where, in names that we chose: a member's name that the client made up could be anything."""
    steps = tuple(_shown(step) for step in error["loc"])
    return (*steps[:-1], _UNKNOWN_NAME) if error["type"] == "extra_forbidden" else steps


def _shown(step: object) -> str:
    if isinstance(step, int):
        return str(step)
    return step if isinstance(step, str) and _KNOWN_NAME.fullmatch(step) else _UNKNOWN_NAME


def _entry(pointer: tuple[str, ...], error_type: str, locale: Locale) -> dict[str, str]:
    where = "".join(f"/{step}" for step in pointer)
    return {"pointer": where, "code": error_type, "detail": field_text(error_type).in_(locale)}


def _locale(request: web.Request) -> Locale:
    return preferred_locale(request.headers.get("Accept-Language", ""))

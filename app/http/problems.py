"""Problems as RFC 9457 wants them: a stable `code`, a bilingual title and detail, the request's id.

A resource module names its own problems as `ProblemType` constants (texts from `app.texts`) and raises
`ProblemRaised(THAT)`; nothing that the client sent is ever repeated in one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import BaseModel, Field

from app.texts.text import Text, preferred_locale

CONTENT_TYPE = "application/problem+json"
REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)


@dataclass(frozen=True)
class ProblemType:
    """One kind of problem. code: stable, lower_snake_case, what programs look at."""

    code: str
    status: int
    title: Text
    detail: Text

    @property
    def uri(self) -> str:
        return f"urn:kaika:problem:{self.code}"


class FieldError(BaseModel):
    """One wrong member. pointer: JSON pointer (RFC 6901) in what was sent; code: what is wrong with it."""

    pointer: str
    code: str
    detail: str


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(description="URN of the kind of problem")
    title: str
    status: int
    detail: str
    code: str = Field(description="stable; does not depend on the language")
    request_id: str
    errors: list[FieldError] | None = Field(
        default=None, description="which members of the request are wrong"
    )
    refusal: str | None = Field(default=None, description="finer reason within the code")
    instead: list[str] | None = Field(
        default=None, description="other ways that are open: store | attended_call"
    )
    missing: list[str] | None = Field(default=None, description="what has to be given first")


class ProblemRaised(Exception):
    """Ends a request with a problem.

    detail: replaces the type's. refusal, instead, missing: see `Problem`. retry_after_s: seconds, rounded up.
    """

    def __init__(
        self,
        kind: ProblemType,
        *,
        detail: Text | None = None,
        errors: Sequence[Mapping[str, str]] = (),
        refusal: str | None = None,
        instead: Sequence[str] = (),
        missing: Sequence[str] = (),
        retry_after_s: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(kind.code)
        self.kind = kind
        self.detail = detail or kind.detail
        self.extra = Extra(errors, refusal, instead, missing)
        self.headers = dict(headers or {})
        if retry_after_s is not None:
            self.headers["Retry-After"] = str(max(1, int(-(-retry_after_s // 1))))


@dataclass(frozen=True)
class Extra:
    """Members beside those of every problem; empty ones are left out."""

    errors: Sequence[Mapping[str, str]] = ()
    refusal: str | None = None
    instead: Sequence[str] = ()
    missing: Sequence[str] = ()

    def members(self) -> dict[str, Any]:
        all_ = {
            "errors": [dict(error) for error in self.errors],
            "refusal": self.refusal,
            "instead": list(self.instead),
            "missing": list(self.missing),
        }
        return {name: value for name, value in all_.items() if value}


def problem_response(request: web.Request, raised: ProblemRaised) -> web.Response:
    """The answer for `raised` in the language that the request asks for."""
    locale = preferred_locale(request.headers.get("Accept-Language", ""))
    body = {
        "type": raised.kind.uri,
        "title": raised.kind.title.in_(locale),
        "status": raised.kind.status,
        "detail": raised.detail.in_(locale),
        "code": raised.kind.code,
        "request_id": request.get(REQUEST_ID, ""),
        **raised.extra.members(),
    }
    return web.Response(
        status=raised.kind.status,
        body=json.dumps(body, ensure_ascii=False).encode(),
        content_type=CONTENT_TYPE,
        headers={**raised.headers, "Content-Language": locale, "Vary": "Accept-Language"},
    )

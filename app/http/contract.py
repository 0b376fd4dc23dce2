'''How an operation of the API is written: its types, its right and its limits stand beside its handler.

    """Parcels of a courier."""

    class ParcelPath(Input):
        parcel_id: Annotated[str, Field(pattern=r"^pcl_[0-9a-f]{24}$")]

    class ParcelNew(Input):
        weight_g: Annotated[int, Field(ge=1, le=30_000)]

    class Parcel(Output):
        parcel_id: str

    LOCKED = ProblemType("parcel_locked", 409, Text("包裹已锁定", "Parcel locked"), Text("…", "…"))

    @operation(
        summary="Weigh a parcel",
        right=(Resource.DELIVERY, Action.CHANGE),
        path=ParcelPath,
        body=ParcelNew,             # or raw=IMAGE_BODY, then `body: bytes`; query=… gives `query`
        returns={201: Parcel},      # or {200: Raw("image/jpeg")} with a web.Response
        idempotent=True,            # asks for Idempotency-Key; every POST that creates
        renew=…,                    # with Reply(kept=…): secrets that are not kept are made anew
        problems=(LOCKED,),
    )
    async def weigh(request: web.Request, path: ParcelPath, body: ParcelNew) -> Reply:
        courier = staff_member(request)                  # app.http.callers
        done = await request.app[SERVICES].… (courier.id, body.weight_g)
        if done is Refusal.LOCKED:
            raise ProblemRaised(LOCKED)
        return Reply(201, Parcel(parcel_id=done), location=f"/v1/parcels/{done}")

    ROUTES = (web.post("/v1/parcels/{parcel_id}/weight", weigh),)

Order of things: token and right, path, query, body, idempotency, handler. Whatever is wrong before the
handler becomes a problem without it; a wrong path variable is a 404. A path variable named `order_id` must be
the applicant's own. JSON is strict (no "1" for 1), at most 64 KB. GET routes: `web.get(…, allow_head=False)`.
'''

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from activation.acting import acting_as
from app.access.rights import RIGHTS, Right
from app.http import bodies
from app.http.bodies import IMAGE_BODY, Input, Output, RawBody
from app.http.callers import actor_of, admit, applicant_order, client_address, staff_member
from app.http.idempotency import once
from app.http.problems import ProblemRaised, ProblemType
from app.http.replies import Reply, Sent

__all__ = [
    "IMAGE_BODY",
    "Input",
    "Operation",
    "Output",
    "ProblemRaised",
    "ProblemType",
    "Raw",
    "RawBody",
    "Reply",
    "applicant_order",
    "client_address",
    "operation",
    "operation_of",
    "staff_member",
]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Renew = Callable[[web.Request, Any], Awaitable[BaseModel]]
_ATTRIBUTE = "kaika_operation"


@dataclass(frozen=True)
class Raw:
    """An answer that is no model: a file, a page. others: media types that it may have instead."""

    media_type: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Operation:
    """What `operation` was told; `app.http.openapi` describes it."""

    name: str
    summary: str
    description: str
    right: Right
    path: type[BaseModel] | None
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    raw: RawBody | None
    returns: Mapping[int, type[BaseModel] | Raw]
    idempotent: bool
    problems: tuple[ProblemType, ...]
    renew: Renew | None = None


def operation(
    *,
    summary: str,
    right: Right,
    returns: Mapping[int, type[BaseModel] | Raw],
    path: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    body: type[BaseModel] | None = None,
    raw: RawBody | None = None,
    idempotent: bool = False,
    problems: tuple[ProblemType, ...] = (),
    renew: Renew | None = None,
) -> Callable[[Callable[..., Awaitable[Reply | web.StreamResponse]]], Handler]:
    """Makes an aiohttp handler of `async (request, *, path?, query?, body?) -> Reply`; see the module."""
    if right not in RIGHTS:
        raise ValueError(f"no such right: {right}")
    if body is not None and raw is not None:
        raise ValueError("an operation has one body")

    def decorate(handler: Callable[..., Awaitable[Reply | web.StreamResponse]]) -> Handler:
        described = Operation(
            handler.__name__,
            summary,
            (handler.__doc__ or "").strip(),
            right,
            path,
            query,
            body,
            raw,
            returns,
            idempotent,
            problems,
            renew,
        )

        @functools.wraps(handler)
        async def wrapped(request: web.Request) -> web.StreamResponse:
            await admit(request, right)
            with acting_as(actor_of(request)):
                return await answered(request)

        async def answered(request: web.Request) -> web.StreamResponse:
            arguments, received = await _arguments(request, described)

            async def work() -> Reply:
                return _checked(await handler(request, **arguments), described)

            if idempotent:
                return await once(request, received, work, _renewal(request, described))
            answer = await handler(request, **arguments)
            if isinstance(answer, web.StreamResponse):
                return answer
            return Sent.of(_checked(answer, described)).response()

        setattr(wrapped, _ATTRIBUTE, described)
        return wrapped

    return decorate


def operation_of(handler: object) -> Operation | None:
    """What `operation` was told about a handler; None for one without it."""
    found = getattr(handler, _ATTRIBUTE, None)
    return found if isinstance(found, Operation) else None


async def _arguments(request: web.Request, told: Operation) -> tuple[dict[str, Any], bytes]:
    """Keyword arguments of the handler, and the body's bytes."""
    arguments: dict[str, Any] = {}
    received = b""
    if told.path is not None:
        arguments["path"] = bodies.parse_path(request, told.path)
    if told.query is not None:
        arguments["query"] = bodies.parse_query(request, told.query)
    if told.raw is not None:
        arguments["body"] = received = await bodies.read_raw(request, told.raw)
    elif told.body is not None:
        arguments["body"], received = await bodies.read_json(request, told.body)
    return arguments, received


def _renewal(request: web.Request, told: Operation) -> Callable[[Sent], Awaitable[Sent]] | None:
    renew = told.renew
    if renew is None:
        return None

    async def renewed(kept: Sent) -> Sent:
        model = told.returns[kept.status]
        if isinstance(model, Raw):
            raise TypeError(f"{told.name} keeps no raw answers")
        whole = await renew(request, model.model_validate_json(kept.body))
        return replace(kept, body=whole.model_dump_json())

    return renewed


def _checked(answer: Reply | web.StreamResponse, told: Operation) -> Reply:
    """An answer that the description does not know is a fault of ours."""
    if not isinstance(answer, Reply):
        raise TypeError(f"{told.name} must answer with a Reply")
    if told.returns.get(answer.status) is not type(answer.body):
        raise TypeError(f"{told.name} answered {answer.status} {type(answer.body).__name__}")
    return answer

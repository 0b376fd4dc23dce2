"""Consents: their texts, and that they were given."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from app.access.rights import Action, Resource
from app.http import common
from app.http.contract import Input, Output, ProblemRaised, Reply, operation
from app.http.inputs import OrderPath
from app.http.preselection_problems import CONSENT_VERSION
from app.preselection.consents import (
    CURRENT_VERSION,
    OTHER_WAYS,
    ConsentKind,
    ConsentRefusal,
    give_consent,
)
from app.preselection.opening import TooOften
from app.services import SERVICES
from app.texts.consents import CONSENT_TEXTS
from app.texts.text import preferred_locale


class ConsentText(Output):
    """instead: equal ways for whoever does not agree."""

    kind: str
    version: str
    title: str
    text: str
    instead: list[str]


class ConsentTexts(Output):
    consents: list[ConsentText]


class ConsentNew(Input):
    """given: false takes a consent back."""

    kind: ConsentKind
    version: Annotated[str, Field(min_length=1, max_length=32)]
    given: bool


class ConsentsGiven(Output):
    consents: list[str]


@operation(
    summary="What an applicant is asked to agree to",
    right=(Resource.SERVICE, Action.READ),
    returns={200: ConsentTexts},
)
async def consent_texts(request: web.Request) -> Reply:
    locale = preferred_locale(request.headers.get("Accept-Language", ""))
    texts = [
        ConsentText(
            kind=kind,
            version=CURRENT_VERSION,
            title=CONSENT_TEXTS[kind][0].in_(locale),
            text=CONSENT_TEXTS[kind][1].in_(locale),
            instead=list(OTHER_WAYS) if kind is ConsentKind.FACE_RECOGNITION else [],
        )
        for kind in ConsentKind
    ]
    return Reply(200, ConsentTexts(consents=texts))


@operation(
    summary="Agree, or take an agreement back",
    right=(Resource.CONSENT, Action.CREATE),
    path=OrderPath,
    body=ConsentNew,
    returns={201: ConsentsGiven},
    idempotent=True,
    problems=(CONSENT_VERSION, common.WRONG_STATE, common.TOO_MANY),
)
async def create_consent(request: web.Request, path: OrderPath, body: ConsentNew) -> Reply:
    """Each kind by itself (R9.4). Everything that is agreed to then."""
    given = await give_consent(request.app[SERVICES], path.order_id, body.kind, body.version, body.given)
    match given:
        case ConsentRefusal.OTHER_VERSION:
            raise ProblemRaised(CONSENT_VERSION)
        case ConsentRefusal.WRONG_STATE:
            raise ProblemRaised(common.WRONG_STATE)
        case TooOften(seconds):
            raise ProblemRaised(common.TOO_MANY, retry_after_s=seconds)
        case kinds:
            return Reply(201, ConsentsGiven(consents=list(kinds)))


ROUTES = (
    web.get("/v1/consents", consent_texts, allow_head=False),
    web.post("/v1/orders/{order_id}/consents", create_consent),
)

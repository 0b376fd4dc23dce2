"""One-time codes, activation codes and passwords become tokens; tokens end."""

from __future__ import annotations

from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from app.access.passwords import MAX_LENGTH, PasswordsBusy
from app.access.rates import SIGN_INS_PER_ADDRESS, SIGN_INS_PER_NAME, SIGN_INS_PER_NAME_AND_ADDRESS
from app.access.rights import Action, Resource
from app.access.tokens import IssuedToken
from app.http import common
from app.http.callers import BEARER
from app.http.contract import Input, Output, ProblemRaised, Reply, client_address, operation
from app.http.inputs import PLAIN, OneTimeCode, OrderPath
from app.http.preselection_problems import (
    CODE_NOT_ACCEPTED,
    CODE_NOT_SENT,
    PACKAGE_UNKNOWN,
    SIGN_IN_REFUSED,
)
from app.http.problems import ProblemType
from app.preselection.opening import TooOften
from app.preselection.signing_in import (
    CodeSent,
    SignInRefusal,
    exchange_code,
    open_package,
    send_another_code,
)
from app.services import SERVICES, Services

RETRY_SEND_S = 10


class CodeGiven(Input):
    code: OneTimeCode


class PackageCode(Input):
    """As printed in the package; spaces, hyphens and lower case do not matter."""

    activation_code: Annotated[str, Field(min_length=16, max_length=96)]


class Credentials(Input):
    username: Annotated[str, Field(min_length=1, max_length=64), PLAIN]
    password: Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]


class Token(Output):
    """expires_in: seconds."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in: int


class CodeOnItsWay(Output):
    order_id: str
    phone_hint: str


class TokenEnded(Output):
    ended: Literal[True] = True


@operation(
    summary="Send another one-time code to the contact phone",
    right=(Resource.CODE, Action.CREATE),
    path=OrderPath,
    returns={200: CodeOnItsWay},
    problems=(common.TOO_MANY, CODE_NOT_SENT),
)
async def send_code(request: web.Request, path: OrderPath) -> Reply:
    """The code before it is no longer good."""
    return _on_its_way(await send_another_code(request.app[SERVICES], path.order_id), common.NOT_FOUND)


@operation(
    summary="Exchange a one-time code for the order's token",
    right=(Resource.TOKEN, Action.CREATE),
    path=OrderPath,
    body=CodeGiven,
    returns={200: Token},
    problems=(common.TOO_MANY, CODE_NOT_ACCEPTED),
)
async def exchange(request: web.Request, path: OrderPath, body: CodeGiven) -> Reply:
    """Each code is good once, for ten minutes and five tries."""
    client = client_address(request)
    match await exchange_code(request.app[SERVICES], path.order_id, body.code, client):
        case IssuedToken() as issued:
            return _token(issued)
        case TooOften(seconds):
            raise ProblemRaised(common.TOO_MANY, retry_after_s=seconds)
        case SignInRefusal():
            raise ProblemRaised(CODE_NOT_ACCEPTED)


@operation(
    summary="Begin activation with the code in the package",
    right=(Resource.ACTIVATION, Action.CREATE),
    body=PackageCode,
    returns={200: CodeOnItsWay},
    problems=(common.TOO_MANY, PACKAGE_UNKNOWN, CODE_NOT_SENT),
)
async def begin_activation(request: web.Request, body: PackageCode) -> Reply:
    """A one-time code goes to the order's contact phone."""
    opened = await open_package(request.app[SERVICES], body.activation_code, client_address(request))
    return _on_its_way(opened, PACKAGE_UNKNOWN)


@operation(
    summary="Sign in as courier, reviewer or operator",
    right=(Resource.TOKEN, Action.CREATE),
    body=Credentials,
    returns={200: Token},
    problems=(common.TOO_MANY, common.BUSY, SIGN_IN_REFUSED),
)
async def staff_token(request: web.Request, body: Credentials) -> Reply:
    services = request.app[SERVICES]
    await _limit_sign_ins(services, body.username, client_address(request))
    try:
        staff = await services.staff.sign_in(services.readers, body.username, body.password)
    except PasswordsBusy:
        raise ProblemRaised(common.BUSY, retry_after_s=1) from None
    if staff is None:
        raise ProblemRaised(SIGN_IN_REFUSED)
    return _token(services.tokens.issue(staff))


@operation(
    summary="End the token that this request carries",
    right=(Resource.TOKEN, Action.END),
    returns={200: TokenEnded},
)
async def end_token(request: web.Request) -> Reply:
    await request.app[SERVICES].tokens.revoke(request[BEARER])
    return Reply(200, TokenEnded())


def _on_its_way(sent: CodeSent | SignInRefusal | TooOften, unknown: ProblemType) -> Reply:
    match sent:
        case CodeSent(order, hint):
            return Reply(200, CodeOnItsWay(order_id=order, phone_hint=hint))
        case TooOften(seconds):
            raise ProblemRaised(common.TOO_MANY, retry_after_s=seconds)
        case SignInRefusal.SILENT:
            raise ProblemRaised(CODE_NOT_SENT, retry_after_s=RETRY_SEND_S)
        case SignInRefusal():
            raise ProblemRaised(unknown)


def _token(issued: IssuedToken) -> Reply:
    return Reply(200, Token(access_token=issued.text, expires_in=issued.expires_in))


async def _limit_sign_ins(services: Services, username: str, client: str) -> None:
    name = username.casefold()
    for limit, subject in (
        (SIGN_INS_PER_ADDRESS, client),
        (SIGN_INS_PER_NAME_AND_ADDRESS, f"{name}\n{client}"),
        (SIGN_INS_PER_NAME, name),
    ):
        seconds = await services.rates.wait_for(limit, subject)
        if seconds is not None:
            raise ProblemRaised(common.TOO_MANY, retry_after_s=seconds)


ROUTES = (
    web.post("/v1/orders/{order_id}/codes", send_code),
    web.post("/v1/orders/{order_id}/token", exchange),
    web.post("/v1/activations", begin_activation),
    web.post("/v1/staff/token", staff_token),
    web.post("/v1/token/revocation", end_token),
)

"""One-time codes, activation codes and passwords become tokens; tokens end."""

from __future__ import annotations

from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from app.access.families import RefreshRefusal, SignedIn
from app.access.passwords import MAX_LENGTH, PasswordsBusy
from app.access.principals import Staff
from app.access.rates import REFRESHES_PER_ADDRESS
from app.access.rights import Action, Resource
from app.access.staff_sign_in import Attempt, sign_in_staff
from app.http import common
from app.http.callers import BEARER
from app.http.contract import Input, Output, ProblemRaised, Reply, client_address, operation
from app.http.devices import DEVICE_INVALID, NewDevice, device_for_sign_in, shown_device
from app.http.inputs import PLAIN, OneTimeCode, OrderPath
from app.http.preselection_problems import (
    CODE_NOT_ACCEPTED,
    CODE_NOT_SENT,
    PACKAGE_UNKNOWN,
    REFRESH_REFUSED,
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
from app.services import SERVICES

RETRY_SEND_S = 10


class CodeGiven(Input):
    code: OneTimeCode


class PackageCode(Input):
    """As printed in the package; spaces, hyphens and lower case do not matter."""

    activation_code: Annotated[str, Field(min_length=16, max_length=96)]


class Credentials(Input):
    username: Annotated[str, Field(min_length=1, max_length=64), PLAIN]
    password: Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]


class RefreshGiven(Input):
    refresh_token: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]


class Token(Output):
    """expires_in: seconds. refresh_token: good once, on this device, at `POST /v1/tokens/refresh`."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in: int
    refresh_token: str
    refresh_expires_in: int


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
    problems=(common.TOO_MANY, common.PAUSED, CODE_NOT_SENT),
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
    problems=(common.TOO_MANY, common.PAUSED, CODE_NOT_ACCEPTED, DEVICE_INVALID),
)
async def exchange(request: web.Request, path: OrderPath, body: CodeGiven) -> Reply:
    """Each code is good once, for ten minutes and five tries.

    The token works on this device only: a browser is given a cookie, another client sends `Kaika-Device`.
    """
    client, device = client_address(request), device_for_sign_in(request)
    match await exchange_code(request.app[SERVICES], path.order_id, body.code, client, device.secret):
        case SignedIn() as signed_in:
            return _token(signed_in, device)
        case TooOften(seconds):
            raise ProblemRaised(common.TOO_MANY, retry_after_s=seconds)
        case SignInRefusal.PAUSED:
            raise ProblemRaised(common.PAUSED)
        case SignInRefusal():
            raise ProblemRaised(CODE_NOT_ACCEPTED)


@operation(
    summary="Begin activation with the code in the package",
    right=(Resource.ACTIVATION, Action.CREATE),
    body=PackageCode,
    returns={200: CodeOnItsWay},
    problems=(common.TOO_MANY, common.PAUSED, PACKAGE_UNKNOWN, CODE_NOT_SENT),
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
    problems=(common.TOO_MANY, common.BUSY, common.PAUSED, SIGN_IN_REFUSED, DEVICE_INVALID),
)
async def staff_token(request: web.Request, body: Credentials) -> Reply:
    """The token works on this device only, as an applicant's."""
    services, device = request.app[SERVICES], device_for_sign_in(request)
    attempt = Attempt(body.username, body.password, client_address(request), shown_device(request))
    try:
        staff = await sign_in_staff(services, attempt)
    except PasswordsBusy:
        raise ProblemRaised(common.BUSY, retry_after_s=1) from None
    match staff:
        case Staff():
            begun = await services.families.begin(staff, device.secret)
            if begun is None:
                raise ProblemRaised(common.PAUSED)
            return _token(begun, device)
        case TooOften(seconds):
            raise ProblemRaised(common.TOO_MANY, retry_after_s=seconds)
        case None:
            raise ProblemRaised(SIGN_IN_REFUSED)


@operation(
    summary="Renew a token",
    right=(Resource.TOKEN, Action.CREATE),
    body=RefreshGiven,
    returns={200: Token},
    problems=(common.TOO_MANY, common.PAUSED, REFRESH_REFUSED),
)
async def refresh_token(request: web.Request, body: RefreshGiven) -> Reply:
    """Each refresh token is good once. A second use, or another device, ends the sign-in.

    Where the answer was lost, the same device may repeat the request for a minute.
    """
    services = request.app[SERVICES]
    match await services.families.refresh(body.refresh_token, shown_device(request)):
        case SignedIn() as signed_in:
            return _token(signed_in)
        case RefreshRefusal.PAUSED:
            raise ProblemRaised(common.PAUSED)
        case RefreshRefusal.UNKNOWN:
            # Only guesses are counted: thousands renew behind one address of a mobile network.
            seconds = await services.rates.wait_for(REFRESHES_PER_ADDRESS, client_address(request))
            if seconds is not None:
                raise ProblemRaised(common.TOO_MANY, retry_after_s=seconds)
            raise ProblemRaised(REFRESH_REFUSED)
        case RefreshRefusal():
            raise ProblemRaised(REFRESH_REFUSED)


@operation(
    summary="Sign out",
    right=(Resource.TOKEN, Action.END),
    returns={200: TokenEnded},
)
async def end_token(request: web.Request) -> Reply:
    """Ends the token that this request carries and all that came and could come of the same sign-in."""
    services, bearer = request.app[SERVICES], request[BEARER]
    await services.families.end(bearer.family)
    await services.tokens.revoke(bearer)
    return Reply(200, TokenEnded())


def _on_its_way(sent: CodeSent | SignInRefusal | TooOften, unknown: ProblemType) -> Reply:
    match sent:
        case CodeSent(order, hint):
            return Reply(200, CodeOnItsWay(order_id=order, phone_hint=hint))
        case TooOften(seconds):
            raise ProblemRaised(common.TOO_MANY, retry_after_s=seconds)
        case SignInRefusal.SILENT:
            raise ProblemRaised(CODE_NOT_SENT, retry_after_s=RETRY_SEND_S)
        case SignInRefusal.PAUSED:
            raise ProblemRaised(common.PAUSED)
        case SignInRefusal():
            raise ProblemRaised(unknown)


def _token(signed_in: SignedIn, device: NewDevice | None = None) -> Reply:
    token = Token(
        access_token=signed_in.access.text,
        expires_in=signed_in.access.expires_in,
        refresh_token=signed_in.refresh,
        refresh_expires_in=signed_in.refresh_expires_in,
    )
    return Reply(200, token, headers=device.headers if device is not None else {})


ROUTES = (
    web.post("/v1/orders/{order_id}/codes", send_code),
    web.post("/v1/orders/{order_id}/token", exchange),
    web.post("/v1/activations", begin_activation),
    web.post("/v1/staff/token", staff_token),
    web.post("/v1/tokens/refresh", refresh_token),
    web.post("/v1/token/revocation", end_token),
)

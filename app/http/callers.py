"""Who calls: the bearer token of a request, its device, and the right that its route names."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

from aiohttp import web

from activation.ids import OrderId
from app.access.principals import Anyone, Applicant, Principal, Staff
from app.access.rights import Right, is_public, may
from app.access.tokens import Bearer
from app.http import common
from app.http.devices import shown_device
from app.http.problems import ProblemRaised
from app.services import SERVICES

CALLER: web.RequestKey[Principal] = web.RequestKey("caller")
BEARER: web.RequestKey[Bearer] = web.RequestKey("bearer", Bearer)

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="kaika"'}


async def admit(request: web.Request, right: Right) -> None:
    """Lets the request pass or raises 401, 403, or 404 for another applicant's order; sets CALLER.

    A route that anybody may use does not look at tokens, so a stale one is no hindrance there.
    """
    if is_public(right):
        request[CALLER] = Anyone()
        return
    bearer = await _bearer(request)
    if not may(bearer.principal.role, right):
        raise ProblemRaised(common.NOT_ALLOWED)
    request[CALLER], request[BEARER] = bearer.principal, bearer
    if isinstance(bearer.principal, Applicant):
        named = request.match_info.get("order_id")
        if named is not None and named != bearer.principal.order:
            raise ProblemRaised(common.NOT_FOUND)


def applicant_order(request: web.Request) -> OrderId:
    """The order that the calling applicant's token is for."""
    caller = request[CALLER]
    if not isinstance(caller, Applicant):
        raise ProblemRaised(common.NOT_ALLOWED)
    return caller.order


def actor_of(request: web.Request) -> str:
    """Who stands in the audit trail for what this request does: `anyone`, `applicant` or a staff id."""
    caller = request[CALLER]
    return str(caller.id) if isinstance(caller, Staff) else str(caller.role)


def staff_member(request: web.Request) -> Staff:
    """The calling member of staff."""
    caller = request[CALLER]
    if not isinstance(caller, Staff):
        raise ProblemRaised(common.NOT_ALLOWED)
    return caller


def client_address(request: web.Request) -> str:
    """Where the request comes from, for limits only. A proxy's word counts where the proxy is trusted."""
    peer = request.remote or ""
    trusted = request.app[SERVICES].settings.trusted_proxies
    if peer not in trusted:
        return one_household(peer)
    # Some proxies add a header of their own below the client's instead of lengthening it.
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
    # The last address that a trusted proxy has seen; everything before it the client may have made up.
    seen = (address.strip() for address in reversed(forwarded))
    return one_household(next((each for each in seen if each and each not in trusted), peer))


def one_household(address: str) -> str:
    """IPv6 gives every household 2^64 addresses (RFC 6177); they count as one."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    return str(parsed.ipv4_mapped or ip_network((int(parsed), 64), strict=False))


async def _bearer(request: web.Request) -> Bearer:
    given = request.headers.getall("Authorization", [])
    scheme, _, text = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    bearer = None
    if scheme.lower() == "bearer":
        bearer = await request.app[SERVICES].tokens.verify(text.strip(), shown_device(request))
    if bearer is None:
        raise ProblemRaised(common.NOT_SIGNED_IN, headers=_CHALLENGE)
    return bearer

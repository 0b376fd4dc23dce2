"""Around every request: an id, one line in the log, one count, safe headers; problems for what fails."""

from __future__ import annotations

import secrets
import time

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from sqlalchemy import exc as db

from activation.adapters.sql.orders import OrderGone
from activation.order_keys import OrderKeyGone, OrderKeysFault
from app.http import common
from app.http.headers import SERVER, headers_for
from app.http.metrics import IN_FLIGHT, observe, route_template
from app.http.problems import REQUEST_ID, ProblemRaised, ProblemType, problem_response
from app.logs import exception_shape
from app.services import SERVICES
from media.vault import EvidenceNotFound, VaultBusy

REQUEST_ID_HEADER = "X-Request-Id"
#: Seconds after which it is worth trying again when the database, or the key service, did not answer.
AWAY_RETRY_S = 5
_AWAY = (db.OperationalError, db.InterfaceError, db.TimeoutError, OrderKeysFault, VaultBusy)

_log = structlog.get_logger("kaika.http")

_BY_STATUS: dict[int, ProblemType] = {
    404: common.NOT_FOUND,
    405: common.METHOD_NOT_ALLOWED,
    413: common.BODY_TOO_LARGE,
    415: common.WRONG_MEDIA_TYPE,
}


@web.middleware
async def observed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Outermost: request id, log line, metrics, headers."""
    # Never a client's own id: it could hold anything.
    request[REQUEST_ID] = secrets.token_hex(8)
    route = route_template(request)
    started, status = time.perf_counter(), 499
    structlog.contextvars.bind_contextvars(request_id=request[REQUEST_ID])
    try:
        with IN_FLIGHT.track_inprogress():
            response = await handler(request)
        status = response.status
        if not response.prepared:
            _add_headers(request, response)
        return response
    finally:
        seconds = time.perf_counter() - started
        observe(request.method, route, status, seconds)
        _log.info(
            "request", method=_known(request.method), route=route, status=status, ms=round(seconds * 1000, 1)
        )
        structlog.contextvars.unbind_contextvars("request_id")


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns everything that was raised into a problem."""
    try:
        return await handler(request)
    except ProblemRaised as raised:
        return problem_response(request, raised)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        kind = _BY_STATUS.get(error.status, common.REFUSED_BY_SERVER)
        allowed = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return problem_response(request, ProblemRaised(kind, headers=allowed))
    except (OrderGone, OrderKeyGone, EvidenceNotFound):
        # R8.2: what was to be read or written belongs to an order whose data were destroyed.
        return problem_response(request, ProblemRaised(common.NOT_FOUND))
    except _AWAY as error:
        _log.error("database or keys away", route=route_template(request), error=exception_shape(error))
        return problem_response(request, ProblemRaised(common.BUSY, retry_after_s=AWAY_RETRY_S))
    except Exception as error:
        _log.error("fault", route=route_template(request), error=exception_shape(error))
        return problem_response(request, ProblemRaised(common.FAULT))


MIDDLEWARES = (observed, problems)


def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers[REQUEST_ID_HEADER] = request[REQUEST_ID]
    production = request.app[SERVICES].settings.production
    for name, value in headers_for(response.content_type, tls_only=production).items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = SERVER


def _known(method: str) -> str:
    return method if method.isalpha() and len(method) <= 10 else "other"

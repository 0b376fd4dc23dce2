"""What cannot be read as HTTP is answered with a problem too; aiohttp would repeat what it was sent."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import cast

import structlog
from aiohttp import web

from app.http import common
from app.http.connections import BoundedConnection, ConnectionCounts
from app.http.headers import ALWAYS, DATA, SERVER
from app.http.metrics import UNMATCHED, observe
from app.http.middleware import REQUEST_ID_HEADER
from app.http.problems import REQUEST_ID, ProblemRaised, problem_response
from app.logs import exception_shape
from app.services import SERVICES

_log = structlog.get_logger("kaika.http")
_HEADERS = {**ALWAYS, **DATA, "Server": SERVER}


class Runner(web.AppRunner):
    """`web.AppRunner` whose connections answer with problems where no handler was reached."""

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        server.__class__ = _Server
        settings = self.app[SERVICES].settings
        cast(_Server, server).counts = ConnectionCounts(
            settings.bounds.connections_per_address, settings.trusted_proxies
        )
        return server


class _Server(web.Server):
    counts: ConnectionCounts

    def __call__(self) -> BoundedConnection:
        connection = _Connection(self, loop=self._loop, **self._kwargs)
        connection.bounded_by(self.counts)
        return connection


class _Connection(BoundedConnection):
    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Ends the connection. Half an answer that went out already cannot be replaced: ConnectionError."""
        if request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        ours = status >= HTTPStatus.INTERNAL_SERVER_ERROR
        told = exception_shape(exc) if exc is not None else None
        # Anybody can send rubbish; only a fault of ours is an error.
        if ours:
            _log.error("fault", error=told)
        else:
            _log.info("not understood", error=told)
        observe("other", UNMATCHED, status, 0.0)
        request[REQUEST_ID] = secrets.token_hex(8)
        kind = common.FAULT if ours else common.REFUSED_BY_SERVER
        headers = {**_HEADERS, REQUEST_ID_HEADER: request[REQUEST_ID]}
        response = problem_response(request, ProblemRaised(kind, headers=headers))  # type: ignore[arg-type]
        response.force_close()
        return response

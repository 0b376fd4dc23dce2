"""Runs the server: opens the services, listens; on SIGTERM or SIGINT lets requests end, then closes."""

from __future__ import annotations

import asyncio
import signal
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager

import structlog
from aiohttp import web

from app.config import Settings, TlsSettings
from app.http.metrics import metrics_runner, serve_metrics
from app.http.unparsed import Runner
from app.keys import KeyUnusable
from app.logs import exception_shape
from app.server import build_app
from app.services import Services
from app.wiring import open_services

#: Seconds that open requests get to end.
DRAIN_SECONDS = 10.0
#: Connections that wait to be accepted.
BACKLOG = 512
KEEP_ALIVE_SECONDS = 30.0

log = structlog.get_logger("app.serving")


class CannotServe(Exception):
    """The address, or a folder, cannot be had; says which."""


async def serve(settings: Settings, when_ready: Callable[[Services], Awaitable[None]] | None = None) -> None:
    """Serves until it is told to stop. when_ready is called once the port is open. Raises CannotServe."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    for warning in settings.warnings():
        log.warning("settings", warning=warning)
    async with AsyncExitStack() as stack:
        with _opening():
            services = await stack.enter_async_context(open_services(settings))
        runner = Runner(
            build_app(services),
            access_log=None,
            shutdown_timeout=DRAIN_SECONDS,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
        )
        metrics = metrics_runner()
        await runner.setup()
        await metrics.setup()
        try:
            # Several processes share the port, one per core.
            site = web.TCPSite(
                runner,
                settings.host,
                settings.port,
                ssl_context=server_tls(settings.tls),
                backlog=BACKLOG,
                reuse_port=True,
            )
            with _opening():
                await site.start()
            if settings.bounds.metrics_port:
                await serve_metrics(metrics, settings.bounds.metrics_port)
            log.info("serving", address=settings.base_url, mode=str(settings.mode))
            if when_ready is not None:
                await when_ready(services)
            await stop.wait()
            log.info("stopping")
        finally:
            await metrics.cleanup()
            await runner.cleanup()


@contextmanager
def _opening() -> Iterator[None]:
    """What the system refuses while the server opens is told in one line; where it was, in the log."""
    try:
        yield
    except OSError as fault:
        log.error("cannot serve", error=exception_shape(fault))
        raise CannotServe(str(fault) or type(fault).__name__) from fault


def server_tls(tls: TlsSettings) -> ssl.SSLContext | None:
    """TLS 1.2 or newer with the configured certificate (KeyUnusable); None: plain HTTP behind a proxy."""
    if tls.certificate is None or tls.key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(tls.certificate, tls.key)
    except OSError:
        variables = "KAIKA_TLS_CERTIFICATE_FILE, KAIKA_TLS_KEY_FILE"
        raise KeyUnusable(f"{variables}: not a certificate chain and its key in PEM") from None
    return context

"""Counts and durations for Prometheus; labels are route templates and status codes, never what was asked."""

from __future__ import annotations

import asyncio

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

UNMATCHED = "unmatched"
LOOPBACK = "127.0.0.1"
METRICS_KEEP_ALIVE_SECONDS = 75.0
_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"})

REQUESTS = Counter("kaika_http_requests", "Requests answered", ("method", "route", "status"))
SECONDS = Histogram(
    "kaika_http_request_seconds",
    "Time from a request's head to its answer",
    ("route",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
IN_FLIGHT = Gauge("kaika_http_requests_in_flight", "Requests being worked on")


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Counts one answered request."""
    REQUESTS.labels(method if method in _METHODS else "other", route, str(status)).inc()
    SECONDS.labels(route).observe(seconds)


def route_template(request: web.Request) -> str:
    """`/v1/orders/{order_id}` rather than the path, which names somebody's order."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else UNMATCHED


async def exposition() -> web.Response:
    """Everything that was counted, for Prometheus."""
    # In a thread: the process's own measures are read from files.
    text = await asyncio.to_thread(generate_latest)
    return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})


def metrics_runner() -> web.AppRunner:
    """An application with `/metrics` alone, which asks for no token: for the loopback address."""
    application = web.Application()

    async def metrics(_request: web.Request) -> web.Response:
        return await exposition()

    application.router.add_get("/metrics", metrics)
    return web.AppRunner(application, access_log=None, keepalive_timeout=METRICS_KEEP_ALIVE_SECONDS)


async def serve_metrics(runner: web.AppRunner, port: int) -> None:
    """Opens the port on this machine's own address only; the runner is set up and closed by the caller."""
    await web.TCPSite(runner, LOOPBACK, port).start()

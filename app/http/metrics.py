"""Counts and durations for Prometheus; labels are route templates and status codes, never what was asked."""

from __future__ import annotations

from aiohttp import web
from prometheus_client import Counter, Gauge, Histogram

UNMATCHED = "unmatched"
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

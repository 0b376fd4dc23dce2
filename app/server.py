"""The web application: every resource module of `app.http` gives its `ROUTES`; here they come together."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from types import ModuleType

from aiohttp import web
from aiohttp.typedefs import Middleware

import app.http
from app.services import SERVICES, Services

#: Largest body of any request: a capture of 12 MB and a little for the rest. Modules set tighter limits.
MAX_BODY = 13 * 1024 * 1024


def build_app(services: Services) -> web.Application:
    """The application over open services; nothing is opened or closed by it."""
    application = web.Application(client_max_size=MAX_BODY, middlewares=_middlewares())
    application[SERVICES] = services
    for module in resource_modules():
        if getattr(module, "SANDBOX_ONLY", False) and services.settings.production:
            continue
        routes: Sequence[web.AbstractRouteDef] = module.ROUTES
        application.add_routes(routes)
    return application


def resource_modules() -> tuple[ModuleType, ...]:
    """Modules of `app.http` with `ROUTES`, by name; those of the sandbox alone say `SANDBOX_ONLY = True`."""
    names = sorted(each.name for each in pkgutil.iter_modules(app.http.__path__))
    modules = (importlib.import_module(f"app.http.{name}") for name in names)
    return tuple(module for module in modules if hasattr(module, "ROUTES"))


def _middlewares() -> Sequence[Middleware]:
    from app.http.middleware import MIDDLEWARES

    return MIDDLEWARES

"""The whole application, as in `tests.app.http`."""

from __future__ import annotations

from tests.app.http.conftest import application, client, ground, no_blocking

__all__ = ["application", "client", "ground", "no_blocking"]

"""Fixtures of the journeys over HTTP."""

from tests.app.http.conftest import application, client, ground, no_blocking

__all__ = ["application", "client", "ground", "no_blocking"]

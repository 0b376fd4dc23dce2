"""Where a request comes from, for limits: what a client can make up does not count."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast
from unittest.mock import Mock

import pytest
from aiohttp.test_utils import make_mocked_request
from aiohttp.web import Application
from multidict import CIMultiDict

from app.config import Settings
from app.http.callers import client_address
from app.services import SERVICES

PROXY, CLIENT, MADE_UP = "10.0.0.1", "203.0.113.7", "198.51.100.9"


def seen(peer: str, *forwarded: str) -> str:
    """The address that limits count for a request from `peer` with these headers."""
    application = Application()
    services = Mock()
    services.settings = replace(Settings(), trusted_proxies=(PROXY, "10.0.0.2"))
    application[SERVICES] = cast(Any, services)
    transport = Mock()
    transport.get_extra_info.side_effect = lambda name, default=None: (
        (peer, 1) if name == "peername" else default
    )
    headers = CIMultiDict([("X-Forwarded-For", each) for each in forwarded])
    return client_address(
        make_mocked_request("GET", "/", headers=headers, app=application, transport=transport)
    )


@pytest.mark.parametrize(
    ("peer", "forwarded", "counted"),
    [
        (CLIENT, (), CLIENT),
        (CLIENT, (MADE_UP,), CLIENT),
        (PROXY, (CLIENT,), CLIENT),
        (PROXY, (f"{MADE_UP}, {CLIENT}",), CLIENT),
        (PROXY, (f"{MADE_UP}, {CLIENT}, 10.0.0.2",), CLIENT),
        # A proxy that adds a header of its own below the client's.
        (PROXY, (MADE_UP, CLIENT), CLIENT),
        (PROXY, (), PROXY),
        (PROXY, (" ,",), PROXY),
        (PROXY, ("nonsense",), "nonsense"),
        ("::ffff:203.0.113.7", (), CLIENT),
        ("2001:db8:1:2:3:4:5:6", (), "2001:db8:1:2::/64"),
        (PROXY, ("2001:db8:1:2:ffff::9",), "2001:db8:1:2::/64"),
    ],
)
def test_the_address_is_the_one_that_a_trusted_proxy_saw(
    peer: str, forwarded: tuple[str, ...], counted: str
) -> None:
    assert seen(peer, *forwarded) == counted

"""`python -m app serve`: the server; with `--people` ready for phones in the same network."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING

from app.cli import Subparsers

if TYPE_CHECKING:
    from app.config import Settings


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("serve", help="run the server (settings: .env.example)")
    parser.add_argument("--port", type=_port, help="instead of KAIKA_PORT")
    parser.add_argument(
        "--people",
        action="store_true",
        help="development: TLS on the network's address, a QR code, staff and stock on the first start",
    )
    return parser


def run(arguments: argparse.Namespace) -> int:
    from app.config import LogFormat, load_settings
    from app.logs import configure_logs

    settings = load_settings()
    configure_logs(settings.log_level, json=settings.log_format is LogFormat.JSON)
    if arguments.people:
        return _for_people(settings, arguments.port)
    from app.serving import serve

    return _served(serve(replace(settings, port=arguments.port) if arguments.port else settings))


def _for_people(settings: Settings, port: int | None) -> int:
    from app import people
    from app.services import Services
    from app.serving import serve

    if settings.production:
        print("--people is for development", file=sys.stderr)
        return 2
    settings = people.for_people(settings, port)

    async def ready(services: Services) -> None:
        people.welcome(settings, await people.furnish(services))

    with people.sandbox_registry(settings):
        return _served(serve(settings, ready))


def _served(serving: Coroutine[None, None, None]) -> int:
    """Exit status 2 where the address or a folder cannot be had."""
    from app.serving import CannotServe

    try:
        asyncio.run(serving)
    except CannotServe as mistake:
        print(f"cannot serve: {mistake}", file=sys.stderr)
        return 2
    return 0


def _port(raw: str) -> int:
    from app.environment import port

    try:
        return port(raw)
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from None

"""`python -m app serve`: the server; with `--people` ready for phones in the same network."""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from app.cli import Subparsers

if TYPE_CHECKING:
    from app.config import Settings


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("serve", help="run the server (settings: .env.example)")
    parser.add_argument("--port", type=int, help="instead of KAIKA_PORT")
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
        _for_people(settings, arguments.port)
        return 0
    from app.serving import serve

    asyncio.run(serve(replace(settings, port=arguments.port) if arguments.port else settings))
    return 0


def _for_people(settings: Settings, port: int | None) -> None:
    from app import people
    from app.services import Services
    from app.serving import serve

    settings = people.for_people(settings, port)

    async def ready(services: Services) -> None:
        people.welcome(settings, await people.furnish(services))

    with people.sandbox_registry(settings):
        asyncio.run(serve(settings, ready))

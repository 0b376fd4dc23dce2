"""`python -m app sandbox registry`: a stand-in for the national registry, in a process of its own."""

from __future__ import annotations

import argparse
import sys

from app.cli import Subparsers

DEFAULT_PORT = 8090


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("registry", help="a registry of fictional citizens (development)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    return parser


def run(arguments: argparse.Namespace) -> int:
    from aiohttp import web

    from activation.adapters.registry_sandbox import SandboxRegistry
    from app.config import load_settings

    if load_settings().production:
        print("the sandbox registry is for development")
        return 2
    try:
        web.run_app(
            SandboxRegistry().application(),
            host=arguments.host,
            port=arguments.port,
            access_log=None,
            print=None,
        )
    except OSError as fault:
        print(f"the sandbox registry cannot listen (KAIKA_REGISTRY_URL): {fault}", file=sys.stderr)
        return 2
    return 0

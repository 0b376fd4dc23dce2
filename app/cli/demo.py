"""`python -m app demo [--attack KIND]`: a fictional applicant goes the whole way on a real server."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

from app.cli import Subparsers

ATTACKS = ("print", "replay", "other-person", "other-document")
INTERRUPTED = 130


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("demo", help="the main job on a fictional applicant, step by step")
    parser.add_argument("--attack", choices=ATTACKS, help="somebody else tries; must be stopped")
    return parser


def run(arguments: argparse.Namespace) -> int:
    from app.config import load_settings
    from app.studio import Attack, StudioInProduction, refuse_in_production

    try:
        refuse_in_production(load_settings().mode)
    except StudioInProduction as refused:
        print(refused, file=sys.stderr)
        return 2
    return asyncio.run(_run(Attack(arguments.attack) if arguments.attack else None))


async def _run(attack: object) -> int:
    from app.demo.client import Unexpected
    from app.demo.processes import ProgramEnded
    from app.demo.run import demo
    from app.studio import Attack, FontMissing, PortraitMissing

    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await demo(attack if isinstance(attack, Attack) else None)
    except asyncio.CancelledError:
        print("\nstopped", file=sys.stderr)
        return INTERRUPTED
    except (Unexpected, ProgramEnded, FontMissing, PortraitMissing, TimeoutError) as failed:
        print(f"\nthe demo failed: {type(failed).__name__}: {failed}", file=sys.stderr)
        return 1

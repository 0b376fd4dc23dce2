"""`python -m app keys rotate [--check]`: put everything under the current keys, or count what is not.

Runs beside servers and beside itself; killed, it goes on where it was. Restart every server with the new
keys first: one that still has the old ones goes on writing under them.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from app.cli import Subparsers

if TYPE_CHECKING:
    from app.config import Settings
    from app.rotation.work import Part

#: Exit statuses: nothing hangs on a former key; something does, or keys or vault were away.
NOTHING_LEFT, SOMETHING_LEFT, AWAY = 0, 1, 3


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser(
        "rotate", help="put everything under the current keys", description=__doc__
    )
    parser.add_argument("--check", action="store_true", help="only count what hangs on which key")
    return parser


def run(arguments: argparse.Namespace) -> int:
    from activation.acting import acting_as
    from activation.order_keys import OrderKeysFault
    from app.config import load_settings
    from media.vault import VaultFault

    try:
        with acting_as("command:keys rotate"):
            return asyncio.run(_rotate(load_settings(), check=arguments.check))
    except (OrderKeysFault, VaultFault) as fault:
        print(f"{fault}; nothing is lost, run it again", file=sys.stderr)
        return AWAY


async def _rotate(settings: Settings, *, check: bool) -> int:
    from app.rotation.first_keys import make_first_keys
    from app.rotation.opening import open_rotation
    from app.rotation.work import Rotator

    async with open_rotation(settings) as rotation:
        if not check:
            await make_first_keys(rotation.sessions)
            await Rotator(rotation.sessions, _say).run(rotation.parts)
        former = [await _check(part) for part in rotation.parts]
    left = sum(former)
    print(f"{left} on a former key" if left else "nothing hangs on a former key")
    return SOMETHING_LEFT if left else NOTHING_LEFT


async def _check(part: Part) -> int:
    """Tell what hangs on which key; how many on another than the current one."""
    current, former = await part.target(), 0
    for key, count in sorted((await part.left()).items()):
        if count:
            print(f"{part.name:32} {count:>9}  {key}{'' if key == current else '  former'}")
            former += 0 if key == current else count
    return former


def _say(line: str) -> None:
    print(line, flush=True)

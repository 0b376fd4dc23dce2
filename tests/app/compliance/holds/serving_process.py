"""A process that runs missions, watches for holds and answers requests, until it is told to stop.

`python -m tests.app.compliance.holds.serving_process --url … --executor … --folder …`; says its port on
standard output. Files in the folder make the HLR misbehave for one subscriber: while `away-IMSI` is there it
cannot be switched on; with `slow-IMSI` it is on at once, and the answer comes once `go-IMSI` is there.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
from pathlib import Path

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.durable import DurableWork
from activation.adapters.hlr_sandbox import SandboxHlr
from activation.adapters.sql.engine import open_engine, open_readers, open_sessions
from activation.adapters.sql.fields import use_field_keys
from activation.ids import Imsi
from activation.order_keys import use_order_keys
from activation.ports import HlrFault, Subscriber
from app.compliance.holds.desk import HoldDesk
from app.compliance.holds.watch import HoldWatch
from app.server import build_app
from tests.activation.mission_process import KillAt
from tests.activation.stand_ins import make_bench, now, until
from tests.app.ground import lay_ground
from tests.conftest import TEST_KEYS
from tests.order_keys import DerivedOrderKeys


class MovedHlr(SandboxHlr):
    """Does what the files in a folder say."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], folder: Path) -> None:
        super().__init__(sessions)
        self._folder = folder

    async def switch_on(self, imsi: Imsi) -> Subscriber:
        if (self._folder / f"away-{imsi}").exists():
            raise HlrFault("the HLR is away")
        subscriber = await super().switch_on(imsi)
        if (self._folder / f"slow-{imsi}").exists():
            (self._folder / f"asked-{imsi}").touch()
            await until(lambda: asyncio.to_thread((self._folder / f"go-{imsi}").exists), 60)
        return subscriber


async def main(arguments: argparse.Namespace) -> None:
    use_field_keys(TEST_KEYS)
    use_order_keys(DerivedOrderKeys())
    engine, folder = open_engine(arguments.url), Path(arguments.folder)
    sessions, readers = open_sessions(engine), open_readers(engine)
    work = DurableWork(arguments.url, engine, arguments.executor, KillAt(arguments.kill_at))
    bench = make_bench(sessions, work, MovedHlr(sessions, folder))
    watch = HoldWatch(sessions, readers, now, HoldDesk(sessions, now, work), arguments.executor)
    ground = lay_ground(engine, folder)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await work.start(bench.flow)
    watch.start()
    runner = web.AppRunner(build_app(ground.services), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await stop.wait()
    await runner.cleanup()
    await watch.stop()
    await work.stop()
    ground.close()
    await engine.dispose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--executor", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--kill-at", help="a step and `before` or `after`, e.g. `decide.4 before`")
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(main(parser.parse_args()))

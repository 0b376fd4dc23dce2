"""The demo's own look into the HLR: OsmoHLR over CTRL where it is installed, else the sandbox's table."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.demo.processes import Programs

CTRL_PORT = 4259
ANSWER_SECONDS = 5.0
START_SECONDS = 15.0

# IPA header of the control interface: length, stream 0xEE (Osmocom extension), extension 0x00 (CTRL).
_STREAM = b"\xee\x00"
_MAX_ANSWER = 4096

_CONFIGURATION = """\
log stderr
 logging filter all 1
 logging color 0
 logging level main notice
line vty
 bind {address}
ctrl
 bind {address}
hlr
 gsup
  bind ip {address}
"""


class Look(Protocol):
    """Reads one subscriber behind the server's back."""

    @property
    def name(self) -> str:
        """Which HLR is read."""

    async def domains(self, imsi: str) -> tuple[bool, bool] | None:
        """Circuit-switched and packet-switched domain on; None: no such subscriber."""


@dataclass(frozen=True)
class OsmoLook:
    """Reads over CTRL, one connection per question."""

    address: str
    name: str = "osmo-hlr"

    async def domains(self, imsi: str) -> tuple[bool, bool] | None:
        circuit = await self._get(f"subscriber.by-imsi-{imsi}.cs-enabled")
        packet = await self._get(f"subscriber.by-imsi-{imsi}.ps-enabled")
        return None if circuit is None or packet is None else (circuit == "1", packet == "1")

    async def _get(self, variable: str) -> str | None:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(self.address, CTRL_PORT)
            try:
                body = _STREAM[1:] + f"GET 1 {variable}".encode()
                writer.write(len(body).to_bytes(2, "big") + _STREAM[:1] + body)
                await writer.drain()
                while True:
                    header = await reader.readexactly(3)
                    answer = await reader.readexactly(min(_MAX_ANSWER, int.from_bytes(header[:2], "big")))
                    words = answer[1:].decode(errors="replace").split(" ", 3)
                    if words[0] == "GET_REPLY" and words[1] == "1":
                        return words[3]
                    if words[0] == "ERROR":
                        return None
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()


@dataclass(frozen=True)
class SandboxLook:
    """Reads the sandbox HLR's table."""

    database: Path
    name: str = "sandbox HLR (osmo-hlr is not installed)"

    async def domains(self, imsi: str) -> tuple[bool, bool] | None:
        return await asyncio.to_thread(self._read, imsi)

    def _read(self, imsi: str) -> tuple[bool, bool] | None:
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as database:
            row = database.execute(
                "SELECT cs_enabled, ps_enabled FROM sandbox_hlr_subscribers WHERE imsi = ?", (imsi,)
            ).fetchone()
        return None if row is None else (bool(row[0]), bool(row[1]))


def installed() -> bool:
    return shutil.which("osmo-hlr") is not None


def own_address() -> str:
    """A loopback address of one's own: OsmoHLR's ports are fixed, its address is not."""
    return f"127.{secrets.randbelow(200) + 20}.{secrets.randbelow(254) + 1}.{secrets.randbelow(254) + 1}"


async def start_osmo(programs: Programs, folder: Path, address: str) -> OsmoLook:
    """A real OsmoHLR with an empty database in `folder`; returns when it answers. Raises TimeoutError."""
    await asyncio.to_thread(_configure, folder, address)
    command = ["osmo-hlr", "-c", str(folder / "osmo-hlr.cfg"), "-l", str(folder / "hlr.db")]
    programs.start("osmo-hlr", command)
    look = OsmoLook(address)
    async with asyncio.timeout(START_SECONDS):
        while True:
            programs.check()
            with contextlib.suppress(OSError):
                await look.domains("460000000000000")
                return look
            await asyncio.sleep(0.1)


def _configure(folder: Path, address: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "osmo-hlr.cfg").write_text(_CONFIGURATION.format(address=address))

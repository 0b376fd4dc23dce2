"""OsmoHLR over its CTRL interface: TCP 4259, IPA framing (Osmocom "Common Control Interface").

A frame is a 2-byte length, protocol 0xEE, extension 0x00 and text. A request carries a number of our
own, which its answer repeats: `SET 7 subscriber.create 460…` → `SET_REPLY 7 …` or `ERROR 7 …`.
New subscribers of OsmoHLR start with both domains on; here they are switched off before anybody hears
of them. No exception's text shows an IMSI or a number.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct

from activation.ids import Imsi, Msisdn
from activation.ports import HlrFault, Subscriber

TIMEOUT_SECONDS = 2.0
MAX_ANSWER_BYTES = 4096
#: Answers and traps that may come before the one that is waited for.
MAX_OTHERS = 16
_IPA_OSMO, _EXTENSION_CTRL = 0xEE, 0x00
_COUNTRY = "86"


class _Refused(Exception):
    """OsmoHLR answered ERROR; its words."""


class OsmocomHlr:
    """`activation.ports.Hlr` on one connection, opened when needed and again after a fault."""

    def __init__(self, host: str, port: int = 4259, timeout: float = TIMEOUT_SECONDS) -> None:
        self._host, self._port, self._timeout = host, port, timeout
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._one_at_a_time = asyncio.Lock()
        self._number = 0

    async def create_off(self, imsi: Imsi, msisdn: Msisdn) -> Subscriber:
        subscriber = await self.read(imsi)
        if subscriber is None:
            await self._create(imsi)
        await self.switch_off(imsi)
        if subscriber is None or subscriber.msisdn != msisdn:
            await self._set(imsi, "msisdn", msisdn.international)
        return await self._certain(imsi)

    async def switch_on(self, imsi: Imsi) -> Subscriber:
        return await self._switch(imsi, on=True)

    async def switch_off(self, imsi: Imsi) -> Subscriber:
        return await self._switch(imsi, on=False)

    async def read(self, imsi: Imsi) -> Subscriber | None:
        try:
            answer = await self._ask("GET", f"subscriber.by-imsi-{imsi}.info")
        except _Refused as refused:
            if "No such subscriber" in str(refused):
                return None
            raise HlrFault("the HLR refused to show a subscriber") from None
        return _subscriber(imsi, answer)

    async def remove(self, imsi: Imsi) -> None:
        try:
            await self._ask("SET", "subscriber.delete", imsi)
        except _Refused:
            if await self.read(imsi) is not None:
                raise HlrFault("the HLR did not remove a subscriber") from None

    async def close(self) -> None:
        if self._streams is not None:
            _, writer = self._streams
            self._streams = None
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), self._timeout)

    async def _create(self, imsi: Imsi) -> None:
        try:
            await self._ask("SET", "subscriber.create", imsi)
        except _Refused:
            # Somebody was faster, or else the next reading finds nobody.
            await self._certain(imsi)

    async def _switch(self, imsi: Imsi, on: bool) -> Subscriber:
        before = await self._certain(imsi)
        for domain, is_on in (("cs", before.cs_enabled), ("ps", before.ps_enabled)):
            if is_on is not on:
                await self._set(imsi, f"{domain}-enabled", "1" if on else "0")
        after = await self._certain(imsi)
        if not (after.is_on if on else after.is_off):
            raise HlrFault("the HLR did not switch a subscriber")
        return after

    async def _certain(self, imsi: Imsi) -> Subscriber:
        subscriber = await self.read(imsi)
        if subscriber is None:
            raise HlrFault("the HLR does not know a subscriber that it should know")
        return subscriber

    async def _set(self, imsi: Imsi, what: str, value: str) -> None:
        try:
            await self._ask("SET", f"subscriber.by-imsi-{imsi}.{what}", value)
        except _Refused:
            raise HlrFault(f"the HLR refused to set {what}") from None

    async def _ask(self, verb: str, variable: str, value: str = "") -> str:
        """The answer's text after the variable. Raises _Refused on ERROR and HlrFault on anything else."""
        async with self._one_at_a_time:
            self._number += 1
            request = f"{verb} {self._number} {variable} {value}".rstrip()
            try:
                async with asyncio.timeout(self._timeout):
                    reader, writer = await self._connected()
                    writer.write(_frame(request))
                    await writer.drain()
                    return await self._answer(reader, verb, str(self._number), variable)
            except (OSError, EOFError, TimeoutError, asyncio.IncompleteReadError) as error:
                await self.close()
                raise HlrFault(f"the HLR does not answer ({type(error).__name__})") from None
            except HlrFault:
                await self.close()
                raise
            except asyncio.CancelledError:
                # The answer is still to come; on this connection it would be somebody else's.
                await self.close()
                raise

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None or self._streams[0].at_eof():
            await self.close()
            self._streams = await asyncio.open_connection(self._host, self._port, limit=2 * MAX_ANSWER_BYTES)
        return self._streams

    async def _answer(self, reader: asyncio.StreamReader, verb: str, number: str, variable: str) -> str:
        for _ in range(MAX_OTHERS):
            kind, _, rest = (await _read_frame(reader)).partition(" ")
            answered, _, rest = rest.partition(" ")
            if kind == "TRAP" or (kind in ("ERROR", f"{verb}_REPLY") and answered != number):
                continue
            if kind == "ERROR":
                raise _Refused(rest)
            if kind == f"{verb}_REPLY" and (rest == variable or rest.startswith(f"{variable} ")):
                return rest[len(variable) :].strip(" ")
            raise HlrFault("the HLR answers something else than it was asked")
        raise HlrFault("the HLR answers everything but what it was asked")


def _frame(text: str) -> bytes:
    body = bytes([_EXTENSION_CTRL]) + text.encode("ascii")
    return struct.pack(">HB", len(body), _IPA_OSMO) + body


async def _read_frame(reader: asyncio.StreamReader) -> str:
    length, protocol = struct.unpack(">HB", await reader.readexactly(3))
    if protocol != _IPA_OSMO or not 1 <= length <= MAX_ANSWER_BYTES:
        raise HlrFault("the HLR does not speak the CTRL protocol")
    body = await reader.readexactly(length)
    if body[0] != _EXTENSION_CTRL:
        raise HlrFault("the HLR does not speak the CTRL protocol")
    return body[1:].decode("ascii", errors="replace")


def _subscriber(imsi: Imsi, info: str) -> Subscriber:
    """From lines of `key TAB value`; keys are those of OsmoHLR 1.x `info`."""
    found = dict(line.split("\t", 1) for line in info.splitlines() if "\t" in line)
    domains = found.get("nam_cs"), found.get("nam_ps")
    if found.get("imsi") != imsi or not set(domains) <= {"0", "1"}:
        raise HlrFault("the HLR shows another subscriber, or none that can be read")
    number = found.get("msisdn")
    try:
        msisdn = None if number is None else Msisdn(number.removeprefix(_COUNTRY))
    except ValueError:
        msisdn = None  # a number that is not one of ours: never equal to the order's
    return Subscriber(imsi, msisdn, domains[0] == "1", domains[1] == "1")

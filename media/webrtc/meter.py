"""What a peer may send: a bit rate, and unfinished messages on its data channel.

aiortc bounds neither. It keeps the fragments of a message that never ends, and looks through all of them for
each new one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from aiortc import RTCPeerConnection

BITS_PER_SECOND = 8_000_000
"""Three times what the answer allows; phones keep to that."""
BURST_SECONDS = 3.0
"""A network that stumbles delivers what it held back in one go."""
MAX_UNFINISHED_BYTES = 64 * 1024
"""Of messages on the data channel whose end has not come; a whole message has 4 KB at most."""
LOOK_SECONDS = 0.5

_WINDOW_BYTES = 1024 * 1024  # aiortc's receive window when nothing is waiting


class Meter:
    """Looks twice a second; calls `on_excess` once."""

    def __init__(self, connection: RTCPeerConnection, on_excess: Callable[[], None]) -> None:
        self._connection = connection
        self._on_excess = on_excess
        self._task = asyncio.create_task(self._watch(), name="meter")

    def stop(self) -> None:
        self._task.cancel()

    async def _watch(self) -> None:
        allowance = most = BITS_PER_SECOND / 8 * BURST_SECONDS
        seen, at = received_bytes(self._connection), time.monotonic()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now, total = time.monotonic(), received_bytes(self._connection)
            allowance = min(most, allowance + (now - at) * BITS_PER_SECOND / 8) - (total - seen)
            seen, at = total, now
            if allowance < 0 or unfinished_bytes(self._connection) > MAX_UNFINISHED_BYTES:
                self._on_excess()
                return


def received_bytes(connection: RTCPeerConnection) -> int:
    """On every transport of the connection, headers of DTLS and RTP included."""
    return sum(int(getattr(each, "_RTCDtlsTransport__rx_bytes", 0)) for each in transports(connection))


def unfinished_bytes(connection: RTCPeerConnection) -> int:
    """Held by the data channel's association for messages that are not whole yet."""
    sctp = connection.sctp
    return 0 if sctp is None else _WINDOW_BYTES - int(getattr(sctp, "_advertised_rwnd", _WINDOW_BYTES))


def transports(connection: RTCPeerConnection) -> set[Any]:
    """The DTLS transports; one, where everything is bundled."""
    found: set[Any] = {each.receiver.transport for each in connection.getTransceivers()}
    if connection.sctp is not None:
        found.add(connection.sctp.transport)
    return found - {None}

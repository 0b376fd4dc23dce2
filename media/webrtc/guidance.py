"""The data channel "guidance": JSON objects, small and seldom, in both directions.

What the phone may say is a list of three; anything else is counted, and too much of it ends the check.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from aiortc import RTCDataChannel

from media.webrtc.pace import Bucket

LABEL = "guidance"
MAX_MESSAGE_BYTES = 4096
MESSAGES_PER_SECOND = 30
MAX_STRANGE = 20
"""Messages that are not understood before the channel is given up."""
MAX_WAITING_BYTES = 65_536
"""Not yet taken by the phone; beyond it progress is dropped rather than queued."""


class PhoneMessage(StrEnum):
    READY = "ready"
    CANCEL = "cancel"


class GuidanceChannel:
    """Server's end. `on_message` hears what the phone says; `on_noise` that it says too much nonsense."""

    def __init__(
        self,
        channel: RTCDataChannel,
        on_message: Callable[[PhoneMessage], None],
        on_noise: Callable[[], None],
    ) -> None:
        self._channel = channel
        self._on_message = on_message
        self._on_noise = on_noise
        self._rate = Bucket(MESSAGES_PER_SECOND, MESSAGES_PER_SECOND)
        self.strange = 0
        self.dropped = 0
        channel.on("message", self._heard)

    @property
    def is_open(self) -> bool:
        return bool(self._channel.readyState == "open")

    def send(self, message: Mapping[str, object]) -> bool:
        """False where the phone does not take it: closed, or too much is waiting already."""
        if not self.is_open or self._channel.bufferedAmount > MAX_WAITING_BYTES:
            self.dropped += 1
            return False
        text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
        if len(text.encode()) > MAX_MESSAGE_BYTES:
            raise ValueError("a guidance message is too long")
        self._channel.send(text)
        return True

    def _heard(self, data: str | bytes) -> None:
        message = parse(data) if self._rate.take(time.monotonic()) else None
        match message:
            case {"type": "ping", "t": int() | float() as t}:
                self.send({"type": "pong", "t": t})
            case {"type": PhoneMessage.READY.value}:
                self._on_message(PhoneMessage.READY)
            case {"type": PhoneMessage.CANCEL.value}:
                self._on_message(PhoneMessage.CANCEL)
            case _:
                self.strange += 1
                if self.strange == MAX_STRANGE:
                    self._on_noise()


def parse(data: str | bytes) -> dict[str, Any] | None:
    """The JSON object in a message; None for anything else."""
    if not isinstance(data, str) or len(data) > MAX_MESSAGE_BYTES or len(data.encode()) > MAX_MESSAGE_BYTES:
        return None
    try:
        message = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None

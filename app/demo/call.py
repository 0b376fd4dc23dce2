"""The phone during the video check: offer, camera, guidance."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from app.demo.client import Api
from app.demo.telling import Telling
from app.studio import Performer
from media.webrtc.ice import IceServer
from media.webrtc.phone import PhonePeer

#: A session lasts three minutes at most; a little for connecting and measuring.
RESULT_SECONDS = 220.0


class VideoCall:
    """One attempt: creates the check, sends what the performer shows, tells what the server asks for."""

    def __init__(self, tell: Telling, phone: Api, order: str) -> None:
        self._tell = tell
        self._phone = phone
        self._order = order
        self._step = ""
        self._began = 0.0
        self._hints: set[str] = set()

    async def run(self, performer: Performer) -> str:
        """The outcome that the phone was told; `closed` where the server ended without one."""
        made = await self._phone.post(f"/v1/orders/{self._order}/checks")
        self._tell.say("check", f"{made['check_id']}, {made['attempts_left']} attempts left this hour")

        def heard(message: Mapping[str, Any]) -> None:
            performer.hear(message)
            self._show(message)

        servers = [IceServer(**each) for each in made["ice_servers"]]
        peer = PhonePeer(performer, heard, servers=servers)
        try:
            offer = {"sdp": await peer.offer(), "type": "offer"}
            answer = await self._phone.post(f"/v1/checks/{made['check_id']}/offer", offer)
            await peer.accept(answer["sdp"])
            outcome = await peer.result(RESULT_SECONDS)
        finally:
            await peer.close()
        self._finish_step()
        return outcome or "closed"

    def _show(self, message: Mapping[str, Any]) -> None:
        match message.get("type"):
            case "step":
                self._finish_step()
                self._step, self._began = str(message["prompt"]), time.monotonic()
                self._hints.clear()
            case "progress":
                hint = message.get("hint")
                if hint:
                    self._hints.add(str(hint))
                self._tell.bar(self._step, float(message.get("fraction", 0)), str(hint or ""))
            case _:
                pass

    def _finish_step(self) -> None:
        if self._step:
            hints = f"  (hints: {', '.join(sorted(self._hints))})" if self._hints else ""
            self._tell.say(self._step, f"{time.monotonic() - self._began:.1f} s{hints}")
        self._step = ""

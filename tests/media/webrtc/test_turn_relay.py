"""Through a real coturn: the server's side uses the relay alone, with credentials that end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from media.webrtc import CheckedOffer, IceSettings, OfferRefusal, VideoPeer, examine
from media.webrtc.phone import PhonePeer
from tests.media.webrtc.people import Showing
from tests.servers import coturn

pytestmark = [
    pytest.mark.coturn,
    pytest.mark.skipif(not coturn.installed(), reason=coturn.MISSING),
    pytest.mark.skipif(coturn.own_address() is None, reason=coturn.NO_ADDRESS),
]
SECONDS = 20


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[coturn.CoturnServer]:
    address = coturn.own_address()
    assert address is not None
    server = coturn.CoturnServer(tmp_path_factory.mktemp("coturn"), address)
    server.start()
    yield server
    server.stop()


def settings(relay: coturn.CoturnServer, transport: str) -> IceSettings:
    return IceSettings(turn_urls=(relay.url(transport),), turn_secret=coturn.SECRET, relay_only=True)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_frames_and_guidance_go_through_the_relay(relay: coturn.CoturnServer, transport: str) -> None:
    phone = PhonePeer(Showing(120))
    offer = examine(await phone.offer())
    assert isinstance(offer, CheckedOffer)
    ice = settings(relay, transport)
    answered = await VideoPeer.answer(offer, ice.servers("chk_1", datetime.now(UTC)), relay_only=True)
    assert not isinstance(answered, OfferRefusal)
    peer, answer = answered
    kinds = {line.split(" typ ")[1].split(" ")[0] for line in answer.splitlines() if " typ " in line}
    assert kinds == {"relay"}
    await phone.accept(answer)
    await asyncio.wait_for(peer.ready.wait(), SECONDS)
    assert peer.intake is not None
    assert await peer.intake.next(SECONDS) is not None
    assert peer.guidance is not None
    assert peer.guidance.send({"type": "result", "outcome": "received"})
    assert await phone.result(SECONDS) == "received"
    await asyncio.gather(peer.close(), phone.close())


async def test_expired_credentials_are_noticed_at_once(relay: coturn.CoturnServer) -> None:
    phone = PhonePeer(Showing(120))
    offer = examine(await phone.offer())
    assert isinstance(offer, CheckedOffer)
    late = datetime.now(UTC) - timedelta(hours=1)
    servers = settings(relay, "udp").servers("chk_1", late)
    assert await VideoPeer.answer(offer, servers, relay_only=True) is OfferRefusal.NO_ANSWER
    await phone.close()

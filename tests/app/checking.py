"""Video checks for tests over HTTP: real sessions and records, grey pictures instead of people."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from activation.adapters.sql.tables import OrderRow
from activation.evidence import VideoCheckMeasured
from activation.ids import OrderId
from activation.order import OrderState
from app.check_evidence import CheckEvidence
from app.checks import Checks
from media.liveness import Profile, Script
from media.webrtc import IceSettings
from tests.app.ground import Ground
from tests.media.videocheck.stage import grey_instruments, short_script

PROFILES: list[Profile] = []


def grey_script(profile: Profile) -> Script:
    """Two movements with time enough, and the profile that was asked for."""
    PROFILES.append(profile)
    return short_script(window_ms=10_000, position_ms=20_000)


def with_checks(ground: Ground, most: int = 4) -> Checks:
    """Gives the ground video checks; close them before it."""
    services = ground.services
    checks = Checks(
        sessions=services.sessions,
        readers=services.readers,
        clock=services.clock,
        flow=services.flow,
        evidence=CheckEvidence(services.vault, lambda: services.keys.fields),
        instruments=grey_instruments(),
        ice=IceSettings(turn_urls=("turn:turn.test:3478",), turn_secret=b"secret")
        if most == 1
        else IceSettings(),
        threads=2,
        most=most,
        executor="kaika-test",
        make_script=grey_script,
    )
    ground.services = replace(services, checks=checks)
    return checks


async def put_state(ground: Ground, order: str, state: OrderState = OrderState.DELIVERED) -> None:
    """As if the flow had brought the order there."""
    async with ground.services.sessions.begin() as session:
        await session.execute(sa.update(OrderRow).where(OrderRow.id == order).values(state=state))


async def check_facts(ground: Ground, order: str) -> list[VideoCheckMeasured]:
    async with ground.services.readers() as session:
        facts = await ground.services.flow.store.facts.load(session, OrderId(order))
    return [fact for fact in facts.evidence if isinstance(fact, VideoCheckMeasured)]

"""Four years go by, with orders of every kind and holds: each goes on its day and no other (R8.1)."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from activation.ids import OrderId
from activation.order import OrderState as S
from app.compliance.retention.due import plan
from app.compliance.retention.rules import PERIODS, Kept
from app.compliance.retention.tables import TombstoneRow
from tests.app.compliance.retention.town import Town

DAY = timedelta(days=1)


async def test_four_years_with_holds(town: Town) -> None:
    ended, held = await town.ended(), await town.ended()
    active = await town.active()
    refused = await town.over(await town.submitted(), S.REFUSED)
    cancelled = await town.over(await town.submitted(), S.CANCELLED)
    expired = await town.over(await town.order(), S.EXPIRED)
    expected = {
        expired: Kept.NEVER_CONFIRMED,
        cancelled: Kept.CANCELLED,
        refused: Kept.REFUSED,
        ended: Kept.SERVICE_ENDED,
    }
    over = {order_id: (await town.bench.order(order_id)).changed_at for order_id in (*expected, held)}
    hold = await town.hold(held)

    gone: dict[OrderId, int] = {}
    start = town.clock.at
    for day in range(0, 4 * 365, 5):
        town.clock.at = start + day * DAY
        if day >= 3 * 365 and hold is not None:
            await town.lift(hold)
        await town.night()
        for order_id in set(over) - await town.orders() - set(gone):
            gone[order_id] = day

    assert await town.orders() == {active}
    for order_id, kept in expected.items():
        until = PERIODS[kept].end(over[order_id])
        night = start + gone[order_id] * DAY
        assert until <= night < until + 5 * DAY, kept
    # The hold kept it a year longer; the first night after it took it.
    assert gone[held] == 3 * 365
    async with town.sessions() as session:
        stones = {
            row.order_id: (row.kept_as, row.state)
            for row in await session.execute(
                sa.select(TombstoneRow.order_id, TombstoneRow.kept_as, TombstoneRow.state)
            )
        }
    assert stones[held] == ("service_ended", "ended")
    assert {OrderId(each): kept for each, (kept, _) in stones.items() if each != held} == expected


async def test_the_plan_says_beforehand_what_would_go(town: Town) -> None:
    held = await town.over(await town.submitted(), S.CANCELLED)
    await town.over(await town.submitted(), S.CANCELLED)
    await town.over(await town.order(), S.EXPIRED)
    await town.hold(held)
    async with town.sessions() as session:
        now = {line.kept: (line.due, line.held) for line in await plan(session, town.clock.at)}
        later = {line.kept: (line.due, line.held) for line in await plan(session, town.clock.at + 40 * DAY)}
    assert set(now.values()) == {(0, 0)}
    assert later[Kept.CANCELLED] == (1, 1)
    assert later[Kept.NEVER_CONFIRMED] == (1, 0)
    assert later[Kept.SERVICE_ENDED] == (0, 0)

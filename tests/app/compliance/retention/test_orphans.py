"""Sealed objects without a row are swept, and nothing that has one, or may still get one (R9.1)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from activation.ids import OrderId
from activation.order import OrderState as S
from activation.order_keys import OrderKeyGone, order_keys
from app.compliance.retention import orphans
from app.compliance.retention.face_keys import face_key_id
from media.vault import VaultFault
from tests.app.compliance.retention.town import Town

NIGHT = timedelta(hours=24)


async def sweep(town: Town) -> int:
    """The routine; how many objects, or whole orders, went."""
    with capture_logs() as logs:
        await town.retention.sweep()
    (said,) = [each["swept"] for each in logs if each["event"] == "orphans"]
    return int(said)


async def test_what_nothing_names_in_two_sweeps_goes(town: Town) -> None:
    order_id = await town.active()
    named = set(await town.vault.digests(order_id))
    orphan = await town.vault.put(order_id, "id_front", "image/jpeg", b"the process died after this")
    assert await sweep(town) == 0  # its row may be about to come
    assert orphan in await town.vault.digests(order_id)
    town.clock.forward(NIGHT)
    assert await sweep(town) == 1
    assert set(await town.vault.digests(order_id)) == named
    assert await sweep(town) == 0


async def test_a_legal_hold_keeps_also_what_nothing_names(town: Town) -> None:
    """R8.1"""
    order_id = await town.order()
    orphan = await town.vault.put(order_id, "id_front", "image/jpeg", b"the former picture")
    await sweep(town)
    hold = await town.hold(order_id)
    town.clock.forward(NIGHT)
    assert await sweep(town) == 0
    assert orphan in await town.vault.digests(order_id)
    await town.lift(hold)
    assert await sweep(town) == 1


async def test_what_got_its_row_in_between_stays(town: Town) -> None:
    order_id = await town.order()
    late = await town.vault.put(order_id, "id_front", "image/jpeg", b"slow")
    await sweep(town)
    async with town.sessions.begin() as session:
        await town._evidence(session, order_id, "id_front", late, 4)
    town.clock.forward(NIGHT)
    assert await sweep(town) == 0
    assert late in await town.vault.digests(order_id)


async def test_a_write_that_came_after_destruction_goes_at_once(town: Town) -> None:
    order_id = await town.over(await town.order(), S.EXPIRED)
    town.clock.forward(timedelta(days=9))
    await town.night()
    await order_keys().create(order_id)
    await town.vault.put(order_id, "id_front", "image/jpeg", b"late")
    assert await sweep(town) == 1
    assert await town.vault.digests(order_id) == []


async def test_orders_that_the_database_does_not_know_are_left_alone(town: Town) -> None:
    """A database restored from an older copy must not cost the evidence of newer orders."""
    unknown = OrderId.new()
    await order_keys().create(unknown)
    await town.vault.put(unknown, "id_front", "image/jpeg", b"newer than the backup")
    for _ in range(3):
        assert await sweep(town) == 0
        town.clock.forward(NIGHT)
    assert len(await town.vault.digests(unknown)) == 1


async def test_keys_that_were_made_again_after_destruction_go_even_without_an_object(town: Town) -> None:
    order_id = await town.over(await town.order(), S.EXPIRED)
    town.clock.forward(timedelta(days=9))
    await town.night()
    keys = (order_id, face_key_id(order_id))
    for each in keys:
        await order_keys().create(each)
    town.clock.forward(NIGHT)
    await sweep(town)
    for each in keys:
        with pytest.raises(OrderKeyGone):
            await order_keys().of(each)


async def test_every_page_is_a_step_of_its_own(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orphans, "BATCH", 2)
    orders = [await town.order() for _ in range(5)]
    for order_id in orders:
        await town.vault.put(order_id, "id_front", "image/jpeg", b"orphan")
    await sweep(town)
    town.clock.forward(NIGHT)
    steps: list[str] = []
    reach = town.work._reach

    async def reached(step: str) -> None:
        steps.append(step)
        await reach(step)

    monkeypatch.setattr(town.work, "_reach", reached)
    assert await sweep(town) == len(orders)
    states = len(list(S))
    assert steps.count("retention-orphans.3 living") == states + 2
    assert steps.count("retention-orphans.2 destroyed") == 256


async def test_a_page_that_fails_stops_no_other(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = await town.order()
    await town.vault.put(order_id, "id_front", "image/jpeg", b"orphan")
    await sweep(town)
    town.clock.forward(NIGHT)

    async def away(*_: object) -> list[OrderId]:
        raise VaultFault

    monkeypatch.setattr(town.vault, "orders", away)
    assert await sweep(town) == 1

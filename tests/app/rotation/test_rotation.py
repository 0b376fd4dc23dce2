"""Every part of a rotation, on both databases: what it changes, what it leaves, and how it goes on."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.audit_tables import AuditEntryRow
from activation.adapters.sql.fields import FieldKeys, key_identifier, use_field_keys
from activation.adapters.sql.orders import Document
from activation.adapters.sql.outbox import read_text
from activation.adapters.sql.sealed import unseal
from activation.adapters.sql.store import Store
from activation.adapters.sql.tables import CaptureRow, MessageRow, OrderRow, Row
from activation.ids import OrderId
from activation.order_keys import OrderKey, OrderKeyGone, order_keys, use_order_keys
from app.compliance.retention.face_keys import face_key_id
from app.rotation.columns import column_parts
from app.rotation.fields import BEFORE, UNDER_ORDER, field_parts
from app.rotation.first_keys import make_first_keys
from app.rotation.order_keys import AT_ONCE, UNREADABLE, OrderKeysPart
from app.rotation.tables import FIRST_KEYS, KeyRotationRow
from app.rotation.work import PAGE, Page, Place, Rotator
from app.tables import IdempotencyRow
from logistics.tables import DeliveryEventRow, DeliveryRow
from media.keys.order_keys import StoredOrderKeys
from media.keys.service_file import FileKeyService
from media.keys.store_folder import FolderKeyStore
from tests.activation.stand_ins import msisdn
from tests.order_keys import DerivedOrderKeys

Sessions = async_sessionmaker[AsyncSession]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OLD, NEW, INDEX = b"o" * 16 + b"ld" * 8, b"n" * 16 + b"ew" * 8, b"i" * 32
BEFORE_KEYS, AFTER_KEYS = FieldKeys(OLD, INDEX), FieldKeys(NEW, INDEX, (OLD,))
CLEAR = {"contact_phone": msisdn(1), "address": "北京市", "name": "样本甲", "number": "110101199003070011"}


@dataclass
class Told:
    lines: list[str] = field(default_factory=list)

    def __call__(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FolderKeyStore]:
    opened = FolderKeyStore(tmp_path / "keystore")
    yield opened
    opened.close()


def old(column: str, clear: str) -> bytes:
    """As it was written before orders had keys."""
    return BEFORE_KEYS.encrypt(column, clear.encode())


async def orders_from_before(sessions: Sessions, count: int) -> list[OrderId]:
    orders = [OrderId.new() for _ in range(count)]
    rows = [
        {
            "id": order,
            "state": "submitted",
            "msisdn": msisdn(number),
            "contact_digest": "0" * 64,
            "created_at": NOW,
            "changed_at": NOW,
            **{column: old(f"orders.{column}", clear) for column, clear in CLEAR.items()},
        }
        for number, order in enumerate(orders)
    ]
    async with sessions.begin() as session:
        await session.execute(sa.insert(OrderRow), rows)
    return orders


async def belongings_from_before(sessions: Sessions, order: OrderId) -> None:
    """One row in every other table that holds something personal of an order, and one that is of none."""
    async with sessions.begin() as session:
        session.add_all(
            [
                CaptureRow(
                    order_id=order,
                    kind="id_front",
                    media_digest="0" * 64,
                    reading=old("captures.reading", "read"),
                    embeddings=old("captures.embeddings", "faces"),
                    at=NOW,
                ),
                DeliveryRow(
                    **{"id": "dlv_" + "0" * 24, "order_id": order, "waybill": "w", "carrier": "c"},
                    **{"iccid": "i", "state": "out", "code_digest": "0" * 64},
                    recipient=old("deliveries.recipient", "who"),
                    address=old("deliveries.address", "where"),
                    created_at=NOW,
                    changed_at=NOW,
                ),
                DeliveryEventRow(
                    **{"delivery_id": "dlv_" + "0" * 24, "source": "s", "event": "e", "body": {}},
                    happened_at=NOW,
                    recorded_at=NOW,
                    position=old("delivery_events.position", "31.2,121.4"),
                ),
                *(
                    MessageRow(
                        **{"key": key, "to_digest": "0" * 64, "kind": "k", "at": NOW},
                        text=old("sandbox_messages.text", "told"),
                    )
                    for key in (f"{order}-shipped", "code:1")
                ),
            ]
        )


async def test_one_damaged_key_keeps_no_other_order_back(sessions: Sessions, store: FolderKeyStore) -> None:
    use_order_keys(StoredOrderKeys(store, FileKeyService(NEW)))
    damaged, *others = await orders_from_before(sessions, 3)
    await store.put_if_absent(damaged, b"damaged")
    for order in others:
        await order_keys().create(order)
    use_field_keys(AFTER_KEYS)
    part = field_parts(sessions)[0]
    await Rotator(sessions, Told()).run([part])
    assert (await part.left()) == {BEFORE: len(CLEAR), UNDER_ORDER: 2 * len(CLEAR)}


async def test_fields_from_before_are_sealed_under_their_orders(sessions: Sessions) -> None:
    (order,) = await orders_from_before(sessions, 1)
    await belongings_from_before(sessions, order)
    use_field_keys(AFTER_KEYS)
    parts = field_parts(sessions)
    assert sum([(await part.left())[BEFORE] for part in parts]) == 10
    await Rotator(sessions, Told()).run(parts)
    assert sum([(await part.left())[BEFORE] for part in parts]) == 0
    use_field_keys(FieldKeys(b"x" * 32, INDEX))  # nothing of it needs the field key any more
    async with sessions.begin() as session:
        assert await Store().orders.document(session, order) == Document(CLEAR["name"], CLEAR["number"], "")
        capture = (await session.scalars(sa.select(CaptureRow))).one()
        delivery = (await session.scalars(sa.select(DeliveryRow))).one()
        event = (await session.scalars(sa.select(DeliveryEventRow))).one()
        message = await session.get_one(MessageRow, f"{order}-shipped")
    opened = [
        await unseal(order, "captures.reading", capture.reading),
        await unseal(face_key_id(order), "captures.embeddings", capture.embeddings),
        await unseal(order, "deliveries.recipient", delivery.recipient),
        await unseal(order, "deliveries.address", delivery.address),
        await unseal(order, "delivery_events.position", event.position),
        await read_text(message),
    ]
    assert opened == ["read", "faces", "who", "where", "31.2,121.4", "told"]


async def test_of_a_destroyed_order_nothing_is_sealed_anew(sessions: Sessions) -> None:
    order, other = await orders_from_before(sessions, 2)
    keys = DerivedOrderKeys()
    use_order_keys(keys)
    use_field_keys(AFTER_KEYS)
    await keys.destroy(order)
    (part, *_) = field_parts(sessions)
    await Rotator(sessions, Told()).run([part])
    assert await part.left() == {BEFORE: len(CLEAR), UNDER_ORDER: len(CLEAR)}
    async with sessions.begin() as session:
        assert await Store().orders.document(session, other) is not None


async def test_columns_of_no_order_are_encrypted_under_the_current_key(sessions: Sessions) -> None:
    use_field_keys(BEFORE_KEYS)
    rows = [
        {"key": f"{number:064}", "request_digest": "0" * 64, "body": f"body {number}", "created_at": NOW}
        for number in range(PAGE + 5)
    ]
    async with sessions.begin() as session:
        await session.execute(sa.insert(IdempotencyRow), rows)
    use_field_keys(AFTER_KEYS)
    parts, told = column_parts(sessions, AFTER_KEYS, Row.metadata), Told()
    (part,) = (part for part in parts if part.name == "idempotency.body")
    assert await part.left() == {f"field:{key_identifier(OLD).hex()}": len(rows)}
    await Rotator(sessions, told).run(parts)
    assert await part.left() == {await part.target(): len(rows)}
    assert told.lines[:2] == ["idempotency.body 200/205", "idempotency.body 205/205"]
    use_field_keys(FieldKeys(NEW, INDEX))  # the former key is gone
    async with sessions.begin() as session:
        bodies = (await session.scalars(sa.select(IdempotencyRow.body).order_by(IdempotencyRow.key))).all()
    assert bodies == [row["body"] for row in rows]


async def test_a_column_that_changes_meanwhile_is_not_overwritten(sessions: Sessions) -> None:
    use_field_keys(BEFORE_KEYS)
    row = {"key": "k", "request_digest": "0" * 64, "body": "first", "created_at": NOW}
    async with sessions.begin() as session:
        await session.execute(sa.insert(IdempotencyRow), [row])
    (part,) = (p for p in column_parts(sessions, AFTER_KEYS, Row.metadata) if p.name == "idempotency.body")
    rows = part._rows
    async with sessions.begin() as session:
        (seen,) = await rows.page(session, None)
        await session.execute(sa.update(IdempotencyRow).values(body="second"))
        assert not await rows.replace(session, seen, {"body": b"from what was seen"})
        assert await session.scalar(sa.select(IdempotencyRow.body)) == "second"


async def test_order_keys_are_wrapped_anew_and_stay_the_same(
    sessions: Sessions, store: FolderKeyStore
) -> None:
    before, after = FileKeyService(OLD), FileKeyService(NEW, (OLD,))
    orders = [OrderId.new() for _ in range(PAGE + 3)]
    keys = StoredOrderKeys(store, before)
    made = await asyncio.gather(*(keys.create(order) for order in orders))
    part, told = OrderKeysPart(store, after), Told()
    await Rotator(sessions, told).run([part])
    assert told.lines[:2] == ["order keys 200/203", "order keys 203/203"]
    assert await part.left() == {await after.current(): len(orders)}
    alone = StoredOrderKeys(store, FileKeyService(NEW))
    assert await asyncio.gather(*(alone.of(order) for order in orders)) == made


async def test_two_rotations_at_once_and_a_destruction_between_them(
    sessions: Sessions, store: FolderKeyStore
) -> None:
    orders = [OrderId.new() for _ in range(40)]
    keys = StoredOrderKeys(store, FileKeyService(OLD))
    made = {order: await keys.create(order) for order in orders}
    parts = [OrderKeysPart(store, FileKeyService(NEW, (OLD,))) for _ in range(2)]
    destroyed = set(orders[::5])
    await asyncio.gather(
        *(Rotator(sessions, Told()).run([part]) for part in parts),
        *(keys.destroy(order) for order in destroyed),
    )
    alone = StoredOrderKeys(store, FileKeyService(NEW))
    for order in orders:
        if order in destroyed:
            with pytest.raises(OrderKeyGone):
                await alone.of(order)
        else:
            assert await alone.of(order) == made[order]


async def test_an_entry_that_is_no_key_is_counted_and_left_alone(
    sessions: Sessions, store: FolderKeyStore
) -> None:
    order = OrderId.new()
    await store.put_if_absent(order, b"noise")
    part = OrderKeysPart(store, FileKeyService(NEW, (OLD,)))
    await Rotator(sessions, Told()).run([part])
    assert await part.left() == {UNREADABLE: 1}
    assert await store.get(order) == b"noise"


@dataclass
class Counting:
    """Twelve items in pages of three; `dies` at one of them."""

    name: str = "counting"
    dies: int | None = None
    seen: list[int] = field(default_factory=list)
    changing: int = 0

    async def target(self) -> str:
        return "key"

    async def total(self) -> int:
        return 12

    async def page(self, after: Place | None) -> Page:
        first = after[0] + 1 if after else 0
        items = list(range(first, min(first + 3, 12)))
        if self.dies in items:
            raise RuntimeError("killed")
        self.seen += items
        self.changing -= 1
        return Page(len(items), int(self.changing >= 0), [items[-1]] if items else None)

    async def left(self) -> dict[str, int]:
        return {}


async def test_a_rotation_that_was_killed_goes_on_where_it_was(sessions: Sessions) -> None:
    killed, again, told = Counting(dies=7, changing=2), Counting(), Told()
    with pytest.raises(RuntimeError):
        await Rotator(sessions, told).run([killed])
    async with sessions.begin() as session:
        assert (await session.scalars(sa.select(AuditEntryRow.event))).all() == ["keys.rotated"] * 2
    await Rotator(sessions, told).run([again])
    assert killed.seen + again.seen == list(range(12))
    assert told.lines == [f"counting {done}/12" for done in (3, 6, 9, 12)]


async def test_what_was_written_under_a_former_key_meanwhile_is_found(sessions: Sessions) -> None:
    part = Counting(changing=6)
    await Rotator(sessions, Told()).run([part])
    assert part.seen == [*range(12)] * 3  # the second pass still found something, the third nothing
    async with sessions.begin() as session:
        noted = (await session.scalars(sa.select(AuditEntryRow).order_by(AuditEntryRow.seq))).all()
    assert [(each.chain, each.event) for each in noted] == [("keys", "keys.rotated")] * 5
    assert '"changed":1,"looked":3,"part":"counting"' in noted[0].content


async def test_orders_from_before_get_their_keys_once(sessions: Sessions, store: FolderKeyStore) -> None:
    use_order_keys(keys := StoredOrderKeys(store, FileKeyService(os.urandom(32))))
    assert await make_first_keys(sessions) == 0
    orders = await orders_from_before(sessions, 3)
    await belongings_from_before(sessions, orders[0])
    async with sessions.begin() as session:
        session.add(KeyRotationRow(part=FIRST_KEYS, target="", begun_at=NOW))
    assert await make_first_keys(sessions) == 3
    assert set(await store.list(None, 10)) == {*orders, face_key_id(orders[0])}
    await keys.destroy(orders[1])
    assert await make_first_keys(sessions) == 0  # and not a second time
    with pytest.raises(OrderKeyGone):
        await keys.of(orders[1])


class Together(DerivedOrderKeys):
    """Answers when so many ask at once."""

    def __init__(self, wanted: int) -> None:
        super().__init__()
        self.made: list[OrderId] = []
        self._barrier = asyncio.Barrier(wanted)

    async def create(self, order_id: OrderId) -> OrderKey:
        await self._barrier.wait()
        self.made.append(order_id)
        return await super().create(order_id)


async def test_first_keys_are_made_several_at_a_time(sessions: Sessions) -> None:
    """The server listens only afterwards."""
    use_order_keys(keys := Together(AT_ONCE))
    orders = await orders_from_before(sessions, 2 * AT_ONCE)
    async with sessions.begin() as session:
        session.add(KeyRotationRow(part=FIRST_KEYS, target="", begun_at=NOW))
    async with asyncio.timeout(10):
        assert await make_first_keys(sessions) == len(orders)
    assert sorted(keys.made) == sorted(orders)

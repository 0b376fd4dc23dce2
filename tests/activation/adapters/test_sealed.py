"""Personal fields under their orders' keys, on both databases: where they open, and where they never do."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.fields import FieldKeys, FieldUnreadable
from activation.adapters.sql.numbers import HOLD
from activation.adapters.sql.orders import Document, NewOrder
from activation.adapters.sql.sealed import seal, unseal
from activation.adapters.sql.store import Store
from activation.adapters.sql.tables import OrderRow
from activation.ids import OrderId
from activation.order_keys import OrderKeyGone, OrderKeysFault, Unreadable, order_keys, use_order_keys
from tests.activation.stand_ins import msisdn, now
from tests.order_keys import DerivedOrderKeys

Sessions = async_sessionmaker[AsyncSession]

STORE = Store()
NAME, NUMBER, ADDRESS = "样本甲", "110101199003070011", "北京市东城区样本胡同 1 号"
COLUMNS = ("contact_phone", "recipient", "address", "name", "number", "document_address")


async def an_order(sessions: Sessions, number: int = 1) -> OrderId:
    """Submitted, so that every column holds something."""
    order = OrderId.new()
    new = NewOrder(order, msisdn(number), msisdn(9000 + number), ADDRESS, recipient=NAME)
    async with sessions.begin() as session:
        await STORE.orders.create(session, new, now(), now() + HOLD)
        assert await STORE.orders.submit(session, order, Document(NAME, NUMBER, ADDRESS), now(), now())
    return order


async def stored(sessions: Sessions, order: OrderId) -> dict[str, bytes]:
    query = sa.select(*(getattr(OrderRow, name) for name in COLUMNS)).where(OrderRow.id == order)
    async with sessions.begin() as session:
        row = (await session.execute(query)).one()
    return dict(zip(COLUMNS, row, strict=True))


async def put(sessions: Sessions, order: OrderId, column: str, value: bytes) -> None:
    async with sessions.begin() as session:
        await session.execute(sa.update(OrderRow).where(OrderRow.id == order).values({column: value}))


async def test_nothing_is_stored_in_clear(sessions: Sessions) -> None:
    order = await an_order(sessions)
    everything = b"".join((await stored(sessions, order)).values())
    for clear in (NAME, NUMBER, ADDRESS, msisdn(9001)):
        assert clear.encode() not in everything
    async with sessions.begin() as session:
        contact = await STORE.orders.contact(session, order)
        document = await STORE.orders.document(session, order)
    assert contact is not None
    assert (contact.phone, contact.recipient, contact.address) == (msisdn(9001), NAME, ADDRESS)
    assert document == Document(NAME, NUMBER, ADDRESS)


async def test_a_field_of_another_order_does_not_open(sessions: Sessions) -> None:
    mine, theirs = await an_order(sessions, 1), await an_order(sessions, 2)
    fields = await stored(sessions, theirs)
    for column in COLUMNS:
        await put(sessions, mine, column, fields[column])
    async with sessions.begin() as session:
        with pytest.raises(Unreadable):
            await STORE.orders.document(session, mine)
        with pytest.raises(Unreadable):
            await STORE.orders.contact(session, mine)


async def test_a_field_of_another_column_does_not_open(sessions: Sessions) -> None:
    order = await an_order(sessions)
    fields = await stored(sessions, order)
    await put(sessions, order, "name", fields["recipient"])  # the same words, even
    async with sessions.begin() as session:
        with pytest.raises(Unreadable):
            await STORE.orders.document(session, order)
    for column in COLUMNS:
        for other in set(COLUMNS) - {column}:
            with pytest.raises(Unreadable):
                await unseal(order, f"orders.{other}", fields[column])


@pytest.mark.parametrize("change", [lambda b: b[:-1], lambda b: b + b"x", lambda b: b[:9] + b"?" + b[10:]])
async def test_a_changed_field_does_not_open(change: object) -> None:
    order = OrderId.new()
    sealed = await seal(order, "orders.name", NAME)
    assert callable(change)
    with pytest.raises(Unreadable):
        await unseal(order, "orders.name", change(sealed))
    with pytest.raises(Unreadable):
        await unseal(order, "orders.name", b"\x03" + sealed[1:])


async def test_a_destroyed_order_has_no_contact_and_no_document(sessions: Sessions) -> None:
    """R8.2: nothing breaks, nothing opens, and nothing can be written to it any more."""
    order = await an_order(sessions)
    await order_keys().destroy(order)
    async with sessions.begin() as session:
        assert await STORE.orders.contact(session, order) is None
        assert await STORE.orders.document(session, order) is None
        assert await STORE.orders.read(session, order) is not None
        with pytest.raises(OrderKeyGone):
            await seal(order, "orders.name", NAME)


async def test_a_silent_key_store_is_not_a_destroyed_order(sessions: Sessions) -> None:
    order = await an_order(sessions)

    class Away(DerivedOrderKeys):
        async def of(self, order_id: OrderId) -> object:  # type: ignore[override]
            raise OrderKeysFault("down")

    use_order_keys(Away())  # type: ignore[arg-type]
    async with sessions.begin() as session:
        with pytest.raises(OrderKeysFault):
            await STORE.orders.contact(session, order)


async def test_fields_from_before_orders_had_keys_still_open(
    sessions: Sessions, field_keys: FieldKeys
) -> None:
    order = await an_order(sessions)
    for column, clear in (("name", NAME), ("number", NUMBER), ("document_address", ADDRESS)):
        await put(sessions, order, column, field_keys.encrypt(f"orders.{column}", clear.encode()))
    async with sessions.begin() as session:
        assert await STORE.orders.document(session, order) == Document(NAME, NUMBER, ADDRESS)
    await put(sessions, order, "name", field_keys.encrypt("orders.number", NAME.encode()))
    async with sessions.begin() as session:
        with pytest.raises(FieldUnreadable):
            await STORE.orders.document(session, order)


async def test_nothing_stays_nothing() -> None:
    order = OrderId.new()
    nothing: str | None = None
    assert await seal(order, "orders.name", nothing) is None
    assert await unseal(order, "orders.name", None) is None
    assert await unseal(order, "orders.name", await seal(order, "orders.name", "")) == ""

"""The proof that nothing of an order opens: every key, field and object that mentions it is tried (R8.2).

Looks into whatever database, vault and key store it is given, so it proves a restored backup as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.fields import FieldUnreadable, field_keys
from activation.adapters.sql.sealed import FORMER, SEALED
from activation.adapters.sql.tables import MessageRow, OrderRow
from activation.ids import Digest, OrderId
from activation.order_keys import OrderKey, OrderKeyGone, Unreadable, order_keys
from app.compliance.retention.face_keys import face_key_id
from app.compliance.retention.rows import order_tables
from app.compliance.retention.tables import TombstoneRow
from logistics.tables import DeliveryEventRow, DeliveryRow
from media.vault import EvidenceNotFound, EvidenceUnreadable, Vault
from media.vault_local import LocalVault


@dataclass(frozen=True)
class Tried:
    """place: a key, `table.column`, or `vault`. there: how many were found; opened: how many opened."""

    place: str
    there: int
    opened: int


@dataclass(frozen=True)
class Proof:
    """rows: still in tables that are emptied of a destroyed order; a backup has them, sealed."""

    order: OrderId
    tried: tuple[Tried, ...]
    rows: int
    destroyed: bool

    @property
    def nothing_opens(self) -> bool:
        return not any(each.opened for each in self.tried)


async def prove(session: AsyncSession, vault: Vault, order_id: OrderId) -> Proof:
    """Tries everything. A store that does not answer raises: what was not tried is not proven."""
    keys = {each: await _key(each) for each in (order_id, face_key_id(order_id))}
    tried = [Tried("order key", 1, 1) if keys[order_id] else Tried("order key", 0, 0)]
    face_key = keys[face_key_id(order_id)]
    tried.append(Tried("face key", 1, 1) if face_key else Tried("face key", 0, 0))
    rows = 0
    for table, where in _tables(order_id):
        found = list((await session.execute(sa.select(table).where(where))).mappings())
        rows += len(found)
        for column in table.c:
            if isinstance(column.type, sa.LargeBinary):
                place = f"{table.name}.{column.name}"
                values = [bytes(row[column.name]) for row in found if row[column.name]]
                opened = sum(_opens(place, value, keys.values()) for value in values)
                tried.append(Tried(place, len(values), opened))
    tried.append(await _objects(vault, order_id))
    stone = await session.get(TombstoneRow, order_id)
    return Proof(order_id, tuple(tried), rows, stone is not None and stone.destroyed_at is not None)


def _tables(order_id: OrderId) -> Sequence[tuple[sa.Table, sa.ColumnElement[bool]]]:
    metadata = OrderRow.metadata
    parcels = sa.select(DeliveryRow.id).where(DeliveryRow.order_id == order_id)
    return (
        *((table, column == order_id) for table, column in order_tables()),
        (metadata.tables[OrderRow.__tablename__], OrderRow.id == order_id),
        (metadata.tables[DeliveryEventRow.__tablename__], DeliveryEventRow.delivery_id.in_(parcels)),
        (metadata.tables[MessageRow.__tablename__], MessageRow.key.startswith(f"{order_id}-")),
    )


async def _key(order_id: OrderId) -> OrderKey | None:
    try:
        return await order_keys().of(order_id)
    except (OrderKeyGone, Unreadable):
        return None


def _opens(place: str, value: bytes, keys: Iterable[OrderKey | None]) -> bool:
    """With the keys that there are, and with the field key for what is from before orders had keys."""
    try:
        if value.startswith(FORMER):
            field_keys().decrypt(place, value)
            return True
    except FieldUnreadable:
        return False
    for key in keys:
        try:
            if key is not None:
                key.open(place, value[len(SEALED) :])
                return True
        except Unreadable:
            continue
    return False


async def _objects(vault: Vault, order_id: OrderId) -> Tried:
    digests = await vault.digests(order_id)
    # What a backup from before orders had keys gives back opens without the order's key. S3 has held none.
    anyway = (await vault.from_before(order_id)).opening if isinstance(vault, LocalVault) else ()
    opened = 0
    for digest in digests:
        opened += digest in anyway or await _object_opens(vault, order_id, digest)
    return Tried("vault", len(digests), opened)


async def _object_opens(vault: Vault, order_id: OrderId, digest: Digest) -> bool:
    try:
        await vault.describe(order_id, digest)  # unwraps the object's key
    except (EvidenceNotFound, EvidenceUnreadable):
        return False
    return True

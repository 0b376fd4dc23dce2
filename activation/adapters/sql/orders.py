"""Orders: created in draft, moved through the table by conditional updates, read as frozen views."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.audit import note
from activation.adapters.sql.fields import field_keys
from activation.adapters.sql.sealed import seal, unseal
from activation.adapters.sql.tables import OrderRow as O
from activation.evidence import Identity
from activation.holds import WEB, Reach
from activation.ids import Digest, Iccid, Msisdn, OrderId
from activation.normal import normal_name, normal_number
from activation.order import OrderState, states_before
from activation.order_keys import order_keys
from activation.provinces import province_of

#: Which rule an order follows into a state; stands in the audit trail.
RULES: dict[OrderState, str] = {
    OrderState.DRAFT: "R1.1",
    OrderState.SUBMITTED: "R1.4",
    OrderState.ACCEPTED: "R3.2",
    OrderState.REFUSED: "R1.3",
    OrderState.IN_REVIEW: "R3.2",
    OrderState.SHIPPED: "R4.1",
    OrderState.DELIVERED: "R3.3",
    OrderState.VERIFIED: "R4.2",
    OrderState.ACTIVATING: "R4.3",
    OrderState.ACTIVE: "R4.3",
    OrderState.ENDED: "R8.1",
    OrderState.CANCELLED: "R1.1",
    OrderState.EXPIRED: "R1.1",
    OrderState.RETURNED: "R4.1",
}


class OrderGone(LookupError):
    """An order that never was, or whose rows were destroyed (R8.2) while somebody still held its token."""


@dataclass(frozen=True, repr=False)
class NewOrder:
    """What the applicant asks for; the recipient is None where it is the applicant."""

    id: OrderId
    msisdn: Msisdn
    contact_phone: Msisdn
    address: str
    region: str = ""
    recipient: str | None = None
    locale: str = "zh-CN"
    channel: str = WEB
    dealer: str | None = None

    @property
    def reach(self) -> Reach:
        """What a hold would cover it by (R9.3)."""
        return Reach(province_of(self.region, self.address), self.channel, self.dealer, self.id)


@dataclass(frozen=True)
class OrderView:
    """An order without personal data in clear."""

    id: OrderId
    state: OrderState
    msisdn: Msisdn
    contact: Digest
    identity: Identity
    iccid: Iccid | None
    region: str
    locale: str
    created_at: datetime
    changed_at: datetime
    due_at: datetime | None
    province: str = ""
    channel: str = WEB
    dealer: str | None = None

    @property
    def reach(self) -> Reach:
        """What holds cover it by (R9.3)."""
        return Reach(self.province, self.channel, self.dealer, self.id)


@dataclass(frozen=True, repr=False)
class Contact:
    """Where the applicant and the package are reached. Personal: show it only to whom it concerns."""

    phone: Msisdn
    recipient: str | None
    address: str
    region: str
    locale: str


@dataclass(frozen=True, repr=False)
class Document:
    """What was read from the document and confirmed by the applicant (R1.4)."""

    name: str
    number: str
    address: str

    @property
    def identity(self) -> Identity:
        """Keyed hashes of the normalised name and number, as facts carry them."""
        keys = field_keys()
        return Identity(
            keys.digest("name", normal_name(self.name)), keys.digest("number", normal_number(self.number))
        )


class Orders:
    async def create(self, session: AsyncSession, new: NewOrder, at: datetime, due_at: datetime) -> None:
        """A draft; `due_at` is the end of the number's reservation.

        Make the order's key before the transaction begins, so that nobody waits for the key store in it.
        """
        await order_keys().create(new.id)
        await session.execute(
            sa.insert(O).values(
                id=new.id,
                state=OrderState.DRAFT,
                msisdn=new.msisdn,
                contact_phone=await seal(new.id, "orders.contact_phone", new.contact_phone),
                contact_digest=field_keys().digest("phone", new.contact_phone),
                recipient=await seal(new.id, "orders.recipient", new.recipient),
                address=await seal(new.id, "orders.address", new.address),
                region=new.region,
                province=new.reach.province,
                channel=new.channel,
                dealer=new.dealer,
                locale=new.locale,
                created_at=at,
                changed_at=at,
                due_at=due_at,
            )
        )
        await note(session, new.id, "order.draft", RULES[OrderState.DRAFT])

    async def read(self, session: AsyncSession, order_id: OrderId) -> OrderView | None:
        return await _view(session, O.id == order_id)

    async def lock(self, session: AsyncSession, order_id: OrderId) -> OrderView:
        """The order, held until the transaction ends. Raises OrderGone where there is none."""
        view = await _view(session, O.id == order_id, lock=True)
        if view is None:
            raise OrderGone("no such order")
        return view

    async def by_activation_code(self, session: AsyncSession, code: str) -> OrderView | None:
        """The order whose package carries this code."""
        return await _view(session, O.activation_digest == field_keys().digest("activation", code))

    async def contact(self, session: AsyncSession, order_id: OrderId) -> Contact | None:
        """None: no such order, or its data were destroyed (R8.2)."""
        columns = (O.contact_phone, O.recipient, O.address, O.region, O.locale)
        row = (await session.execute(sa.select(*columns).where(O.id == order_id))).first()
        if row is None:
            return None
        phone = await unseal(order_id, "orders.contact_phone", row.contact_phone)
        recipient = await unseal(order_id, "orders.recipient", row.recipient)
        address = await unseal(order_id, "orders.address", row.address)
        if phone is None or address is None:
            return None
        return Contact(Msisdn(phone), recipient, address, row.region, row.locale)

    async def document(self, session: AsyncSession, order_id: OrderId) -> Document | None:
        """None until the applicant has confirmed what was read, and once it was destroyed (R8.2)."""
        columns = (O.name, O.number, O.document_address)
        row = (await session.execute(sa.select(*columns).where(O.id == order_id))).first()
        if row is None:
            return None
        name = await unseal(order_id, "orders.name", row.name)
        number = await unseal(order_id, "orders.number", row.number)
        address = await unseal(order_id, "orders.document_address", row.document_address)
        return None if name is None or number is None else Document(name, number, address or "")

    async def submit(
        self, session: AsyncSession, order_id: OrderId, document: Document, at: datetime, due_at: datetime
    ) -> bool:
        """R1.4: write what was read and confirmed; draft → submitted. False: the order is no draft."""
        return await self.move(
            session,
            order_id,
            OrderState.SUBMITTED,
            at,
            due_at=due_at,
            name=await seal(order_id, "orders.name", document.name),
            name_digest=document.identity.name,
            number=await seal(order_id, "orders.number", document.number),
            number_digest=document.identity.number,
            document_address=await seal(order_id, "orders.document_address", document.address),
        )

    async def move(
        self,
        session: AsyncSession,
        order_id: OrderId,
        to: OrderState,
        at: datetime,
        *,
        due_at: datetime | None = None,
        **also: Any,
    ) -> bool:
        """One transition of the table, noted. False: the order is in no state that leads to `to`."""
        leading = states_before(to)
        if len(leading) == 1:
            (before,) = leading
        else:
            before = await session.scalar(sa.select(O.state).where(O.id == order_id).with_for_update())
            if before not in leading:
                return False
        moved = await session.execute(
            sa.update(O)
            .where(O.id == order_id, O.state == before)
            .values(state=to, changed_at=at, due_at=due_at, **also)
            .returning(O.id)
        )
        if moved.first() is None:
            return False
        await note(session, order_id, f"order.{to}", RULES[to], before=before)
        return True

    async def put_off(self, session: AsyncSession, order_id: OrderId, due_at: datetime | None) -> None:
        """When the sweep is to look at the order again; None: never."""
        await session.execute(sa.update(O).where(O.id == order_id).values(due_at=due_at))

    async def due(
        self, session: AsyncSession, state: OrderState, now: datetime, limit: int
    ) -> list[tuple[OrderId, datetime]]:
        """Orders of one state whose date has come, most overdue first."""
        rows = await session.execute(
            sa.select(O.id, O.due_at).where(O.state == state, O.due_at <= now).order_by(O.due_at).limit(limit)
        )
        return [(OrderId(row.id), row.due_at) for row in rows]


async def _view(session: AsyncSession, where: sa.ColumnElement[bool], lock: bool = False) -> OrderView | None:
    columns = (
        *(O.id, O.state, O.msisdn, O.contact_digest, O.name_digest, O.number_digest, O.iccid),
        *(O.region, O.locale, O.created_at, O.changed_at, O.due_at, O.province, O.channel, O.dealer),
    )
    query = sa.select(*columns).where(where)
    row = (await session.execute(query.with_for_update() if lock else query)).first()
    if row is None:
        return None
    return OrderView(
        id=OrderId(row.id),
        state=OrderState(row.state),
        msisdn=Msisdn(row.msisdn),
        contact=Digest(row.contact_digest),
        identity=Identity(
            Digest(row.name_digest) if row.name_digest else None,
            Digest(row.number_digest) if row.number_digest else None,
        ),
        iccid=Iccid(row.iccid) if row.iccid else None,
        region=row.region,
        locale=row.locale,
        created_at=row.created_at,
        changed_at=row.changed_at,
        due_at=row.due_at,
        province=row.province,
        channel=row.channel,
        dealer=row.dealer,
    )

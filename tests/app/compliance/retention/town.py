"""Orders with everything that an order leaves behind, on real keys, a real vault and an injected clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from activation.adapters.sql.engine import insert_if_absent, open_sessions
from activation.adapters.sql.orders import NewOrder
from activation.adapters.sql.tables import ConsentRow, EvidenceRow, OrderRow
from activation.ending import EndDesk, Ending
from activation.evidence import CaptureKind
from activation.ids import DeliveryId, Digest, OrderId, Waybill
from activation.order import OrderState as S
from activation.order_keys import OrderKeysFault, order_keys, use_order_keys
from activation.ports import MessageKind, StepGaveUp, StoreFault
from app.compliance.retention.legal_holds import LegalHold, LegalHolds
from app.compliance.retention.opening import open_retention
from app.compliance.retention.routine import Retention, scrub
from app.preselection.stored import save_capture
from logistics.deliveries import Deliveries, Delivery, DeliveryEvent
from logistics.delivery import DeliveryState
from media.captures import CaptureMeasured
from media.envelope import ObjectKeys
from media.keys.order_keys import StoredOrderKeys
from media.keys.service_file import FileKeyService
from media.keys.store_folder import FolderKeyStore
from media.vault_local import LocalVault
from tests.activation.stand_ins import DOCUMENT, Bench, PromptWork, card, make_bench, msisdn, now
from tests.app.ground import StandingClock, back, front, handheld

T = TypeVar("T")

CONTACT, ADDRESS, RECIPIENT = msisdn(7777), "广东省深圳市销毁路 9 号", "收件人甲"
KEK = b"w" * 32


class Missions(PromptWork):
    """`PromptWork` that also runs the retention room's missions, and may break off before a step.

    before: what others do just before a step, once.
    """

    retention: Retention
    break_at: str | None = None

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        super().__init__(sessions)
        self.before: dict[str, Callable[[], Awaitable[None]]] = {}

    async def write(self, step: str, do: Callable[[AsyncSession], Awaitable[T]]) -> T:
        await self._reach(step)
        return await super().write(step, do)

    async def ask(self, step: str, do: Callable[[], Awaitable[T]]) -> T:
        await self._reach(step)
        try:
            return await super().ask(step, do)
        except (StoreFault, OrderKeysFault):
            raise StepGaveUp(step) from None

    async def _reach(self, step: str) -> None:
        for name in [name for name in self.before if step.startswith(name)]:
            await self.before.pop(name)()
        if self.break_at is not None and step.startswith(self.break_at):
            raise KilledError(step)

    async def settle(self, bench: Bench) -> None:
        """Everything that is enqueued, of both rooms."""
        outer = {mission.name: mission.run for mission in self.retention.missions()}
        while self.enqueued:
            mission, order_id, why = self.enqueued[next(iter(self.enqueued))]
            if mission in outer:
                self.enqueued.pop(next(iter(self.enqueued)))
                await outer[mission](order_id, *why)
            elif mission == "end_service":
                self.enqueued.pop(next(iter(self.enqueued)))
                await Ending(bench.flow).end_service(order_id)
            elif mission == "tell":
                self.enqueued.pop(next(iter(self.enqueued)))
                await bench.flow.tell(order_id, MessageKind(why[0]), why[1] if len(why) > 1 else "")
            else:
                self.enqueued.pop(next(iter(self.enqueued)))
                await getattr(bench.flow, mission)(order_id)


class KilledError(Exception):
    """The process died here."""


@dataclass
class Town:
    bench: Bench
    work: Missions
    clock: StandingClock
    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]
    vault: LocalVault
    retention: Retention
    folder: Path

    async def settle(self) -> None:
        await self.work.settle(self.bench)

    async def night(self) -> None:
        """One pass at the clock's time, with everything that it begins."""
        await self.retention.night()
        await self.settle()

    async def order(self) -> OrderId:
        """A draft with consents, three captures, embeddings and a message."""
        number = len(await self.orders()) + 1
        new = NewOrder(OrderId.new(), msisdn(number), CONTACT, ADDRESS, "广东", RECIPIENT)
        await order_keys().create(new.id)
        async with self.sessions.begin() as session:
            assert await self.bench.store.numbers.hold(session, new.msisdn, new.id, now())
            await self.bench.store.orders.create(session, new, now(), now() + timedelta(minutes=30))
            for kind in ("terms", "identity", "face_recognition", "risk_notice"):
                await session.execute(
                    sa.insert(ConsentRow).values(
                        order_id=new.id, kind=kind, version="2026-1", given=True, at=now()
                    )
                )
        for measured in (front(jpeg=b"front" * 99), back(jpeg=b"back" * 99), handheld(jpeg=b"held" * 99)):
            await self.capture(new.id, measured)
        return new.id

    async def capture(self, order_id: OrderId, measured: CaptureMeasured) -> None:
        media = await self.vault.put(order_id, measured.kind, "image/jpeg", measured.jpeg)
        async with self.sessions.begin() as session:
            await save_capture(session, order_id, measured, now())
            await self._evidence(session, order_id, measured.kind, media, len(measured.jpeg))

    async def submitted(self) -> OrderId:
        order_id = await self.order()
        assert await self.bench.submit(order_id, DOCUMENT)
        await self.settle()
        return order_id

    async def active(self) -> OrderId:
        """Delivered, checked, active; with a parcel, its events and a clip."""
        order_id = await self.submitted()
        iccid = (await self.bench.order(order_id)).iccid
        assert iccid is not None
        delivery = DeliveryId.new()
        clip = await self.vault.put(order_id, "check_clip", "video/webm", b"clip" * 999)
        photo = await self.vault.put(order_id, "courier_photo", "image/jpeg", b"door" * 99)
        async with self.sessions.begin() as session:
            made = Delivery(
                delivery, order_id, Waybill.new(), "kaika", iccid, DeliveryState.CREATED, None,
                Digest("c" * 64), 1, 0, 0, photo, (), now(), now(),
            )  # fmt: skip
            await Deliveries().create(session, made, RECIPIENT, ADDRESS)
            event = DeliveryEvent("kaika", "out", now(), now(), None, {}, "22.5 114.0 10")
            await Deliveries().tell(session, delivery, event)
            await self._evidence(session, order_id, "courier_photo", photo, 396)
            await self._evidence(session, order_id, "check_clip", clip, 3996)
        await self.bench.handed_over(order_id)
        await self.settle()
        await self.bench.checked(order_id)
        await self.settle()
        assert (await self.bench.order(order_id)).state is S.ACTIVE
        return order_id

    async def ended(self) -> OrderId:
        order_id = await self.active()
        async with self.sessions.begin() as session:
            await EndDesk(self.work, now).ask(session, order_id, False, "moved away")
        await self.settle()
        assert (await self.bench.order(order_id)).state is S.ENDED
        return order_id

    async def over(self, order_id: OrderId, state: S) -> OrderId:
        async with self.sessions.begin() as session:
            assert await self.bench.flow.end(session, order_id, state)
        await self.settle()
        return order_id

    async def hold(self, order_id: OrderId) -> LegalHold:
        async with self.sessions.begin() as session:
            held = await LegalHolds().place(session, order_id, "a court asks", self.clock())
        assert isinstance(held, LegalHold)
        return held

    async def lift(self, hold: LegalHold) -> None:
        async with self.sessions.begin() as session:
            await LegalHolds().lift(session, hold.id, "the court has answered", self.clock())

    async def orders(self) -> set[OrderId]:
        async with self.sessions() as session:
            return {OrderId(each) for each in await session.scalars(sa.select(OrderRow.id))}

    async def scrub(self) -> None:
        await scrub(self.engine)

    async def travel_to(self, at: datetime) -> None:
        self.clock.at = at

    async def _evidence(
        self, session: AsyncSession, order_id: OrderId, kind: CaptureKind | str, digest: Digest, size: int
    ) -> None:
        await insert_if_absent(
            session,
            EvidenceRow,
            digest=digest,
            order_id=order_id,
            kind=kind,
            media_type="image/jpeg",
            size=size,
            at=now(),
        )


def open_keys(folder: Path, store: str = "key-store") -> StoredOrderKeys:
    """Keys as after a start: nothing remembered."""
    return StoredOrderKeys(FolderKeyStore(folder / store), FileKeyService(KEK))


@asynccontextmanager
async def open_town(engine: AsyncEngine, folder: Path) -> AsyncIterator[Town]:
    sessions, clock, keys = open_sessions(engine), StandingClock(), open_keys(folder)
    use_order_keys(keys)
    work = Missions(sessions)
    bench = make_bench(sessions, work)
    vault = LocalVault(folder / "vault", ObjectKeys(keys))
    retention = open_retention(
        engine=engine, work=work, clock=clock, vault=vault, faces_limit=3, release=bench.flow.release
    )
    work.retention = retention
    async with sessions.begin() as session:
        await bench.store.sims.add(session, [card(n) for n in range(1, 12)], "b", now())
        await bench.store.numbers.add(session, [(msisdn(n), "") for n in range(1, 12)])
    yield Town(bench, work, clock, engine, sessions, vault, retention, folder)
    vault.close()

"""Stand-ins for the ports of the flow, and orders and evidence to drive it with."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.durable import DurableWork
from activation.adapters.hlr_sandbox import SandboxHlr
from activation.adapters.messages_sandbox import SandboxMessages
from activation.adapters.sql.fields import field_keys
from activation.adapters.sql.numbers import HOLD
from activation.adapters.sql.orders import Document, NewOrder, OrderView
from activation.adapters.sql.outbox import read_text
from activation.adapters.sql.store import Store
from activation.adapters.sql.tables import MessageRow
from activation.evidence import (
    CapturesMeasured,
    CheckOutcome,
    FaceComparison,
    FaceSource,
    Handover,
    HandoverOutcome,
    Identity,
    LivenessMeasured,
    ModelRef,
    MovementMeasured,
    RegistryVerdict,
    ReviewStage,
    VideoCheckMeasured,
)
from activation.findings import Reason
from activation.flow import Flow
from activation.holding import SUSPEND, Suspending
from activation.ids import (
    CaseId,
    CheckId,
    DeliveryId,
    Digest,
    Iccid,
    Imsi,
    Msisdn,
    OrderId,
    StaffId,
    Waybill,
    luhn_check_digit,
)
from activation.policy import FaceBand, Policy
from activation.ports import Hlr, MessageKind, PersonalIdentity, Registry, RegistryFault, StepGaveUp, Work
from activation.steps import Steps

T = TypeVar("T")
Sessions = async_sessionmaker[AsyncSession]

MODEL = ModelRef("studio", "1", "0" * 64)
POLICY = Policy(version="test", faces={"studio": FaceBand(accept=0.5, refuse=0.3)})
DOCUMENT = Document("样本", "11010519491231002X", "广东省深圳市样本路 1 号")
COURIER = StaffId.new()
PICTURES = Digest("0" * 64)


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class StandInRegistry:
    """Says `verdict`, or fails while it is None."""

    verdict: RegistryVerdict | None = RegistryVerdict.MATCH
    keys: list[str] = field(default_factory=list)

    async def compare(self, identity: PersonalIdentity, idempotency_key: str) -> tuple[RegistryVerdict, str]:
        self.keys.append(idempotency_key)
        if self.verdict is None:
            raise RegistryFault("the registry is away")
        return self.verdict, f"reference-{len(self.keys)}"


class StandInShipping:
    """The same waybill and code for the same order, whenever asked."""

    async def create_delivery(
        self, session: AsyncSession, order_id: OrderId, iccid: Iccid, at: datetime
    ) -> tuple[Waybill, str]:
        number = int.from_bytes(field_keys().secret("waybill", order_id, 4), "big")
        return Waybill(f"KK{number:012d}"), f"{number % 10**6:06d}"


@dataclass
class StandInDesk:
    opened: list[tuple[OrderId, ReviewStage, tuple[Reason, ...], bool, int]] = field(default_factory=list)

    async def open_case(
        self,
        session: AsyncSession,
        order_id: OrderId,
        stage: ReviewStage,
        reasons: tuple[Reason, ...],
        two_people: bool,
        about: int,
        at: datetime,
    ) -> CaseId:
        self.opened.append((order_id, stage, reasons, two_people, about))
        return CaseId.new()


class PromptWork:
    """`Work` without durability: what a transaction enqueues waits in a list until `run` is called."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self.enqueued: dict[str, tuple[str, OrderId, tuple[str, ...]]] = {}
        self.missions: list[tuple[str, OrderId, tuple[str, ...]]] = []
        """Everything that was ever enqueued."""
        self._known: set[str] = set()

    async def enqueue(
        self,
        session: AsyncSession,
        mission: str,
        order_id: OrderId,
        *why: str,
        after: timedelta = timedelta(0),
    ) -> None:
        key = "-".join((mission, order_id, *filter(None, why)))
        if key not in self._known:
            self._known.add(key)
            self.enqueued[key] = (mission, order_id, why)
            self.missions.append(self.enqueued[key])

    async def write(self, step: str, do: Callable[[AsyncSession], Awaitable[T]]) -> T:
        async with self._sessions.begin() as session:
            return await do(session)

    async def ask(self, step: str, do: Callable[[], Awaitable[T]]) -> T:
        try:
            return await do()
        except RegistryFault:
            raise StepGaveUp(step) from None

    async def run(self, flow: Flow) -> None:
        """Everything that is enqueued, and what it enqueues."""
        while self.enqueued:
            mission, order_id, _why = self.enqueued.pop(next(iter(self.enqueued)))
            if mission != "tell":
                await run_mission(flow, mission, order_id)


async def run_mission(flow: Flow, mission: str, order_id: OrderId) -> None:
    """One mission by its name, from its beginning."""
    if mission == SUSPEND:
        await Suspending(flow).suspend(order_id)
    else:
        await getattr(flow, mission)(order_id)


@dataclass
class Bench:
    """A flow on sandbox adapters, and what tests look at."""

    flow: Flow
    sessions: Sessions
    store: Store
    hlr: SandboxHlr
    registry: StandInRegistry
    desk: StandInDesk
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def furnish(self, cards: int = 10) -> None:
        """SIM cards and numbers."""
        async with self.sessions.begin() as session:
            await self.store.sims.add(session, [card(n) for n in range(cards)], "b", now())
            await self.store.numbers.add(session, [(msisdn(n), "") for n in range(cards)])

    async def draft(self) -> OrderId:
        number = next(self._numbers)
        new = NewOrder(OrderId.new(), msisdn(number), msisdn(9000), "广东省深圳市样本路 1 号")
        async with self.sessions.begin() as session:
            assert await self.store.numbers.hold(session, new.msisdn, new.id, now())
            await self.store.orders.create(session, new, now(), now() + HOLD)
        return new.id

    async def submit(self, order_id: OrderId, document: Document = DOCUMENT, similarity: float = 0.9) -> bool:
        async with self.sessions.begin() as session:
            return await self.flow.submit(session, order_id, document, captures(document, similarity))

    async def record(self, order_id: OrderId, fact: object) -> int:
        async with self.sessions.begin() as session:
            return await self.flow.record(session, order_id, fact)  # type: ignore[arg-type]

    async def order(self, order_id: OrderId) -> OrderView:
        async with self.sessions.begin() as session:
            view = await self.store.orders.read(session, order_id)
        assert view is not None
        return view

    async def reaches(self, order_id: OrderId, state: str, seconds: float = 20.0) -> OrderView:
        """The order once it is in `state`. Raises TimeoutError."""

        async def reached() -> bool:
            return (await self.order(order_id)).state == state

        await until(reached, seconds)
        return await self.order(order_id)

    async def told(self, order_id: OrderId, kind: MessageKind, seconds: float = 20.0) -> str:
        """The message of one kind once it was sent. Raises TimeoutError."""
        found = sa.select(MessageRow).where(
            MessageRow.kind == kind, MessageRow.key.startswith(f"{order_id}-{kind}")
        )
        async with asyncio.timeout(seconds):
            while True:
                async with self.sessions.begin() as session:
                    row = await session.scalar(found)
                if row is not None and (text := await read_text(row)) is not None:
                    return text
                await asyncio.sleep(0.02)

    async def handed_over(
        self, order_id: OrderId, outcome: HandoverOutcome = HandoverOutcome.HANDED_OVER
    ) -> int:
        iccid = (await self.order(order_id)).iccid
        assert iccid is not None
        return await self.record(order_id, handover(order_id, iccid, outcome))

    async def checked(self, order_id: OrderId, similarity: float = 0.9, document: Document = DOCUMENT) -> int:
        iccid = (await self.order(order_id)).iccid
        assert iccid is not None
        return await self.record(order_id, video_check(iccid, similarity, document.identity))


@asynccontextmanager
async def running(work: DurableWork, bench: Bench) -> AsyncIterator[None]:
    """Missions run inside; stopped also where a test fails, or the next one inherits them."""
    await work.start(bench.flow)
    try:
        yield
    finally:
        await work.stop()


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 20.0) -> None:
    """Wait for something that another process or task does. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.02)


def make_bench(
    sessions: Sessions, work: Work, hlr: Hlr | None = None, registry: Registry | None = None
) -> Bench:
    sandbox, stand_in, desk = SandboxHlr(sessions), StandInRegistry(), StandInDesk()
    steps = Steps(
        work=work,
        sessions=sessions,
        clock=now,
        policy=POLICY,
        hlr=hlr or sandbox,
        registry=registry or stand_in,
        messages=SandboxMessages(sessions, now),
        shipping=StandInShipping(),
        case_desk=desk,
        base_url="https://kaika.example",
    )
    return Bench(Flow(steps), sessions, steps.store, sandbox, stand_in, desk)


def msisdn(number: int) -> Msisdn:
    return Msisdn(f"138{number:08d}")


def card(number: int) -> tuple[Iccid, Imsi]:
    digits = f"898600{number:012d}"
    return Iccid(digits + luhn_check_digit(digits)), Imsi(f"46000{number:010d}")


def face(left: FaceSource, right: FaceSource, similarity: float) -> FaceComparison:
    return FaceComparison(left, right, similarity, MODEL)


def captures(document: Document = DOCUMENT, similarity: float = 0.9) -> CapturesMeasured:
    return CapturesMeasured(
        at=now(),
        identity=document.identity,
        handheld_number=document.identity.number,
        comparisons=(face(FaceSource.HANDHELD_FACE, FaceSource.FRONT_PORTRAIT, similarity),),
        age_years=30,
        valid_today=True,
        bareheaded=True,
        media=(),
    )


def handover(
    order_id: OrderId, iccid: Iccid, outcome: HandoverOutcome = HandoverOutcome.HANDED_OVER
) -> Handover:
    return Handover(
        at=now(),
        outcome=outcome,
        delivery=DeliveryId.new(),
        order=order_id,
        iccid=iccid,
        courier=COURIER,
        code_matched=True,
        document_tail_matched=True,
        person_resembles_document=True,
        photo=None,
    )


def video_check(
    iccid: Iccid | None, similarity: float = 0.9, identity: Identity | None = None, attempt: int = 1
) -> VideoCheckMeasured:
    live = FaceSource.LIVE
    return VideoCheckMeasured(
        at=now(),
        check=CheckId.new(),
        attempt=attempt,
        outcome=CheckOutcome.MEASURED,
        seconds=30.0,
        liveness=LivenessMeasured(
            movements=tuple(MovementMeasured(name, True, True, 900) for name in ("turn_left", "nod_up")),
            planarity=0.03,
            continuity=face(live, live, 0.95),
            track_breaks=0,
            second_faces=0,
            repeated_frames=0.0,
            frames=200,
        ),
        document=identity or DOCUMENT.identity,
        document_frames=5,
        iccid=iccid,
        comparisons=tuple(
            face(live, other, similarity)
            for other in (FaceSource.FRONT_PORTRAIT, FaceSource.HANDHELD_FACE, FaceSource.VIDEO_PORTRAIT)
        ),
        tracker=MODEL,
        media=(PICTURES,),
    )


LATER = timedelta(hours=1)

"""What the flow needs from outside: HLR, registry, messages, shipping, reviewers, durable work.

Adapters of the first three stand in `activation.adapters`; other rooms implement shipping and the case desk.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from activation.evidence import Evidence, RegistryVerdict, ReviewStage
from activation.findings import Reason
from activation.ids import CaseId, Iccid, Imsi, Msisdn, OrderId, Waybill
from activation.order import OrderState

T = TypeVar("T")

#: The time now, aware, in UTC.
Clock = Callable[[], datetime]


class HlrFault(Exception):
    """The HLR did not answer, or answered nonsense. Retried; never means that a card is on or off."""


@dataclass(frozen=True)
class Subscriber:
    """What the HLR says of one IMSI: number, circuit-switched and packet-switched domain."""

    imsi: Imsi
    msisdn: Msisdn | None
    cs_enabled: bool
    ps_enabled: bool

    @property
    def is_off(self) -> bool:
        return not (self.cs_enabled or self.ps_enabled)

    @property
    def is_on(self) -> bool:
        return self.cs_enabled and self.ps_enabled


class Hlr(Protocol):
    """Home location register. Every call is idempotent and raises HlrFault where it is not certain."""

    async def create_off(self, imsi: Imsi, msisdn: Msisdn) -> Subscriber:
        """R4.1: the subscriber exists with both domains off, read back. Never leaves one that is on."""

    async def switch_on(self, imsi: Imsi) -> Subscriber:
        """Both domains on, read back. Switches only what is off."""

    async def switch_off(self, imsi: Imsi) -> Subscriber:
        """Both domains off, read back."""

    async def read(self, imsi: Imsi) -> Subscriber | None:
        """None: no such subscriber."""

    async def remove(self, imsi: Imsi) -> None:
        """There is no such subscriber afterwards, and its number is free again."""


class RegistryFault(Exception):
    """The registry could not be asked (time-out, refusal, nonsense, open circuit). Retried later."""


@dataclass(frozen=True, repr=False)
class PersonalIdentity:
    """Name and document number in clear, for the registry only; shows nothing of itself."""

    name: str
    number: str


class Registry(Protocol):
    """The national citizen identity number service (R1.5)."""

    async def compare(self, identity: PersonalIdentity, idempotency_key: str) -> tuple[RegistryVerdict, str]:
        """Verdict and the registry's own reference; RegistryFault where there is no answer."""


class MessageKind(StrEnum):
    ONE_TIME_CODE = "one_time_code"
    ORDER_ACCEPTED = "order_accepted"
    ORDER_REFUSED = "order_refused"
    ORDER_IN_REVIEW = "order_in_review"
    SHIPPED = "shipped"
    HANDOVER_CODE = "handover_code"
    ACTIVATION_LINK = "activation_link"
    NEW_CAPTURE_WANTED = "new_capture_wanted"
    NEW_CHECK_WANTED = "new_check_wanted"
    ACTIVATED = "activated"
    FACE_CONSENT_WITHDRAWN = "face_consent_withdrawn"


class MessagesFault(Exception):
    """The gateway did not take a message. Retried; the text of this never shows what the message says."""


class Messages(Protocol):
    """Text messages to the applicant's contact phone."""

    async def send(
        self, to: Msisdn, kind: MessageKind, values: dict[str, str], locale: str, idempotency_key: str
    ) -> None:
        """One message, once per key; MessagesFault where the gateway did not take it.

        values: what the text of this kind shows: `code`, `waybill`, `link`, `number`.
        """


class Shipping(Protocol):
    """What the flow asks of logistics; works inside the caller's transaction."""

    async def create_delivery(
        self, session: AsyncSession, order_id: OrderId, iccid: Iccid, at: datetime
    ) -> tuple[Waybill, str]:
        """The delivery of this card to this order's address, and its handover code in clear, to be sent.

        Asked again for the same order and card it gives the same waybill and the same code (derive it with
        `FieldKeys.secret`): a message that is sent again after a crash must not carry another code.
        """


class CaseDesk(Protocol):
    """Where the flow lays down what people have to look at; works inside the caller's transaction."""

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
        """A case about the facts 0 to `about`; joins the order's open case of the same stage."""


class OrderFile(Protocol):
    """What other rooms ask of the flow; implemented by `activation.flow.Flow`."""

    async def record(self, session: AsyncSession, order_id: OrderId, fact: Evidence) -> int:
        """Write a fact and, in the same transaction, the work that it causes. The fact's index."""

    async def end(self, session: AsyncSession, order_id: OrderId, state: OrderState) -> bool:
        """Cancelled, returned, expired or refused: frees what the order holds. False: too late for that."""


class StoreFault(Exception):
    """A store of evidence or keys could not do what a step asked of it. Retried."""


class StepGaveUp(Exception):
    """A step outside the database failed as often as it may. The order's due date brings it back."""


class Work(Protocol):
    """Durable work: a mission, once enqueued, runs to its end, whatever dies on the way."""

    async def enqueue(
        self,
        session: AsyncSession,
        mission: str,
        order_id: OrderId,
        *why: str,
        after: timedelta = timedelta(0),
    ) -> None:
        """Start a mission `after` `session` commits; once per order and reason.

        why: handed to the mission and stored in clear, so nothing personal.
        """

    async def write(self, step: str, do: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """One transaction, exactly once; its result (JSON, nothing personal) is remembered."""

    async def ask(self, step: str, do: Callable[[], Awaitable[T]]) -> T:
        """A call to the outside, at least once, tried a limited number of times. Raises StepGaveUp."""


@dataclass(frozen=True)
class Mission:
    """Durable work of an outer room about one order: `run(order_id, *why)`, made of the steps of `Work`."""

    name: str
    run: Callable[..., Awaitable[None]]


@dataclass(frozen=True)
class Routine:
    """Durable work by the clock, made of the steps of `Work`. cron: six fields, seconds first, UTC."""

    name: str
    cron: str
    run: Callable[[], Awaitable[None]]

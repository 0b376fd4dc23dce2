"""Services for tests over HTTP: real database, vault, tokens and flow; captures are scripted.

Work that the flow would start is only written down."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from activation.adapters.hlr_sandbox import SandboxHlr
from activation.adapters.messages_sandbox import SandboxMessages
from activation.adapters.sql.engine import open_readers, open_sessions
from activation.adapters.sql.fields import field_keys
from activation.evidence import CaptureKind, FaceComparison, FaceSource, ModelRef
from activation.flow import Flow
from activation.ids import OrderId
from activation.order_keys import order_keys
from activation.policy import FaceBand, Policy
from activation.steps import Steps
from app.access.families import TokenFamilies
from app.access.passwords import Passwords
from app.access.principals import Applicant, Staff
from app.access.rates import Rates
from app.access.revocations import Revocations
from app.access.staff import StaffAccounts
from app.access.tokens import Tokens
from app.compliance.casefile.exports import Exports
from app.compliance.casefile.making import CaseFiles
from app.compliance.holds.desk import HoldDesk
from app.compliance.incidents.countermeasures import Countermeasures
from app.compliance.incidents.desk import IncidentDesk
from app.compliance.retention.opening import open_retention
from app.config import Mode, Settings
from app.keys import Keys
from app.services import Services
from media.captures import (
    CaptureBusy,
    CaptureCode,
    CaptureMeasured,
    CaptureRefused,
    FaceMeasured,
    HandheldReading,
)
from media.documents.quality import CardQuality
from media.documents.readings import BackReading, FrontConfidence, FrontReading, Sex
from media.envelope import ObjectKeys
from media.vault_local import LocalVault

T = TypeVar("T")

#: The device that every test signs in from, unless it says otherwise.
TEST_DEVICE = "dGVzdHMtc2lnbi1pbi1mcm9tLXRoaXMtb25lLWRldmljZQ"[:43]

MODEL = ModelRef("scripted", "1", "0" * 64)
QUALITY = CardQuality(1000, 0.9, 0.0, 180.0, 150.0, 0.0, 12.0)
#: A fictional person's document; numbers have a right checksum and belong to nobody.
NAME, NUMBER, ADDRESS = "样本甲", "110101199003070011", "北京市东城区样本胡同 1 号"
OTHER_NUMBER = "110101198001010015"


@dataclass
class StandingClock:
    """A clock that stands until it is moved."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def __call__(self) -> datetime:
        return self.at

    def forward(self, by: timedelta) -> None:
        self.at += by


@dataclass
class WrittenWork:
    """`activation.ports.Work` that starts nothing and remembers what would have started."""

    begun: list[tuple[str, ...]] = field(default_factory=list)

    async def enqueue(
        self, session: AsyncSession, mission: str, *args: str, after: timedelta = timedelta(0)
    ) -> None:
        self.begun.append((mission, *args))

    async def write(self, step: str, do: Callable[[AsyncSession], Awaitable[T]]) -> T:
        raise NotImplementedError

    async def ask(self, step: str, do: Callable[[], Awaitable[T]]) -> T:
        raise NotImplementedError


Answer = CaptureMeasured | CaptureCode | CaptureBusy


@dataclass
class ScriptedCaptures:
    """What `CapturePool` would say of certain bytes."""

    answers: dict[bytes, Answer] = field(default_factory=dict)
    under_way: int = 0

    async def measure(
        self, kind: CaptureKind, data: bytes, today: date, minimum_age: int
    ) -> CaptureMeasured | CaptureRefused | CaptureBusy:
        answer = self.answers[data]
        if isinstance(answer, CaptureMeasured | CaptureBusy):
            return answer
        return CaptureRefused(kind, answer)


def front(number: str = NUMBER, name: str = NAME, jpeg: bytes = b"front") -> CaptureMeasured:
    confidence = FrontConfidence(0.99, 0.99, 0.99, 0.99, 0.99, 0.99)
    born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    reading = FrontReading(name, Sex.MALE, "汉", born, ADDRESS, number, confidence, QUALITY)
    return _measured(CaptureKind.ID_FRONT, jpeg, FaceSource.FRONT_PORTRAIT, front=reading)


def back(valid_to: date | None = date(2036, 1, 1), jpeg: bytes = b"back") -> CaptureMeasured:
    reading = BackReading("样本市公安局", date(2016, 1, 1), valid_to, 0.99, 0.99, QUALITY)
    return _measured(CaptureKind.ID_BACK, jpeg, None, back=reading)


def handheld(number: str = NUMBER, jpeg: bytes = b"handheld") -> CaptureMeasured:
    seen = FaceComparison(FaceSource.HANDHELD_FACE, FaceSource.HANDHELD_PORTRAIT, 0.9, MODEL)
    reading = HandheldReading(number, 0.99, 0.0, True, 0.8, 150.0, seen)
    return _measured(CaptureKind.HANDHELD, jpeg, FaceSource.HANDHELD_FACE, handheld=reading)


def _measured(kind: CaptureKind, jpeg: bytes, face: FaceSource | None, **reading: Any) -> CaptureMeasured:
    vector = np.zeros(8, dtype=np.float32)
    vector[0] = 1.0
    faces = (FaceMeasured(face, vector, b"crop", 200.0, MODEL),) if face else ()
    digest = hashlib.sha256(jpeg).hexdigest()
    return CaptureMeasured(kind, jpeg, digest, 1000, 800, faces=faces, models=(MODEL,), **reading)


@dataclass
class Ground:
    """Services and the stand-ins behind them."""

    services: Services
    clock: StandingClock
    work: WrittenWork
    captures: ScriptedCaptures
    passwords: Passwords
    vault: LocalVault

    def applicant_token(self, order: OrderId | str) -> str:
        """A token that works with the header `walking.bearer` gives."""
        return self.token(Applicant(OrderId(order)))

    def token(self, principal: Applicant | Staff) -> str:
        """The same for anybody."""
        return self.services.tokens.issue(principal, TEST_DEVICE, secrets.token_urlsafe(16)).text

    def close(self) -> None:
        self.passwords.close()
        self.vault.close()


def lay_ground(engine: AsyncEngine, folder: Path, *, production: bool = False) -> Ground:
    """Everything that preselection and sign-in need; what other rooms need is not there."""
    clock, work, captures, passwords = StandingClock(), WrittenWork(), ScriptedCaptures(), Passwords()
    sessions, readers = open_sessions(engine), open_readers(engine)
    policy = Policy("test", {"scripted": FaceBand(0.5, 0.3)})
    hlr, messages = SandboxHlr(sessions), SandboxMessages(sessions, clock)
    vault = LocalVault(folder / "vault", ObjectKeys(order_keys()))
    nothing = cast(Any, None)
    steps = Steps(work, sessions, clock, policy, hlr, nothing, messages, nothing, nothing, "http://test")
    key = Ed25519PrivateKey.generate()
    tokens = Tokens(key, Revocations(sessions, readers, clock), clock)
    families, staff = TokenFamilies(sessions, field_keys(), tokens, clock), StaffAccounts(passwords, clock)
    holds, incidents = HoldDesk(sessions, clock, work), IncidentDesk(sessions, clock)
    services = Services(
        settings=Settings(mode=Mode.PRODUCTION if production else Mode.DEVELOPMENT, data_dir=folder),
        keys=Keys(field_keys(), key, b"v" * 32, key),
        clock=clock,
        engine=engine,
        sessions=sessions,
        readers=readers,
        policy=policy,
        recogniser="scripted",
        vault=vault,
        captures=cast(Any, captures),
        hlr=hlr,
        registry=nothing,
        messages=messages,
        flow=Flow(steps),
        shipping=nothing,
        case_desk=nothing,
        tokens=tokens,
        families=families,
        rates=Rates(sessions, field_keys(), clock),
        staff=staff,
        checks=nothing,
        logistics=nothing,
        review=nothing,
        door_photos=nothing,
        holds=holds,
        incidents=incidents,
        countermeasures=Countermeasures(incidents, holds, staff, families, tokens.revocations),
        exports=Exports(CaseFiles(sessions, readers, vault, key, clock)),
        retention=open_retention(
            engine=engine,
            work=work,
            clock=clock,
            vault=vault,
            faces_limit=100_000,
            release=Flow(steps).release,
        ),
    )
    return Ground(services, clock, work, captures, passwords, vault)

"""What the handlers of the HTTP room may use; made by `app.wiring`, found at `request.app[SERVICES]`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from activation.policy import Policy
from activation.ports import Hlr, Messages, Registry
from app.config import Settings
from app.keys import Keys

if TYPE_CHECKING:
    from activation.flow import Flow
    from activation.ports import CaseDesk, Shipping
    from app.access.families import TokenFamilies
    from app.access.rates import Rates
    from app.access.staff import StaffAccounts
    from app.access.tokens import Tokens
    from app.checks import Checks
    from app.compliance.casefile.exports import Exports
    from app.compliance.holds.desk import HoldDesk
    from app.compliance.incidents.countermeasures import Countermeasures
    from app.compliance.incidents.desk import IncidentDesk
    from app.compliance.retention.routine import Retention
    from app.review.desk import ReviewDesk
    from logistics.opening import Logistics
    from media.captures import CapturePool
    from media.door_photos import DoorPhotos
    from media.uploads import Quarantine
    from media.vault import Vault

#: The time now, aware, in UTC.
Clock = Callable[[], datetime]


@dataclass(frozen=True, repr=False)
class Services:
    """One of each, open for as long as the server runs. Ports by their protocol, never by adapter.

    readers: sessions that only read (`open_readers`).
    quarantine: of direct uploads; None: not offered.
    recogniser: registry name of the face recogniser in use; its band stands in `policy.faces`.
    """

    settings: Settings
    keys: Keys
    clock: Clock
    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]
    readers: async_sessionmaker[AsyncSession]
    policy: Policy
    recogniser: str
    vault: Vault
    captures: CapturePool
    hlr: Hlr
    registry: Registry
    messages: Messages
    flow: Flow
    shipping: Shipping
    case_desk: CaseDesk
    tokens: Tokens
    families: TokenFamilies
    rates: Rates
    staff: StaffAccounts
    checks: Checks
    logistics: Logistics
    review: ReviewDesk
    door_photos: DoorPhotos
    holds: HoldDesk
    incidents: IncidentDesk
    countermeasures: Countermeasures
    exports: Exports
    retention: Retention
    quarantine: Quarantine | None = None


SERVICES: web.AppKey[Services] = web.AppKey("services", Services)

"""What the applicant agrees to, each by itself (R9.4, R11.3). Append-only; the newest of a kind counts."""

from __future__ import annotations

from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.audit import note
from activation.adapters.sql.store import Store
from activation.adapters.sql.tables import ConsentRow
from activation.evidence import FaceConsent
from activation.ids import OrderId
from activation.order import FINAL
from activation.ports import MessageKind
from app.access.rates import CONSENTS_PER_ORDER
from app.compliance.retention.face_rows import FORGET_FACES, given_anew, withdrawn
from app.preselection.opening import TooOften
from app.preselection.upload_removal import remove_uploads
from app.services import Services
from app.texts.consents import text_digest


class ConsentKind(StrEnum):
    TERMS = "terms"
    IDENTITY = "identity"
    FACE_RECOGNITION = "face_recognition"
    RISK_NOTICE = "risk_notice"


#: The version of the texts (`app.texts.consents`) that may be agreed to now.
CURRENT_VERSION = "2026-1"
#: Without these no picture is taken; without all, nothing is submitted.
FOR_CAPTURES = (ConsentKind.IDENTITY, ConsentKind.FACE_RECOGNITION)
FOR_SUBMISSION = tuple(ConsentKind)
#: The equal ways for whoever does not want face recognition (R9.4).
OTHER_WAYS = ("store", "attended_call")


class ConsentRefusal(StrEnum):
    OTHER_VERSION = "other_version"
    WRONG_STATE = "wrong_state"


async def give_consent(
    services: Services, order_id: OrderId, kind: ConsentKind, version: str, given: bool
) -> tuple[ConsentKind, ...] | ConsentRefusal | TooOften:
    """Writes a consent down, or that it is taken back; all kinds that are given then."""
    seconds = await services.rates.wait_for(CONSENTS_PER_ORDER, order_id)
    if seconds is not None:
        return TooOften(seconds)
    if version != CURRENT_VERSION:
        return ConsentRefusal.OTHER_VERSION
    now = services.clock()
    async with services.sessions.begin() as session:
        order = await Store().orders.lock(session, order_id)
        if order.state in FINAL and given:  # what was agreed to can be taken back at any time
            return ConsentRefusal.WRONG_STATE
        before = await newest_consents(session, order_id)
        text = text_digest(kind)
        await session.execute(
            sa.insert(ConsentRow).values(
                order_id=order_id, kind=kind, version=version, text_digest=text, given=given, at=now
            )
        )
        event = "consent.given" if given else "consent.withdrawn"
        await note(session, order_id, event, "R9.4", kind=kind, version=version, text=text)
        if kind is ConsentKind.FACE_RECOGNITION and before.get(kind, given) is not given:
            await _face_consent_changed(services, session, order_id, FaceConsent(now, given, version))
        kinds = await given_consents(session, order_id)
    if kind in FOR_CAPTURES and not given:
        await remove_uploads(services.quarantine, order_id)
    if kind is ConsentKind.FACE_RECOGNITION and not given and services.checks is not None:
        # What runs in another process records nothing of the face: `Checks` asks again when it ends.
        services.checks.desk.stop_order(order_id)
    return kinds


async def _face_consent_changed(
    services: Services, session: AsyncSession, order_id: OrderId, fact: FaceConsent
) -> None:
    """R9.4: without the consent the gate stays shut, and what shows the face goes as far as it may."""
    index = await services.flow.record(session, order_id, fact)
    if fact.given:
        await given_anew(session, order_id)
        return
    await withdrawn(session, order_id, fact.at)
    await services.flow.work.enqueue(session, FORGET_FACES, order_id, f"fact-{index}")
    await services.flow.steps.say(session, order_id, MessageKind.FACE_CONSENT_WITHDRAWN, f"fact-{index}")


async def given_consents(session: AsyncSession, order_id: OrderId) -> tuple[ConsentKind, ...]:
    """Kinds whose newest entry says yes, in the order of `ConsentKind`."""
    newest = await newest_consents(session, order_id)
    return tuple(kind for kind in ConsentKind if newest.get(kind))


async def newest_consents(session: AsyncSession, order_id: OrderId) -> dict[ConsentKind, bool]:
    """What was said last of each kind; kinds that were never spoken of are absent."""
    rows = await session.execute(
        sa.select(ConsentRow.kind, ConsentRow.given)
        .where(ConsentRow.order_id == order_id)
        .order_by(ConsentRow.id)
    )
    return {ConsentKind(row.kind): row.given for row in rows}

"""Face templates go with the consent or when they have served; pictures as far as no duty holds (R9.4)."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
import sqlalchemy as sa

from activation.adapters.sql.audit import AuditEntryRow
from activation.evidence import CaptureKind, FaceConsent
from activation.ids import OrderId
from activation.order import OrderState as S
from activation.order_keys import OrderKeyGone, order_keys
from app.compliance.retention.face_keys import face_key_id
from app.compliance.retention.face_rows import FORGET_FACES, given_anew, withdrawn
from app.compliance.retention.legal_holds import LegalHold
from app.compliance.retention.rules import TEMPLATES_AFTER_ACTIVATION
from app.preselection.stored import load_captures
from tests.app.compliance.retention.town import Town
from tests.app.ground import front, handheld

DAY = timedelta(days=1)
FACES = {"handheld", "check_clip", "courier_photo"}


async def kinds(town: Town, order_id: OrderId) -> set[str]:
    return {(await town.vault.describe(order_id, each)).kind for each in await town.vault.digests(order_id)}


async def templates(town: Town, order_id: OrderId) -> int:
    async with town.sessions() as session:
        return len((await load_captures(session, order_id)).faces)


async def withdraw(town: Town, order_id: OrderId) -> None:
    async with town.sessions.begin() as session:
        fact = FaceConsent(town.clock(), False, "2026-1")
        index = await town.bench.flow.record(session, order_id, fact)
        await withdrawn(session, order_id, town.clock())
        await town.work.enqueue(session, FORGET_FACES, order_id, f"fact-{index}")
    await town.settle()


async def events(town: Town, chain: str) -> list[str]:
    async with town.sessions() as session:
        found = sa.select(AuditEntryRow.event).where(AuditEntryRow.chain == chain).order_by(AuditEntryRow.seq)
        return list(await session.scalars(found))


async def test_a_withdrawn_consent_destroys_what_shows_the_face(town: Town) -> None:
    order_id = await town.submitted()
    assert await templates(town, order_id) == 2
    await withdraw(town, order_id)
    assert await kinds(town, order_id) == {"id_front", "id_back"}
    assert await templates(town, order_id) == 0
    with pytest.raises(OrderKeyGone):
        await order_keys().of(face_key_id(order_id))
    async with town.sessions() as session:
        captures = await load_captures(session, order_id)
    # The document's readings are identity data, kept by another consent and another rule.
    assert captures.front is not None
    assert CaptureKind.HANDHELD not in captures.by_kind
    assert (await events(town, order_id))[-1] == "faces.destroyed"


async def test_while_service_lasts_the_pictures_stay_and_the_templates_go(town: Town) -> None:
    order_id = await town.active()
    await withdraw(town, order_id)
    assert await kinds(town, order_id) >= FACES
    assert await templates(town, order_id) == 0


async def test_without_the_consent_no_card_is_switched_on(town: Town) -> None:
    order_id = await town.submitted()
    await withdraw(town, order_id)
    await town.bench.handed_over(order_id)
    await town.bench.checked(order_id)
    await town.settle()
    assert (await town.bench.order(order_id)).state not in (S.ACTIVATING, S.ACTIVE)
    async with town.sessions.begin() as session:
        card = await town.bench.store.sims.of_order(session, order_id)
    assert card is not None
    subscriber = await town.bench.hlr.read(card.imsi)
    assert subscriber is not None
    assert subscriber.is_off


async def test_whoever_agrees_again_starts_with_a_new_key(town: Town) -> None:
    order_id = await town.order()
    await withdraw(town, order_id)
    async with town.sessions.begin() as session:
        await given_anew(session, order_id)
    await town.capture(order_id, front(jpeg=b"front" * 98))
    assert await templates(town, order_id) == 1
    await town.capture(order_id, handheld(jpeg=b"held" * 98))
    assert await templates(town, order_id) == 2


async def agree_again(town: Town, order_id: OrderId) -> None:
    async with town.sessions.begin() as session:
        await given_anew(session, order_id)


async def missing(town: Town, order_id: OrderId) -> set[CaptureKind]:
    async with town.sessions() as session:
        return set((await load_captures(session, order_id)).missing)


async def test_in_a_draft_everything_that_had_a_template_has_to_be_taken_again(town: Town) -> None:
    order_id = await town.order()
    await withdraw(town, order_id)
    await agree_again(town, order_id)
    assert await missing(town, order_id) == {CaptureKind.ID_FRONT, CaptureKind.HANDHELD}
    assert await kinds(town, order_id) == {"id_back"}


async def test_whoever_agrees_again_before_anything_went_keeps_it(town: Town) -> None:
    order_id = await town.order()
    town.work.before["forget_faces.1"] = lambda: agree_again(town, order_id)
    await withdraw(town, order_id)
    assert await templates(town, order_id) == 2
    assert await missing(town, order_id) == set()
    assert await kinds(town, order_id) == {"id_front", "id_back", "handheld"}


@pytest.mark.parametrize("step", ["forget_faces.3", "forget_faces.4"])
async def test_what_is_taken_under_a_new_consent_stays(town: Town, step: str) -> None:
    order_id = await town.order()

    async def start_over() -> None:
        """With the same picture of the document, and another one of the applicant."""
        await agree_again(town, order_id)
        await town.capture(order_id, front(jpeg=b"front" * 99))
        await town.capture(order_id, handheld(jpeg=b"held" * 98))

    town.work.before[step] = start_over
    await withdraw(town, order_id)
    assert await templates(town, order_id) == 2
    assert await missing(town, order_id) == set()
    assert await kinds(town, order_id) == {"id_front", "id_back", "handheld"}
    town.clock.forward(DAY)
    await withdraw(town, order_id)
    assert await templates(town, order_id) == 0
    assert await kinds(town, order_id) == {"id_back"}


async def test_what_was_sealed_under_a_key_that_goes_has_to_be_taken_again(town: Town) -> None:
    order_id = await town.order()

    async def take_the_front() -> None:
        await agree_again(town, order_id)
        await town.capture(order_id, front(jpeg=b"front" * 98))

    town.work.before["forget_faces.2"] = take_the_front
    await withdraw(town, order_id)
    assert await missing(town, order_id) == {CaptureKind.ID_FRONT, CaptureKind.HANDHELD}
    await town.capture(order_id, front(jpeg=b"front" * 97))
    assert await templates(town, order_id) == 1


async def test_templates_are_let_go_when_the_decision_is_no_longer_disputable(town: Town) -> None:
    active, refused = await town.active(), await town.over(await town.submitted(), S.REFUSED)
    town.clock.forward(TEMPLATES_AFTER_ACTIVATION - DAY)
    await town.night()
    assert await templates(town, active) == 2
    town.clock.forward(2 * DAY)
    await town.night()
    assert await templates(town, active) == 0
    assert await kinds(town, active) >= FACES
    # A refusal is disputed for longer; its templates go with the rest of it.
    assert await templates(town, refused) == 2


async def test_a_legal_hold_stops_it_until_it_is_lifted(town: Town) -> None:
    order_id = await town.submitted()
    hold = await town.hold(order_id)
    await withdraw(town, order_id)
    assert await templates(town, order_id) == 2
    assert "handheld" in await kinds(town, order_id)
    await town.night()
    assert await templates(town, order_id) == 2
    await town.lift(hold)
    town.clock.forward(timedelta(minutes=10))
    await town.night()
    assert await templates(town, order_id) == 0
    assert "handheld" not in await kinds(town, order_id)


async def test_an_alarm_when_as_many_faces_are_held_as_must_be_reported(
    town: Town, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """The town's limit is 3."""
    caplog.set_level(logging.WARNING)
    first = await town.order()
    await town.order()
    await town.retention.count_faces()
    held = await town.retention.faces.held()
    assert (held.held, held.limit, held.alarm) == (2, 3, False)
    assert await events(town, "retention") == []
    await town.order()
    await town.retention.count_faces()
    await town.retention.count_faces()
    assert (await town.retention.faces.held()).alarm
    assert await events(town, "retention") == ["faces.limit_reached"]
    assert "must be reported" in capsys.readouterr().out + caplog.text
    await town.over(first, S.EXPIRED)
    town.clock.forward(9 * DAY)
    await town.night()
    await town.retention.count_faces()
    assert await events(town, "retention") == ["faces.limit_reached", "faces.below_limit"]


@pytest.mark.parametrize("step", ["forget_faces.2", "forget_faces.3", "forget_faces.4"])
async def test_a_hold_that_comes_in_between_stops_the_steps_that_are_left(town: Town, step: str) -> None:
    order_id = await town.submitted()
    holds: list[LegalHold] = []

    async def hold() -> None:
        holds.append(await town.hold(order_id))

    town.work.before[step] = hold
    await withdraw(town, order_id)
    if step == "forget_faces.2":
        await order_keys().of(face_key_id(order_id))
    if step != "forget_faces.4":
        assert FACES & await kinds(town, order_id)
    assert "faces.destroyed" not in await events(town, order_id)
    await town.lift(holds[0])
    await town.night()
    assert not FACES & await kinds(town, order_id)
    with pytest.raises(OrderKeyGone):
        await order_keys().of(face_key_id(order_id))
    assert "faces.destroyed" in await events(town, order_id)

"""Consents: which words were agreed to, and what follows when face recognition is taken back (R9.4)."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from activation.adapters.sql.audit import AuditEntryRow
from activation.adapters.sql.tables import ConsentRow
from activation.evidence import FaceConsent
from activation.ids import OrderId
from activation.order import OrderState as S
from activation.ports import MessageKind
from app.compliance.retention.face_rows import FORGET_FACES
from app.preselection.consents import CURRENT_VERSION, ConsentKind
from app.texts.consents import CONSENT_TEXTS, text_digest
from tests.app import checking
from tests.app.ground import Ground
from tests.app.http import walking as walk
from tests.app.http.conftest import Client

#: Of version 2026-1. Another text is another version, and gets its own line here.
DIGESTS = {
    "2026-1": {
        "terms": "811d89c2c92bb71bc20fdfdfea169bc998c466529909f0c07c4711a33bdbc786",
        "identity": "e6c6aa07c616fb73d33143e877fd08ce106f55301ebce825f3b98178919d191f",
        "face_recognition": "23a09b81eee142c71db96c1bc0792611532cee554162271aa087d31586c70136",
        "risk_notice": "dae04bccba13bdd36c019821fc94b59014e2d51f3978a0a60b26ff43c6f16758",
    }
}


async def say(
    client: Client, order: str, token: walk.Json, given: bool, kind: str = "face_recognition"
) -> int:
    body = {"kind": kind, "version": CURRENT_VERSION, "given": given}
    answer = await client.post(f"/v1/orders/{order}/consents", json=body, headers={**token, **walk.key()})
    return answer.status


async def face_facts(ground: Ground, order: str) -> list[bool]:
    async with ground.services.readers() as session:
        facts = await ground.services.flow.store.facts.load(session, OrderId(order))
    return [fact.given for fact in facts.evidence if isinstance(fact, FaceConsent)]


def test_a_version_is_its_words() -> None:
    assert {kind: text_digest(kind) for kind in CONSENT_TEXTS} == DIGESTS[CURRENT_VERSION]
    assert set(CONSENT_TEXTS) == set(ConsentKind)


async def test_what_exactly_was_agreed_to_is_recorded(client: Client, ground: Ground) -> None:
    order = await walk.open_order(client, ground)
    await walk.consent(client, order, walk.bearer(ground.applicant_token(order)))
    async with ground.services.readers() as session:
        rows = await session.execute(
            sa.select(ConsentRow.kind, ConsentRow.version, ConsentRow.text_digest, ConsentRow.given)
        )
        found = {row.kind: (row.version, row.text_digest, row.given) for row in rows}
        contents = list(
            await session.scalars(
                sa.select(AuditEntryRow.content).where(AuditEntryRow.event == "consent.given")
            )
        )
    assert found == {kind: (CURRENT_VERSION, text_digest(kind), True) for kind in walk.CONSENTS}
    for kind in walk.CONSENTS:
        assert any(text_digest(kind) in content for content in contents)


async def test_taking_face_recognition_back_starts_what_must_follow(client: Client, ground: Ground) -> None:
    order, token, _ = await walk.ready_to_confirm(client, ground)
    await checking.put_state(ground, order, S.DELIVERED)
    assert await face_facts(ground, order) == []
    assert await say(client, order, token, given=False) == 201
    assert await say(client, order, token, given=False) == 201  # said twice is said once
    assert await face_facts(ground, order) == [False]
    begun = [mission for mission in ground.work.begun if mission[1] == order]
    assert (FORGET_FACES, order, "fact-0") in begun
    assert ("tell", order, MessageKind.FACE_CONSENT_WITHDRAWN, "fact-0") in begun
    assert ("decide", order, "fact-0") in begun
    shown = await (await client.get(f"/v1/orders/{order}", headers=token)).json()
    assert shown["next_step"] == "other_way"
    assert await say(client, order, token, given=True) == 201
    assert await face_facts(ground, order) == [False, True]
    shown = await (await client.get(f"/v1/orders/{order}", headers=token)).json()
    assert shown["next_step"] == "video_check"


async def test_captures_from_before_face_recognition_was_taken_back_are_taken_again(
    client: Client, ground: Ground
) -> None:
    """R3.1, R9.4: their picture of the face is destroyed, so they cannot be confirmed any more."""
    order, token, digest = await walk.ready_to_confirm(client, ground)
    for given in (False, True):
        assert await say(client, order, token, given=given) == 201
    shown = await (await client.get(f"/v1/orders/{order}", headers=token)).json()
    assert shown["next_step"] == "take_captures"
    confirmed = await client.post(
        f"/v1/orders/{order}/confirmation", json={"reading_digest": digest}, headers={**token, **walk.key()}
    )
    assert confirmed.status == 409
    assert (await confirmed.json())["code"] == "captures_wanted"


@pytest.mark.parametrize("kind", ["terms", "risk_notice"])
async def test_other_consents_leave_the_gate_alone(client: Client, ground: Ground, kind: str) -> None:
    order, token, _ = await walk.ready_to_confirm(client, ground)
    assert await say(client, order, token, given=False, kind=kind) == 201
    assert await face_facts(ground, order) == []


async def test_a_consent_can_be_taken_back_but_not_given_when_the_order_is_over(
    client: Client, ground: Ground
) -> None:
    order, token, _ = await walk.ready_to_confirm(client, ground)
    await checking.put_state(ground, order, S.REFUSED)
    assert await say(client, order, token, given=True) == 409
    assert await say(client, order, token, given=False) == 201
    assert await face_facts(ground, order) == [False]

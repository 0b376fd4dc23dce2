"""Operators end services, hold what the law wants held, and see what is destroyed (R8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa

from activation.adapters.sql.tables import OrderRow
from activation.ending import END_SERVICE
from activation.ids import OrderId, StaffId
from activation.order import OrderState as S
from app.access.principals import Role, Staff
from app.compliance.retention.legal_holds import LegalHold, LegalHolds
from tests.app.ground import Ground, front
from tests.app.http import walking as walk
from tests.app.http.conftest import Client

WHY = {"reason": "a court asks"}


def operator(ground: Ground) -> walk.Json:
    return walk.bearer(ground.token(Staff(StaffId.new(), Role.OPERATOR)))


async def put_into(ground: Ground, order: str, state: S) -> None:
    async with ground.services.sessions.begin() as session:
        await session.execute(
            sa.update(OrderRow)
            .where(OrderRow.id == order)
            .values(state=state, changed_at=ground.clock(), due_at=None)
        )


async def test_an_operator_ends_a_service(client: Client, ground: Ground) -> None:
    order = await walk.open_order(client, ground)
    path, body = f"/v1/operator/orders/{order}/end-of-service", {"reason": "moved away"}
    early = await client.post(path, json=body, headers={**operator(ground), **walk.key()})
    assert early.status == 409
    await put_into(ground, order, S.ACTIVE)
    answer = await client.post(path, json=body, headers={**operator(ground), **walk.key()})
    assert answer.status == 202, await answer.text()
    assert (await answer.json())["ended_at"] is None
    assert (END_SERVICE, order) in ground.work.begun
    nobody = f"/v1/operator/orders/ord_{'0' * 24}/end-of-service"
    assert (await client.post(nobody, json=body, headers={**operator(ground), **walk.key()})).status == 404


async def test_legal_holds_are_placed_listed_and_lifted(client: Client, ground: Ground) -> None:
    order, headers = await walk.open_order(client, ground), operator(ground)
    placed = await client.post(
        f"/v1/operator/orders/{order}/legal-holds", json=WHY, headers={**headers, **walk.key()}
    )
    assert placed.status == 201, await placed.text()
    hold = await placed.json()
    assert hold["placed_by"].startswith("stf_")
    listed = await (await client.get("/v1/operator/legal-holds", headers=headers)).json()
    assert [each["hold_id"] for each in listed["holds"]] == [hold["hold_id"]]
    path = f"/v1/operator/legal-holds/{hold['hold_id']}/lift"
    for _ in range(2):
        lifted = await client.post(path, json=WHY, headers=headers)
        assert lifted.status == 200
        assert (await lifted.json())["lifted_at"] is not None
    listed = await (await client.get("/v1/operator/legal-holds", headers=headers)).json()
    assert listed["holds"] == []
    assert (await client.post("/v1/operator/legal-holds/999/lift", json=WHY, headers=headers)).status == 404


async def test_the_overview_says_what_must_go_and_how_many_faces_are_held(
    client: Client, ground: Ground
) -> None:
    order, _token, _digest = await walk.ready_to_confirm(client, ground)
    faces = replace(ground.services.retention.faces, limit=1)
    object.__setattr__(ground.services.retention, "faces", faces)
    await put_into(ground, order, S.EXPIRED)
    headers = operator(ground)
    seen = await (await client.get("/v1/operator/retention", headers=headers)).json()
    assert seen["faces"] == {"held": 1, "limit": 1, "alarm": True}
    assert sum(line["due"] for line in seen["now"]) == 0
    assert {line["kept_as"]: line["due"] for line in seen["in_30_days"]}["never_confirmed"] == 1
    ground.clock.forward(timedelta(days=9))
    seen = await (await client.get("/v1/operator/retention", headers=operator(ground))).json()
    assert {line["kept_as"]: line["due"] for line in seen["now"]}["never_confirmed"] == 1
    assert all(line["why"] and line["rule"] for line in seen["now"])
    path = f"/v1/operator/orders/{order}/tombstone"
    assert (await client.get(path, headers=operator(ground))).status == 404


async def test_only_operators(client: Client, ground: Ground) -> None:
    order = await walk.open_order(client, ground)
    applicant = walk.bearer(ground.applicant_token(order))
    reviewer = walk.bearer(ground.token(Staff(StaffId.new(), Role.REVIEWER)))
    for headers in (applicant, reviewer):
        for path in ("/v1/operator/retention", "/v1/operator/legal-holds", "/v1/operator/subject-requests"):
            assert (await client.get(path, headers=headers)).status == 403
        answer = await client.post(
            f"/v1/operator/orders/{order}/legal-holds", json=WHY, headers={**headers, **walk.key()}
        )
        assert answer.status == 403


async def test_a_retake_under_a_legal_hold_destroys_no_picture(client: Client, ground: Ground) -> None:
    """R8.1"""
    order, token, _ = await walk.ready_to_confirm(client, ground)
    order_id = OrderId(order)
    before = set(await ground.vault.digests(order_id))
    ground.captures.answers |= {
        b"front 2": front(jpeg=b"front 2"),
        b"front 3": front(jpeg=b"front 3"),
    }
    async with ground.services.sessions.begin() as session:
        hold = await LegalHolds().place(session, order_id, "a court asks", ground.clock())
    assert isinstance(hold, LegalHold)
    assert (await walk.put(client, order, token, "id_front", b"front 2"))[0] == 200
    held = set(await ground.vault.digests(order_id))
    assert before < held
    async with ground.services.sessions.begin() as session:
        await LegalHolds().lift(session, hold.id, "the court has answered", ground.clock())
    assert (await walk.put(client, order, token, "id_front", b"front 3"))[0] == 200
    assert len(set(await ground.vault.digests(order_id)) & held) == len(held) - 1

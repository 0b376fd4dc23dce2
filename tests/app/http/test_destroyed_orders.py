"""R8.2: an order whose key was destroyed breaks no route, and gives nothing away (both databases)."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import web

from activation.adapters.sql.sealed import SEALED
from activation.adapters.sql.tables import CaptureRow, OrderRow
from activation.ids import OrderId, StaffId
from activation.order_keys import OrderKey, OrderKeyGone, OrderKeysFault, order_keys, use_order_keys
from app.access.principals import Role, Staff
from app.compliance.retention.face_keys import face_key_id
from app.compliance.retention.rows import delete_rows
from app.compliance.retention.tables import TombstoneRow
from tests.app.ground import ADDRESS, NAME, NUMBER, Ground
from tests.app.http import walking as walk
from tests.app.http.conftest import Client
from tests.order_keys import DerivedOrderKeys

#: What a route may ask for in its path, as far as the order has it.
KINDS = {"kind": "id_front"}


async def destroy(order: str) -> None:
    await order_keys().destroy(OrderId(order))
    await order_keys().destroy(face_key_id(OrderId(order)))


def readable(application: web.Application, order: str) -> list[str]:
    """Paths of every route that reads something of an order."""
    known = {"order_id": order, **KINDS}
    found = []
    for route in application.router.routes():
        path = route.resource.canonical if route.resource else ""
        wanted = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        if route.method == "GET" and "order_id" in wanted and set(wanted) <= set(known):
            found.append(path.format(**known))
    return found


async def test_routes_of_a_destroyed_order_answer_and_show_nothing(
    client: Client, ground: Ground, application: web.Application
) -> None:
    order, token, digest = await walk.ready_to_confirm(client, ground)
    operator = walk.bearer(ground.token(Staff(StaffId.new(), Role.OPERATOR)))
    await destroy(order)
    paths = readable(application, order)
    assert f"/v1/orders/{order}" in paths
    for path in paths:
        for headers in (token, operator):
            answer = await client.get(path, headers=headers)
            text = await answer.text()
            assert answer.status < 500, (path, text)
            for clear in (NAME, NUMBER, ADDRESS, walk.PHONE):
                assert clear not in text
    confirmed = await client.post(
        f"/v1/orders/{order}/confirmation", json={"reading_digest": digest}, headers={**token, **walk.key()}
    )
    assert 400 <= confirmed.status < 500
    status, _ = await walk.put(client, order, token, "id_front", b"front")
    assert 400 <= status < 500
    code = await client.post(f"/v1/orders/{order}/codes", json={}, headers=walk.key())
    assert code.status < 500


async def test_another_order_does_not_notice(client: Client, ground: Ground) -> None:
    order, token, _ = await walk.ready_to_confirm(client, ground)
    await destroy(str(OrderId.new()))
    answer = await client.get(f"/v1/orders/{order}/reading", headers=token)
    assert (await answer.json())["name"] == NAME


async def test_everything_of_an_order_is_sealed(client: Client, ground: Ground) -> None:
    await walk.ready_to_confirm(client, ground)
    async with ground.services.readers() as session:
        orders = (
            await session.execute(sa.select(OrderRow.contact_phone, OrderRow.recipient, OrderRow.address))
        ).all()
        captures = (await session.execute(sa.select(CaptureRow.reading, CaptureRow.embeddings))).all()
    values = [value for row in (*orders, *captures) for value in row]
    assert len(values) == 9
    assert all(value.startswith(SEALED) for value in values)


@pytest.mark.parametrize("rows_gone", [False, True])
async def test_a_capture_on_its_way_makes_no_key_of_a_destroyed_order(
    client: Client, ground: Ground, monkeypatch: pytest.MonkeyPatch, rows_gone: bool
) -> None:
    order = await walk.open_order(client, ground)
    token = walk.bearer(ground.applicant_token(order))
    await walk.consent(client, order, token)
    walk.script(ground)
    put = ground.vault.put

    async def put_and_meet_destruction(*given: Any, **named: Any) -> Any:
        """Destruction runs between the vault and the database."""
        answer = await put(*given, **named)
        await destroy(order)
        at = ground.clock()
        stone = TombstoneRow(
            order_id=order, state="draft", kept_as="on_wish", rule="R8.2", opened_at=at, over_at=at,
            begun_at=at, begun_by="test",
        )  # fmt: skip
        async with ground.services.sessions.begin() as session:
            session.add(stone)
            if rows_gone:
                await delete_rows(session, OrderId(order))
        return answer

    monkeypatch.setattr(ground.vault, "put", put_and_meet_destruction)
    status, _ = await walk.put(client, order, token, "id_front", b"front")
    assert status == 404
    with pytest.raises(OrderKeyGone):
        await order_keys().of(face_key_id(OrderId(order)))


class Away(DerivedOrderKeys):
    async def of(self, order_id: OrderId) -> OrderKey:
        raise OrderKeysFault("down")


@pytest.fixture
def away() -> Any:
    return lambda: use_order_keys(Away())


async def test_while_the_key_service_is_away_applicants_are_asked_to_wait(
    client: Client, ground: Ground, away: Any
) -> None:
    order, token, _ = await walk.ready_to_confirm(client, ground)
    away()
    answer = await client.get(f"/v1/orders/{order}/reading", headers=token)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    await walk.add_numbers(ground, "13800000002")
    body = walk.order_body("13800000002", "13900000002")
    answer = await client.post("/v1/orders", json=body, headers=walk.key())
    assert answer.status == 503
    use_order_keys(DerivedOrderKeys())
    answer = await client.get(f"/v1/orders/{order}/reading", headers=token)
    assert answer.status == 200
    # The number that could not be ordered is still free.
    answer = await client.post("/v1/orders", json=body, headers=walk.key())
    assert answer.status == 201

"""Who did what with an order, as the trail tells it after a journey over HTTP (R9.1)."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from activation.adapters.sql.audit import AuditEntryRow
from app.access.principals import Role
from app.compliance.audit.verifying import verify
from tests.acceptance.delivering import CARRIER, PASSWORD, House, application, ground, house
from tests.acceptance.test_delivery_review import claimed, other_person
from tests.app.ground import ADDRESS, NAME, NUMBER
from tests.app.http.walking import DEVICE

__all__ = ["application", "ground", "house"]


async def _trail(house: House, chain: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Event, actor and details, oldest first."""
    query = sa.select(AuditEntryRow).where(AuditEntryRow.chain == chain).order_by(AuditEntryRow.seq)
    async with house.ground.services.readers() as session:
        rows = list(await session.scalars(query))
    return [(row.event, row.actor, json.loads(row.content)["details"]) for row in rows]


async def test_an_orders_trail_tells_who_did_what(house: House) -> None:
    order, case = await other_person(house)
    reviewer, stranger = await claimed(house, case), await house.staff(Role.REVIEWER)
    path = f"/v1/review/cases/{case['case_id']}"
    _, seen = await reviewer.get(path)
    photo = next(each for each in seen["evidence"] if each["kind"] == "courier_photo")
    assert (await reviewer.raw(f"{path}/evidence/{photo['digest']}"))[0] == 200
    await stranger.get(path)
    refusal = {"outcome": "refuse", "reason": "somebody else"}
    assert (await reviewer.post(f"{path}/proposal", refusal))[0] == 200
    await house.run()
    trail = await _trail(house, order)
    assert reviewer.who is not None
    assert stranger.who is not None
    by = {(event, actor) for event, actor, _ in trail}
    assert {
        ("order.draft", "anyone"),
        ("consent.given", "applicant"),
        ("capture.accepted", "applicant"),
        ("order.submitted", "applicant"),
        ("fact.captures", "applicant"),
        ("case.claimed", str(reviewer.who.id)),
        ("identity.shown", str(reviewer.who.id)),
        ("evidence.shown", str(reviewer.who.id)),
        ("case.shown", str(stranger.who.id)),
        ("case.decided", str(reviewer.who.id)),
        ("fact.review", str(reviewer.who.id)),
    } <= by
    events = [event for event, _, _ in trail]
    states = [event for event in events if event.startswith("order.")]
    assert states[:4] == ["order.draft", "order.submitted", "order.accepted", "order.shipped"]
    wanted = {"fact.registry", "decision.may_ship", "sim.reserved", "delivery.created"}
    assert wanted | {"identity.disclosed"} <= {*events}
    couriers = {actor for event, actor, _ in trail if event in ("delivery.out", "delivery.photo_kept")}
    assert len(couriers) == 1
    assert couriers.pop().startswith("stf_")
    moved = next(details for event, _, details in trail if event == "order.submitted")
    assert moved == {"before": "draft"}


async def test_the_trail_holds_nothing_personal_and_is_sound(house: House) -> None:
    await other_person(house)
    async with house.ground.services.readers() as session:
        told = "\n".join(await session.scalars(sa.select(AuditEntryRow.content)))
    for personal in (NAME, NUMBER, ADDRESS, "139000"):
        assert personal not in told
        assert json.dumps(personal)[1:-1] not in told
    assert (await verify(house.ground.services.readers, {})).faults == []


async def test_sign_ins_good_and_bad_staff_and_stock_are_noted(house: House) -> None:
    operator = await house.staff(Role.OPERATOR)
    new = {"username": "reviewer-li", "password": PASSWORD, "role": "reviewer"}
    status, made = await operator.post("/v1/operator/staff", new)
    assert status == 201
    await house.signed_in("reviewer-li")
    for name in ("reviewer-li", "nobody-at-all"):
        wrong = {"username": name, "password": "another pass phrase"}
        async with house.client.post("/v1/staff/token", json=wrong, headers=DEVICE) as answer:
            assert answer.status == 401
    cards = b"iccid,imsi,batch\n"
    await operator.send("POST", "/v1/operator/sims/imports", "text/csv", cards + b"8986001,46000,b\n")
    good = b"msisdn,region\n13855550001,440300\n"
    assert (await operator.send("POST", "/v1/operator/numbers/imports", "text/csv", good))[0] == 200
    assert (await operator.post(f"/v1/operator/staff/{made['staff_id']}/end"))[0] == 200
    trail = await _trail(house, made["staff_id"])
    assert operator.who is not None
    actor = str(operator.who.id)
    events = [(event, by) for event, by, _ in trail]
    assert events[0] == ("staff.created", actor)
    assert ("staff.disabled", actor) in events
    assert {"sign_in.began", "sign_in.refused"} <= {event for event, _ in events}
    assert [event for event, _, _ in await _trail(house, "sign_in")] == ["sign_in.refused"]
    stock = await _trail(house, "stock")
    assert ("stock.numbers_imported", actor, {"lines": 1, "imported": 1}) in stock


async def test_a_courier_looking_a_parcel_up_and_a_carrier_telling_of_it(house: House) -> None:
    courier = await house.courier()
    order, _ = await house.shipped()
    _, listed = await courier.get("/v1/courier/deliveries")
    delivery = listed["deliveries"][0]
    await courier.get(f"/v1/courier/deliveries/{delivery['delivery_id']}")
    await courier.post("/v1/courier/lookup", {"waybill": delivery["waybill"]})
    told = {
        "event_id": "1",
        "waybill": delivery["waybill"],
        "event": "collected",
        "happened_at": house.ground.clock().isoformat(),
    }
    assert (await house.carrier_tells(told))[0] == 200
    assert courier.who is not None
    trail = [(event, actor) for event, actor, _ in await _trail(house, order)]
    assert trail.count(("identity.shown", str(courier.who.id))) == 2
    assert ("delivery.collected", f"carrier:{CARRIER}") in trail

"""A parcel's way over HTTP: courier, carrier, operator and applicant, each with what is theirs."""

from __future__ import annotations

from datetime import timedelta
from typing import NoReturn

import pytest

from activation.ids import DeliveryId, OrderId
from activation.ports import MessageKind
from app.access.principals import Role
from app.preselection.consents import CURRENT_VERSION, ConsentKind, give_consent
from logistics.deliveries import Deliveries
from tests.acceptance.delivering import (
    PASSWORD,
    Caller,
    House,
    Json,
    ScriptedRecogniser,
    application,
    ground,
    house,
    picture,
)
from tests.app.ground import NUMBER
from tests.app.http.walking import MSISDN, bearer

__all__ = ["application", "ground", "house"]

CHECKS = {"document_original_seen": True, "person_resembles_document": True, "document_valid": True}


async def out(house: House) -> tuple[str, Caller, str]:
    """Order, its courier, and the path of the delivery that is out."""
    courier = await house.courier()
    order, _ = await house.shipped()
    _, found = await courier.get("/v1/courier/deliveries")
    path = f"/v1/courier/deliveries/{found['deliveries'][0]['delivery_id']}"
    for step in ("collection", "departure"):
        status, body = await courier.post(f"{path}/{step}")
        assert status == 200, body
    return order, courier, path


async def handover(house: House, order: str) -> Json:
    return {
        "outcome": "handed_over",
        "checks": CHECKS,
        "handover_code": await house.handover_code(),
        "iccid": await house.iccid(order),
        "document_number_tail": NUMBER[-4:],
        "position": {"latitude": 39.9, "longitude": 116.4, "accuracy_m": 8.0},
        "at": house.ground.clock().isoformat(),
    }


async def test_from_the_operators_desk_to_the_applicants_hands(house: House) -> None:
    operator = await house.staff(Role.OPERATOR)
    made = {"username": "courier.li", "password": PASSWORD, "role": "courier", "carrier": "kaika"}
    assert (await operator.post("/v1/operator/staff", made))[0] == 201
    order, applicant = await house.shipped()
    courier = await house.signed_in("courier.li")

    status, mine = await courier.get("/v1/courier/deliveries")
    waybill = mine["deliveries"][0]["waybill"]
    typed = f" {waybill[:2].lower()} {waybill[2:8]}-{waybill[8:]} "
    status, parcel = await courier.post("/v1/courier/lookup", {"waybill": typed})
    assert status == 200
    assert (parcel["name"], parcel["state"], parcel["stopped"]) == ("样**", "created", False)
    assert "样本胡同" in parcel["address"]
    assert NUMBER[-4:] not in str({**parcel, "delivery_id": "", "waybill": ""})

    path = f"/v1/courier/deliveries/{parcel['delivery_id']}"
    house.ground.clock.forward(timedelta(minutes=1))
    assert (await courier.post(f"{path}/collection"))[1]["state"] == "collected"
    assert (await courier.post(f"{path}/departure"))[1]["state"] == "out"
    tail = {"document_number_tail": NUMBER[-4:]}
    assert (await courier.post(f"{path}/document", tail))[1] == {"matches": True, "tries_left": 5}
    assert await courier.send("PUT", f"{path}/photo", "image/png", picture()) == (200, {"face_found": True})
    house.ground.clock.forward(timedelta(minutes=1))
    status, done = await courier.post(f"{path}/outcome", await handover(house, order))
    assert (status, done["state"]) == (200, "handed_over")
    assert (await courier.get("/v1/courier/deliveries"))[1] == {"deliveries": []}

    await house.run()
    assert (await applicant.get(f"/v1/orders/{order}"))[1]["state"] == "delivered"
    status, file = await operator.get(f"/v1/operator/orders/{order}")
    assert status == 200
    assert (file["state"], file["delivery_state"], file["waybill"]) == ("delivered", "handed_over", waybill)
    assert file["facts"] == file["decided_facts"]
    assert file["decisions"][-1]["decision"] == "wait"
    assert {"reason": "video_check_missing", "rule": "R4.2"} in file["decisions"][-1]["reasons"]
    told = [entry["about"].get("kind") or entry["about"].get("event") for entry in file["timeline"]]
    assert told == ["captures", "registry", "quota", "sim", "collected", "out", "handover", "handed_over"]
    assert NUMBER not in str(file)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"handover_code": None}, 422, "handover_code_wrong"),
        ({"handover_code": "wrong"}, 422, "invalid_request"),
        ({"iccid": None}, 422, "other_card"),
        ({"iccid": "89860099000000000003"}, 422, "other_card"),
        ({"document_number_tail": "0000"}, 422, "document_tail_wrong"),
        ({"document_number_tail": None}, 422, "document_tail_wrong"),
        ({"checks": None}, 422, "checklist_incomplete"),
        ({"checks": {**CHECKS, "document_valid": False}}, 422, "checklist_incomplete"),
        ({"at": "2020-01-01T00:00:00Z"}, 422, "time_out_of_range"),
        ({"at": "2020-01-01T00:00:00"}, 422, "invalid_request"),
        ({"outcome": "lost"}, 422, "invalid_request"),
        ({"position": {"latitude": 91.0, "longitude": 0.0}}, 422, "invalid_request"),
    ],
)
async def test_what_is_missing_at_the_door_is_said_clearly(
    house: House, change: Json, status: int, code: str
) -> None:
    order, courier, path = await out(house)
    body = await handover(house, order)
    found, problem = await courier.post(f"{path}/outcome", {**body, **change}, **{"Accept-Language": "en"})
    assert (found, problem["code"]) == (status, code)
    assert problem["title"].isascii()
    assert NUMBER not in str(problem)
    assert (await courier.post(f"{path}/outcome", body))[0] == 200


async def test_wrong_codes_are_counted_down_and_a_new_one_opens_the_lock(house: House) -> None:
    courier = await house.courier()
    order, applicant = await house.shipped()
    _, found = await courier.get("/v1/courier/deliveries")
    path = f"/v1/courier/deliveries/{found['deliveries'][0]['delivery_id']}"
    for step in ("collection", "departure"):
        await courier.post(f"{path}/{step}")
    right = await handover(house, order)
    wrong = {**right, "handover_code": f"{(int(right['handover_code']) + 1) % 10**6:06d}"}
    for left in (4, 3, 2, 1, 0):
        status, problem = await courier.post(f"{path}/outcome", wrong)
        assert (status, problem["code"]) == (422, "handover_code_wrong")
        assert f"还可再试 {left} 次" in problem["detail"]
    assert (await courier.post(f"{path}/outcome", right))[1]["code"] == "handover_code_locked"
    status, _ = await applicant.post(f"/v1/orders/{order}/handover-codes")
    assert status == 200
    await house.run()
    assert len(await house.messages(MessageKind.HANDOVER_CODE)) == 2
    new = await handover(house, order)
    assert new["handover_code"] != right["handover_code"]
    assert (await courier.post(f"{path}/outcome", new))[0] == 200


async def test_the_same_outcome_twice_is_one_and_another_is_refused(house: House) -> None:
    order, courier, path = await out(house)
    body = await handover(house, order)
    first = await courier.post(f"{path}/outcome", body)
    assert await courier.post(f"{path}/outcome", body) == first
    status, problem = await courier.post(f"{path}/outcome", {**body, "outcome": "refused"})
    assert (status, problem["code"]) == (409, "outcome_already_recorded")


async def test_nobody_home_may_be_tried_again(house: House) -> None:
    order, courier, path = await out(house)
    nobody = {"outcome": "not_home", "at": house.ground.clock().isoformat()}
    assert (await courier.post(f"{path}/outcome", nobody))[1]["state"] == "not_home"
    house.ground.clock.forward(timedelta(hours=3))
    house.sign_in_again(courier)
    assert (await courier.post(f"{path}/departure"))[1]["state"] == "out"
    assert (await courier.post(f"{path}/outcome", await handover(house, order)))[0] == 200


async def test_each_sees_what_is_theirs(house: House) -> None:
    order, courier, path = await out(house)
    stranger, reviewer = await house.courier(), await house.staff(Role.REVIEWER)
    applicant = Caller(house.client, bearer(house.ground.applicant_token(order)))
    for call in ("collection", "departure", "document", "outcome"):
        body = {"document": {"document_number_tail": "0000"}, "outcome": {"outcome": "refused"}}.get(call)
        assert (await stranger.post(f"{path}/{call}", body))[0] == 404, call
    assert (await stranger.get(path))[0] == 404
    assert (await stranger.send("PUT", f"{path}/photo", "image/png", picture()))[0] == 404
    assert (await reviewer.get(path))[0] == 403
    assert (await applicant.get(path))[0] == 403
    assert (await Caller(house.client, {}).get(path))[0] == 401
    for nobody in (applicant, courier, reviewer):
        assert (await nobody.get(f"/v1/operator/orders/{order}"))[0] == 403
    assert (await stranger.post(f"/v1/orders/{order}/handover-codes"))[0] == 403


@pytest.mark.parametrize(
    ("data", "refusal"),
    [(b"", "empty"), (b"no picture", "unsupported_format"), (picture()[:60], "unreadable")],
)
async def test_bad_photos_are_refused(house: House, data: bytes, refusal: str) -> None:
    _, courier, path = await out(house)
    status, problem = await courier.send("PUT", f"{path}/photo", "image/jpeg", data)
    assert (status, problem["code"], problem["refusal"]) == (422, "photo_refused", refusal)


async def test_without_consent_no_face_is_looked_for(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """R9.4"""

    def embed(*_: object) -> NoReturn:
        raise AssertionError("a face was embedded")

    order, courier, path = await out(house)
    services = house.ground.services
    await give_consent(services, OrderId(order), ConsentKind.FACE_RECOGNITION, CURRENT_VERSION, False)
    monkeypatch.setattr(ScriptedRecogniser, "embed", embed)
    sent = await courier.send("PUT", f"{path}/photo", "image/png", picture())
    assert sent == (200, {"face_found": None})
    async with services.readers() as session:
        parcel = await Deliveries().of_order(session, OrderId(order))
    assert parcel is not None
    assert parcel.photo is not None
    assert parcel.comparisons == ()


async def test_photos_are_compared_with_the_front(house: House) -> None:
    order, courier, path = await out(house)
    operator = await house.staff(Role.OPERATOR)
    assert await courier.send("PUT", f"{path}/photo", "image/png", picture("black")) == (
        200,
        {"face_found": False},
    )
    assert (await courier.send("PUT", f"{path}/photo", "image/png", picture("red")))[0] == 200
    assert (await courier.post(f"{path}/outcome", await handover(house, order)))[0] == 200
    assert (await courier.send("PUT", f"{path}/photo", "image/png", picture()))[1]["code"] == "wrong_state"
    await house.run()
    _, file = await operator.get(f"/v1/operator/orders/{order}")
    assert file["decisions"][-1]["decision"] == "review"
    assert [each["reason"] for each in file["decisions"][-1]["reasons"]] == ["courier_face_differs"]
    assert file["open_cases"] == 1


async def test_a_carrier_tells_its_events_once_and_signed(house: House) -> None:
    courier = await house.courier()
    await house.shipped()
    _, mine = await courier.get("/v1/courier/deliveries")
    waybill = mine["deliveries"][0]["waybill"]
    event = {
        "event_id": "e-1",
        "waybill": waybill.lower(),
        "event": "out_for_delivery",
        "happened_at": house.ground.clock().isoformat(),
    }
    assert await house.carrier_tells(event) == (200, {"result": "applied"})
    assert await house.carrier_tells(event) == (200, {"result": "duplicate"})
    assert (await courier.get("/v1/courier/deliveries"))[1]["deliveries"][0]["state"] == "out"
    delivered = {**event, "event_id": "e-2", "event": "delivered"}
    assert await house.carrier_tells(delivered) == (200, {"result": "recorded"})
    assert (await courier.get("/v1/courier/deliveries"))[1]["deliveries"][0]["state"] == "out"

    unknown = {**event, "event_id": "e-3", "waybill": "KK000000000000"}
    for body, code in ((unknown, "unknown_waybill"), ({**unknown, "waybill": "?"}, "unknown_waybill")):
        status, problem = await house.carrier_tells(body)
        assert (status, problem["code"]) == (404, code)
    forged = await house.carrier_tells({**event, "event_id": "e-4"}, secret=b"x" * 32)
    stranger = await house.carrier_tells({**event, "event_id": "e-4"}, carrier="nobody")
    assert {forged[0], stranger[0]} == {401}
    assert forged[1]["code"] == stranger[1]["code"] == "signature_refused"
    status, problem = await house.carrier_tells({"event": "Nonsense!"})
    assert (status, problem["code"]) == (422, "invalid_request")


async def test_an_event_without_signature_is_not_even_read(house: House) -> None:
    for data in (b"", b"{", b"\xff" * 100):
        async with house.client.post(
            "/v1/carriers/kaika/events", data=data, headers={"Content-Type": "application/json"}
        ) as answer:
            assert answer.status == 401


async def test_a_returned_parcel_ends_the_order(house: House) -> None:
    order, courier, path = await out(house)
    operator = await house.staff(Role.OPERATOR)
    _, parcel = await courier.get(path)
    house.ground.clock.forward(timedelta(minutes=1))
    event = {
        "event_id": "back-1",
        "waybill": parcel["waybill"],
        "event": "returned",
        "happened_at": house.ground.clock().isoformat(),
    }
    assert await house.carrier_tells(event) == (200, {"result": "applied"})
    await house.run()
    _, file = await operator.get(f"/v1/operator/orders/{order}")
    assert (file["state"], file["delivery_state"]) == ("returned", "returned")
    status, problem = await courier.post(f"{path}/outcome", await handover(house, order))
    assert (status, problem["code"]) == (409, "delivery_not_out")


async def test_a_refused_parcel_is_taken_back_by_the_operator(house: House) -> None:
    order, courier, path = await out(house)
    operator = await house.staff(Role.OPERATOR)
    await courier.post(f"{path}/outcome", {"outcome": "refused"})
    await house.run()
    back = path.replace("courier", "operator") + "/return"
    assert (await courier.post(back))[0] == 403
    for _ in range(2):
        status, delivery = await operator.post(back)
        assert (status, delivery["state"]) == (200, "returned")
    await house.run()
    _, file = await operator.get(f"/v1/operator/orders/{order}")
    assert (file["state"], file["delivery_state"]) == ("returned", "returned")
    assert (await courier.get("/v1/courier/deliveries"))[1]["deliveries"] == []
    numbers = await (await house.client.get(f"/v1/numbers?pattern={MSISDN}")).json()
    assert [each["msisdn"] for each in numbers["numbers"]] == [MSISDN]
    assert (await operator.post(f"/v1/operator/deliveries/{DeliveryId.new()}/return"))[0] == 404


async def test_what_was_handed_over_does_not_come_back(house: House) -> None:
    order, courier, path = await out(house)
    operator = await house.staff(Role.OPERATOR)
    assert (await courier.post(f"{path}/outcome", await handover(house, order)))[0] == 200
    status, problem = await operator.post(path.replace("courier", "operator") + "/return")
    assert (status, problem["code"]) == (409, "handed_over_already")


async def test_who_holds_an_order_writes_no_numbers_of_people_down(house: House) -> None:
    operator = await house.staff(Role.OPERATOR)
    order, _ = await house.shipped()
    scope = {"kind": "order", "value": order}
    body = {"scope": scope, "reason": f"the police asked about {NUMBER}"}
    status, problem = await operator.post("/v1/holds", body)
    assert (status, problem["errors"][0]["code"]) == (422, "holds_numbers")
    assert NUMBER not in str(problem)


async def test_while_reviewers_look_the_applicant_is_told_to_wait(house: House) -> None:
    courier = await house.courier()
    order, applicant = await house.shipped()
    _, found = await courier.get("/v1/courier/deliveries")
    path = f"/v1/courier/deliveries/{found['deliveries'][0]['delivery_id']}"
    for step in ("collection", "departure"):
        await courier.post(f"{path}/{step}")
    await courier.send("PUT", f"{path}/photo", "image/png", picture("red"))
    assert (await courier.post(f"{path}/outcome", await handover(house, order)))[0] == 200
    assert (await applicant.get(f"/v1/orders/{order}"))[1]["next_step"] == "video_check"
    await house.run()
    _, shown = await applicant.get(f"/v1/orders/{order}")
    assert (shown["state"], shown["next_step"]) == ("delivered", "wait")


async def test_accounts_of_staff(house: House) -> None:
    operator = await house.staff(Role.OPERATOR)
    new = {"username": "reviewer.wang", "password": PASSWORD, "role": "reviewer"}
    status, made = await operator.post("/v1/operator/staff", new)
    assert (status, made["role"]) == (201, "reviewer")
    assert "password" not in made
    reviewer = await house.signed_in("reviewer.wang")
    assert (await reviewer.get("/v1/review/cases"))[0] == 200
    for body, code in (
        (new, "username_taken"),
        ({**new, "username": "x.y.z", "password": "short"}, "account_refused"),
        ({**new, "username": "x.y.z", "role": "courier"}, "account_refused"),
        ({**new, "username": "x.y.z", "role": "courier", "carrier": "kaikai"}, "account_refused"),
        ({**new, "username": "x.y.z", "role": "applicant"}, "invalid_request"),
        ({**new, "username": "Bad Name"}, "invalid_request"),
    ):
        assert (await operator.post("/v1/operator/staff", body))[1]["code"] == code
    status, _ = await operator.post(f"/v1/operator/staff/{made['staff_id']}/end")
    assert status == 200
    house.ground.clock.forward(timedelta(seconds=5))
    assert (await reviewer.get("/v1/review/cases"))[0] == 401
    assert (await operator.post(f"/v1/operator/staff/stf_{'0' * 24}/end"))[0] == 404
    _, other = await operator.post("/v1/operator/staff", {**new, "username": "other", "role": "operator"})
    themselves = await house.signed_in("other")
    status, problem = await themselves.post(f"/v1/operator/staff/{other['staff_id']}/end")
    assert (status, problem["code"]) == (409, "own_account")

"""Holds over HTTP: what stops, what does not, and what an operator can show of it (R9.3)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from activation.ids import OrderId
from activation.order import OrderState
from app.access.principals import Role
from tests.acceptance.delivering import PASSWORD, Caller, House, Json, application, house, with_logistics
from tests.acceptance.test_delivery import handover, out
from tests.app.checking import put_state, with_checks
from tests.app.ground import TEST_DEVICE, Ground, lay_ground
from tests.app.http.walking import add_numbers, codes_sent, key, open_order, order_body

__all__ = ["application", "house"]

BEIJING = {"kind": "province", "value": "北京"}
AUTHORITY = {"name": "北京市通信管理局", "document": "京通管〔2026〕7 号"}
REASON = "abnormal openings in the province"


@pytest.fixture
async def ground(engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[Ground]:
    laid = with_logistics(lay_ground(engine, tmp_path))
    checks = with_checks(laid)
    yield laid
    await checks.close()
    laid.services.door_photos.close()
    laid.close()


async def placed(operator: Caller, scope: Json, authority: Json | None = None) -> Json:
    body = {"scope": scope, "authority": authority, "reason": REASON}
    status, hold = await operator.post("/v1/holds", body)
    assert status == 201, hold
    return hold


async def shown(operator: Caller, hold: Json) -> Json:
    status, detail = await operator.get(f"/v1/holds/{hold['hold_id']}")
    assert status == 200
    return detail


async def lifted(house: House, operator: Caller, hold: Json) -> tuple[int, Json]:
    answer = await operator.post(f"/v1/holds/{hold['hold_id']}/lift", {"reason": "looked into"})
    await house.run()
    return answer


async def test_a_held_order_waits_and_goes_on(house: House) -> None:
    order, courier, path = await out(house)
    operator = await house.staff(Role.OPERATOR)
    assert (await courier.post(f"{path}/outcome", await handover(house, order)))[0] == 200
    hold = await placed(operator, {"kind": "order", "value": order})
    await house.run()
    _, file = await operator.get(f"/v1/operator/orders/{order}")
    assert "held" in [each["reason"] for each in file["decisions"][-1]["reasons"]]
    assert (await lifted(house, operator, hold))[0] == 200
    await house.ground.services.flow.decide(OrderId(order))
    _, file = await operator.get(f"/v1/operator/orders/{order}")
    assert "held" not in [each["reason"] for each in file["decisions"][-1]["reasons"]]


async def test_a_parcel_under_a_hold_is_neither_taken_out_nor_handed_over(house: House) -> None:
    order, courier, path = await out(house)
    operator = await house.staff(Role.OPERATOR)
    earlier = await handover(house, order)
    house.ground.clock.forward(timedelta(minutes=1))
    hold = await placed(operator, BEIJING)
    delivery = path.rpartition("/")[2]
    assert (await courier.get(f"/v1/courier/deliveries/{delivery}"))[1]["stopped"] is True
    house.ground.clock.forward(timedelta(minutes=1))
    status, problem = await courier.post(f"{path}/outcome", await handover(house, order))
    assert (status, problem["code"]) == (409, "order_stopped")
    assert (await shown(operator, hold))["stopped"] == {"delivery": 1}
    # What had happened at the door before the hold was placed is recorded all the same.
    assert (await courier.post(f"{path}/outcome", earlier))[0] == 200


async def test_a_courier_does_not_set_out_under_a_hold(house: House) -> None:
    courier, operator = await house.courier(), await house.staff(Role.OPERATOR)
    await house.shipped()
    _, found = await courier.get("/v1/courier/deliveries")
    path = f"/v1/courier/deliveries/{found['deliveries'][0]['delivery_id']}"
    hold = await placed(operator, BEIJING)
    assert (await courier.post(f"{path}/collection"))[0] == 200
    assert (await courier.post(f"{path}/departure"))[1]["code"] == "order_stopped"
    await lifted(house, operator, hold)
    assert (await courier.post(f"{path}/departure"))[0] == 200


async def test_nobody_signs_in_and_nobody_orders_under_a_hold(house: House) -> None:
    operator = await house.staff(Role.OPERATOR)
    order = await open_order(house.client, house.ground)
    (code,) = await codes_sent(house.ground)
    device = {"Kaika-Device": TEST_DEVICE}
    hold = await placed(operator, BEIJING)

    async def post(path: str, body: Json, language: str = "zh-CN") -> tuple[int, Json]:
        headers = {**key(), **device, "Accept-Language": language}
        async with house.client.post(path, json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    await add_numbers(house.ground, "13800000002")
    for path, body in (
        (f"/v1/orders/{order}/codes", {}),
        (f"/v1/orders/{order}/token", {"code": code}),
        ("/v1/orders", order_body("13800000002", "13900000002")),
    ):
        status, problem = await post(path, body)
        assert (status, problem["code"], problem["title"]) == (403, "paused", "业务暂停办理")
        assert (await post(path, body, "en"))[1]["code"] in ("paused", "code_not_accepted")
        assert REASON not in str(problem)
    elsewhere = order_body("13800000002", "13900000002")
    elsewhere["delivery"].update(region="广东", address="广东省深圳市样本路 1 号")
    assert (await post("/v1/orders", elsewhere))[0] == 201
    wrong = await post(f"/v1/orders/{order}/token", {"code": "000000"})
    assert wrong[1]["code"] == "code_not_accepted"  # says nothing of the hold
    stopped = (await shown(operator, hold))["stopped"]
    assert stopped == {"sign_in": 3, "new_order": 2}
    assert (await lifted(house, operator, hold))[0] == 200
    assert (await post(f"/v1/orders/{order}/codes", {}))[0] in (200, 429)


@pytest.mark.parametrize(("scope", "stops"), [({"kind": "all"}, True), (BEIJING, False)])
async def test_couriers_sign_in_unless_all_is_stopped(house: House, scope: Json, stops: bool) -> None:
    operator = await house.staff(Role.OPERATOR)
    for name, role in (("courier.li", "courier"), ("reviewer.wang", "reviewer")):
        carrier = {"carrier": "kaika"} if role == "courier" else {}
        made = {"username": name, "password": PASSWORD, "role": role, **carrier}
        assert (await operator.post("/v1/operator/staff", made))[0] == 201
    await placed(operator, scope)
    credentials = {"username": "courier.li", "password": PASSWORD}
    async with house.client.post("/v1/staff/token", json=credentials) as answer:
        assert answer.status == (403 if stops else 200)
    await house.signed_in("reviewer.wang")


async def test_a_refresh_under_a_hold_is_put_off_and_works_once_it_is_lifted(house: House) -> None:
    operator = await house.staff(Role.OPERATOR)
    order = await open_order(house.client, house.ground)
    (code,) = await codes_sent(house.ground)
    device = {"Kaika-Device": TEST_DEVICE}
    async with house.client.post(f"/v1/orders/{order}/token", json={"code": code}, headers=device) as answer:
        token = {"refresh_token": (await answer.json())["refresh_token"]}
    hold = await placed(operator, BEIJING)

    async def refresh() -> tuple[int, Json]:
        async with house.client.post("/v1/tokens/refresh", json=token, headers=device) as answer:
            return answer.status, await answer.json()

    for _ in range(2):
        status, problem = await refresh()
        assert (status, problem["code"]) == (403, "paused")
    await lifted(house, operator, hold)
    assert (await refresh())[0] == 200


async def test_no_video_check_begins_under_a_hold(house: House) -> None:
    order, applicant = await house.shipped()
    await put_state(house.ground, order, OrderState.DELIVERED)
    operator = await house.staff(Role.OPERATOR)
    hold = await placed(operator, BEIJING)
    status, problem = await applicant.post(f"/v1/orders/{order}/checks", {})
    assert (status, problem["code"]) == (403, "paused")
    await lifted(house, operator, hold)
    status, made = await applicant.post(f"/v1/orders/{order}/checks", {})
    assert status == 201
    await placed(operator, BEIJING)
    offer = {"type": "offer", "sdp": "v=0"}
    assert (await applicant.post(f"/v1/checks/{made['check_id']}/offer", offer))[1]["code"] == "paused"


async def test_who_ordered_it_is_shown_and_the_authoritys_takes_two_to_lift(house: House) -> None:
    maker, checker = await house.staff(Role.OPERATOR), await house.staff(Role.OPERATOR)
    hold = await placed(maker, {"kind": "all"}, AUTHORITY)
    detail = await shown(maker, hold)
    assert (detail["authority"], detail["document"]) == (AUTHORITY["name"], AUTHORITY["document"])
    assert (detail["scope"], detail["state"], detail["placed_at"]) == ("all", "active", hold["placed_at"])
    status, asked = await lifted(house, maker, hold)
    assert (status, asked["state"], asked["lift_asked_by"]) == (200, "active", hold["placed_by"])
    assert (await lifted(house, maker, hold))[1]["code"] == "second_operator_wanted"
    assert [each["hold_id"] for each in (await maker.get("/v1/holds?active=true"))[1]["holds"]] == [
        hold["hold_id"]
    ]
    status, over = await lifted(house, checker, hold)
    assert (status, over["lifted_by"] != hold["placed_by"]) == (200, True)
    assert (await lifted(house, checker, hold))[1]["code"] == "hold_lifted_already"
    assert (await maker.get("/v1/holds?active=true"))[1] == {"holds": []}
    assert len((await maker.get("/v1/holds"))[1]["holds"]) == 1


async def test_only_operators_have_to_do_with_holds(house: House) -> None:
    operator, courier = await house.staff(Role.OPERATOR), await house.courier()
    body = {"scope": {"kind": "all"}, "reason": REASON}
    hold = await placed(operator, {"kind": "all"})
    for status, _ in (
        await courier.post("/v1/holds", body),
        await courier.get("/v1/holds"),
        await courier.get(f"/v1/holds/{hold['hold_id']}"),
        await courier.post(f"/v1/holds/{hold['hold_id']}/lift", {"reason": REASON}),
    ):
        assert status == 403
    unknown = {**body, "scope": {"kind": "order", "value": "ord_" + "0" * 24}}
    assert (await operator.post("/v1/holds", unknown))[0] == 404
    nowhere = {**body, "scope": {"kind": "province", "value": "Utopia"}}
    status, problem = await operator.post("/v1/holds", nowhere)
    assert (status, problem["errors"][0]["pointer"]) == (422, "/scope")
    assert (await operator.get("/v1/holds/hld_" + "0" * 24))[0] == 404

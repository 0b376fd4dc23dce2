"""Preselection from a free number to a submitted order, over HTTP, on both databases (R1, R3.1, R9.4)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from activation.adapters.sql.store import Store
from activation.evidence import CapturesMeasured, FaceSource
from activation.ids import OrderId
from media.captures import CaptureBusy, HandheldRefusal
from media.images import ImageRefusal
from tests.app.ground import ADDRESS, NAME, NUMBER, OTHER_NUMBER, Ground, back, front, handheld
from tests.app.http import walking as walk
from tests.app.http.conftest import Client


async def test_an_applicant_goes_from_a_free_number_to_a_submitted_order(
    client: Client, ground: Ground
) -> None:
    await walk.add_numbers(ground, "13800000001", "13800000002", "13911112222")
    free = await (await client.get("/v1/numbers", params={"pattern": "138*"})).json()
    assert [each["msisdn"] for each in free["numbers"]] == ["13800000001", "13800000002"]
    walk.script(ground)

    opened = await client.post(
        "/v1/orders", json=walk.order_body(phone="+86 139-0000-0001"), headers=walk.key()
    )
    order = (await opened.json())["order_id"]
    assert opened.headers["Location"] == f"/v1/orders/{order}"
    token = await walk.sign_in(client, ground, order)
    assert await _next_step(client, order, token) == "give_consent"
    await walk.consent(client, order, token)
    assert await _next_step(client, order, token) == "take_captures"
    await walk.capture_all(client, order, token)
    assert await _next_step(client, order, token) == "confirm_reading"

    reading = await (await client.get(f"/v1/orders/{order}/reading", headers=token)).json()
    assert (reading["name"], reading["number"], reading["address"]) == (NAME, NUMBER, ADDRESS)
    body = {"reading_digest": reading["reading_digest"]}
    done = await client.post(f"/v1/orders/{order}/confirmation", json=body, headers={**token, **walk.key()})
    assert (done.status, (await done.json())["state"]) == (201, "submitted")
    shown = await (await client.get(f"/v1/orders/{order}", headers=token)).json()
    assert (shown["state"], shown["next_step"], shown["phone_hint"]) == ("submitted", "wait", "139****0001")
    assert [entry["event"] for entry in shown["timeline"]] == ["opened", "submitted"]

    async with ground.services.readers() as session:
        (fact,) = (await Store().facts.load(session, OrderId(order))).evidence
        document = await Store().orders.document(session, OrderId(order))
    assert isinstance(fact, CapturesMeasured)
    assert document is not None
    assert fact.identity == document.identity
    assert fact.handheld_number == fact.identity.number
    assert fact.valid_today
    assert fact.bareheaded
    pairs = {(each.left, each.right) for each in fact.comparisons}
    assert pairs == {(FaceSource.FRONT_PORTRAIT, FaceSource.HANDHELD_FACE)}
    assert ground.work.begun == [("accept", order, "fact-0")]
    for digest in fact.media:
        assert await ground.services.vault.get(OrderId(order), digest) in (b"front", b"back", b"handheld")


async def test_of_two_who_want_one_number_one_gets_it(client: Client, ground: Ground) -> None:
    await walk.add_numbers(ground)
    bodies = [walk.order_body(phone=phone) for phone in ("13900000001", "13900000002", "13900000003")]
    answers = await asyncio.gather(
        *(client.post("/v1/orders", json=body, headers=walk.key()) for body in bodies)
    )
    assert sorted(answer.status for answer in answers) == [201, 409, 409]
    codes = {(await answer.json())["code"] for answer in answers if answer.status == 409}
    assert codes == {"number_taken"}


async def test_a_number_whose_half_hour_is_over_can_be_taken(client: Client, ground: Ground) -> None:
    order, token, digest = await walk.ready_to_confirm(client, ground)
    ground.clock.forward(timedelta(minutes=31))
    other = await client.post("/v1/orders", json=walk.order_body(phone="13900000002"), headers=walk.key())
    assert other.status == 201
    token = walk.bearer(ground.applicant_token(order))
    late = await client.post(
        f"/v1/orders/{order}/confirmation", json={"reading_digest": digest}, headers={**token, **walk.key()}
    )
    assert (late.status, (await late.json())["code"]) == (409, "number_gone")


async def test_no_picture_is_looked_at_without_consent(client: Client, ground: Ground) -> None:
    order = await walk.open_order(client, ground)
    token = walk.bearer(ground.applicant_token(order))
    status, problem = await walk.put(client, order, token, "id_front", b"never measured")
    assert (status, problem["code"]) == (409, "consent_wanted")
    assert problem["missing"] == ["identity", "face_recognition"]
    assert problem["instead"] == ["store", "attended_call"]
    await walk.consent(client, order, token, "identity", "face_recognition")
    walk.script(ground)
    assert (await walk.put(client, order, token, "id_front", b"front"))[0] == 200
    body = {"kind": "face_recognition", "version": "2026-1", "given": False}
    taken_back = await client.post(f"/v1/orders/{order}/consents", json=body, headers={**token, **walk.key()})
    assert (await taken_back.json())["consents"] == ["identity"]
    assert (await walk.put(client, order, token, "id_back", b"back"))[0] == 409


async def test_a_refused_capture_says_what_to_do_in_both_languages(client: Client, ground: Ground) -> None:
    order = await walk.open_order(client, ground)
    token = walk.bearer(ground.applicant_token(order))
    await walk.consent(client, order, token)
    ground.captures.answers |= {
        b"bad": ImageRefusal.UNREADABLE,
        b"hat": HandheldRefusal.HEAD_COVERED,
        b"full": CaptureBusy(),
    }
    status, problem = await walk.put(client, order, token, "id_front", b"bad")
    assert (status, problem["code"], problem["refusal"]) == (422, "capture_refused", "unreadable")
    assert "照片" in problem["detail"]
    english = {**token, "Accept-Language": "en"}
    status, problem = await walk.put(client, order, english, "handheld", b"hat")
    assert (status, problem["refusal"]) == (422, "head_covered")
    assert "hat" in problem["detail"]
    assert (await walk.put(client, order, token, "id_back", b"full"))[0] == 503


async def test_captures_may_be_taken_again_and_a_new_front_starts_over(
    client: Client, ground: Ground
) -> None:
    order, token, digest = await walk.ready_to_confirm(client, ground)
    ground.captures.answers |= {
        b"other front": front(OTHER_NUMBER, "样本乙", b"other front"),
        b"other hand": handheld(OTHER_NUMBER, b"other hand"),
        b"new hand": handheld(jpeg=b"new hand"),
        b"front again": handheld(jpeg=b"front"),
    }
    status, problem = await walk.put(client, order, token, "handheld", b"other hand")
    assert (status, problem["refusal"]) == (422, "different_documents")
    assert await _reading_digest(client, order, token) == digest
    status, same = await walk.put(client, order, token, "handheld", b"front again")
    assert (status, same["refusal"]) == (422, "same_image_twice")
    assert (await walk.put(client, order, token, "handheld", b"new hand"))[0] == 200
    assert await _reading_digest(client, order, token) != digest
    old = await client.post(
        f"/v1/orders/{order}/confirmation", json={"reading_digest": digest}, headers={**token, **walk.key()}
    )
    assert (old.status, (await old.json())["code"]) == (409, "reading_changed")
    status, accepted = await walk.put(client, order, token, "id_front", b"other front")
    assert status == 200
    assert "handheld" in accepted["take_again"]
    assert "handheld" in accepted["missing"]
    wanted = await client.get(f"/v1/orders/{order}/reading", headers=token)
    assert (wanted.status, (await wanted.json())["code"]) == (409, "captures_wanted")


async def test_nothing_is_submitted_without_every_consent(client: Client, ground: Ground) -> None:
    walk.script(ground)
    order = await walk.open_order(client, ground)
    token = walk.bearer(ground.applicant_token(order))
    await walk.consent(client, order, token, "identity", "face_recognition", "terms")
    await walk.capture_all(client, order, token)
    body = {"reading_digest": await _reading_digest(client, order, token)}
    path = f"/v1/orders/{order}/confirmation"
    answer = await client.post(path, json=body, headers={**token, **walk.key()})
    assert (answer.status, (await answer.json())["missing"]) == (409, ["risk_notice"])


async def test_what_was_submitted_cannot_be_changed(client: Client, ground: Ground) -> None:
    order, token, digest = await walk.ready_to_confirm(client, ground)
    path, body = f"/v1/orders/{order}/confirmation", {"reading_digest": digest}
    answers = await asyncio.gather(
        *(client.post(path, json=body, headers={**token, **walk.key()}) for _ in range(3))
    )
    assert sorted(answer.status for answer in answers) == [201, 409, 409]
    ground.captures.answers[b"later"] = back(jpeg=b"later")
    status, problem = await walk.put(client, order, token, "id_back", b"later")
    assert (status, problem["code"]) == (409, "wrong_state")
    assert ground.work.begun == [("accept", order, "fact-0")]


async def test_an_order_can_be_cancelled_and_its_token_still_reads_it(client: Client, ground: Ground) -> None:
    order, token, _ = await walk.ready_to_confirm(client, ground)
    for _ in range(2):
        answer = await client.post(f"/v1/orders/{order}/cancellation", headers=token)
        assert (answer.status, (await answer.json())["state"]) == (200, "cancelled")
    assert ground.work.begun == [("release", order, "cancelled")]
    shown = await (await client.get(f"/v1/orders/{order}", headers=token)).json()
    assert (shown["next_step"], shown["timeline"][-1]["event"]) == ("order_anew", "cancelled")


async def test_the_code_is_not_sent_to_the_number_that_is_ordered(client: Client, ground: Ground) -> None:
    await walk.add_numbers(ground)
    body = walk.order_body(phone=f"+86 {walk.MSISDN}")
    answer = await client.post("/v1/orders", json=body, headers=walk.key())
    (error,) = (await answer.json())["errors"]
    assert (answer.status, error["pointer"], error["code"]) == (422, "/contact_phone", "number_not_on_yet")


async def _next_step(client: Client, order: str, token: walk.Json) -> str:
    shown = await (await client.get(f"/v1/orders/{order}", headers=token)).json()
    return str(shown["next_step"])


async def _reading_digest(client: Client, order: str, token: walk.Json) -> str:
    reading = await (await client.get(f"/v1/orders/{order}/reading", headers=token)).json()
    return str(reading["reading_digest"])

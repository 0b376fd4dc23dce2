"""Attempts at the video check over HTTP, with a phone at the other end of the connection."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from activation.adapters.sql import checks as stored_checks
from activation.adapters.sql.checks import CheckView
from activation.adapters.sql.decisions import Question
from activation.adapters.sql.hold_tables import HoldRow
from activation.adapters.sql.holds import HoldView
from activation.adapters.sql.store import Store
from activation.adapters.sql.tables import VideoCheckRow
from activation.check import CheckState
from activation.evidence import CheckOutcome, FaceSource, VideoCheckMeasured
from activation.findings import Reason
from activation.gate import Decision, Review, Wait
from activation.holds import HoldState, Scope
from activation.ids import OrderId, StaffId
from activation.order import OrderState
from activation.policy import Policy
from app.access.rates import Limit
from app.check_evidence import _PUTS_AT_ONCE, BUSY_PAUSES
from app.checks import ATTEMPT_SECONDS, RECORDED_WITHIN, Checks
from app.compliance.holds.desk import NewHold
from app.server import build_app
from app.tables import IdempotencyRow
from media.videocheck import limits
from media.webrtc import CheckedOffer, IceSettings, examine
from media.webrtc.phone import PhonePeer
from tests.activation.stand_ins import captures
from tests.app import checking
from tests.app.ground import Ground
from tests.app.http import walking as walk
from tests.app.http.conftest import Client
from tests.media.videocheck.stage import ICCID, NAME, NUMBER, PERSON, Person
from tests.media.webrtc.people import Showing, until

SECONDS = 40
ME = "/v1/orders/{}/checks"


@pytest.fixture
async def checks(ground: Ground) -> AsyncIterator[Checks]:
    opened = checking.with_checks(ground)
    yield opened
    await opened.close()


@pytest.fixture
def application(ground: Ground, checks: Checks) -> Application:
    return build_app(ground.services)


@pytest.fixture
async def order(client: Client, ground: Ground) -> str:
    """Delivered, with everything agreed to."""
    opened = await walk.open_order(client, ground)
    await walk.consent(client, opened, _token(ground, opened))
    await checking.put_state(ground, opened)
    return opened


def _token(ground: Ground, order: str) -> walk.Json:
    return walk.bearer(ground.applicant_token(order))


async def post(
    client: Client, ground: Ground, order: str, path: str, body: walk.Json | None = None
) -> tuple[int, walk.Json]:
    headers = {**_token(ground, order), **walk.key(), "Accept-Language": "en"}
    async with client.post(path, json=body or {}, headers=headers) as answer:
        return answer.status, await answer.json()


async def make(client: Client, ground: Ground, order: str, **body: str) -> walk.Json:
    status, made = await post(client, ground, order, ME.format(order), body)
    assert status == 201, made
    return made


async def connect(client: Client, ground: Ground, order: str, check: str, phone: PhonePeer) -> None:
    body = {"type": "offer", "sdp": await phone.offer()}
    status, answer = await post(client, ground, order, f"/v1/checks/{check}/offer", body)
    assert status == 200, answer
    assert answer["type"] == "answer"
    await phone.accept(answer["sdp"])


async def show(client: Client, ground: Ground, order: str, check: str) -> walk.Json:
    answer = await client.get(f"/v1/checks/{check}", headers=_token(ground, order))
    return dict(await answer.json())


async def test_a_check_becomes_a_fact_with_sealed_pictures(
    client: Client, ground: Ground, order: str
) -> None:
    made = await make(client, ground, order)
    assert made["attempts_left"] == 4
    person = Person()
    phone = PhonePeer(person, person.hear)
    await connect(client, ground, order, made["check_id"], phone)
    assert await phone.result(SECONDS) == "received"
    await phone.close()
    (fact,) = await checking.check_facts(ground, order)
    keys = ground.services.keys.fields
    assert fact.outcome is CheckOutcome.MEASURED
    assert (fact.check, fact.attempt, fact.iccid) == (made["check_id"], 1, ICCID)
    assert fact.document.name == keys.digest("name", NAME)
    assert fact.document.number == keys.digest("number", NUMBER.upper())
    assert fact.liveness is not None
    assert [(each.left, each.right) for each in fact.comparisons] == [
        (FaceSource.LIVE, FaceSource.VIDEO_PORTRAIT)
    ]
    manifest = json.loads(await ground.vault.get(OrderId(order), fact.media[0]))
    assert [each["sha256"] for each in manifest["objects"]] == list(fact.media[1:])
    assert {each["kind"] for each in manifest["objects"]} == {
        *("check_face", "check_turn_left", "check_nod_up", "check_document", "check_sim", "check_clip")
    }
    for digest in fact.media[1:]:
        assert await ground.vault.get(OrderId(order), digest)
    assert NAME not in json.dumps(manifest, ensure_ascii=False)
    assert ("decide", order, f"fact-{0}") in ground.work.begun
    shown = await show(client, ground, order, made["check_id"])
    assert shown == {
        "check_id": made["check_id"],
        "state": "closed",
        "outcome": "received",
        "standing": "deciding",
        "attempts_left": 4,
    }


async def test_each_attempt_has_a_script_of_its_own_and_ends_the_one_before(
    client: Client, ground: Ground, order: str
) -> None:
    first = await make(client, ground, order)
    phone = PhonePeer(Showing(PERSON))
    await connect(client, ground, order, first["check_id"], phone)
    await asyncio.wait_for(phone.opened.wait(), SECONDS)
    second = await make(client, ground, order, profile="no_blink")
    assert checking.PROFILES[-1] == "no_blink"
    assert await phone.result(SECONDS) == "aborted"
    await phone.close()
    assert (await show(client, ground, order, first["check_id"]))["outcome"] == "aborted"
    assert (await show(client, ground, order, second["check_id"]))["outcome"] is None
    outcomes = [fact.outcome for fact in await checking.check_facts(ground, order)]
    assert outcomes == [CheckOutcome.ABORTED]


async def taken(client: Client, ground: Ground, checks: Checks, order: str, times: int) -> list[int]:
    """As often an attempt that was connected; how many were left each time."""
    left = []
    for _ in range(times):
        made = await make(client, ground, order)
        left.append(int(made["attempts_left"]))
        assert await checks._claim(made["check_id"], "f" * 64)
    return left


async def test_five_an_hour(client: Client, ground: Ground, checks: Checks, order: str) -> None:
    assert await taken(client, ground, checks, order, 5) == [4, 3, 2, 1, 0]
    status, problem = await post(client, ground, order, ME.format(order))
    assert (status, problem["code"]) == (429, "too_many_checks")
    assert len(await checking.check_facts(ground, order)) == 4  # the fifth is still open
    ground.clock.forward(timedelta(minutes=61))
    assert (await post(client, ground, order, ME.format(order)))[0] == 201


async def test_what_nobody_had_a_place_for_uses_no_attempt_up_but_is_bounded(
    client: Client, ground: Ground, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full house locks nobody out."""
    monkeypatch.setattr(stored_checks, "MADE_AT_MOST", 8)
    answers = await asyncio.gather(*(post(client, ground, order, ME.format(order)) for _ in range(10)))
    assert sorted(status for status, _ in answers) == [201] * 8 + [429] * 2
    assert {made["attempts_left"] for status, made in answers if status == 201} == {4}


async def test_an_offer_is_answered_once(client: Client, ground: Ground, order: str) -> None:
    made = await make(client, ground, order)
    phone, other = PhonePeer(Showing(PERSON)), PhonePeer(Showing(PERSON))
    await connect(client, ground, order, made["check_id"], phone)
    body = {"type": "offer", "sdp": await other.offer()}
    status, problem = await post(client, ground, order, f"/v1/checks/{made['check_id']}/offer", body)
    assert (status, problem["code"]) == (409, "check_taken")
    await asyncio.gather(phone.close(), other.close())


async def test_a_refused_offer_uses_nothing_up(client: Client, ground: Ground, order: str) -> None:
    check = (await make(client, ground, order))["check_id"]
    for sdp, refusal in (("garbage", "not_sdp"), ("v=0" + "x" * 40_000, "too_large")):
        status, problem = await post(
            client, ground, order, f"/v1/checks/{check}/offer", {"type": "offer", "sdp": sdp}
        )
        assert (status, problem["code"], problem["refusal"]) == (422, "offer_refused", refusal)
        assert "garbage" not in json.dumps(problem)
    phone = PhonePeer(Showing(PERSON))
    await connect(client, ground, order, check, phone)
    await phone.close()


@pytest.mark.parametrize(
    "state", [OrderState.DRAFT, OrderState.ACCEPTED, OrderState.ACTIVE, OrderState.REFUSED]
)
async def test_only_while_a_card_is_on_its_way_or_there(
    client: Client, ground: Ground, order: str, state: OrderState
) -> None:
    await checking.put_state(ground, order, state)
    status, problem = await post(client, ground, order, ME.format(order))
    assert (status, problem["code"]) == (409, "wrong_state")


async def decided(ground: Ground, order: str, answer: Decision) -> None:
    """As if the gate had said so about everything that is known."""
    store, clock = Store(), ground.services.clock
    async with ground.services.sessions.begin() as session:
        facts = await store.facts.load(session, OrderId(order))
        await store.decisions.record(
            session, Question.MAY_ACTIVATE, facts, Policy(str(answer), faces={}), answer, clock()
        )


async def next_step(client: Client, ground: Ground, order: str) -> str:
    answer = await client.get(f"/v1/orders/{order}", headers=_token(ground, order))
    return str((await answer.json())["next_step"])


async def test_a_passed_check_that_reviewers_set_aside_is_done_again(
    client: Client, ground: Ground, order: str
) -> None:
    await checking.put_state(ground, order, OrderState.VERIFIED)
    await decided(ground, order, Wait((Reason.HANDOVER_MISSING,)))
    assert (await post(client, ground, order, ME.format(order)))[0] == 409
    assert await next_step(client, ground, order) == "receive_package"
    await decided(ground, order, Wait((Reason.HANDOVER_MISSING, Reason.VIDEO_CHECK_MISSING)))
    assert await next_step(client, ground, order) == "video_check"
    check = (await make(client, ground, order))["check_id"]
    await post(client, ground, order, f"/v1/checks/{check}/abort")
    assert (await show(client, ground, order, check))["standing"] == "deciding"
    await decided(ground, order, Wait((Reason.VIDEO_CHECK_MISSING,)))
    assert (await show(client, ground, order, check))["standing"] == "try_again"
    await decided(ground, order, Review((Reason.LIVE_FACE_UNCERTAIN,), two_people=False))
    assert (await show(client, ground, order, check))["standing"] == "looked_at"
    await decided(ground, order, Wait((Reason.HANDOVER_MISSING,)))
    assert (await show(client, ground, order, check))["standing"] == "awaiting_delivery"


async def test_only_with_the_consent_to_face_recognition(client: Client, ground: Ground, order: str) -> None:
    taken_back = {"kind": "face_recognition", "version": "2026-1", "given": False}
    await post(client, ground, order, f"/v1/orders/{order}/consents", taken_back)
    status, problem = await post(client, ground, order, ME.format(order))
    assert (status, problem["code"], problem["missing"]) == (409, "consent_wanted", ["face_recognition"])
    assert problem["instead"] == ["store", "attended_call"]


async def agree(client: Client, ground: Ground, order: str, given: bool) -> None:
    said = {"kind": "face_recognition", "version": "2026-1", "given": given}
    assert (await post(client, ground, order, f"/v1/orders/{order}/consents", said))[0] == 201


async def test_agreed_to_anew_after_shipping_there_is_nothing_to_compare_with(
    client: Client, ground: Ground, order: str
) -> None:
    """R9.4: the captures are destroyed; a check would take faces for nothing."""
    async with ground.services.sessions.begin() as session:
        await Store().facts.append(session, OrderId(order), captures())
    assert await next_step(client, ground, order) == "video_check"
    await agree(client, ground, order, given=False)
    await agree(client, ground, order, given=True)
    status, problem = await post(client, ground, order, ME.format(order))
    assert (status, problem["code"]) == (409, "wrong_state")
    assert await next_step(client, ground, order) == "other_way"
    await checking.put_state(ground, order, OrderState.VERIFIED)
    await decided(ground, order, Wait((Reason.CAPTURES_MISSING, Reason.VIDEO_CHECK_MISSING)))
    assert (await post(client, ground, order, ME.format(order)))[0] == 409
    assert await next_step(client, ground, order) == "other_way"


async def test_whoever_is_to_do_another_check_and_takes_the_consent_back_has_the_other_ways(
    client: Client, ground: Ground, order: str
) -> None:
    """R9.4"""
    await checking.put_state(ground, order, OrderState.VERIFIED)
    await decided(ground, order, Wait((Reason.VIDEO_CHECK_MISSING,)))
    assert await next_step(client, ground, order) == "video_check"
    await agree(client, ground, order, given=False)
    assert await next_step(client, ground, order) == "other_way"


async def test_another_applicant_finds_nothing(client: Client, ground: Ground, order: str) -> None:
    check = (await make(client, ground, order))["check_id"]
    other = await walk.open_order(client, ground, "13800000002", "13900000002")
    for path in (f"/v1/checks/{check}/abort", f"/v1/checks/{check}/offer"):
        body = {"type": "offer", "sdp": "v=0"} if path.endswith("offer") else {}
        status, problem = await post(client, ground, other, path, body)
        assert (status, problem["code"]) == (404, "not_found")
    assert (await client.get(f"/v1/checks/{check}", headers=_token(ground, other))).status == 404
    assert (await client.get(f"/v1/checks/{check}")).status == 401


async def test_aborting_counts_and_is_told(client: Client, ground: Ground, order: str) -> None:
    check = (await make(client, ground, order))["check_id"]
    for _ in range(2):
        status, shown = await post(client, ground, order, f"/v1/checks/{check}/abort")
        assert (status, shown["outcome"], shown["attempts_left"]) == (200, "aborted", 5)
    assert len(await checking.check_facts(ground, order)) == 1


async def test_what_nobody_ends_is_swept(client: Client, ground: Ground, checks: Checks, order: str) -> None:
    check = (await make(client, ground, order))["check_id"]
    assert await checks.sweep() == 0
    ground.clock.forward(timedelta(minutes=5))
    assert await checks.sweep() == 1
    assert await checks.sweep() == 0
    (fact,) = await checking.check_facts(ground, order)
    assert fact.outcome is CheckOutcome.EXPIRED
    assert (await show(client, ground, order, check))["outcome"] == "expired"


async def test_one_that_cannot_be_swept_keeps_no_other_open(
    client: Client, ground: Ground, checks: Checks, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await walk.open_order(client, ground, "13800000002", "13900000002")
    await walk.consent(client, other, _token(ground, other))
    await checking.put_state(ground, other)
    stuck = (await make(client, ground, order))["check_id"]
    await make(client, ground, other)
    finish = checks._finish

    async def stumbling(session: AsyncSession, check: CheckView, fact: VideoCheckMeasured) -> bool:
        if check.id == stuck:
            raise RuntimeError("this one cannot be recorded")
        return await finish(session, check, fact)

    monkeypatch.setattr(checks, "_finish", stumbling)
    ground.clock.forward(timedelta(minutes=5))
    assert await checks.sweep() == 1
    assert len(await checking.check_facts(ground, other)) == 1


@pytest.mark.parametrize("how", ["abort", "new attempt"])
async def test_cancelling_wipes_nothing_out(client: Client, ground: Ground, order: str, how: str) -> None:
    check = (await make(client, ground, order))["check_id"]
    heard: list[Mapping[str, Any]] = []
    phone = PhonePeer(Showing(PERSON), heard.append)
    await connect(client, ground, order, check, phone)
    await until(lambda: any(message["type"] == "step" for message in heard))
    if how == "abort":
        status, shown = await post(client, ground, order, f"/v1/checks/{check}/abort")
        assert (status, shown["outcome"]) == (200, "aborted")
    else:
        await make(client, ground, order)
        assert await phone.result(SECONDS) == "aborted"
    await phone.close()
    (fact,) = await checking.check_facts(ground, order)
    assert (fact.check, fact.outcome) == (check, CheckOutcome.ABORTED)
    assert fact.liveness is not None
    assert fact.media


@pytest.mark.parametrize("how", ["abort", "new attempt", "sweep"])
async def test_what_takes_long_to_be_recorded_is_not_overtaken(
    client: Client, ground: Ground, checks: Checks, order: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ENDING_SECONDS", 0.01)
    sealing, kept = asyncio.Event(), checks._evidence.of

    async def slow(*args: Any) -> VideoCheckMeasured:
        await sealing.wait()
        return await kept(*args)

    monkeypatch.setattr(checks._evidence, "of", slow)
    check = (await make(client, ground, order))["check_id"]
    heard: list[Mapping[str, Any]] = []
    phone = PhonePeer(Showing(PERSON), heard.append)
    await connect(client, ground, order, check, phone)
    await until(lambda: any(message["type"] == "step" for message in heard))
    if how == "abort":
        status, shown = await post(client, ground, order, f"/v1/checks/{check}/abort")
        assert (status, shown["outcome"]) == (200, None)
    elif how == "new attempt":
        await make(client, ground, order)
    else:
        ground.clock.forward(timedelta(minutes=5))
        assert await checks.sweep() == 0
        checks.desk.stop(check)
    assert await checking.check_facts(ground, order) == []
    sealing.set()
    assert await phone.result(SECONDS) == "aborted"
    await phone.close()
    (fact,) = await checking.check_facts(ground, order)
    assert fact.check == check
    assert fact.liveness is not None


@pytest.mark.parametrize("how", ["abort", "new attempt"])
async def test_an_attempt_of_another_process_is_left_to_it(
    client: Client, ground: Ground, checks: Checks, order: str, how: str
) -> None:
    check = (await make(client, ground, order))["check_id"]
    async with ground.services.sessions.begin() as session:
        taken = await Store().checks.move(
            session, check, CheckState.CONNECTED, ground.services.clock(), "kaika-other"
        )
    assert taken
    if how == "abort":
        status, shown = await post(client, ground, order, f"/v1/checks/{check}/abort")
        assert (status, shown["outcome"]) == (200, None)
    else:
        await make(client, ground, order)
    assert await checking.check_facts(ground, order) == []
    # Its session may have ended a moment ago, and be about to seal what it saw (R4.2).
    ground.clock.forward(timedelta(seconds=ATTEMPT_SECONDS) + timedelta(minutes=4))
    await checks.sweep()
    assert check not in [fact.check for fact in await checking.check_facts(ground, order)]
    ground.clock.forward(timedelta(minutes=2))
    assert await checks.sweep() == 1
    assert check in [fact.check for fact in await checking.check_facts(ground, order)]


def test_the_sweep_waits_longer_than_a_session_may_take_to_be_recorded() -> None:
    rounds = math.ceil((limits.MAX_KEYFRAMES + 1) / _PUTS_AT_ONCE) + 1  # the clip, and then the manifest
    once = sum(BUSY_PAUSES) * rounds + limits.RECORDING_PAUSE_SECONDS
    answering = 10
    longest = answering + limits.SETTLE_SECONDS + limits.FINISH_SECONDS + limits.RECORDING_TRIES * once
    assert 1.4 * longest < RECORDED_WITHIN.total_seconds()


async def test_what_a_former_run_of_this_process_left_behind_is_ended(
    client: Client, ground: Ground, checks: Checks, order: str
) -> None:
    check = (await make(client, ground, order))["check_id"]
    assert await checks._claim(check, "f" * 64)
    status, shown = await post(client, ground, order, f"/v1/checks/{check}/abort")
    assert (status, shown["outcome"]) == (200, "aborted")


async def test_evidence_that_is_lost_is_logged_and_the_phone_not_told_that_it_was_received(
    client: Client, ground: Ground, order: str, caplog: pytest.LogCaptureFixture
) -> None:
    check = (await make(client, ground, order))["check_id"]
    person = Person()
    phone = PhonePeer(person, person.hear)
    await connect(client, ground, order, check, phone)
    async with ground.services.sessions.begin() as session:
        await Store().checks.move(session, check, CheckState.ABORTED, ground.services.clock())
    assert await phone.result(SECONDS) == "try_again"
    await phone.close()
    assert any("evidence is lost" in line.message and check in line.message for line in caplog.records)


async def test_a_stream_that_ends_is_recorded(client: Client, ground: Ground, order: str) -> None:
    check = (await make(client, ground, order))["check_id"]
    phone = PhonePeer(Showing(PERSON))
    await connect(client, ground, order, check, phone)
    await asyncio.wait_for(phone.opened.wait(), SECONDS)
    await phone.close()
    for _ in range(SECONDS):
        if await checking.check_facts(ground, order):
            break
        await asyncio.sleep(0.5)
    (fact,) = await checking.check_facts(ground, order)
    assert fact.outcome is CheckOutcome.ABORTED
    assert fact.check == check


async def test_a_full_house_asks_to_wait(engine: AsyncEngine, ground: Ground) -> None:
    checks = checking.with_checks(ground, most=1)
    async with TestClient(TestServer(build_app(ground.services))) as client:
        orders = []
        for number in (1, 2):
            opened = await walk.open_order(client, ground, f"1380000000{number}", f"1390000000{number}")
            await walk.consent(client, opened, _token(ground, opened))
            await checking.put_state(ground, opened)
            orders.append(opened)
        made = [await make(client, ground, each) for each in orders]
        (server,) = made[0]["ice_servers"]
        assert server["urls"] == ["turn:turn.test:3478"]
        assert server["username"].endswith(made[0]["check_id"])
        phones = [PhonePeer(Showing(PERSON)) for _ in orders]
        checks.desk._ice = type(checks.desk._ice)()  # no relay is there
        await connect(client, ground, orders[0], made[0]["check_id"], phones[0])
        body = {"type": "offer", "sdp": await phones[1].offer()}
        path = f"/v1/checks/{made[1]['check_id']}/offer"
        status, problem = await post(client, ground, orders[1], path, body)
        assert (status, problem["code"]) == (503, "checks_full")
        with pytest.MonkeyPatch.context() as strict:  # whoever waits for a place does not use the rate up
            strict.setattr("app.http.checks.CHECKS_PER_ADDRESS", Limit("checks.address", 0, 3600))
            status, problem = await post(client, ground, orders[1], path, body)
        assert (status, problem["code"]) == (503, "checks_full")
        await post(client, ground, orders[0], f"/v1/checks/{made[0]['check_id']}/abort")
        await until(lambda: checks.desk.running == 0)
        await connect(client, ground, orders[1], made[1]["check_id"], phones[1])
        await asyncio.gather(*(phone.close() for phone in phones))
    await checks.close()


async def test_an_attempt_belongs_to_the_certificate_of_its_phone(
    client: Client, ground: Ground, order: str
) -> None:
    made = await make(client, ground, order)
    phone = PhonePeer(Showing(PERSON))
    await connect(client, ground, order, made["check_id"], phone)
    offered = examine(await phone.offer())
    assert isinstance(offered, CheckedOffer)
    async with ground.services.readers() as session:
        stored = await session.scalar(sa.select(VideoCheckRow.dtls_fingerprint))
    assert stored == offered.fingerprint
    await phone.close()


async def test_too_many_offers_from_one_address_are_told_to_wait(
    client: Client, ground: Ground, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.http.checks.CHECKS_PER_ADDRESS", Limit("checks.address", 1, 3600))
    check = (await make(client, ground, order))["check_id"]
    answers = [
        await post(client, ground, order, f"/v1/checks/{check}/offer", {"type": "offer", "sdp": "v=0"})
        for _ in range(2)
    ]
    assert [problem["code"] for _, problem in answers] == ["offer_refused", "too_many_requests"]


async def test_credentials_of_the_relay_are_not_kept_and_a_repeated_request_gets_fresh_ones(
    client: Client, ground: Ground, order: str, checks: Checks
) -> None:
    checks.desk._ice = IceSettings(turn_urls=("turn:relay.test:3478",), turn_secret=b"secret")
    sent = {**_token(ground, order), **walk.key()}
    first = await (await client.post(ME.format(order), json={}, headers=sent)).json()
    again = await client.post(ME.format(order), json={}, headers=sent)
    second = await again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert second["check_id"] == first["check_id"]
    (server,) = second["ice_servers"]
    assert server["username"].endswith(first["check_id"])
    assert server["credential"]
    async with ground.services.readers() as session:
        bodies = await session.scalars(sa.select(IdempotencyRow.body))
        (kept,) = [body for body in bodies if body and first["check_id"] in body]
    for secret in (server["credential"], first["ice_servers"][0]["credential"], "relay"):
        assert secret not in kept


async def test_credentials_of_the_relay_end_with_the_attempt(
    client: Client, ground: Ground, order: str, checks: Checks
) -> None:
    checks.desk._ice = IceSettings(turn_urls=("turn:relay.test:3478",), turn_secret=b"secret")
    sent = {**_token(ground, order), **walk.key()}

    async def servers() -> list[walk.Json]:
        async with client.post(ME.format(order), json={}, headers=sent) as answer:
            assert answer.status == 201
            return list((await answer.json())["ice_servers"])

    await servers()
    ground.clock.forward(timedelta(seconds=150))
    (server,) = await servers()
    left = int(server["username"].partition(":")[0]) - time.time()
    assert 0 < left <= ATTEMPT_SECONDS - 150
    scope = NewHold(Scope.parse(f"order:{order}"), "as ordered")
    hold = await ground.services.holds.place(StaffId.new(), scope)
    assert isinstance(hold, HoldView)
    assert await servers() == []
    async with ground.services.sessions.begin() as session:
        await session.execute(sa.update(HoldRow).values(state=HoldState.LIFTED))
    assert len(await servers()) == 1
    ground.clock.forward(timedelta(seconds=ATTEMPT_SECONDS - 150))
    assert await servers() == []


async def test_an_attempt_that_is_over_has_no_relay(
    client: Client, ground: Ground, order: str, checks: Checks
) -> None:
    checks.desk._ice = IceSettings(turn_urls=("turn:relay.test:3478",), turn_secret=b"secret")
    sent = {**_token(ground, order), **walk.key()}
    first = await (await client.post(ME.format(order), json={}, headers=sent)).json()
    await post(client, ground, order, f"/v1/checks/{first['check_id']}/abort")
    again = await (await client.post(ME.format(order), json={}, headers=sent)).json()
    assert (again["check_id"], again["ice_servers"]) == (first["check_id"], [])


async def test_a_consent_taken_back_during_the_check_keeps_nothing_of_the_face(
    client: Client, ground: Ground, order: str
) -> None:
    """R9.4: the session of this process ends; whatever any process has seen is not kept."""
    check = (await make(client, ground, order))["check_id"]
    heard: list[Mapping[str, Any]] = []
    phone = PhonePeer(Showing(PERSON), heard.append)
    await connect(client, ground, order, check, phone)
    await until(lambda: any(message["type"] == "step" for message in heard))
    taken_back = {"kind": "face_recognition", "version": "2026-1", "given": False}
    status, _ = await post(client, ground, order, f"/v1/orders/{order}/consents", taken_back)
    assert status == 201
    assert await phone.result(SECONDS) == "aborted"
    await phone.close()
    (fact,) = await checking.check_facts(ground, order)
    assert (fact.outcome, fact.media, fact.comparisons) == (CheckOutcome.ABORTED, (), ())
    assert fact.liveness is None
    assert await ground.vault.digests(OrderId(order)) == []

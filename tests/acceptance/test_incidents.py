"""Incidents over HTTP: the people concerned out of the trail, measures, deadlines, reports (R9.2)."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from structlog.testing import capture_logs

from activation.acting import acting_as
from activation.adapters.sql.audit import note
from activation.adapters.sql.audit_tables import AuditEntryRow
from activation.ids import OrderId
from app.access.principals import Role
from app.compliance.incidents.alarms import Alarms
from app.compliance.incidents.duties import Duty
from app.compliance.retention.tables import TombstoneRow
from tests.acceptance.delivering import Caller, House, Json, application, ground, house
from tests.activation.stand_ins import PromptWork
from tests.app.ground import NAME, NUMBER
from tests.app.http.walking import MSISDN, PHONE, open_order

__all__ = ["application", "ground", "house"]

WHAT = "a reviewer's pass phrase was found on a forum"


async def opened(operator: Caller, **members: object) -> Json:
    body = {"kind": "leak", "severity": "serious", "what": WHAT, **members}
    status, incident = await operator.post("/v1/incidents", body)
    assert status == 201, incident
    return incident


async def showed(house: House, order: str, reviewer: str, event: str = "evidence.shown") -> None:
    """As the trail has it when somebody has looked."""
    async with house.ground.services.sessions.begin() as session:
        with acting_as(reviewer):
            await note(session, order, event, "R9.1")


async def stored_orders(operator: Caller, incident: Json) -> list[str]:
    status, page = await operator.get(f"/v1/incidents/{incident['incident_id']}/orders")
    assert (status, page["next_after"]) == (200, None)
    return list(page["orders"])


async def test_whose_data_were_shown_to_whom_is_worked_out_from_the_trail(house: House) -> None:
    operator, reviewer = await house.staff(Role.OPERATOR), await house.staff(Role.REVIEWER)
    other = await house.staff(Role.REVIEWER)
    assert reviewer.who is not None
    assert other.who is not None
    seen = await open_order(house.client, house.ground)
    named = await open_order(house.client, house.ground, "13800000002", "13900000002")
    unseen = await open_order(house.client, house.ground, "13800000003", "13900000003")
    await showed(house, seen, reviewer.who.id)
    await showed(house, seen, reviewer.who.id, "identity.shown")
    await showed(house, unseen, other.who.id)
    await showed(house, unseen, reviewer.who.id, "order.shipped")  # no look at anybody's data
    incident = await opened(operator, affected={"accounts": [reviewer.who.id], "orders": [named]})
    assert incident["affected"]["orders"] == 2
    assert incident["affected"]["by_province"] == {"北京": 2}
    assert incident["affected"]["by_event"] == {"evidence.shown": 1, "named": 1}
    assert set(await stored_orders(operator, incident)) == {seen, named}
    path = f"/v1/incidents/{incident['incident_id']}"
    later = {"accounts": [other.who.id], "since": "2000-01-01T00:00:00Z", "until": "2000-01-02T00:00:00Z"}
    assert (await operator.post(f"{path}/affected", later))[1]["orders"] == 2
    widely = {"since": "2000-01-01T00:00:00Z"}
    assert (await operator.post(f"{path}/affected", widely))[1]["orders"] == 3
    assert set(await stored_orders(operator, incident)) == {seen, named, unseen}
    report = (await operator.get(f"{path}/report"))[1]["report"]
    first, second, third = report["worked_out_from"]
    assert (first["accounts"], first["orders"], first["since"]) == ([reviewer.who.id], [named], None)
    assert (second["accounts"], second["until"]) == ([other.who.id], "2000-01-02T00:00:00+00:00")
    assert (third["accounts"], third["since"], third["until"]) == ([], "2000-01-01T00:00:00+00:00", None)
    assert (await operator.get(path))[1]["accounts"] == [reviewer.who.id, other.who.id]


async def test_a_loss_concerns_every_order_whose_data_existed_in_the_time(house: House) -> None:
    operator, now = await house.staff(Role.OPERATOR), house.ground.clock()
    there = await open_order(house.client, house.ground)
    stones = [OrderId.new(), OrderId.new()]
    async with house.ground.services.sessions.begin() as session:
        for order, days in zip(stones, (1, 30), strict=True):
            session.add(
                TombstoneRow(
                    order_id=order,
                    state="ended",
                    kept_as="service",
                    rule="R8.1",
                    opened_at=now - timedelta(days=900),
                    over_at=now - timedelta(days=800),
                    begun_at=now - timedelta(days=days),
                    begun_by="mission:destroy",
                    destroyed_at=now - timedelta(days=days),
                )
            )
    window = {"held": True, "since": (now - timedelta(days=7)).isoformat()}
    incident = await opened(operator, kind="loss", affected=window)
    assert set(await stored_orders(operator, incident)) == {there, stones[0]}
    assert incident["affected"]["by_event"] == {"held": 2}
    before = {**window, "until": (now - timedelta(days=3)).isoformat()}
    assert await stored_orders(operator, await opened(operator, kind="loss", affected=before)) == [stones[0]]


async def test_accounts_are_ended_and_a_hold_is_placed_with_one_call_each(house: House) -> None:
    operator, reviewer = await house.staff(Role.OPERATOR), await house.staff(Role.REVIEWER)
    assert reviewer.who is not None
    assert operator.who is not None
    incident = await opened(operator, affected={"accounts": [reviewer.who.id]})
    path = f"/v1/incidents/{incident['incident_id']}"
    assert (await reviewer.get("/v1/review/cases"))[0] == 200
    ended = await operator.post(f"{path}/accounts/end")
    assert ended == (200, {"accounts": [reviewer.who.id]})
    assert (await reviewer.get("/v1/review/cases"))[0] == 401
    assert await operator.post(f"{path}/accounts/end") == (200, {"accounts": []})  # ended once, noted once
    async with house.ground.services.readers() as session:
        disabled = sa.select(AuditEntryRow.seq).where(AuditEntryRow.event == "staff.disabled")
        assert len((await session.scalars(disabled)).all()) == 1
    wanted = {"scope": {"kind": "all"}, "reason": "until it is looked into"}
    status, hold = await operator.post(f"{path}/holds", wanted)
    assert (status, hold["scope"], hold["state"]) == (201, "all", "active")
    _, detail = await operator.get(path)
    assert [each["kind"] for each in detail["measures"]] == ["accounts_disabled", "hold"]
    own = await opened(operator, affected={"accounts": [operator.who.id]})
    status, problem = await operator.post(f"/v1/incidents/{own['incident_id']}/accounts/end")
    assert (status, problem["code"]) == (409, "own_account")
    nobody = await opened(operator)
    assert (await operator.post(f"/v1/incidents/{nobody['incident_id']}/accounts/end"))[1]["code"] == (
        "incident_names_no_accounts"
    )


async def test_deadlines_alarm_once_and_an_incident_closes_when_all_is_done(house: House) -> None:
    services, clock = house.ground.services, house.ground.clock
    operator = await house.staff(Role.OPERATOR)
    incident = await opened(operator)
    path = f"/v1/incidents/{incident['incident_id']}"
    assert incident["overdue"] == []
    alarms = Alarms(PromptWork(services.sessions), services.readers, clock)
    assert await alarms.count() == {}
    clock.forward(timedelta(minutes=61))
    operator.headers.update((await house.staff(Role.OPERATOR)).headers)  # tokens of operators are short
    with capture_logs() as lines:
        for _ in range(2):
            await alarms.ring()
    assert sorted(each["duty"] for each in lines) == ["remedy", "report_authority"]
    assert await alarms.count() == {Duty.REMEDY: 1, Duty.REPORT_AUTHORITY: 1}
    _, listed = await operator.get("/v1/incidents?open=true")
    assert listed["incidents"][0]["overdue"] == ["remedy", "report_authority"]
    async with services.readers() as session:
        rang = sa.select(AuditEntryRow.content).where(AuditEntryRow.event == "incident.overdue")
        duties = [json.loads(each)["details"]["duty"] for each in await session.scalars(rang)]
    assert sorted(duties) == ["remedy", "report_authority"]
    conclusion = {"conclusion": "the pass phrase was changed, nobody had used it"}
    assert (await operator.post(f"{path}/close", conclusion))[1]["code"] == "incident_duties_open"
    for duty in ("remedy", "report_authority", "tell_people"):
        status, file = await operator.post(f"{path}/duties", {"duty": duty, "reference": "letter 7"})
        assert status == 200
    again = {"duty": "remedy", "reference": "letter 8"}
    assert (await operator.post(f"{path}/duties", again))[1]["code"] == "incident_duty_not_open"
    assert file["overdue"] == []
    assert await alarms.count() == {}
    assert (await operator.post(f"{path}/close", conclusion))[1]["state"] == "closed"
    assert (await operator.post(f"{path}/measures", {"what": "more"}))[1]["code"] == "incident_closed"
    assert (await operator.get("/v1/incidents?open=true"))[1] == {"incidents": []}
    clock.forward(timedelta(days=31))
    operator.headers.update((await house.staff(Role.OPERATOR)).headers)
    assert await alarms.count() == {Duty.FINAL_REPORT: 1}
    late = {"duty": "tell_people", "reference": "letter 9"}
    assert (await operator.post(f"{path}/duties", late))[1]["code"] == "incident_closed"
    final = {"duty": "final_report", "reference": "report 12"}
    status, file = await operator.post(f"{path}/duties", final)
    assert (status, file["state"], file["overdue"]) == (200, "closed", [])
    assert (await operator.post(f"{path}/duties", final))[1]["code"] == "incident_duty_not_open"
    assert await alarms.count() == {}


async def test_the_report_is_ready_to_send_and_names_nobody(house: House) -> None:
    operator = await house.staff(Role.OPERATOR)
    order, _ = await house.shipped()
    incident = await opened(operator, affected={"orders": [order]})
    path = f"/v1/incidents/{incident['incident_id']}"
    await operator.post(f"{path}/measures", {"what": "the pass phrase was changed"})
    status, answer = await operator.get(f"{path}/report")
    report = answer["report"]
    assert (status, report["incident"], report["what"]) == (200, incident["incident_id"], WHAT)
    assert report["affected"]["order_ids"] == [order]
    assert (report["affected"]["people"], report["affected"]["complete"]) == (1, True)
    assert [each["what"] for each in report["measures"]] == ["the pass phrase was changed"]
    assert {each["duty"]: each["in_time"] for each in report["deadlines"]}["remedy"] is None
    status, media_type, pdf = await operator.raw(f"{path}/report.pdf?locale=en")
    assert (status, media_type, pdf[:5]) == (200, "application/pdf", b"%PDF-")
    for personal in (NAME, NUMBER, MSISDN, PHONE, "样本胡同"):
        assert personal not in str(answer)


@pytest.fixture
def receiver(house: House, tmp_path: Path) -> tuple[str, Path]:
    """A certificate of whoever may read the annex, and its key."""
    key = generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "supervision")])
    now = house.ground.clock()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
    )
    path = tmp_path / "key.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate.public_bytes(Encoding.PEM).decode(), path


async def test_the_sealed_annex_is_for_its_receiver_alone(
    house: House, receiver: tuple[str, Path], tmp_path: Path
) -> None:
    operator = await house.staff(Role.OPERATOR)
    order, _ = await house.shipped()
    incident = await opened(operator, affected={"orders": [order]})
    path = f"/v1/incidents/{incident['incident_id']}/annex"
    certificate, key = receiver
    wanted = {"certificate": certificate, "reason": "asked for by the authority"}
    status, problem = await operator.post(path, {**wanted, "certificate": "not a certificate"})
    assert (status, problem["code"]) == (422, "certificate_unusable")
    async with house.client.post(path, json=wanted, headers=operator.headers) as answer:
        sealed = await answer.read()
        assert (answer.status, answer.content_type) == (200, "application/pkcs7-mime")
        assert "Kaika-Next-After" not in answer.headers
    for personal in (NAME, NUMBER, PHONE):
        assert personal.encode() not in sealed
    async with house.ground.services.readers() as session:
        exports = sa.select(AuditEntryRow.seq).where(
            AuditEntryRow.chain == order, AuditEntryRow.event == "export.made"
        )
        assert len((await session.scalars(exports)).all()) == 1
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to open the annex with")
    (tmp_path / "annex.p7m").write_bytes(sealed)
    command = [openssl, "cms", "-decrypt", "-inform", "DER", "-in", str(tmp_path / "annex.p7m")]
    read = await asyncio.to_thread(subprocess.check_output, [*command, "-inkey", str(key)], timeout=30)
    [person] = json.loads(read)["people"]
    assert person == {"order": order, "name": NAME, "number": NUMBER, "phone": PHONE}


async def test_only_operators_have_to_do_with_incidents(house: House) -> None:
    operator, reviewer = await house.staff(Role.OPERATOR), await house.staff(Role.REVIEWER)
    incident = await opened(operator)
    path = f"/v1/incidents/{incident['incident_id']}"
    assert (await reviewer.get(path))[0] == 403
    assert (await reviewer.get(f"{path}/report"))[0] == 403
    new = {"kind": "leak", "severity": "minor", "what": WHAT}
    assert (await reviewer.post("/v1/incidents", new))[0] == 403
    assert (await operator.get("/v1/incidents/inc_" + "0" * 24))[0] == 404
    personal = {"kind": "leak", "severity": "minor", "what": f"the number {NUMBER} was posted"}
    assert (await operator.post("/v1/incidents", personal))[1]["errors"][0]["code"] == "holds_numbers"
    naive = {"kind": "leak", "severity": "minor", "what": WHAT, "discovered_at": "2026-01-01T00:00:00"}
    assert (await operator.post("/v1/incidents", naive))[0] == 422
    assert OrderId.pattern.fullmatch(incident["incident_id"]) is None

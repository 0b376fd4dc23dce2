"""Reviewers over HTTP: what the courier's photo made doubtful, seen, decided by two, every look recorded."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from activation.adapters.sql.tables import EvidenceRow
from app.access.principals import Role
from app.tables import EvidenceLookRow
from tests.acceptance.delivering import Caller, House, Json, application, ground, house, picture
from tests.acceptance.test_delivery import handover, out
from tests.app.ground import NAME, NUMBER
from tests.app.http.walking import bearer

__all__ = ["application", "ground", "house"]


async def other_person(house: House) -> tuple[str, Json]:
    """An order whose courier photographed somebody else, and its case in the queue."""
    order, courier, path = await out(house)
    await courier.send("PUT", f"{path}/photo", "image/png", picture("red"))
    assert (await courier.post(f"{path}/outcome", await handover(house, order)))[0] == 200
    await house.run()
    reviewer = await house.staff(Role.REVIEWER)
    _, queue = await reviewer.get("/v1/review/cases")
    (case,) = queue["cases"]
    return order, case


async def claimed(house: House, case: Json) -> Caller:
    reviewer = await house.staff(Role.REVIEWER)
    status, body = await reviewer.post(f"/v1/review/cases/{case['case_id']}/claim")
    assert status == 200, body
    return reviewer


async def test_the_queue_says_why(house: House) -> None:
    order, case = await other_person(house)
    assert (case["order_id"], case["stage"], case["state"], case["two_people"]) == (
        order,
        "activate",
        "open",
        True,
    )
    assert case["reasons"] == [
        {"reason": "courier_face_differs", "rule": "R4.3", "text": "派送照片与证件照不符。"}
    ]
    house.ground.clock.forward(timedelta(minutes=5))
    reviewer = await house.staff(Role.REVIEWER)
    assert (await reviewer.get("/v1/review/cases"))[1]["cases"][0]["age_s"] == 300


async def test_a_case_shows_scores_and_bands_and_a_masked_identity(house: House) -> None:
    _, case = await other_person(house)
    reviewer = await claimed(house, case)
    status, seen = await reviewer.get(f"/v1/review/cases/{case['case_id']}")
    assert status == 200
    door = next(fact for fact in seen["facts"] if fact["kind"] == "handover")
    assert door["body"]["comparisons"][0]["similarity"] == 0.0
    assert seen["faces"] == {"scripted": {"accept": 0.5, "refuse": 0.3}}
    assert seen["identity"] == {"name": "样**", "number": "110**************1"}
    assert {each["kind"] for each in seen["evidence"]} >= {"courier_photo"}
    assert NAME not in str(seen)
    assert NUMBER not in str(seen)
    other = await house.staff(Role.REVIEWER)
    _, unclaimed = await other.get(f"/v1/review/cases/{case['case_id']}")
    assert (unclaimed["identity"], unclaimed["evidence"], unclaimed["claimed"]) == (None, [], True)


async def test_evidence_is_shown_to_who_has_the_case_and_each_look_recorded(house: House) -> None:
    order, case = await other_person(house)
    reviewer, other = await claimed(house, case), await house.staff(Role.REVIEWER)
    path = f"/v1/review/cases/{case['case_id']}"
    _, seen = await reviewer.get(path)
    photo = next(each for each in seen["evidence"] if each["kind"] == "courier_photo")
    status, media_type, data = await reviewer.raw(f"{path}/evidence/{photo['digest']}")
    assert (status, media_type, len(data)) == (200, "image/jpeg", photo["size"])
    assert data.startswith(b"\xff\xd8")
    assert (await other.get(f"{path}/evidence/{photo['digest']}"))[1]["code"] == "case_not_claimed"
    assert (await reviewer.get(f"{path}/evidence/{'0' * 64}"))[0] == 404
    operator = await house.staff(Role.OPERATOR)
    assert (await operator.get(f"{path}/evidence/{photo['digest']}"))[0] == 403
    async with house.ground.services.readers() as session:
        looks = (await session.scalars(sa.select(EvidenceLookRow.digest))).all()
        stored = await session.scalar(
            sa.select(EvidenceRow.media_type).where(
                EvidenceRow.order_id == order, EvidenceRow.digest == photo["digest"]
            )
        )
    assert photo["digest"] in looks
    assert stored == "image/jpeg"
    house.ground.clock.forward(timedelta(minutes=15))
    house.sign_in_again(reviewer)
    assert (await reviewer.get(f"{path}/evidence/{photo['digest']}"))[0] == 409


async def test_damaged_evidence_is_said_to_be_so(house: House) -> None:
    _, case = await other_person(house)
    reviewer = await claimed(house, case)
    path = f"/v1/review/cases/{case['case_id']}"
    _, seen = await reviewer.get(path)
    photo = next(each for each in seen["evidence"] if each["kind"] == "courier_photo")
    for sealed in (house.ground.services.settings.data_dir / "vault" / "objects").rglob("*"):
        if sealed.is_file():
            sealed.write_bytes(sealed.read_bytes()[:-1] + b"?")
    status, problem = await reviewer.get(f"{path}/evidence/{photo['digest']}")
    assert (status, problem["code"]) == (500, "evidence_damaged")


async def test_two_people_override_and_the_gate_goes_on(house: House) -> None:
    order, case = await other_person(house)
    path = f"/v1/review/cases/{case['case_id']}"
    maker = await claimed(house, case)
    proposal = {"outcome": "approve", "reason": "the photo shows the neighbour, the applicant signed"}
    status, proposed = await maker.post(f"{path}/proposal", proposal)
    assert (status, proposed["state"]) == (200, "proposed")
    word = {"agree": True, "reason": "agreed"}
    assert (await maker.post(f"{path}/claim"))[1]["code"] == "second_person_wanted"
    assert (await maker.post(f"{path}/confirmation", word))[0] == 409
    checker = await claimed(house, case)
    _, seen = await checker.get(path)
    assert seen["proposal"] == {**proposal, "mine": False}
    status, decided = await checker.post(f"{path}/confirmation", word)
    assert (status, decided["state"]) == (200, "decided")
    await house.run()
    operator = await house.staff(Role.OPERATOR)
    _, file = await operator.get(f"/v1/operator/orders/{order}")
    assert (file["open_cases"], file["state"]) == (0, "delivered")
    assert [each["reason"] for each in file["decisions"][-1]["reasons"]] == ["video_check_missing"]


async def test_bad_words_of_reviewers(house: House) -> None:
    _, case = await other_person(house)
    path = f"/v1/review/cases/{case['case_id']}"
    reviewer = await claimed(house, case)
    for proposal, where in (
        ({"outcome": "activate", "reason": "at once"}, "/outcome"),
        ({"outcome": "approve", "reason": ""}, "/reason"),
        ({"outcome": "approve", "reason": f"number {NUMBER}"}, "/reason"),
        ({"outcome": "approve", "reason": "fine", "name": "another"}, "/*"),
    ):
        status, problem = await reviewer.post(f"{path}/proposal", proposal)
        assert (status, problem["errors"][0]["pointer"]) == (422, where)
    assert (await reviewer.get("/v1/review/cases/cas_" + "0" * 24))[0] == 404
    assert (await reviewer.get("/v1/review/cases/nonsense"))[0] == 404


async def test_only_reviewers_review(house: House) -> None:
    order, case = await other_person(house)
    path = f"/v1/review/cases/{case['case_id']}"
    courier, operator = await house.courier(), await house.staff(Role.OPERATOR)
    applicant = Caller(house.client, bearer(house.ground.applicant_token(order)))
    for nobody in (courier, operator, applicant):
        assert (await nobody.get("/v1/review/cases"))[0] == 403
        assert (await nobody.get(path))[0] == 403
        assert (await nobody.post(f"{path}/claim"))[0] == 403

"""The operator fills the stock from CSV files."""

from __future__ import annotations

import pytest

from app.access.principals import Role
from tests.acceptance.delivering import House, application, ground, house
from tests.activation.stand_ins import card

__all__ = ["application", "ground", "house"]

SIMS, NUMBERS = "/v1/operator/sims/imports", "/v1/operator/numbers/imports"


def csv(count: int) -> bytes:
    lines = [f"{iccid},{imsi}" for iccid, imsi in map(card, range(count))]
    return "\r\n".join(["﻿iccid,imsi", *lines, ""]).encode()


async def test_cards_are_imported_and_bad_lines_told(house: House) -> None:
    operator = await house.staff(Role.OPERATOR)
    data = csv(3) + b"123,456\r\n"
    status, report = await operator.send("POST", f"{SIMS}?batch=b-1", "text/csv; charset=utf-8", data)
    assert (status, report["imported"], report["bad"]) == (200, 3, 1)
    (bad,) = report["bad_lines"]
    assert (bad["line"], bad["reason"]) == (5, "iccid_invalid")
    assert "ICCID" in bad["detail"]
    status, again = await operator.send("POST", f"{SIMS}?batch=b-1", "text/csv", data)
    assert (status, again["imported"], again["unchanged"]) == (200, 0, 3)


async def test_numbers_are_imported_and_can_be_found(house: House) -> None:
    operator = await house.staff(Role.OPERATOR)
    data = "msisdn,region\n13800000011,北京\n13800000012,\n".encode()
    status, report = await operator.send("POST", f"{NUMBERS}?region=%E4%B8%8A%E6%B5%B7", "text/csv", data)
    assert (status, report["imported"]) == (200, 2)
    async with house.client.get("/v1/numbers?pattern=*12") as answer:
        assert [each["msisdn"] for each in (await answer.json())["numbers"]] == ["13800000012"]


@pytest.mark.parametrize(
    ("media_type", "data", "status", "code", "refusal"),
    [
        ("text/csv", b"", 422, "csv_refused", "empty"),
        ("text/csv", "iccid,imsi\n".encode("utf-16"), 422, "csv_refused", "wrong_encoding"),
        ("text/csv", b"imsi,batch\n1,2\n", 422, "csv_refused", "heading"),
        ("application/json", b"{}", 415, "wrong_media_type", None),
        ("text/csv", b"x" * 12_000_001, 413, "body_too_large", None),
    ],
)
async def test_files_that_cannot_be_imported(
    house: House, media_type: str, data: bytes, status: int, code: str, refusal: str | None
) -> None:
    operator = await house.staff(Role.OPERATOR)
    found, problem = await operator.send("POST", SIMS, media_type, data)
    assert (found, problem["code"], problem.get("refusal")) == (status, code, refusal)


async def test_only_operators_import(house: House) -> None:
    for role in (Role.COURIER, Role.REVIEWER):
        caller = await house.staff(role, "kaika" if role is Role.COURIER else None)
        for path in (SIMS, NUMBERS):
            assert (await caller.send("POST", path, "text/csv", csv(1)))[0] == 403

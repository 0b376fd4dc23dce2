"""Logs are JSON lines that name what happened and nobody to whom it happened."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog
from prometheus_client import generate_latest

from app.logs import blot, configure_logs
from tests.app.ground import ADDRESS, NAME, NUMBER, Ground
from tests.app.http import walking as walk
from tests.app.http.conftest import Client, application, client, ground, no_blocking

__all__ = ["application", "client", "ground", "no_blocking"]


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What is logged, in JSON, from every library, at the chattiest level that an operator may choose."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    stream = io.StringIO()
    configure_logs("DEBUG", stream=stream)
    yield stream
    root.handlers[:], level = before
    root.setLevel(level)
    structlog.reset_defaults()


async def test_a_whole_preselection_leaves_nothing_personal(
    written: io.StringIO, client: Client, ground: Ground
) -> None:
    order, token, digest = await walk.ready_to_confirm(client, ground)
    await client.post(
        f"/v1/orders/{order}/confirmation", json={"reading_digest": digest}, headers={**token, **walk.key()}
    )
    await client.get(f"/v1/numbers?pattern={walk.MSISDN}")
    await client.get("/sandbox/messages", params={"to": walk.PHONE})
    await client.post("/v1/orders", json={"contact_phone": walk.PHONE, NAME: NUMBER}, headers=walk.key())
    text = written.getvalue()
    codes = await walk.codes_sent(ground)
    for personal in (NAME, NUMBER, ADDRESS, walk.PHONE, walk.MSISDN, "样本"):
        assert personal not in text
    assert token["Authorization"].split()[1] not in text
    lines = [json.loads(line) for line in text.splitlines()]
    # Six digits stand by chance in a time or a random id.
    told = [{**line, "timestamp": "", "request_id": "", "ms": ""} for line in lines]
    assert not any(code in json.dumps(told) for code in codes)
    requests = [line for line in lines if line["event"] == "request"]
    assert {"/v1/orders/{order_id}/captures/{kind}", "/v1/numbers"} <= {line["route"] for line in requests}
    assert all(len(line["request_id"]) == 16 for line in requests)
    assert not any(order in json.dumps(line) for line in requests)


async def test_a_fault_is_logged_by_type_and_place_without_its_text(
    written: io.StringIO, client: Client, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError(f"{NAME} {NUMBER}")

    monkeypatch.setattr("app.http.orders.open_order", broken)
    await client.post("/v1/orders", json=walk.order_body(), headers=walk.key())
    (fault,) = [line for line in map(json.loads, written.getvalue().splitlines()) if line["event"] == "fault"]
    assert fault["error"]["type"] == "builtins.RuntimeError"
    assert any("broken" in place for place in fault["error"]["at"])
    assert NUMBER not in written.getvalue()
    assert NAME not in written.getvalue()


@pytest.mark.parametrize("beside", ["", " ", "=", "a", "data", "F", "_", "x", "年", "\t", "+86"])
@pytest.mark.parametrize("number", [walk.PHONE, NUMBER, "11010519491231002X", "898600000000000000 1"])
def test_numbers_are_blotted_whatever_stands_beside_them(number: str, beside: str) -> None:
    for text in (f"{beside}{number}", f"{number}{beside}", f"of {beside}{number}{beside} it"):
        assert number[:11] not in blot(text)


@pytest.mark.parametrize("known", ["ord_12345678901234567890abcd", "ab" + "1" * 30, "1234567890abcdef"])
def test_ids_can_be_read(known: str) -> None:
    assert blot(f"order {known} failed") == f"order {known} failed"


def test_what_libraries_log_goes_through_the_same_net(written: io.StringIO) -> None:
    try:
        raise ValueError(f"bad row {NUMBER}")
    except ValueError:
        logging.getLogger("library").exception("could not write %s of %s", NUMBER, NAME)
    (line,) = map(json.loads, written.getvalue().splitlines())
    assert NUMBER not in str(line)
    assert NAME not in str(line)
    assert line["error"]["type"] == "builtins.ValueError"
    assert line["logger"] == "library"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("call 13900000001 now", "call … now"),
        ("+86 139-0000-0001", "…"),
        (NUMBER, "…"),
        ("11010119900307001X.", "…."),
        ("ord_0123456789abcdef01234567", "ord_0123456789abcdef01234567"),
        ("took 1234 ms", "took 1234 ms"),
        ("住在北京市", "…"),
        (str("住在".encode()), "b'…'"),
        ("GET /x?name=%E4%BD%8F%e5%9c%a8", "GET /x?name=…"),
        ('{"a": "\\u4f4f\\u5728"}', '{"a": "…"}'),
        ("request from 192.168.1.20", "request from …"),
    ],
)
def test_numbers_and_names_are_blotted_out(text: str, left: str) -> None:
    assert blot(text) == left


@dataclass
class Somebody:
    name: str


@pytest.mark.parametrize("json_lines", [True, False])
@pytest.mark.parametrize(
    "value",
    [
        {"name": NAME, "deep": [{"number": NUMBER}]},
        {NUMBER: 1, NAME: 2},
        [NAME, (NUMBER, {walk.PHONE})],
        int(walk.PHONE),
        float(walk.PHONE),
        NAME.encode(),
        Somebody(NAME),
        RuntimeError(NAME, NUMBER),
        [[[[[[NAME]]]]]],
        Path(NAME) / NUMBER,
    ],
)
def test_no_value_of_any_kind_carries_a_person(value: object, json_lines: bool) -> None:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    stream = io.StringIO()
    configure_logs("DEBUG", json=json_lines, stream=stream)
    structlog.get_logger("x").info("hello", told=value, fine={"count": 3, "share": 0.5, "known": True})
    logging.getLogger("library").warning("told %s", value)
    root.handlers[:], level = before
    root.setLevel(level)
    structlog.reset_defaults()
    text = stream.getvalue()
    escaped = repr(NAME.encode())[2:-1]
    for personal in (NAME, NUMBER, walk.PHONE, json.dumps(NAME)[1:-1], escaped, escaped[1:].split("\\")[0]):
        assert personal not in text
    assert "share" in text
    assert "0.5" in text


async def test_metrics_and_problems_carry_no_person(client: Client, ground: Ground) -> None:
    order, token, _ = await walk.ready_to_confirm(client, ground)
    said = []
    for path in (f"/v1/orders/{NAME}", f"/v1/numbers?{NUMBER}={walk.PHONE}", f"/v1/orders/{order}/{NUMBER}"):
        said.append(await (await client.get(path, headers=token)).text())
    said.append(await (await client.post("/v1/orders", json={NAME: NUMBER}, headers=walk.key())).text())
    said.append(generate_latest().decode())
    for personal in (NAME, NUMBER, ADDRESS, walk.PHONE, order):
        assert not any(personal in text for text in said)


async def test_no_address_of_a_page_or_call_has_room_for_a_person(client: Client) -> None:
    """R9.1: what stands in an address ends in proxies' logs. Only ids of ours, digests and kinds may."""
    document = await (await client.get("/openapi.json")).json()
    names = {
        parameter["name"]
        for path in document["paths"].values()
        for operation in path.values()
        for parameter in operation["parameters"]
        if parameter["in"] in ("path", "query")
    }
    # `name` is a file's or a carrier's; the sandbox's `to` is absent in production.
    personal = {"phone", "contact_phone", "number", "address", "recipient", "code", "token", "reason"}
    assert names & personal == set()


def test_console_logs_go_through_it_too() -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    configure_logs("INFO", json=False, stream=stream)
    structlog.get_logger("x").info("hello", phone=walk.PHONE, error={"type": "T", "at": []})
    root.handlers[:], level = before
    root.setLevel(level)
    structlog.reset_defaults()
    assert "hello" in stream.getvalue()
    assert walk.PHONE not in stream.getvalue()

"""The report as PDF: Chinese in a font that every reader has, everything that must stand in it."""

from __future__ import annotations

import base64
import re
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from activation.ids import IncidentId, OrderId, StaffId
from app.compliance.incidents.affected import Affected
from app.compliance.incidents.duties import (
    Criteria,
    Duty,
    IncidentKind,
    IncidentState,
    Severity,
    deadlines,
)
from app.compliance.incidents.incidents import Deadline, Incident, IncidentFile, Measure
from app.compliance.incidents.pdf import PRINTED_ORDERS, report_pdf
from app.compliance.incidents.report import Report
from app.texts.text import Locale

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
BY = StaffId.new()


def report(orders: int = 3) -> Report:
    due = deadlines(Severity.GRAVE, NOW)
    incident = Incident(
        id=IncidentId.new(),
        kind=IncidentKind.LEAK,
        severity=Severity.GRAVE,
        state=IncidentState.OPEN,
        what="审核员口令 <外泄> & 已更换",
        searches=(Criteria((BY,)),),
        discovered_at=NOW,
        opened_at=NOW,
        opened_by=BY,
        searched_at=NOW,
        closed_at=None,
        closed_by=None,
        conclusion=None,
        deadlines=tuple(Deadline(duty, at, None, None, None) for duty, at in due.items()),
    )
    affected = Affected(orders, orders, {"广东": orders}, {"evidence.shown": orders})
    measures = (Measure("note", "已更换口令", BY, NOW),)
    ids = tuple(OrderId.new() for _ in range(orders))
    return Report(IncidentFile(incident, measures, affected), ids, NOW)


#: Bytes that a PDF writes with a letter.
ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def text_of(pdf: bytes) -> str:
    """Everything that is drawn: the Chinese font's strings are UCS-2, the other's are ASCII."""
    told, chinese = "", False
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        clear = zlib.decompress(base64.a85decode(b"<~" + stream.strip(), adobe=True))
        for font, drawn in re.findall(rb"/(F\d) |\(((?:[^\\()]|\\.)*)\) Tj", clear, re.DOTALL):
            if font:
                chinese = font == b"F2"
            else:
                raw = re.sub(rb"\\([0-7]{3}|.)", _unescaped, drawn, flags=re.DOTALL)
                told += raw.decode("utf-16-be" if chinese else "latin-1")
    return told


def _unescaped(found: re.Match[bytes]) -> bytes:
    code = found[1]
    return bytes([int(code, 8)]) if code.isdigit() else ESCAPES.get(code, code)


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        (Locale.ZH_CN, ("用户个人信息安全事件报告", "广东 3", "已更换口令", "报告主管部门", "未完成")),
        (Locale.EN, ("Report on an incident with identity data", "Reported to the authority", "not done")),
    ],
)
def test_the_report_says_what_must_be_said(locale: Locale, words: tuple[str, ...]) -> None:
    pdf = report_pdf(report(), locale)
    assert pdf.startswith(b"%PDF-")
    assert b"STSong-Light" in pdf
    told = "".join(text_of(pdf).split())
    for word in (*words, "<外泄>&已更换"):
        assert "".join(word.split()) in told


def test_a_report_on_many_orders_prints_some_and_says_so() -> None:
    many = report(PRINTED_ORDERS + 1)
    told = text_of(report_pdf(many, Locale.EN))
    assert many.orders[PRINTED_ORDERS - 1] in told
    assert many.orders[PRINTED_ORDERS] not in told
    assert "Not all orders are listed" in told


def test_only_what_can_have_serious_consequences_is_reported() -> None:
    assert set(deadlines(Severity.MINOR, NOW)) == {Duty.REMEDY}
    serious = deadlines(Severity.SERIOUS, NOW)
    assert serious[Duty.REPORT_AUTHORITY] == NOW + timedelta(hours=1)
    assert serious[Duty.TELL_PEOPLE] == NOW + timedelta(hours=72)


def test_a_report_says_whether_a_duty_was_done_in_time() -> None:
    file = report().file
    late = replace(file.incident.deadlines[0], done_at=NOW + timedelta(hours=2), done_by=BY, reference="7")
    incident = replace(file.incident, deadlines=(late,))
    [told] = Report(replace(file, incident=incident), (), NOW).json()["deadlines"]
    assert (told["duty"], told["in_time"], told["reference"]) == ("remedy", False, "7")

"""The report as PDF, in Chinese or English. STSong-Light is one of the CID fonts that every reader has.

Takes some milliseconds per page: call it in a thread.
"""

from __future__ import annotations

import io
from typing import Any
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table

from app.compliance.incidents.report import Report
from app.texts.incidents import WORDS
from app.texts.text import Locale

FONT = "STSong-Light"
#: Ids of orders that are printed; the JSON has more.
PRINTED_ORDERS = 2_000
CHINA = ZoneInfo("Asia/Shanghai")

_HEAD = ParagraphStyle("head", fontName=FONT, fontSize=17, leading=24, spaceAfter=6)
_PART = ParagraphStyle("part", fontName=FONT, fontSize=12, leading=18, spaceBefore=8, spaceAfter=3)
_TEXT = ParagraphStyle("text", fontName=FONT, fontSize=9.5, leading=14, wordWrap="CJK")
_IDS = ParagraphStyle("ids", parent=_TEXT, fontName="Courier", fontSize=7, leading=9)


def report_pdf(report: Report, locale: Locale) -> bytes:
    """The whole file, A4."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    out = io.BytesIO()
    title = _Page(report, locale).word("title")
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        title=title,
        author="Kaika",
        margins=20 * mm,
        topMargin=18 * mm,
        bottomMargin=18 * mm,
    )
    document.build(_Page(report, locale).parts())
    return out.getvalue()


class _Page:
    def __init__(self, report: Report, locale: Locale) -> None:
        self._report, self._locale = report, locale

    def word(self, key: str) -> str:
        return WORDS[key].in_(self._locale)

    def parts(self) -> list[Flowable]:
        """In the order of reading."""
        incident = self._report.file.incident
        about = [
            ("incident", incident.id),
            ("kind", self.word(incident.kind)),
            ("severity", self.word(incident.severity)),
            ("state", self.word(incident.state)),
            ("discovered_at", self._at(incident.discovered_at)),
            ("recorded_at", self._at(incident.opened_at)),
            ("closed_at", self._at(incident.closed_at)),
            ("made_at", self._at(self._report.made_at)),
        ]
        return [
            Paragraph(self.word("title"), _HEAD),
            self._table([(self.word(key), value) for key, value in about]),
            *self._part("what", [incident.what]),
            *self._part("conclusion", [incident.conclusion] if incident.conclusion else []),
            *self._affected(),
            *self._part("measures", list(self._measures())),
            *self._part("deadlines", list(self._deadlines())),
            *self._orders(),
        ]

    def _affected(self) -> list[Flowable]:
        affected = self._report.file.affected
        provinces = ", ".join(
            f"{name or self.word('unknown')} {number}" for name, number in affected.by_province.items()
        )
        rows = [("people", affected.people), ("orders", affected.orders), ("by_province", provinces or "0")]
        table = self._table([(self.word(key), str(value)) for key, value in rows])
        return [Paragraph(self.word("affected"), _PART), table]

    def _measures(self) -> list[str]:
        return [
            f"{self._at(each.at)}  {self.word(each.kind)}: {each.what}" for each in self._report.file.measures
        ]

    def _deadlines(self) -> list[str]:
        lines = []
        for each in self._report.file.incident.deadlines:
            done = self._at(each.done_at) if each.done_at else self.word("not_done")
            reference = f" ({each.reference})" if each.reference else ""
            due = f"{self.word('due_at')} {self._at(each.due_at)}"
            lines.append(f"{self.word(each.duty)}: {due}; {self.word('done_at')}: {done}{reference}")
        return lines

    def _orders(self) -> list[Flowable]:
        printed = self._report.orders[:PRINTED_ORDERS]
        parts: list[Flowable] = [Paragraph(self.word("order_ids"), _PART)]
        parts.append(Paragraph("  ".join(printed) if printed else "-", _IDS))
        if len(printed) < self._report.file.affected.orders:
            parts.append(Paragraph(self.word("not_all"), _TEXT))
        return parts

    def _part(self, key: str, lines: list[str]) -> list[Flowable]:
        told = [Paragraph(escape(line), _TEXT) for line in lines or [self.word("none")]]
        return [Paragraph(self.word(key), _PART), *told, Spacer(0, 2)]

    def _table(self, rows: list[tuple[str, str]]) -> Flowable:
        cells = [[Paragraph(escape(name), _TEXT), Paragraph(escape(value), _TEXT)] for name, value in rows]
        return Table(
            cells, colWidths=[42 * mm, 118 * mm], hAlign="LEFT", style=[("TOPPADDING", (0, 0), (-1, -1), 1)]
        )

    def _at(self, at: Any) -> str:
        return "-" if at is None else f"{at.astimezone(CHINA):%Y-%m-%d %H:%M:%S} (UTC+8)"

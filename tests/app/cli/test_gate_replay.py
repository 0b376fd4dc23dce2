"""`python -m app gate replay ORDER` says the same as was recorded, and says so when the gate has changed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from activation import gate
from activation.adapters.sql.decisions import Decisions, Question
from activation.adapters.sql.engine import open_engine, open_sessions
from activation.evidence import Facts, Hold
from activation.gate import Pass
from activation.ids import OrderId, StaffId
from activation.policy import FaceBand, Policy
from app.cli.gate_replay import DIFFERENT, NOTHING, SAME, replay, run

POLICY = Policy(version="test", faces={"studio": FaceBand(0.5, 0.3)})
NOW = datetime(2026, 3, 1, tzinfo=UTC)


async def recorded(url: str) -> OrderId:
    """An order about which two decisions were made."""
    order_id = OrderId.new()
    engine = open_engine(url)
    held = Facts(order_id, (Hold(NOW, "order", True, StaffId.new(), "asked by the authority"),))
    async with open_sessions(engine).begin() as session:
        for facts in (Facts(order_id), held):
            for question in Question:
                answer = question.ask(facts, POLICY)
                await Decisions().record(session, question, facts, POLICY, answer, NOW)
    await engine.dispose()
    return order_id


async def test_it_says_the_same(sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    order_id = await recorded(sqlite_url)
    assert await replay(sqlite_url, order_id) == SAME
    shown = capsys.readouterr().out
    assert "4 of 4 decisions are the same" in shown
    assert "wait: held (R9.3)" in shown


async def test_it_says_when_the_gate_answers_otherwise_today(
    sqlite_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = await recorded(sqlite_url)
    monkeypatch.setattr(gate, "_conclude", lambda *_: Pass())
    assert await replay(sqlite_url, order_id) == DIFFERENT
    shown = capsys.readouterr().out
    assert "DIFFERENT" in shown
    assert "0 of 4 decisions are the same" in shown


async def test_it_says_when_there_is_nothing(sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert await replay(sqlite_url, OrderId.new()) == NOTHING
    assert "no decision" in capsys.readouterr().err


def test_what_is_no_order_id_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    class Arguments:
        order = "1; DROP TABLE orders"

    assert run(Arguments()) == NOTHING  # type: ignore[arg-type]
    assert "DROP" not in capsys.readouterr().err

"""The commands of retention, over settings, as an operator runs them; missions on the real engine."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

import migrations
from activation.adapters.durable import DurableWork
from activation.adapters.sql.engine import open_engine, open_sessions
from activation.adapters.sql.orders import NewOrder, Orders
from activation.adapters.sql.tables import OrderRow
from activation.ids import Msisdn, OrderId
from activation.order import OrderState as S
from activation.order_keys import order_keys
from app.cli import main
from app.config import load_settings
from app.records import open_records
from tests.activation.stand_ins import make_bench

TEN_DAYS = timedelta(days=10)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KAIKA_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return tmp_path


async def _another(number: int) -> OrderId:
    """One more draft that expired ten days ago."""
    order_id, then = OrderId.new(), datetime.now(UTC) - TEN_DAYS
    async with open_records(load_settings()) as records:
        await order_keys().create(order_id)
        async with records.sessions.begin() as session:
            new = NewOrder(order_id, Msisdn(f"1380000{number:04d}"), Msisdn("13900000001"), "样本胡同 1 号")
            await Orders().create(session, new, then, then)
            of_it = sa.update(OrderRow).where(OrderRow.id == order_id)
            await session.execute(of_it.values(state=S.EXPIRED, changed_at=then, due_at=None))
    return order_id


def test_what_the_limit_leaves_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(_expired())
    for number in (11, 12):
        asyncio.run(_another(number))
    assert main(["retention", "run", "--limit", "2"]) == 1
    said = capsys.readouterr().out
    assert "2 orders destroyed" in said
    assert "at least 1 left" in said
    assert main(["retention", "run", "--limit", "2"]) == 0


def test_no_trace_and_an_empty_key_store_prove_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    order_id = asyncio.run(_expired())
    assert main(["retention", "prove", OrderId.new()]) == 3
    assert "no trace" in capsys.readouterr().out
    living = asyncio.run(_another(11))
    assert main(["retention", "prove", living]) == 1
    for path in (folder / "keystore").rglob("*.key"):
        path.unlink()
    assert main(["retention", "prove", order_id]) == 3
    assert "opens no living order" in capsys.readouterr().out


async def _expired() -> OrderId:
    """A migrated database that a server has run on, and one draft that expired ten days ago."""
    settings = load_settings()
    await migrations.upgrade(settings.database_url)
    engine = open_engine(settings.database_url)
    work = DurableWork(settings.database_url, engine, "kaika-test")
    await work.start(make_bench(open_sessions(engine), work).flow)
    await work.stop()
    logging.getLogger("dbos").handlers.clear()  # they write to this test's captured stream
    await engine.dispose()
    order_id, then = OrderId.new(), datetime.now(UTC) - TEN_DAYS
    async with open_records(settings) as records:
        await order_keys().create(order_id)
        await records.vault.put(order_id, "id_front", "image/jpeg", b"a picture")
        async with records.sessions.begin() as session:
            new = NewOrder(order_id, Msisdn("13800000001"), Msisdn("13900000001"), "样本胡同 1 号")
            await Orders().create(session, new, then, then)
            await session.execute(sa.update(OrderRow).values(state=S.EXPIRED, changed_at=then, due_at=None))
    return order_id


def test_plan_run_and_prove(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    order_id = asyncio.run(_expired())
    assert main(["retention", "prove", order_id]) == 1
    assert "SOMETHING OPENS" in capsys.readouterr().out
    assert main(["retention", "plan"]) == 0
    (line,) = [each for each in capsys.readouterr().out.splitlines() if each.startswith("never_confirmed")]
    assert line.split()[1:4] == ["R8.2", "1", "0"]
    assert main(["retention", "run"]) == 0
    assert "1 orders destroyed" in capsys.readouterr().out
    assert main(["retention", "run"]) == 0
    assert "0 orders destroyed" in capsys.readouterr().out
    assert main(["retention", "prove", order_id]) == 0
    said = capsys.readouterr().out
    assert "nothing opens" in said
    assert "tombstone: yes" in said
    assert [path for path in (folder / "vault").rglob("*") if path.is_file()] == []
    assert list((folder / "keystore").rglob("*.key")) == []


def test_an_order_is_named_by_its_id(folder: Path) -> None:
    assert main(["retention", "prove", "13800000001"]) == 2
    assert main(["service", "end", "x", "--reason", "moved away", "--by", "somebody"]) == 2
    reason = "phone 13800000001"
    assert main(["service", "end", f"ord_{'0' * 24}", "--reason", reason, "--by", "somebody"]) == 2

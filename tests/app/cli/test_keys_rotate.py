"""`keys rotate` as an operator runs it, killed in the middle, with two keys exchanged at once."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa

from activation.adapters.sql.engine import open_engine, open_sessions
from activation.adapters.sql.fields import use_field_keys
from activation.ids import OrderId
from activation.order_keys import OrderKey
from app.cli import main
from app.config import load_settings
from app.keys import load_keys, make_keys
from app.rotation.opening import open_rotation
from app.rotation.tables import KeyRotationRow
from app.tables import IdempotencyRow
from media.keys.order_keys import StoredOrderKeys
from media.keys.service_file import FileKeyService
from media.keys.store_folder import FolderKeyStore
from media.vault import VaultBusy
from media.vault_local import LocalVault
from tests.activation.stand_ins import now

ORDERS = 700


@dataclass
class Place:
    """A data folder with keys; `env` names the newest of them."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def exchange_keys(self) -> None:
        """New field and vault keys, the former ones beside them."""
        field_key, _, vault_key, *_ = make_keys(self.folder / f"keys-{len(self.env)}")
        kept = {name: path for name, path in self.env.items() if name.endswith("Y_FILE")}
        self.env = {
            "KAIKA_DATA_DIR": str(self.folder),
            "KAIKA_FIELD_KEY_FILE": str(field_key),
            "KAIKA_VAULT_KEY_FILE": str(vault_key),
        }
        for name, path in kept.items():
            self.env[name.replace("KAIKA_", "KAIKA_FORMER_").replace("_FILE", "_FILES")] = path

    def without_former(self) -> None:
        self.env = {name: value for name, value in self.env.items() if "FORMER" not in name}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    for name in [name for name in os.environ if name.startswith("KAIKA_") or name == "DATABASE_URL"]:
        monkeypatch.delenv(name)
    made = Place(tmp_path)
    made.exchange_keys()
    return made


async def fill(place: Place, count: int = ORDERS) -> Sequence[OrderKey]:
    """Orders' keys, and answers under the field key."""
    settings = load_settings(place.env)
    async with open_rotation(settings) as rotation:
        use_field_keys(load_keys(settings).fields)
        rows = [
            {"key": f"{number:064}", "request_digest": "", "body": f"body {number}", "created_at": now()}
            for number in range(count)
        ]
        async with rotation.sessions.begin() as session:
            await session.execute(sa.insert(IdempotencyRow), rows)
    store, vault = FolderKeyStore(settings.key_store_dir), load_keys(settings).vault
    assert vault is not None
    keys = StoredOrderKeys(store, FileKeyService(vault))
    made = await asyncio.gather(*(keys.create(OrderId.new()) for _ in range(count)))
    store.close()
    return made


async def opened(place: Place, made: Sequence[OrderKey]) -> bool:
    """Whether everything opens with the keys that are in the settings now."""
    settings = load_settings(place.env)
    keys = load_keys(settings)
    use_field_keys(keys.fields)
    assert keys.vault is not None
    store = FolderKeyStore(settings.key_store_dir)
    found = StoredOrderKeys(store, FileKeyService(keys.vault, keys.former_vaults))
    same = [await found.of(key.order) == key for key in made]
    store.close()
    engine = open_engine(settings.database_url)
    async with open_sessions(engine).begin() as session:
        bodies = (await session.scalars(sa.select(IdempotencyRow.body).order_by(IdempotencyRow.key))).all()
    await engine.dispose()
    return all(same) and bodies == [f"body {number}" for number in range(ORDERS)]


async def test_killed_and_started_again_it_comes_to_its_end(
    place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await fill(place)
    place.exchange_keys()
    for line in ("order keys 200/", "order keys 400/", "idempotency.body 400/"):
        await asyncio.to_thread(kill_at, line, place)
        assert await opened(place, made)  # half-way everything opens with both keys
    for name, value in place.env.items():
        monkeypatch.setenv(name, value)
    assert await asyncio.to_thread(main, ["keys", "rotate", "--check"]) == 1
    assert "former" in capsys.readouterr().out
    assert await asyncio.to_thread(main, ["keys", "rotate"]) == 0
    assert "nothing hangs on a former key" in capsys.readouterr().out
    place.without_former()
    assert await opened(place, made)
    assert await asyncio.to_thread(main, ["keys", "rotate", "--check"]) == 0


def kill_at(line: str, place: Place) -> None:
    """Run it, and kill it as soon as it says that it has come so far."""
    running = subprocess.Popen(
        [sys.executable, "-m", "app", "keys", "rotate"],
        env={**os.environ, **place.env},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    said = ""
    for said in running.stdout:
        if said.startswith(line):
            running.send_signal(signal.SIGKILL)
            break
    running.stdout.close()
    assert (running.wait(60), said[: len(line)]) == (-signal.SIGKILL, line)


async def test_progress_is_kept_by_part_and_key(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in place.env.items():
        monkeypatch.setenv(name, value)
    assert await asyncio.to_thread(main, ["keys", "rotate"]) == 0
    engine = open_engine(load_settings(place.env).database_url)
    async with open_sessions(engine).begin() as session:
        rows = (await session.scalars(sa.select(KeyRotationRow))).all()
    await engine.dispose()
    assert {"order keys", "idempotency.body", "orders from before", "objects from before"} <= {
        row.part for row in rows
    }
    assert all(row.finished_at is not None for row in rows)


@pytest.mark.parametrize("check", [(), ("--check",)])
async def test_a_vault_that_is_away_is_said_and_tried_again(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], check: tuple[str, ...]
) -> None:
    async def away(_vault: LocalVault) -> None:
        raise VaultBusy("too many calls wait")

    monkeypatch.setattr(LocalVault, "orders", away)
    for name, value in place.env.items():
        monkeypatch.setenv(name, value)
    await fill(place, 1)
    assert await asyncio.to_thread(main, ["keys", "rotate", *check]) == 3
    assert "run it again" in capsys.readouterr().err

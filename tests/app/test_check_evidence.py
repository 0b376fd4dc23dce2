"""Pictures of a check on their way into a vault that is busy."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import cast

import pytest

from activation.adapters.sql.checks import CheckView
from activation.check import CheckState
from activation.evidence import CheckOutcome, VideoCheckMeasured
from activation.ids import CheckId, Digest, OrderId
from app import check_evidence
from app.check_evidence import CheckEvidence
from media.vault import Vault, VaultBusy
from media.videocheck import CheckMeasured, Ending
from media.videocheck.measured import Keyframe, Pace
from tests.conftest import TEST_KEYS

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class BusyVault:
    """Busy for the first `busy` calls."""

    def __init__(self, busy: int) -> None:
        self.busy = busy
        self.kept: list[str] = []

    async def put(self, order_id: OrderId, kind: str, media_type: str, data: bytes) -> Digest:
        if self.busy:
            self.busy -= 1
            raise VaultBusy("too many calls wait")
        self.kept.append(kind)
        return Digest(sha256(data).hexdigest())


async def fact_with(vault: BusyVault) -> VideoCheckMeasured:
    check = CheckView(CheckId.new(), OrderId.new(), 1, CheckState.SIM, {}, "kaika-test", NOW, NOW)
    measured = CheckMeasured(
        check=check.id,
        ending=Ending.COMPLETE,
        seconds=40.0,
        liveness=None,
        document_name=None,
        document_number=None,
        document_frames=0,
        iccid=None,
        live=None,
        portrait=None,
        recogniser=None,
        tracker=None,
        keyframes=(Keyframe("face", 1, b"picture"),),
        clip=None,
        pace=Pace(None, 0, None, None, 0),
    )
    evidence = CheckEvidence(cast(Vault, vault), lambda: TEST_KEYS)
    return await evidence.of(check, measured, (), NOW)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_evidence, "BUSY_PAUSES", (0.0, 0.0))


@pytest.mark.parametrize("busy", [1, 2])
async def test_a_vault_that_is_busy_for_a_moment_is_asked_again(busy: int) -> None:
    vault = BusyVault(busy)
    fact = await fact_with(vault)
    assert fact.outcome is CheckOutcome.MEASURED
    assert vault.kept == ["check_face", "check_manifest"]
    assert len(fact.media) == 2


async def test_one_that_stays_busy_leaves_a_check_without_pictures_which_is_none() -> None:
    fact = await fact_with(BusyVault(99))
    assert (fact.outcome, fact.media) == (CheckOutcome.ABORTED, ())

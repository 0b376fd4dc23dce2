"""The whole video check as the product runs it, on living studio applicants and attacks, up to the gate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from activation.adapters.sql.checks import CheckView
from activation.check import CheckState
from activation.evidence import (
    CapturesMeasured,
    FaceComparison,
    FaceSource,
    Facts,
    Handover,
    HandoverOutcome,
    Identity,
    QuotaPlace,
    RegistryAnswer,
    RegistryVerdict,
    SimBinding,
)
from activation.findings import Reason
from activation.gate import Decision, Pass, Review, Wait, may_activate
from activation.ids import CheckId, DeliveryId, Iccid, OrderId, StaffId
from activation.normal import normal_name, normal_number
from activation.policy import FaceBand, Policy
from app.check_evidence import CheckEvidence
from app.studio import Attack, StudioApplicant, fictional_iccid, make_applicant
from media.captures import FaceMeasured
from media.envelope import ObjectKeys
from media.faces import FaceFinder, Recogniser, open_recogniser, similarity
from media.liveness import Script, new_script
from media.models.packs import find_installed
from media.vault_local import LocalVault
from media.videocheck import CheckMeasured, CheckRequest, Ending, Instruments, VideoChecks, open_instruments
from media.webrtc import IceSettings
from media.webrtc.phone import PhonePeer
from tests.conftest import TEST_KEYS
from tests.order_keys import DerivedOrderKeys

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SEED = 7
RECOGNISER = "dlib"
MODELS = Path("no models but those that are installed as packages")
SECONDS = 150
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Studio:
    """One applicant with submitted faces, and a desk with real instruments."""

    applicant: StudioApplicant
    iccid: Iccid
    order: OrderId
    submitted: tuple[FaceMeasured, ...]
    desk: VideoChecks
    measured: dict[CheckId, CheckMeasured]
    evidence: CheckEvidence
    policy: Policy

    async def check(self, attack: Attack | None) -> CheckMeasured:
        """One attempt, with a script that no recording answers."""
        performer = await asyncio.to_thread(self.applicant.actor, attack, self.iccid)
        request = CheckRequest(CheckId.new(), OrderId.new(), quick_script())
        phone = PhonePeer(performer, performer.hear)

        async def claim(_dtls: str) -> bool:
            return True

        answer = await self.desk.answer(request, await phone.offer(), claim)
        assert answer.startswith("v=0"), answer
        await phone.accept(answer)
        await phone.result(SECONDS)
        await phone.close()
        return self.measured[request.check]

    async def decide(self, measured: CheckMeasured) -> Decision:
        """What the gate says when everything else is as it should be."""
        view = CheckView(measured.check, self.order, 1, CheckState.SIM, {}, "", NOW, NOW)
        fact = await self.evidence.of(view, measured, self.submitted, NOW)
        return may_activate(replace(self._before(), evidence=(*self._before().evidence, fact)), self.policy)

    def _before(self) -> Facts:
        who, model = self.applicant.applicant, self.submitted[0].model
        identity = Identity(
            TEST_KEYS.digest("name", normal_name(who.name)),
            TEST_KEYS.digest("number", normal_number(who.number)),
        )
        alike = similarity(self.submitted[0].embedding, self.submitted[1].embedding)
        face = FaceComparison(FaceSource.HANDHELD_FACE, FaceSource.FRONT_PORTRAIT, alike, model)
        return Facts(
            self.order,
            (
                CapturesMeasured(NOW, identity, identity.number, (face,), 30, True, True, ()),
                RegistryAnswer(NOW, RegistryVerdict.MATCH, identity, "test"),
                QuotaPlace(NOW, 1, 5),
                SimBinding(NOW, self.iccid),
                Handover(
                    NOW,
                    HandoverOutcome.HANDED_OVER,
                    DeliveryId.new(),
                    self.order,
                    self.iccid,
                    StaffId.new(),
                    True,
                    True,
                    True,
                    None,
                ),
            ),
        )


def quick_script() -> Script:
    """New, and never the one that the studio's recordings answer."""
    return replace(new_script(), window_ms=6_000, position_ms=8_000)


def _face(finder: FaceFinder, recogniser: Recogniser, jpeg: bytes, source: FaceSource) -> FaceMeasured:
    decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    picture: NDArray[np.uint8] = np.asarray(decoded, np.uint8)
    face = finder.find(picture)[0]
    return FaceMeasured(source, recogniser.embed(picture, face), b"", face.size, recogniser.model)


@pytest.fixture(scope="module")
def instruments() -> Instruments:
    return open_instruments(open_recogniser(RECOGNISER, MODELS))


@pytest.fixture
async def studio(instruments: Instruments, tmp_path: Path) -> AsyncIterator[Studio]:
    applicant = make_applicant(SEED)
    measured: dict[CheckId, CheckMeasured] = {}

    async def keep(request: CheckRequest, found: CheckMeasured) -> bool:
        measured[request.check] = found
        return True

    submitted = tuple(
        _face(instruments.finder, instruments.recogniser, jpeg, source)
        for jpeg, source in (
            (applicant.front_jpeg(), FaceSource.FRONT_PORTRAIT),
            (applicant.handheld_jpeg(), FaceSource.HANDHELD_FACE),
        )
    )
    band = find_installed(RECOGNISER, MODELS).thresholds
    desk = VideoChecks(instruments, threads=2, most=4, ice=IceSettings(), on_measured=keep)
    vault = LocalVault(tmp_path, ObjectKeys(DerivedOrderKeys()))
    yield Studio(
        applicant,
        fictional_iccid(SEED),
        OrderId.new(),
        submitted,
        desk,
        measured,
        CheckEvidence(vault, lambda: TEST_KEYS),
        Policy("test", {RECOGNISER: FaceBand(band.accept, band.refuse)}),
    )
    await desk.close()
    vault.close()


async def test_the_living_applicant_passes(studio: Studio) -> None:
    measured = await studio.check(None)
    assert measured.ending is Ending.COMPLETE
    assert measured.document_number == studio.applicant.applicant.number
    assert measured.document_name == studio.applicant.applicant.name
    assert measured.iccid == studio.iccid
    assert await studio.decide(measured) == Pass()


@pytest.mark.parametrize(
    ("attack", "reason"),
    [
        (Attack.OTHER_PERSON, Reason.LIVE_FACE_DIFFERS),
        (Attack.OTHER_DOCUMENT, Reason.VIDEO_DOCUMENT_DIFFERS),
        (Attack.PRINT, None),
        (Attack.REPLAY, None),
        (Attack.INJECTED_REPLAY, None),
        (Attack.FROZEN, Reason.STREAM_REPEATS),
        (Attack.LOOP, None),
        (Attack.SWAP, None),
        (Attack.TWO_FACES, None),
        (Attack.NO_FACE, Reason.VIDEO_CHECK_MISSING),
        (Attack.IDLE, Reason.VIDEO_CHECK_MISSING),
        (Attack.STOPS, Reason.VIDEO_CHECK_MISSING),
    ],
)
async def test_an_attack_does_not(studio: Studio, attack: Attack, reason: Reason | None) -> None:
    measured = await studio.check(attack)
    decision = await studio.decide(measured)
    assert isinstance(decision, Wait | Review)
    told = decision.missing if isinstance(decision, Wait) else decision.reasons
    assert reason is None or reason in told

"""Facts of an order that passes every step of the gate; the video check comes last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from activation.evidence import (
    CapturesMeasured,
    CheckOutcome,
    Evidence,
    FaceComparison,
    FaceSource,
    Handover,
    HandoverOutcome,
    Identity,
    LivenessMeasured,
    ModelRef,
    MovementMeasured,
    QuotaPlace,
    RegistryAnswer,
    RegistryVerdict,
    SimBinding,
    VideoCheckMeasured,
)
from activation.ids import CheckId, DeliveryId, Digest, Iccid, Imsi, Msisdn, OrderId, StaffId

MODEL = ModelRef("bench", "1", "0" * 64)
WHO = Identity(Digest("a" * 64), Digest("b" * 64))
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def alike(left: FaceSource, right: FaceSource) -> FaceComparison:
    return FaceComparison(left, right, 0.9, MODEL)


@dataclass(frozen=True)
class Proven:
    order: OrderId
    iccid: Iccid
    imsi: Imsi
    msisdn: Msisdn

    @classmethod
    def fictional(cls) -> Proven:
        return cls(
            OrderId.new(), Iccid("89860099000000000003"), Imsi("460990000000000"), Msisdn("19900000000")
        )

    def before(self) -> tuple[Evidence, ...]:
        """Everything but the video check."""
        return (
            CapturesMeasured(
                at=NOW,
                identity=WHO,
                handheld_number=WHO.number,
                comparisons=(alike(FaceSource.HANDHELD_FACE, FaceSource.FRONT_PORTRAIT),),
                age_years=30,
                valid_today=True,
                bareheaded=True,
                media=(),
            ),
            RegistryAnswer(NOW, RegistryVerdict.MATCH, WHO, "bench"),
            QuotaPlace(NOW, 1, 5),
            SimBinding(NOW, self.iccid),
            Handover(
                at=NOW,
                outcome=HandoverOutcome.HANDED_OVER,
                delivery=DeliveryId.new(),
                order=self.order,
                iccid=self.iccid,
                courier=StaffId.new(),
                code_matched=True,
                document_tail_matched=True,
                person_resembles_document=True,
                photo=None,
            ),
        )

    def video_check(self) -> VideoCheckMeasured:
        return VideoCheckMeasured(
            at=NOW,
            check=CheckId.new(),
            attempt=1,
            outcome=CheckOutcome.MEASURED,
            seconds=25.0,
            liveness=LivenessMeasured(
                movements=(MovementMeasured("turn_left", True, True, 1500),),
                planarity=0.03,
                continuity=alike(FaceSource.LIVE, FaceSource.LIVE),
                track_breaks=0,
                second_faces=0,
                repeated_frames=0.0,
                frames=200,
            ),
            document=WHO,
            document_frames=3,
            iccid=self.iccid,
            comparisons=tuple(
                alike(FaceSource.LIVE, source)
                for source in (
                    FaceSource.FRONT_PORTRAIT,
                    FaceSource.HANDHELD_FACE,
                    FaceSource.VIDEO_PORTRAIT,
                )
            ),
            tracker=MODEL,
            media=(Digest("c" * 64),),
        )

"""Turns what a video check measured into the fact that the gate weighs, and seals its pictures.

Name and number become keyed hashes; embeddings are compared and forgotten (R9.4).
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from activation.adapters.sql.checks import CheckView
from activation.adapters.sql.fields import FieldKeys
from activation.evidence import (
    CheckOutcome,
    FaceComparison,
    FaceSource,
    Identity,
    ModelRef,
    VideoCheckMeasured,
)
from activation.ids import Digest, OrderId
from activation.normal import normal_name, normal_number
from media.captures import FaceMeasured
from media.faces import similarity
from media.vault import Vault, VaultBusy, VaultFault
from media.videocheck import CheckMeasured

#: Submitted faces that the living one is compared with, beside the portrait shown in the video.
_SUBMITTED = (FaceSource.FRONT_PORTRAIT, FaceSource.HANDHELD_FACE)
_PUTS_AT_ONCE = 4
#: Seconds after which a busy vault is asked again.
BUSY_PAUSES = (0.5, 2.0, 5.0)
_JPEG, _CLIP, _JSON = "image/jpeg", "video/webm", "application/json"
_FACT: TypeAdapter[VideoCheckMeasured] = TypeAdapter(VideoCheckMeasured)
_log = logging.getLogger(__name__)


def left_unfinished(check: CheckView, outcome: CheckOutcome, at: datetime) -> VideoCheckMeasured:
    """The fact of an attempt of which nothing is known but that it was made."""
    return VideoCheckMeasured(
        at=at,
        check=check.id,
        attempt=check.attempt,
        outcome=outcome,
        seconds=max(0.0, (at - check.created_at).total_seconds()),
        liveness=None,
        document=Identity(None, None),
        document_frames=0,
        iccid=None,
        comparisons=(),
        tracker=None,
        media=(),
    )


class CheckEvidence:
    """Makes facts; needs the keys for hashes and the vault for pictures."""

    def __init__(self, vault: Vault, keys: Callable[[], FieldKeys]) -> None:
        self._vault = vault
        self._keys = keys

    async def of(
        self, check: CheckView, measured: CheckMeasured, submitted: Sequence[FaceMeasured], at: datetime
    ) -> VideoCheckMeasured:
        """The fact, its pictures sealed. A check whose pictures cannot be kept counts as aborted."""
        fact = VideoCheckMeasured(
            at=at,
            check=check.id,
            attempt=check.attempt,
            outcome=measured.outcome,
            seconds=measured.seconds,
            liveness=measured.liveness,
            document=self._identity(measured),
            document_frames=measured.document_frames,
            iccid=measured.iccid,
            comparisons=comparisons(measured, submitted),
            tracker=measured.tracker,
            media=(),
        )
        try:
            return replace(fact, media=await self._seal(check.order_id, fact, measured))
        except VaultFault as fault:
            _log.error("pictures of %s were not kept: %s", check.id, type(fault).__name__)
            return replace(fact, outcome=CheckOutcome.ABORTED)

    async def let_go(self, order: OrderId, fact: VideoCheckMeasured) -> None:
        """Destroys the pictures of a fact that is not kept; what a fault leaves is swept as an orphan."""
        for digest in fact.media:
            try:
                await self._vault.destroy(order, digest)
            except VaultFault as fault:
                _log.error("a picture of %s was not destroyed: %s", fact.check, type(fault).__name__)

    def _identity(self, measured: CheckMeasured) -> Identity:
        keys, name, number = self._keys(), measured.document_name, measured.document_number
        return Identity(
            keys.digest("name", normal_name(name)) if name else None,
            keys.digest("number", normal_number(number)) if number else None,
        )

    async def _seal(
        self, order: OrderId, fact: VideoCheckMeasured, measured: CheckMeasured
    ) -> tuple[Digest, ...]:
        """Manifest first, then keyframes in their order, then the clip."""
        objects = [(f"check_{kept.kind}", _JPEG, kept.jpeg) for kept in measured.keyframes]
        if measured.clip is not None:
            objects.append(("check_clip", _CLIP, measured.clip))
        if not objects:
            return ()
        free = asyncio.Semaphore(_PUTS_AT_ONCE)

        async def put(kind: str, media_type: str, data: bytes) -> Digest:
            async with free:
                return await self._put(order, kind, media_type, data)

        digests = await asyncio.gather(*(put(*each) for each in objects))
        manifest = _manifest(fact, measured, objects, digests)
        return (await put("check_manifest", _JSON, manifest), *digests)

    async def _put(self, order: OrderId, kind: str, media_type: str, data: bytes) -> Digest:
        """A vault that is busy for a moment, or whose keys are away, must not cost a good check."""
        for pause in BUSY_PAUSES:
            try:
                return await self._vault.put(order, kind, media_type, data)
            except VaultBusy:
                await asyncio.sleep(pause)
        return await self._vault.put(order, kind, media_type, data)


def comparisons(measured: CheckMeasured, submitted: Sequence[FaceMeasured]) -> tuple[FaceComparison, ...]:
    """The living face with each submitted one of the same model, and with the portrait shown in the video."""
    live, model = measured.live, measured.recogniser
    if live is None or model is None:
        return ()
    found = [
        _compared(live, face.embedding, face.source, model)
        for face in submitted
        if face.source in _SUBMITTED and face.model == model
    ]
    if measured.portrait is not None:
        found.append(_compared(live, measured.portrait, FaceSource.VIDEO_PORTRAIT, model))
    return tuple(each for each in found if each is not None)


def _compared(
    live: NDArray[np.float32], other: NDArray[np.float32], source: FaceSource, model: ModelRef
) -> FaceComparison | None:
    try:
        return FaceComparison(FaceSource.LIVE, source, similarity(live, other), model)
    except ValueError:  # an embedding that is not finite compares with nothing
        return None


def _manifest(
    fact: VideoCheckMeasured,
    measured: CheckMeasured,
    objects: Sequence[tuple[str, str, bytes]],
    digests: Sequence[Digest],
) -> bytes:
    """What belongs to the attempt and how it ran, as JSON; hashes stand for personal data."""
    pace, counts = measured.pace, measured.pace.received
    body: dict[str, Any] = {
        "measured": _FACT.dump_python(fact, mode="json"),
        "ending": measured.ending.value,
        "recogniser": measured.recogniser.name if measured.recogniser else None,
        "stream": {
            "frames": counts.frames if counts else 0,
            "analysed": pace.analysed,
            "sizes": [list(size) for size in counts.sizes] if counts else [],
            "size_changes": counts.size_changes if counts else 0,
            "clock_steps_back": counts.clock_steps_back if counts else 0,
            "longest_gap_ms": counts.longest_gap_ms if counts else None,
            "guidance_delay_p95_ms": pace.delay_p95_ms,
        },
        "objects": [
            {"kind": kind, "media_type": media_type, "bytes": len(data), "sha256": digest}
            for (kind, media_type, data), digest in zip(objects, digests, strict=True)
        ],
    }
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

"""The bounds of a check fit each other."""

from __future__ import annotations

from media.liveness.limits import MOVEMENTS_PER_SCRIPT
from media.videocheck import limits


def test_whoever_comes_in_late_is_still_sampled() -> None:
    cards = limits.DOCUMENT_SECONDS + limits.SIM_SECONDS
    challenge = limits.SESSION_SECONDS - cards
    samples = (
        limits.FIRST_EMBEDDINGS
        + MOVEMENTS_PER_SCRIPT
        + 1
        + challenge * 1000 / limits.EMBEDDING_INTERVAL_MS
        + cards * 1000 / limits.CARD_STAGE_EMBEDDING_INTERVAL_MS
    )
    assert samples <= limits.MAX_EMBEDDINGS

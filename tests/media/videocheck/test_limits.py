"""The bounds of a check fit each other."""

from __future__ import annotations

import numpy as np

from media.videocheck import limits
from media.videocheck.gallery import Gallery


def test_whoever_comes_in_late_is_still_sampled() -> None:
    cards = limits.DOCUMENT_SECONDS + limits.SIM_SECONDS
    challenge = limits.SESSION_SECONDS - cards
    samples = (
        limits.FIRST_EMBEDDINGS
        + challenge * 1000 / limits.EMBEDDING_INTERVAL_MS
        + cards * 1000 / limits.CARD_STAGE_EMBEDDING_INTERVAL_MS
    )
    assert samples <= limits.MAX_EMBEDDINGS


def test_one_covered_face_is_not_another_person_but_two_are() -> None:
    person = np.array([1.0, 0.0], np.float32)
    covered = np.array([0.3, 0.954], np.float32)
    one, two = Gallery(), Gallery()
    for gallery, later in ((one, (covered, person)), (two, (covered, covered, person))):
        for _ in range(3):
            gallery.add_embedding(person, of_challenge=True)
        for each in later:
            gallery.add_embedding(each, of_challenge=False)
    assert min(float(each @ person) for each in one.embeddings) > 0.99
    assert min(float(each @ person) for each in two.embeddings) < 0.31

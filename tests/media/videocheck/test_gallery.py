"""Pictures of a check: bounded, and never none because the stream was large."""

from __future__ import annotations

import numpy as np

from media.images import Photo, decode
from media.videocheck import limits
from media.videocheck.gallery import Gallery


def test_a_picture_that_is_too_heavy_is_kept_smaller() -> None:
    noise = np.random.default_rng(7).integers(0, 256, (1080, 1920, 3), dtype=np.uint8)
    gallery = Gallery()
    gallery.keep("face", 100, noise)
    (kept,) = gallery.keyframes
    assert len(kept.jpeg) <= limits.MAX_KEYFRAME_BYTES
    photo = decode(kept.jpeg)
    assert isinstance(photo, Photo)
    height, width = photo.pixels.shape[:2]
    assert abs(width / height - 16 / 9) < 0.02

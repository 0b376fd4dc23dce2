"""What all recognisers' embeddings have in common."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def unit(raw: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same direction, length 1. ValueError where there is none."""
    length = float(np.linalg.norm(raw))
    if not np.isfinite(length) or length == 0.0:
        raise ValueError("the model gave no direction for this face")
    return raw / np.float32(length)

"""Face embeddings have a key of their own beside the order's: they go sooner than the rest (R9.4).

Kept in the same key store under an id that follows from the order's. Whoever destroys that key has
destroyed the embeddings in every backup, while the order's other data stay readable for as long as the
rule wants them.
"""

from __future__ import annotations

import hashlib

from activation.ids import OrderId

_ID_DIGITS = 24


def face_key_id(order_id: OrderId) -> OrderId:
    """Under which the key of an order's embeddings lies; is no order's id but by a chance of 1 in 2^96."""
    digest = hashlib.sha256(f"kaika.faces.1\n{order_id}".encode()).hexdigest()
    return OrderId(f"ord_{digest[:_ID_DIGITS]}")

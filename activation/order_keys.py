"""A key for each order: everything personal that it holds is sealed under it, wherever it lies (R8.2, R9.1).

The key store keeps the keys, wrapped by the key service, apart from database, objects and their backups.
Whoever destroys one entry of the store has destroyed the order's personal data everywhere at once.

    key service (file, AWS KMS) wraps → order key (key store) seals → fields; wraps → objects' data keys
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from activation.ids import OrderId

KEY_BYTES = 32
_NONCE_BYTES = 12


class OrderKeysFault(Exception):
    """Key store or key service did not answer; try again. Never means that a key is gone."""


class OrderKeyGone(Exception):
    """There is no key of this order: never made, or destroyed (R8.2)."""


class Unreadable(Exception):
    """Sealed bytes do not open: changed, of another order or place, or under another key."""


@dataclass(frozen=True, repr=False)
class OrderKey:
    """secret: 32 bytes."""

    order: OrderId
    secret: bytes

    def seal(self, place: str, clear: bytes) -> bytes:
        """nonce | AES-256-GCM ciphertext and tag, bound to the order and to `place` (`orders.name`)."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self.secret).encrypt(nonce, clear, self._bound(place))

    def open(self, place: str, sealed: bytes) -> bytes:
        """Inverse of `seal`. Raises Unreadable."""
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return AESGCM(self.secret).decrypt(nonce, rest, self._bound(place))
        except (InvalidTag, ValueError):
            raise Unreadable("sealed bytes do not open for this order and place") from None

    def _bound(self, place: str) -> bytes:
        return f"kaika.order.1\n{self.order}\n{place}".encode()


class OrderKeys(Protocol):
    """Every call may raise OrderKeysFault. Keys are remembered for a short, written time, at most so many."""

    async def create(self, order_id: OrderId) -> OrderKey:
        """The order's key, made and on stable storage where there was none."""

    async def of(self, order_id: OrderId) -> OrderKey:
        """The order's key. Raises OrderKeyGone; Unreadable where its entry was changed or put elsewhere."""

    async def destroy(self, order_id: OrderId) -> None:
        """R8.2: nobody has this key again. Destroying what is not there does nothing."""


_keys: OrderKeys | None = None


def use_order_keys(keys: OrderKeys) -> None:
    """Set once by the composition root, before the first query."""
    global _keys
    _keys = keys


def order_keys() -> OrderKeys:
    """The keys in use. Raises RuntimeError before `use_order_keys`."""
    if _keys is None:
        raise RuntimeError("use_order_keys was not called")
    return _keys


async def know_key(order_id: OrderId) -> None:
    """Have the order's key at hand before a transaction begins, which would else wait for it.

    Where there is none, whoever opens something says what that means. Raises OrderKeysFault.
    """
    with suppress(OrderKeyGone, Unreadable):
        await order_keys().of(order_id)

"""Ports of the order keys: the key service wraps them, the key store keeps what was wrapped.

`tests/contracts/test_key_service.py` and `test_key_store.py` hold every adapter to what is said here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from activation.ids import OrderId
from activation.order_keys import OrderKeysFault

#: The longest entry of a key store: a wrapped key with the name of the key that wrapped it.
MAX_ENTRY_BYTES = 4096


class KeyServiceAway(OrderKeysFault):
    """The key service did not answer, or would not: down, throttled, key disabled, no permission."""


class KeyStoreAway(OrderKeysFault):
    """The key store did not answer, or could not write."""


class KeyService(Protocol):
    """Wraps 32-byte order keys under a key-encryption key that never leaves it.

    Every call may raise KeyServiceAway; none blocks the event loop.
    """

    async def wrap(self, order_id: OrderId, secret: bytes) -> bytes:
        """`secret` under the current key, bound to the order; at most MAX_ENTRY_BYTES."""

    async def unwrap(self, order_id: OrderId, wrapped: bytes) -> bytes:
        """Inverse of `wrap`, under a current or former key.

        Raises activation.order_keys.Unreadable: changed, of another order, or under an unknown key.
        """

    async def current(self) -> str:
        """Public id of the key that wraps now; stays the same until the operator changes it."""

    def wrapped_by(self, wrapped: bytes) -> str:
        """Public id of the key that wrapped it, without opening it. Raises Unreadable."""


class KeyStore(Protocol):
    """Small entries by order id, in one place only: no history, no versions, no copy that outlives `delete`.

    Every call may raise KeyStoreAway. What a call has written is on stable storage when it returns.
    """

    async def get(self, order_id: OrderId) -> bytes | None:
        """The order's entry; None where there is none."""

    async def put_if_absent(self, order_id: OrderId, entry: bytes) -> bytes:
        """The entry that stands afterwards: `entry`, or the one that somebody wrote before.

        Two callers at once, in whatever process, get the same. Raises ValueError above MAX_ENTRY_BYTES.
        """

    async def replace(self, order_id: OrderId, expected: bytes, entry: bytes) -> bool:
        """`entry` instead of `expected`. False, and nothing done, where another entry or none stands.

        Never brings back what was deleted meanwhile (R8.2).
        """

    async def delete(self, order_id: OrderId) -> None:
        """Destroy the entry. Deleting what is not there does nothing."""

    async def store_id(self) -> str | None:
        """The name that the store was given. None: none yet, or an empty mount point."""

    async def name_once(self, store_id: str) -> str:
        """The name that stands afterwards: `store_id`, 32 hex digits, or the one it was given before."""

    async def list(self, after: OrderId | None, limit: int) -> Sequence[OrderId]:
        """Up to `limit` orders that have an entry, in ascending order, those after `after`."""

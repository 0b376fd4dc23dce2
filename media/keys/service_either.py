"""Two key services side by side: one wraps, both unwrap. For moving from key files to KMS, or back."""

from __future__ import annotations

from activation.ids import OrderId
from activation.order_keys import Unreadable
from media.keys.ports import KeyService


class EitherKeyService:
    """`media.keys.ports.KeyService`: `current` wraps; what it does not know `former` unwraps."""

    def __init__(self, current: KeyService, former: KeyService) -> None:
        self._current, self._former = current, former

    async def wrap(self, order_id: OrderId, secret: bytes) -> bytes:
        return await self._current.wrap(order_id, secret)

    async def unwrap(self, order_id: OrderId, wrapped: bytes) -> bytes:
        return await self._of(wrapped).unwrap(order_id, wrapped)

    async def current(self) -> str:
        return await self._current.current()

    def wrapped_by(self, wrapped: bytes) -> str:
        return self._of(wrapped).wrapped_by(wrapped)

    def _of(self, wrapped: bytes) -> KeyService:
        try:
            self._current.wrapped_by(wrapped)
        except Unreadable:
            return self._former
        return self._current

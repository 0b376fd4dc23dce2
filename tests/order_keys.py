"""Order keys for tests: derived from the order's id, so that every process of a test has the same."""

from __future__ import annotations

import hashlib
from collections import Counter

from activation.ids import OrderId
from activation.order_keys import OrderKey, OrderKeyGone


class DerivedOrderKeys:
    """`activation.order_keys.OrderKeys` without a store: every order has a key until it is destroyed here.

    As in a store, a key that is made after a destruction is another one.
    """

    def __init__(self, secret: bytes = b"o" * 32) -> None:
        self._secret = secret
        self.destroyed: set[OrderId] = set()
        self._destructions: Counter[OrderId] = Counter()

    async def create(self, order_id: OrderId) -> OrderKey:
        self.destroyed.discard(order_id)
        return await self.of(order_id)

    async def of(self, order_id: OrderId) -> OrderKey:
        if order_id in self.destroyed:
            raise OrderKeyGone("destroyed by the test")
        again = b"again" * self._destructions[order_id]
        return OrderKey(order_id, hashlib.sha256(self._secret + order_id.encode() + again).digest())

    async def destroy(self, order_id: OrderId) -> None:
        if order_id not in self.destroyed:
            self.destroyed.add(order_id)
            self._destructions[order_id] += 1

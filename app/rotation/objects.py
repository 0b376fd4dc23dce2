"""Objects from before orders had keys: their data keys are wrapped anew, their bytes stay as they are."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence

from activation.ids import OrderId
from activation.order_keys import OrderKeyGone, OrderKeys, Unreadable
from app.rotation.work import PAGE, Page, Place
from media.vault import EvidenceNotFound, EvidenceUnreadable
from media.vault_local import LocalVault

BEFORE, UNDER_ORDER = "vault key, from before orders had keys", "order"
UNREADABLE = "unreadable"


class ObjectsPart:
    """`app.rotation.work.Part` over the vault's folder; S3 has held no object of that kind."""

    name = "objects from before"

    def __init__(self, vault: LocalVault, keys: OrderKeys) -> None:
        self._vault, self._keys = vault, keys
        self._orders: Sequence[OrderId] = ()  # as they were when the pass began; none comes that is in need

    async def target(self) -> str:
        return UNDER_ORDER

    async def total(self) -> int:
        self._orders = await self._vault.orders()
        return len(self._orders)

    async def page(self, after: Place | None) -> Page:
        if not self._orders:
            await self.total()
        start = 0 if after is None else bisect_right(self._orders, str(after[0]))
        orders = self._orders[start : start + PAGE]
        changed = sum([await self._rewrap(order) for order in orders])
        return Page(len(orders), changed, [orders[-1]] if orders else None)

    async def left(self) -> dict[str, int]:
        """Objects of destroyed orders too, where they open: retention has to remove them."""
        found: Counter[str] = Counter()
        for order in await self._vault.orders():
            objects = await self._vault.from_before(order)
            found[BEFORE] += len(objects.opening)
            if objects.unreadable and not await self._is_destroyed(order):
                found[UNREADABLE] += len(objects.unreadable)
        return dict(found)

    async def _rewrap(self, order: OrderId) -> int:
        try:
            return await self._vault.rewrap(order)
        except (EvidenceNotFound, EvidenceUnreadable):
            return 0  # destroyed, or its key is damaged: `left` goes on counting what opens

    async def _is_destroyed(self, order: OrderId) -> bool:
        """Of such an order what does not open is noise, and right so."""
        try:
            await self._keys.of(order)
        except OrderKeyGone:
            return True
        except Unreadable:
            return False
        return False

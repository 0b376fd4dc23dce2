"""Objects from before orders had keys: their data keys are wrapped anew, their bytes stay as they are."""

from __future__ import annotations

from activation.ids import OrderId
from app.rotation.work import PAGE, Page, Place
from media.vault import EvidenceNotFound, EvidenceUnreadable
from media.vault_local import LocalVault

BEFORE, UNDER_ORDER = "vault key, from before orders had keys", "order"


class ObjectsPart:
    """`app.rotation.work.Part` over the vault's folder; S3 has held no object of that kind."""

    name = "objects from before"

    def __init__(self, vault: LocalVault) -> None:
        self._vault = vault

    async def target(self) -> str:
        return UNDER_ORDER

    async def total(self) -> int:
        return len(await self._vault.orders())

    async def page(self, after: Place | None) -> Page:
        first = "" if after is None else str(after[0])
        orders = [order for order in await self._vault.orders() if order > first][:PAGE]
        changed = sum([await self._rewrap(order) for order in orders])
        return Page(len(orders), changed, [orders[-1]] if orders else None)

    async def left(self) -> dict[str, int]:
        found = 0
        for order in await self._vault.orders():
            try:
                found += await self._vault.count_former(order)
            except EvidenceNotFound:
                continue  # its key was destroyed; what lies there is noise
        return {BEFORE: found}

    async def _rewrap(self, order: OrderId) -> int:
        try:
            return await self._vault.rewrap(order)
        except (EvidenceNotFound, EvidenceUnreadable):
            return 0  # destroyed, or damaged: `left` goes on counting what is damaged

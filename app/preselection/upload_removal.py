"""Removing what waits in quarantine. A fault leaves it to the sweep; it never undoes what it follows."""

from __future__ import annotations

import structlog

from activation.ids import OrderId
from media.uploads import Quarantine
from media.vault import VaultFault

_log = structlog.get_logger("kaika.uploads")


async def remove_upload(quarantine: Quarantine, order_id: OrderId, upload_id: str) -> None:
    """One upload: it was looked at, or nobody will."""
    try:
        await quarantine.remove(order_id, upload_id)
    except VaultFault:
        _log.warning("upload stays in quarantine until it is swept", order=order_id)


async def remove_uploads(quarantine: Quarantine | None, order_id: OrderId) -> None:
    """All of an order that takes no more of them: a consent was taken back (R9.4), or it was cancelled.

    quarantine: None where there is none.
    """
    if quarantine is None:
        return
    try:
        await quarantine.remove_all(order_id)
    except VaultFault:
        _log.warning("uploads stay in quarantine until they are swept", order=order_id)

"""The room put together, for the server and for the command line."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from activation.adapters.sql.engine import open_readers, open_sessions
from activation.ids import OrderId
from activation.ports import Clock, Work
from app.compliance.retention.destroying import Destroyer, Forget, Release
from app.compliance.retention.faces import Faces
from app.compliance.retention.orphans import Orphans
from app.compliance.retention.routine import Retention
from media.vault import Vault


async def _nothing(order_id: OrderId) -> None:
    """No mission engine runs, so it remembers nothing."""


def open_retention(
    *,
    engine: AsyncEngine,
    work: Work,
    clock: Clock,
    vault: Vault,
    faces_limit: int,
    release: Release,
    forget: Forget = _nothing,
) -> Retention:
    """Everything of the room over open services."""
    sessions, readers = open_sessions(engine), open_readers(engine)
    return Retention(
        work=work,
        clock=clock,
        engine=engine,
        destroyer=Destroyer(work, clock, vault, release, forget),
        faces=Faces(work, clock, sessions, readers, vault, faces_limit),
        orphans=Orphans(sessions, clock, vault),
    )

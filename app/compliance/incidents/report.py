"""The report on an incident, ready to send: no personal data beyond the ids of orders (R9.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from activation.ids import IncidentId, OrderId
from app.compliance.incidents.affected import PAGE, order_ids
from app.compliance.incidents.duties import WITHIN
from app.compliance.incidents.incidents import IncidentFile, read_file

FORMAT = "kaika incident report 2"
#: Ids of orders in one report; whoever needs more pages through them (`/v1/incidents/…/orders`).
ORDERS_LIMIT = 10_000


@dataclass(frozen=True)
class Report:
    """complete: whether every affected order is in `orders`."""

    file: IncidentFile
    orders: tuple[OrderId, ...]
    made_at: datetime

    @property
    def complete(self) -> bool:
        return len(self.orders) == self.file.affected.orders

    def json(self) -> dict[str, Any]:
        """Plain JSON; times in ISO 8601, UTC."""
        incident, affected = self.file.incident, self.file.affected
        return {
            "format": FORMAT,
            "made_at": self.made_at.isoformat(),
            "incident": incident.id,
            "kind": incident.kind,
            "severity": incident.severity,
            "state": incident.state,
            "what": incident.what,
            "discovered_at": incident.discovered_at.isoformat(),
            "recorded_at": incident.opened_at.isoformat(),
            "closed_at": incident.closed_at.isoformat() if incident.closed_at else None,
            "conclusion": incident.conclusion,
            "worked_out_from": [each.stored() for each in incident.searches],
            "affected": {
                "people": affected.people,
                "orders": affected.orders,
                "by_province": affected.by_province,
                "by_event": affected.by_event,
                "order_ids": list(self.orders),
                "complete": self.complete,
            },
            "measures": [
                {"at": each.at.isoformat(), "by": each.by, "kind": each.kind, "what": each.what}
                for each in self.file.measures
            ],
            "deadlines": [
                {
                    "duty": each.duty,
                    "source": WITHIN[each.duty][2],
                    "due_at": each.due_at.isoformat(),
                    "done_at": each.done_at.isoformat() if each.done_at else None,
                    "in_time": each.done_at <= each.due_at if each.done_at else None,
                    "reference": each.reference,
                }
                for each in incident.deadlines
            ],
        }


async def make_report(session: AsyncSession, incident: IncidentId, now: datetime) -> Report | None:
    """None: there is no such incident."""
    file = await read_file(session, incident)
    if file is None:
        return None
    orders: list[OrderId] = []
    while len(orders) < ORDERS_LIMIT:
        page = await order_ids(session, incident, orders[-1] if orders else "")
        orders += page
        if len(page) < PAGE:
            break
    return Report(file, tuple(orders[:ORDERS_LIMIT]), now)

"""What can be done against an incident at once: end accounts, place a hold. Each becomes a measure (R9.2)."""

from __future__ import annotations

from activation.adapters.sql.holds import HoldView
from activation.ids import IncidentId, StaffId
from app.access.families import TokenFamilies
from app.access.revocations import Revocations
from app.access.staff import StaffAccounts
from app.compliance.holds.desk import HoldDesk, HoldRefusal, NewHold
from app.compliance.incidents.desk import IncidentDesk, IncidentRefusal


class Countermeasures:
    def __init__(
        self,
        desk: IncidentDesk,
        holds: HoldDesk,
        staff: StaffAccounts,
        families: TokenFamilies,
        revocations: Revocations,
    ) -> None:
        self._sessions, self._desk, self._holds = desk.sessions, desk, holds
        self._staff, self._families, self._revocations = staff, families, revocations

    async def disable_accounts(
        self, by: StaffId, incident_id: IncidentId
    ) -> tuple[StaffId, ...] | IncidentRefusal:
        """Ends the accounts that the incident names, and their tokens; those that were ended now."""
        async with self._sessions.begin() as session:
            incident = await self._desk.opened(session, incident_id)
            if isinstance(incident, IncidentRefusal):
                return incident
            accounts = incident.accounts
            if not accounts:
                return IncidentRefusal.NO_ACCOUNTS
            if by in accounts:
                return IncidentRefusal.OWN_ACCOUNT
            ended = tuple([each for each in accounts if await self._staff.disable(session, each)])
            for each in accounts:  # tokens of those that were ended before too
                await self._families.end_all(session, each, "disabled")
            if ended:
                await self._desk.written(session, incident_id, by, "accounts_disabled", ", ".join(ended))
        self._revocations.forget()
        return ended

    async def hold(
        self, by: StaffId, incident_id: IncidentId, new: NewHold
    ) -> HoldView | HoldRefusal | IncidentRefusal:
        """A hold as a measure against it (R9.3), in the same transaction."""
        async with self._sessions.begin() as session:
            incident = await self._desk.opened(session, incident_id)
            if isinstance(incident, IncidentRefusal):
                return incident
            placed = await self._holds.place_in(session, by, new)
            if isinstance(placed, HoldView):
                await self._desk.written(session, incident_id, by, "hold", f"{placed.id} {placed.scope}")
        if isinstance(placed, HoldView):
            await self._holds.tell_activating(placed)
        return placed

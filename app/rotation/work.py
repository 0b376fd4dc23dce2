"""One part of a rotation, done page by page: look, change, remember how far it has come."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.audit import note
from activation.adapters.sql.engine import insert_if_absent
from app.rotation.tables import KeyRotationRow as R

#: Items of one page; their changes are one transaction, and their progress is one more line.
PAGE = 200
#: What hangs on a key that a server still writes under is found by looking again; no more often than this.
PASSES = 3

Place = list[Any]


@dataclass(frozen=True)
class Page:
    """looked: how many items it held; changed: of them; last: the last one, None: there was none."""

    looked: int
    changed: int
    last: Place | None


class Part(Protocol):
    """Some items in a fixed order, each under the current key or under a former one.

    Changing one that somebody else has changed meanwhile, or one that is gone, does nothing.
    """

    @property
    def name(self) -> str: ...

    async def target(self) -> str:
        """Public id of the current key."""

    async def total(self) -> int:
        """How many items there are, about."""

    async def page(self, after: Place | None) -> Page:
        """Put up to PAGE items after `after` under the current key, where they are not."""

    async def left(self) -> dict[str, int]:
        """How many items hang on which key, by its public id; those under the current key included."""


@dataclass(frozen=True)
class Rotator:
    """tell: gets a line for each page."""

    sessions: async_sessionmaker[AsyncSession]
    tell: Callable[[str], None]

    async def run(self, parts: Sequence[Part]) -> None:
        """Every part to its end; goes on where an earlier run of the same rotation was stopped."""
        for part in parts:
            for _ in range(PASSES):
                if not await self._pass(part):
                    break

    async def _pass(self, part: Part) -> int:
        """From where the part stands to its end. How many items were changed."""
        target = short(await part.target())
        after, done, total = await self._begin(part, target)
        changed = 0
        while (page := await part.page(after)).last is not None:
            after, done, changed = page.last, done + page.looked, changed + page.changed
            async with self.sessions.begin() as session:
                await session.execute(
                    sa.update(R).where(R.part == part.name, R.target == target).values(after=after, done=done)
                )
                if page.changed:
                    looked, found = page.looked, page.changed
                    await note(
                        session, "keys", "keys.rotated", "R9.1", part=part.name, looked=looked, changed=found
                    )
            self.tell(f"{part.name} {min(done, total)}/{total}")
        await self._finish(part, target)
        return changed

    async def _begin(self, part: Part, target: str) -> tuple[Place | None, int, int]:
        """Where to go on: after a whole pass at the start, else where it was stopped."""
        total, now = await part.total(), datetime.now(UTC)
        async with self.sessions.begin() as session:
            await insert_if_absent(
                session, R, part=part.name, target=target, done=0, total=total, begun_at=now
            )
            row = await session.get_one(R, (part.name, target))
            if row.finished_at is not None:
                row.after, row.done, row.finished_at, row.begun_at = None, 0, None, now
            row.total = total
            return row.after, row.done, row.total

    async def _finish(self, part: Part, target: str) -> None:
        async with self.sessions.begin() as session:
            await session.execute(
                sa.update(R)
                .where(R.part == part.name, R.target == target)
                .values(finished_at=datetime.now(UTC))
            )


def short(key_id: str) -> str:
    """A key's public id in the length of the table's column."""
    return hashlib.sha256(key_id.encode()).hexdigest()[:32]

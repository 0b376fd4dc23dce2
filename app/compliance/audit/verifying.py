"""The whole trail gone over again: entries, heads, checkpoints, and the facts and decisions it speaks of.

Everything is read from one snapshot, in parts; memory does not grow with the trail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.audit_tables import AuditEntryRow
from activation.adapters.sql.tables import DecisionRow, FactRow
from app.compliance.audit import rows
from app.compliance.audit.chains import ChainCheck, Fault
from app.compliance.audit.checkpoints import heads_at
from app.compliance.audit.described import Described, compare_decisions, compare_facts, missing, not_destroyed
from app.compliance.audit.merkle import Tree, head_leaf
from app.compliance.audit.signed import FIRST, Changes, PublicKeys, Signed

#: Orders whose facts and decisions are compared at a time.
ORDERS_AT_ONCE = 400
#: The chain that speaks of checkpoints, and where faults that belong to no chain stand.
CHECKPOINTS = "checkpoints"

#: Called with what is done and how many of it.
Progress = Callable[[int, int], None]


@dataclass
class Verified:
    """What a verification found. beyond: entries that no checkpoint proves yet."""

    faults: list[Fault] = field(default_factory=list)
    entries: int = 0
    checkpoints: int = 0
    beyond: int = 0


async def verify(
    readers: async_sessionmaker[AsyncSession],
    keys: PublicKeys,
    kept: Sequence[Signed] = (),
    progress: Progress = lambda _done, _all: None,
) -> Verified:
    """Goes over the trail of a database. keys: trusted; kept: checkpoints that were stored elsewhere."""
    async with readers() as session:
        await see_one_snapshot(session)
        return await verify_within(session, keys, kept, progress)


async def verify_within(
    session: AsyncSession,
    keys: PublicKeys,
    kept: Sequence[Signed] = (),
    progress: Progress = lambda _done, _all: None,
) -> Verified:
    """The same within a transaction that sees one snapshot."""
    return await _Verification(session, keys, progress).run(kept)


async def see_one_snapshot(session: AsyncSession) -> None:
    """Call it first in a transaction; on SQLite every one does."""
    if session.get_bind().dialect.name == "postgresql":
        await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


class _Verification:
    def __init__(self, session: AsyncSession, keys: PublicKeys, progress: Progress) -> None:
        self._session, self._keys, self._progress = session, keys, progress
        self._found = Verified()
        self._orders: dict[str, Described] = {}
        self._noted: dict[int, tuple[int, str]] = {}

    async def run(self, kept: Sequence[Signed]) -> Verified:
        await self._entries()
        await self._heads()
        await self._rows_without_trail()
        signed = await self._checkpoints(kept)
        before = len(self._found.faults)
        await self._heads_of_checkpoints(signed)
        if signed and len(self._found.faults) == before:
            await self._newest_root(max(signed), signed[max(signed)])
        return self._found

    def _fault(self, chain: str, seq: int | None, what: str) -> None:
        self._found.faults.append(Fault(chain, seq, what))

    # Entries, and what they speak of.

    async def _entries(self) -> None:
        total = await self._session.scalar(sa.select(sa.func.count()).select_from(AuditEntryRow)) or 0
        check = ChainCheck(self._told, self._found.faults)
        async for part in rows.entries(self._session):
            # An order's entries may go on in the next part: it is compared when another chain has begun.
            check.take(part)
            if len(self._orders) > ORDERS_AT_ONCE:
                await self._compare(leave=part[-1][0])
            self._progress(check.entries, total)
        await self._compare()
        self._found.entries = check.entries

    def _told(self, chain: str, seq: int, told: dict[str, Any]) -> None:
        try:
            self._speaks(chain, seq, told)
        except (KeyError, TypeError, ValueError, AttributeError):
            self._fault(chain, seq, "does not say what an entry of its event says")

    def _speaks(self, chain: str, seq: int, told: dict[str, Any]) -> None:
        if chain.startswith("ord_"):
            self._orders.setdefault(chain, Described()).take(seq, told)
        elif chain == CHECKPOINTS and told["event"] == "checkpoint.made":
            details = told["details"]
            self._noted[int(details["number"])] = (seq, str(details["sha256"]))

    async def _compare(self, leave: str = "") -> None:
        left = self._orders.pop(leave, None)
        names = list(self._orders)
        for start in range(0, len(names), ORDERS_AT_ONCE):
            orders = {name: self._orders[name] for name in names[start : start + ORDERS_AT_ONCE]}
            await self._take(rows.facts(self._session, list(orders)), compare_facts, orders)
            await self._take(rows.decisions(self._session, list(orders)), compare_decisions, orders)
            self._found.faults.extend(missing(orders))
            await self._destroyed(orders)
        self._orders = {} if left is None else {leave: left}

    async def _destroyed(self, orders: dict[str, Described]) -> None:
        said = [name for name, described in orders.items() if described.destroyed is not None]
        if said:
            standing = await self._session.scalars(rows.standing(said))
            buried = await self._session.scalars(rows.buried(said))
            self._found.faults.extend(not_destroyed(orders, standing, buried))

    async def _take(
        self,
        query: sa.Select[Any],
        compare: Callable[[dict[str, Described], Iterable[rows.Row]], Iterable[Fault]],
        orders: dict[str, Described],
    ) -> None:
        async for part in rows.stream(self._session, query):
            self._found.faults.extend(compare(orders, part))

    async def _rows_without_trail(self) -> None:
        for table, name in ((FactRow, "fact"), (DecisionRow, "decision")):
            async for part in rows.stream(self._session, rows.without_trail(self._session, table)):
                for order, number in part:
                    self._fault(order, None, f"{name} {number} is in no entry: the order has no trail")

    async def _heads(self) -> None:
        async for part in rows.stream(self._session, rows.heads_that_are_no_entries(self._session)):
            for chain, seq in part:
                self._fault(chain, seq, "the head is not the entry of this number: one of them was changed")
        async for part in rows.stream(self._session, rows.entries_beyond_heads(self._session)):
            for chain, seq, head in part:
                what = "the chain has no head" if head is None else f"is beyond the head, which is {head}"
                self._fault(chain, seq, what)

    # Checkpoints.

    async def _checkpoints(self, kept: Sequence[Signed]) -> dict[int, Signed]:
        """Those that are there, by number; their faults told."""
        signed: dict[int, Signed] = {}
        before = 0
        async for part in rows.stream(self._session, rows.checkpoints(self._session)):
            for number, at, content, content_hash, signature in part:
                one = Signed(content, content_hash, signature)
                self._checkpoint(number, at, one, signed.get(before), before)
                signed[number], before = one, number
        for number, (seq, _) in self._noted.items():
            if number not in signed:
                self._fault(CHECKPOINTS, seq, f"checkpoint {number} is missing")
        for each in kept:
            number = each.told["number"]
            self._found.faults.extend(_of_checkpoint(number, each.faults(self._keys)))
            if signed.get(number) != each:
                self._fault(CHECKPOINTS, None, f"checkpoint {number} is not the one that was kept elsewhere")
        self._found.checkpoints = len(signed)
        return signed

    def _checkpoint(self, number: int, at: str, one: Signed, before: Signed | None, last: int) -> None:
        wrong = one.faults(self._keys)
        if number != last + 1:
            wrong.append(f"it follows checkpoint {last}: one is missing")
        try:
            told = one.told
        except ValueError:
            told = {}
        if told and (told["number"], str(told["at"])[:26].replace("T", " ")) != (number, at):
            wrong.append("its columns say something else than its content")
        if told and number == last + 1 and told["previous"] != (before.hash if before else FIRST):
            wrong.append("it does not hold the hash of the one before")
        seq, noted = self._noted.get(number, (None, None))
        if noted != one.hash:
            wrong.append("it is not the one that the trail notes")
        self._found.faults.extend(_of_checkpoint(number, wrong, seq=seq))

    async def _heads_of_checkpoints(self, signed: dict[int, Signed]) -> None:
        changes: dict[int, Changes] = {number: Changes() for number in signed}
        unfinished = max(signed, default=0) + 1
        async for part in rows.stream(self._session, rows.heads_of_checkpoints(self._session)):
            for number, chain, seq, seen, stands in part:
                if number in changes:
                    changes[number].add(chain, seq, seen)
                elif number != unfinished:
                    self._fault(chain, seq, f"is among the heads of checkpoint {number}, which is not there")
                if stands is None:
                    self._fault(chain, seq, f"checkpoint {number} has seen this entry, and it is not there")
                elif stands != seen:
                    self._fault(chain, seq, f"is not the entry that checkpoint {number} has seen")
        async for part in rows.stream(self._session, rows.heads_that_are_not_new(self._session)):
            for number, chain, seq in part:
                self._fault(chain, seq, f"was not new when checkpoint {number} is said to have seen it first")
        for number, seen in changes.items():
            told = _told(signed[number])
            if told and (told["changed"], told["changes"]) != (seen.count, seen.digest()):
                what = "its list of new heads is not the signed one: changed, put in or missing"
                self._found.faults.extend(_of_checkpoint(number, [what]))

    async def _newest_root(self, number: int, signed: Signed) -> None:
        tree, entries = Tree(), 0
        async for heads in heads_at(self._session, number):
            for _, chain, seq, entry_hash in heads:
                tree.add(head_leaf(chain, seq, entry_hash))
                entries += seq
        told = _told(signed)
        self._found.beyond = self._found.entries - entries
        if told and (told["root"], told["chains"], told["entries"]) != (
            tree.root().hex(),
            tree.size,
            entries,
        ):
            self._found.faults.extend(
                _of_checkpoint(number, ["its root is not that of the heads it has seen"])
            )


def _told(signed: Signed) -> dict[str, Any]:
    try:
        return signed.told
    except ValueError:
        return {}


def _of_checkpoint(
    number: int, wrong: Iterable[str], before: str = "", seq: int | None = None
) -> list[Fault]:
    return [Fault(CHECKPOINTS, seq, f"checkpoint {number}: {before}{each}") for each in wrong]

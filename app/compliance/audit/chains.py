"""Going over entries in order and naming whatever was tampered with. Pure; for database and export alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from activation.adapters.sql.audit_chain import START

#: chain, seq, at (`2026-01-31 12:00:00.000000`, UTC), actor, event, content, hash: as stored, times as text
Entry = tuple[str, int, str, str, str, str, str]


@dataclass(frozen=True)
class Fault:
    """Something that is not as it was written. seq: the entry's number; None: no entry's."""

    chain: str
    seq: int | None
    what: str

    def __str__(self) -> str:
        return f"{self.chain} {'-' if self.seq is None else self.seq}: {self.what}"


@dataclass
class ChainCheck:
    """Takes entries chain by chain, in order of seq. told: called with each entry's content that parses."""

    told: Callable[[str, int, dict[str, Any]], None] = lambda _chain, _seq, _content: None
    faults: list[Fault] = field(default_factory=list)
    entries: int = 0
    _chain: str = ""
    _seq: int = 0
    # What the next entry may follow. Two where hash and content disagree: either may be the one that was
    # changed. None: unknown, because an entry is missing.
    _previous: tuple[str, ...] | None = (START,)

    def begin(self, chain: str, after: int = 0, previous: str = START) -> None:
        """The chain goes on after entry `after`, whose hash was `previous`."""
        self._chain, self._seq, self._previous = chain, after, (previous,)

    def take(self, rows: Iterable[Entry]) -> None:
        for chain, seq, at, actor, event, content, entry_hash in rows:
            self.entries += 1
            if chain != self._chain:
                self.begin(chain)
            if seq != self._seq + 1:
                self._misplaced(seq)
            self._link(seq, content, entry_hash)
            self._seq = seq
            self._compare(seq, content, at, actor, event)

    def _misplaced(self, seq: int) -> None:
        wanted, self._previous = self._seq + 1, None
        if seq <= self._seq:
            self._found(seq, "there are two entries of this number")
            return
        missing = f"entries {wanted} to {seq - 1} are missing" if seq > wanted + 1 else "the entry is missing"
        self._found(wanted, missing)

    def _link(self, seq: int, content: str, entry_hash: str) -> None:
        if self._previous is None:
            self._previous = (entry_hash,)
            return
        tail = f"\n{self._chain}\n{seq}\n{content}"
        links = [sha256(f"{before}{tail}".encode()).hexdigest() for before in self._previous]
        if entry_hash in links:
            self._previous = (entry_hash,)
        else:
            self._found(
                seq, "does not follow from the entry before it: changed, put in, or in another's place"
            )
            self._previous = (*links, entry_hash)

    def _compare(self, seq: int, content: str, at: str, actor: str, event: str) -> None:
        """Columns repeat the content, for searching."""
        try:
            told = json.loads(content)
            repeated = (told["at"][:26].replace("T", " "), told["actor"], told["event"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self._found(seq, "its content is not an entry's")
            return
        for name, column, said in zip(("at", "actor", "event"), (at, actor, event), repeated, strict=True):
            if column != said:
                self._found(seq, f"the column {name} says something else than the content")
        self.told(self._chain, seq, told)

    def _found(self, seq: int, what: str) -> None:
        self.faults.append(Fault(self._chain, seq, what))

"""Verifying an export: no database, no network, one pass over the lines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from activation.adapters.sql.audit_chain import START
from app.compliance.audit.chains import ChainCheck, Fault
from app.compliance.audit.exporting import FORMAT
from app.compliance.audit.signed import FIRST, Changes, PublicKeys, Signed
from app.compliance.audit.verifying import CHECKPOINTS, Verified

#: Longest line that is read, characters; an entry has a few hundred.
MAX_LINE = 1_000_000


class NotAnExport(ValueError):
    """The file is not an export of the audit trail."""


def verify_export(lines: Iterable[str], keys: PublicKeys) -> Verified:
    """Goes over an export. keys: trusted; the one in the file proves nothing. Raises NotAnExport."""
    reading = iter(lines)
    head = _head(next(reading, ""))
    check = _Export(keys, head.get("after"), head.get("to"))
    for number, line in enumerate(reading, start=2):
        try:
            check.take(_parsed(line))
        except (NotAnExport, KeyError, TypeError, ValueError, AttributeError):
            check.fault(CHECKPOINTS, None, f"line {number} of the file is not as an export has it")
    return check.end()


def key_in(line: str) -> str:
    """The public key (PEM) that an export names in its first line. Raises NotAnExport."""
    return str(_head(line).get("public_key"))


def _head(line: str) -> dict[str, Any]:
    head = _parsed(line)
    if head.get("kaika") != FORMAT:
        raise NotAnExport("the file is not an export of the audit trail")
    return head


def _parsed(line: str) -> dict[str, Any]:
    try:
        told = json.loads(line) if len(line) <= MAX_LINE else None
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise NotAnExport("the file is not an export of the audit trail")
    return told


class _Export:
    def __init__(self, keys: PublicKeys, after: Any, to: Any) -> None:
        self._keys, self._after, self._to = keys, after, to
        self._verified = Verified()
        self._check = ChainCheck(faults=self._verified.faults)
        self._signed: dict[int, Signed] = {}
        self._changes: dict[int, Changes] = {}
        self._heads: dict[int, str] = {}
        self._chain, self._seq, self._from, self._last = "", 0, 0, 0
        self._chains, self._ended = 0, False

    def fault(self, chain: str, seq: int | None, what: str) -> None:
        self._verified.faults.append(Fault(chain, seq, what))

    def take(self, told: dict[str, Any]) -> None:
        if self._ended:
            raise NotAnExport("lines after the end")
        match told:
            case {"checkpoint": one}:
                self._checkpoint(Signed(str(one["content"]), str(one["hash"]), str(one["signature"])))
            case {"chain": str(chain), "after": int(after), "previous": str(previous), "heads": heads}:
                self._begin(chain, after, previous, heads)
            case {"heads": heads} if self._seq == self._from and self._chain:
                self._more(heads)
            case {"entry": [int(seq), str(content), str(entry_hash)]}:
                self._entry(seq, content, entry_hash)
            case {"end": {"chains": chains, "entries": entries}}:
                self._end_chain()
                self._ended = True
                if (chains, entries) != (self._chains, self._check.entries):
                    self.fault(CHECKPOINTS, None, "the file has another number of lines than it says")
            case _:
                raise NotAnExport("no line of an export")

    def end(self) -> Verified:
        if not self._ended:
            self._end_chain()
            self.fault(CHECKPOINTS, None, "the file ends before its end")
        if max(self._signed, default=self._after) != self._to:
            self.fault(CHECKPOINTS, None, f"checkpoint {self._to} is missing")
        for number, signed in self._signed.items():
            told, seen = signed.told, self._changes[number]
            if (told["changed"], told["changes"]) != (seen.count, seen.digest()):
                self.fault(CHECKPOINTS, None, f"checkpoint {number}: a chain or a head is missing or put in")
        self._verified.entries, self._verified.checkpoints = self._check.entries, len(self._signed)
        return self._verified

    def _checkpoint(self, signed: Signed) -> None:
        number = int(signed.told["number"])
        for wrong in signed.faults(self._keys):
            self.fault(CHECKPOINTS, None, f"checkpoint {number}: {wrong}")
        last = max(self._signed, default=self._after)
        former = self._signed.get(last)
        before = former.hash if former else FIRST if number == 1 else signed.told["previous"]
        if number != last + 1 or signed.told["previous"] != before:
            self.fault(CHECKPOINTS, None, f"checkpoint {number}: does not follow checkpoint {last}")
        self._signed[number], self._changes[number] = signed, Changes()

    def _begin(self, chain: str, after: int, previous: str, heads: Any) -> None:
        self._end_chain()
        if chain <= self._chain or (after == 0 and previous != START):
            self.fault(chain, None, "the chain is not where or as it should begin")
        self._chain, self._seq, self._from, self._chains = chain, after, after, self._chains + 1
        self._check.begin(chain, after, previous)
        if not heads:
            self.fault(chain, None, "no checkpoint has seen the chain")
        self._last = after
        self._more(heads)

    def _more(self, heads: Any) -> None:
        for number, seq, entry_hash in heads:
            self._changes[int(number)].add(self._chain, int(seq), str(entry_hash))
            self._heads[int(seq)] = str(entry_hash)
        self._last = max(self._heads, default=self._last)

    def _entry(self, seq: int, content: str, entry_hash: str) -> None:
        told = json.loads(content)
        at = str(told["at"])[:26].replace("T", " ")
        row = (self._chain, seq, at, str(told["actor"]), str(told["event"]), content, entry_hash)
        self._check.take([row])
        self._seq = seq
        if self._heads.pop(seq, entry_hash) != entry_hash:
            self.fault(self._chain, seq, "is not the entry that a checkpoint has seen")

    def _end_chain(self) -> None:
        for seq in self._heads:
            self.fault(self._chain, seq, "a checkpoint has seen this entry, and it is not there")
        if self._seq > self._last:
            self.fault(self._chain, self._last + 1, "no checkpoint has seen what follows from here on")
        self._heads, self._last = {}, self._seq

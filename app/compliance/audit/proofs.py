"""That one chain stood at a certain entry when a checkpoint was signed, provable without the database."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.audit_tables import AuditCheckpointHeadRow
from app.compliance.audit.checkpoints import Head, by_bytes, heads_at, latest
from app.compliance.audit.merkle import Path, head_leaf, root_of_path
from app.compliance.audit.signed import PublicKeys, Signed


@dataclass(frozen=True)
class Proof:
    """`chain` had `seq` entries, the last with `hash`, at the checkpoint.

    index: of its leaf among all `chains`; path: sibling hashes in hex, nearest first (RFC 6962).
    """

    checkpoint: Signed
    chain: str
    seq: int
    hash: str
    index: int
    path: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """What `check_proof` takes. checkpoint.content is a string: its bytes are what was signed."""
        signed = self.checkpoint
        return {
            "checkpoint": {"content": signed.content, "hash": signed.hash, "signature": signed.signature},
            "chain": self.chain,
            "seq": self.seq,
            "hash": self.hash,
            "index": self.index,
            "path": list(self.path),
        }


async def prove(session: AsyncSession, chain: str) -> Proof | None:
    """The proof for a chain from the newest checkpoint; None where that has not seen the chain.

    Entries that came later are not in it; `Checkpoints.take` first proves them too. Reads all heads: some
    seconds where there are a million chains.
    """
    signed = await latest(session)
    if signed is None:
        return None
    number, size = int(signed.told["number"]), int(signed.told["chains"])
    seen = AuditCheckpointHeadRow
    before = (seen.number <= number, by_bytes(session, seen.chain) < chain)
    index = await session.scalar(sa.select(sa.func.count(seen.chain.distinct())).where(*before)) or 0
    if index >= size:
        return None
    path, mine = Path(index, size), list[Head]()

    def take(heads: Sequence[Head]) -> None:
        path.add_all(head_leaf(*head[1:]) for head in heads)
        mine.extend(head for head in heads if head[1] == chain)

    async for heads in heads_at(session, number):
        await asyncio.to_thread(take, heads)
    if not mine:
        return None
    _, _, seq, entry_hash = mine[0]
    return Proof(signed, chain, seq, entry_hash, index, tuple(each.hex() for each in path.hashes()))


def check_proof(document: Mapping[str, Any], keys: PublicKeys) -> list[str]:
    """What is wrong with `Proof.as_json`, by trusted public keys; nothing: the proof is sound.

    Compare `chain`, `seq` and `hash` with the entry itself. Raises KeyError, TypeError or ValueError where
    the document has another form.
    """
    told = document["checkpoint"]
    signed = Signed(told["content"], told["hash"], told["signature"])
    leaf = head_leaf(document["chain"], document["seq"], document["hash"])
    path = [bytes.fromhex(each) for each in document["path"]]
    root = root_of_path(leaf, document["index"], signed.told["chains"], path)
    wrong = (
        [] if root is not None and root.hex() == signed.told["root"] else ["the path leads to another root"]
    )
    return [*signed.faults(keys), *wrong]

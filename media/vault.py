"""Port of the evidence vault: encrypted objects by order and by the SHA-256 of their clear bytes (R9.1).

Adapters: `media.vault_local`, `media.vault_s3`. Sealing itself is `media.envelope`, the same for every
adapter. One suite, `tests/contracts/test_vault.py`, holds all adapters to what is said here.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from activation.ids import Digest, OrderId

#: The longest object: a recording of an attended call, with room to spare.
MAX_OBJECT_BYTES = 2 * 1024**3
#: The longest that is held in memory as a whole, by `put` and `get`.
MAX_WHOLE_BYTES = 64 * 1024**2

_KIND = re.compile(r"[a-z][a-z0-9_]{0,31}")
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]{1,40}")


class VaultFault(Exception):
    """The vault could not do what it was asked to. Texts never hold more than ids and digests."""


class EvidenceNotFound(VaultFault):
    """No such object of this order; never stored, or destroyed."""


class EvidenceUnreadable(VaultFault):
    """The stored bytes are not those that were sealed: changed, cut short, swapped, moved, or another key."""


class EvidenceTooLarge(VaultFault):
    """More than MAX_OBJECT_BYTES; for `put` and `get`, more than MAX_WHOLE_BYTES."""


class VaultBusy(VaultFault):
    """Too many calls wait already; try again."""


class VaultAway(VaultBusy):
    """Where the objects lie does not answer; try again."""


class VaultKeysAway(VaultBusy):
    """The order's key cannot be had: key store or key service does not answer; try again."""


@dataclass(frozen=True)
class Stored:
    """What the vault says of one object; size in clear bytes."""

    order: OrderId
    digest: Digest
    kind: str
    media_type: str
    size: int


class Vault(Protocol):
    """Keeps evidence of orders. Every call may raise VaultFault; a put that returned is on stable storage."""

    async def put(self, order_id: OrderId, kind: str, media_type: str, data: bytes) -> Digest:
        """Seal `data`; SHA-256 of the clear bytes. The same bytes twice are one object.

        kind: lower-case word, e.g. `id_front`. Raises EvidenceTooLarge, VaultBusy, ValueError.
        """

    async def put_file(
        self, order_id: OrderId, kind: str, media_type: str, source: Path | BinaryIO
    ) -> Digest:
        """Like `put`, in chunks from a file; `source` is read once, from where it stands, and not closed."""

    async def get(self, order_id: OrderId, digest: Digest) -> bytes:
        """The clear bytes. Raises EvidenceNotFound, EvidenceUnreadable, EvidenceTooLarge, VaultBusy."""

    def read(self, order_id: OrderId, digest: Digest) -> AsyncGenerator[bytes, None]:
        """The clear bytes in chunks of at most 1 MiB, each authentic, the whole only once the iterator ended.

        Raises like `get` at the first or any later chunk, at the latest instead of ending, where the object
        is not whole. Close it (`aclose`) where it is not read to its end.
        """

    async def describe(self, order_id: OrderId, digest: Digest) -> Stored:
        """Kind, media type and size without the bytes. Raises like `get`."""

    async def destroy(self, order_id: OrderId, digest: Digest) -> None:
        """R8.2: nobody can read the object again. Destroying what is not there does nothing."""

    async def destroy_order(self, order_id: OrderId) -> None:
        """R8.2: remove every object of the order, also where its key was destroyed already.

        Called again after a fault it goes on; removing what is not there does nothing.
        """

    async def orders(self, beginning: str = "") -> Sequence[OrderId]:
        """Every order that has objects and whose id begins so, in ascending order."""

    async def digests(self, order_id: OrderId) -> Sequence[Digest]:
        """Every object of the order, in ascending order, also where its key was destroyed already."""


def check_label(kind: str, media_type: str) -> None:
    """Raises ValueError unless both are words of the expected form."""
    if not _KIND.fullmatch(kind):
        raise ValueError("the kind of evidence must be a lower-case word")
    if not _MEDIA_TYPE.fullmatch(media_type):
        raise ValueError("not a media type")


def check_whole(size: int) -> None:
    """Raises EvidenceTooLarge where so many bytes are not to be held in memory as a whole."""
    if size > MAX_WHOLE_BYTES:
        raise EvidenceTooLarge(f"longer than {MAX_WHOLE_BYTES} bytes: in chunks only")

"""The adapters of the vault for the contract suite, each with a back door: the storage itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from activation.ids import Digest, OrderId
from activation.order_keys import OrderKeys
from media.aws import AwsAccess
from media.buckets import Bucket
from media.envelope import ObjectKeys
from media.vault import Vault
from media.vault_local import LocalVault
from media.vault_s3 import S3Vault


class ClosableVault(Vault, Protocol):
    def close(self) -> None: ...


class VaultUnderTest(Protocol):
    """Opens the same storage again and again, as restarts do, and reaches what lies there past the vault."""

    def open(self, keys: OrderKeys) -> ClosableVault: ...

    def close(self) -> None:
        """Every vault that was opened."""

    def stored(self) -> dict[str, bytes]:
        """Everything that can be read, by its place: `objects/ORDER/NAME`, `keys/ORDER/DIGEST.json`."""

    def write(self, place: str, content: bytes) -> None: ...

    def remove(self, place: str) -> None: ...


class LocalUnderTest:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._opened: list[LocalVault] = []

    def open(self, keys: OrderKeys) -> LocalVault:
        self._opened.append(LocalVault(self.folder, ObjectKeys(keys)))
        return self._opened[-1]

    def close(self) -> None:
        for vault in self._opened:
            vault.close()

    def stored(self) -> dict[str, bytes]:
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files}

    def write(self, place: str, content: bytes) -> None:
        path = self.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def remove(self, place: str) -> None:
        (self.folder / place).unlink()


class S3UnderTest:
    def __init__(self, objects: Bucket, keys: Bucket, access: AwsAccess | None = None) -> None:
        """access: for other processes."""
        self.objects, self.keys, self.access = objects, keys, access
        self._opened: list[S3Vault] = []

    def open(self, keys: OrderKeys) -> S3Vault:
        self._opened.append(S3Vault(self.objects, self.keys, ObjectKeys(keys)))
        return self._opened[-1]

    def close(self) -> None:
        for vault in self._opened:
            vault.close()

    def stored(self) -> dict[str, bytes]:
        found = {}
        for bucket in (self.objects, self.keys):
            for key in bucket.all_keys(""):
                found[key] = bucket.client.get_object(Bucket=bucket.name, Key=key)["Body"].read()
        return found

    def write(self, place: str, content: bytes) -> None:
        bucket = self._bucket(place)
        bucket.client.put_object(Bucket=bucket.name, Key=place, Body=content)

    def remove(self, place: str) -> None:
        bucket = self._bucket(place)
        bucket.client.delete_object(Bucket=bucket.name, Key=place)

    def _bucket(self, place: str) -> Bucket:
        return self.objects if place.startswith("objects/") else self.keys


class Endless:
    """A file of zeros without an end. seen: called with how many bytes were read so far."""

    def __init__(self, seen: Callable[[int], Any] = lambda _: None) -> None:
        self._read, self._seen = 0, seen

    def read(self, size: int = -1) -> bytes:
        self._seen(self._read)
        self._read += size
        return bytes(size)


class Clip:
    """A file of `size` bytes, no two chunks alike, of which nothing is kept."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._block = os.urandom(1 << 20)

    def read(self, size: int = -1) -> bytes:
        given = min(size, self._left)
        self._left -= given
        return (self._left.to_bytes(8, "big") + self._block)[:given]


def one_object(under: VaultUnderTest, order: OrderId) -> str:
    """Place of the only object of the order."""
    (place,) = (each for each in under.stored() if each.startswith(f"objects/{order}/"))
    return place


def key_place(order: OrderId, digest: Digest) -> str:
    return f"keys/{order}/{digest}.json"

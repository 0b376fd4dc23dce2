"""A process that uses a vault, for tests that kill it or measure its memory.

python -m tests.contracts.vault_process write|measure BYTES local FOLDER
python -m tests.contracts.vault_process write|measure BYTES s3 REGION ENDPOINT ACCESS SECRET OBJECTS KEYS
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from contextlib import aclosing
from pathlib import Path

from activation.ids import OrderId
from media.aws import AwsAccess, open_s3
from media.buckets import Bucket
from tests.contracts.vaults import Clip, ClosableVault, Endless, LocalUnderTest, S3UnderTest
from tests.order_keys import DerivedOrderKeys


def open_vault(kind: str, *where: str) -> ClosableVault:
    keys = DerivedOrderKeys()
    if kind == "local":
        return LocalUnderTest(Path(where[0])).open(keys)
    client = open_s3(AwsAccess(*where[:4]))
    return S3UnderTest(Bucket(client, where[4]), Bucket(client, where[5])).open(keys)


async def write(vault: ClosableVault, size: int) -> None:
    """Never ends; says so once `size` bytes were read."""

    def seen(read: int) -> None:
        if size <= read < size + (1 << 20):
            print("written so far", flush=True)

    await vault.put_file(OrderId.new(), "clip", "video/webm", Endless(seen))  # type: ignore[arg-type]


async def measure(vault: ClosableVault, size: int) -> None:
    """Writes and reads a clip of `size` bytes; says by how much the process grew, in bytes."""
    order = OrderId.new()
    await _there_and_back(vault, order, 3 << 20)  # what is loaded and cached at first use
    before = peak()
    await _there_and_back(vault, order, size)
    print(json.dumps({"grown": peak() - before}), flush=True)


async def _there_and_back(vault: ClosableVault, order: OrderId, size: int) -> None:
    digest = await vault.put_file(order, "clip", "video/webm", Clip(size))  # type: ignore[arg-type]
    read, length = hashlib.sha256(), 0
    async with aclosing(vault.read(order, digest)) as chunks:
        async for chunk in chunks:
            read.update(chunk)
            length += len(chunk)
    assert (read.hexdigest(), length) == (digest, size)


def peak() -> int:
    """Most bytes that were resident at any time since this program began."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


async def main(action: str, size: str, *where: str) -> None:
    vault = open_vault(*where)
    await {"write": write, "measure": measure}[action](vault, int(size))
    vault.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

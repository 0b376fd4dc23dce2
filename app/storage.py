"""The part of the composition root that opens vault and key store: folders or buckets, by the settings."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial

from app.config import Settings
from app.keys import read_secret
from app.storage_settings import S3Settings, StorageUnusable, VaultChoice
from media.aws import AwsAccess, AwsFault, open_s3
from media.buckets import Bucket, Protection
from media.buckets.checks import BucketUnfit, check_keys, check_objects, check_quarantine
from media.envelope import ObjectKeys
from media.keys.store_folder import FolderKeyStore
from media.keys.store_s3 import S3KeyStore
from media.uploads import Quarantine
from media.vault_local import LocalVault
from media.vault_s3 import S3Vault


@dataclass(frozen=True)
class Buckets:
    """The buckets, looked at once. uploads: that of quarantine, by the address that phones know."""

    objects: Bucket
    keys: Bucket
    quarantine: Bucket | None
    uploads: Bucket | None
    protection: Protection

    def all(self) -> tuple[Bucket, ...]:
        """Those that exist, each once."""
        return tuple(each for each in (self.objects, self.keys, self.quarantine) if each is not None)


def open_buckets(settings: Settings) -> Buckets | None:
    """None: the vault is a folder. Blocking. Raises StorageUnusable, KeyUnusable."""
    if settings.storage.vault is VaultChoice.FOLDER:
        return None
    chosen = settings.storage.s3
    access = _access(chosen, private=settings.production)
    client = open_s3(access)
    for_phones = client
    if chosen.upload_endpoint is not None:
        for_phones = open_s3(replace(access, endpoint=chosen.upload_endpoint))
    protection = Protection(chosen.lock_days, chosen.lock_mode.upper(), chosen.sse_kms_key)
    waiting = chosen.quarantine_bucket
    found = Buckets(
        Bucket(client, chosen.bucket),
        Bucket(client, chosen.keys_bucket),
        None if waiting is None else Bucket(client, waiting),
        None if waiting is None else Bucket(for_phones, waiting),
        protection,
    )
    checks = [
        ("KAIKA_S3_BUCKET", partial(check_objects, found.objects, protection)),
        ("KAIKA_S3_KEYS_BUCKET", partial(check_keys, found.keys)),
    ]
    if found.quarantine is not None:
        checks.append(("KAIKA_S3_QUARANTINE_BUCKET", partial(check_quarantine, found.quarantine)))
    for variable, check in checks:
        try:
            check()
        except (BucketUnfit, AwsFault) as problem:
            raise StorageUnusable(f"{variable}: {problem}") from None
    return found


async def open_key_store(stack: AsyncExitStack, settings: Settings) -> FolderKeyStore | S3KeyStore:
    """In the bucket of keys where the vault is on S3, unless KAIKA_KEY_STORE names a folder."""
    buckets = None
    if settings.key_service.store is None:
        buckets = await asyncio.to_thread(open_buckets, settings)
    store = (
        FolderKeyStore(settings.key_store_dir)
        if buckets is None
        else S3KeyStore(buckets.keys, buckets.protection)
    )
    stack.push_async_callback(asyncio.to_thread, store.close)
    return store


async def open_vault(
    stack: AsyncExitStack, settings: Settings, order_keys: ObjectKeys
) -> LocalVault | S3Vault:
    """Closed with the stack."""
    buckets = await asyncio.to_thread(open_buckets, settings)
    vault = (
        LocalVault(settings.vault_dir, order_keys)
        if buckets is None
        else S3Vault(buckets.objects, buckets.keys, order_keys, buckets.protection, buckets.quarantine)
    )
    stack.push_async_callback(asyncio.to_thread, vault.close)
    return vault


async def open_quarantine(stack: AsyncExitStack, settings: Settings) -> Quarantine | None:
    """None: there is no bucket for it, and phones send everything to the server."""
    buckets = await asyncio.to_thread(open_buckets, settings)
    if buckets is None or buckets.quarantine is None or buckets.uploads is None:
        return None
    quarantine = Quarantine(buckets.quarantine, buckets.uploads, buckets.protection)
    stack.push_async_callback(asyncio.to_thread, quarantine.close)
    return quarantine


def _access(chosen: S3Settings, *, private: bool) -> AwsAccess:
    access = secret = None
    if chosen.access_key_file is not None and chosen.secret_key_file is not None:
        access = read_secret("KAIKA_S3_ACCESS_KEY_FILE", chosen.access_key_file, private=private).decode()
        secret = read_secret("KAIKA_S3_SECRET_KEY_FILE", chosen.secret_key_file, private=private).decode()
    return AwsAccess(chosen.region, chosen.endpoint, access, secret)

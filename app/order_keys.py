"""The part of the composition root that opens the orders' keys: key store and key service by the settings."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.order_keys import use_order_keys
from app.config import Settings
from app.key_settings import KeyServiceChoice
from app.key_store_known import known_key_store
from app.keys import Keys, KeyUnusable
from app.storage import open_key_store
from media.envelope import FileKeyWrapper, ObjectKeys
from media.keys.order_keys import StoredOrderKeys
from media.keys.ports import KeyService
from media.keys.service_either import EitherKeyService
from media.keys.service_file import FileKeyService
from media.keys.service_kms import open_kms_service


async def open_order_keys(
    stack: AsyncExitStack, settings: Settings, keys: Keys, sessions: async_sessionmaker[AsyncSession]
) -> StoredOrderKeys:
    """The keys, in use from now on; closed with the stack.

    Raises StorageUnusable where the key store is not that of the database behind `sessions`.
    """
    store = await known_key_store(sessions, await open_key_store(stack, settings))
    opened = StoredOrderKeys(store, await _open_service(stack, settings, keys))
    use_order_keys(opened)
    return opened


def object_keys(order_keys: StoredOrderKeys, keys: Keys) -> ObjectKeys:
    """What wraps the data keys of an order's objects, and what wrapped them before orders had keys."""
    files = _files(keys)
    return ObjectKeys(order_keys, FileKeyWrapper(files[0], files[1:]) if files else None)


async def _open_service(stack: AsyncExitStack, settings: Settings, keys: Keys) -> KeyService:
    files, chosen = _files(keys), settings.key_service
    by_files = FileKeyService(files[0], files[1:]) if files else None
    if chosen.service is KeyServiceChoice.KMS:
        kms = await asyncio.to_thread(open_kms_service, chosen.kms_key, chosen.kms_endpoint)
        stack.push_async_callback(asyncio.to_thread, kms.close)
        return kms if by_files is None else EitherKeyService(kms, by_files)
    if by_files is None:
        raise KeyUnusable("KAIKA_VAULT_KEY_FILE: the key service of files needs it")
    return by_files


def _files(keys: Keys) -> tuple[bytes, ...]:
    """Key-encryption keys from files, the current one first."""
    return (*(() if keys.vault is None else (keys.vault,)), *keys.former_vaults)

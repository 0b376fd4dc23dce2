"""The part of the composition root that opens the orders' keys: key store and key service by the settings."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from activation.order_keys import use_order_keys
from app.config import Settings
from app.keys import Keys
from media.envelope import FileKeyWrapper, ObjectKeys
from media.keys.order_keys import StoredOrderKeys
from media.keys.service_file import FileKeyService
from media.keys.store_folder import FolderKeyStore


def open_order_keys(stack: AsyncExitStack, settings: Settings, keys: Keys) -> StoredOrderKeys:
    """The keys, in use from now on; closed with the stack."""
    store = FolderKeyStore(settings.key_store_dir)
    stack.push_async_callback(asyncio.to_thread, store.close)
    opened = StoredOrderKeys(store, FileKeyService(keys.vault))
    use_order_keys(opened)
    return opened


def object_keys(order_keys: StoredOrderKeys, keys: Keys) -> ObjectKeys:
    """What wraps the data keys of an order's objects, and what wrapped them before orders had keys."""
    return ObjectKeys(order_keys, FileKeyWrapper(keys.vault))

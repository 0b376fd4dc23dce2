"""What is remembered of orders' keys, for how long, and what destroying does to it."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field

import pytest

from activation.ids import OrderId
from activation.order_keys import OrderKeyGone, OrderKeys, OrderKeysFault, Unreadable
from media.keys.order_keys import DEADLINE_SECONDS, REMEMBERED_SECONDS, StoredOrderKeys
from media.keys.ports import KeyStoreAway
from media.keys.service_file import FileKeyService


@dataclass
class MemoryKeyStore:
    """Entries in memory; counts reads, and holds them back while `gate` is not set."""

    entries: dict[OrderId, bytes] = field(default_factory=dict)
    reads: int = 0
    away: bool = False
    gate: asyncio.Event | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def get(self, order_id: OrderId) -> bytes | None:
        self.reads += 1
        found = self.entries.get(order_id)
        self.asked.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.away:
            raise KeyStoreAway("down")
        return found

    async def put_if_absent(self, order_id: OrderId, entry: bytes) -> bytes:
        return self.entries.setdefault(order_id, entry)

    async def replace(self, order_id: OrderId, expected: bytes, entry: bytes) -> bool:
        raise NotImplementedError

    async def delete(self, order_id: OrderId) -> None:
        if self.away:
            raise KeyStoreAway("down")
        self.entries.pop(order_id, None)

    async def list(self, after: OrderId | None, limit: int) -> list[OrderId]:
        raise NotImplementedError

    async def store_id(self) -> str | None:
        raise NotImplementedError

    async def name_once(self, store_id: str) -> str:
        raise NotImplementedError


@dataclass
class Scene:
    store: MemoryKeyStore = field(default_factory=MemoryKeyStore)
    service: FileKeyService = field(default_factory=lambda: FileKeyService(os.urandom(32)))
    now: float = 0.0

    def keys(self, most: int = 100) -> StoredOrderKeys:
        """As one process has them."""
        return StoredOrderKeys(self.store, self.service, lambda: self.now, most=most)


@pytest.fixture
def scene() -> Scene:
    return Scene()


ORDER = OrderId.new()


async def test_a_key_is_made_once_and_is_the_same_everywhere(scene: Scene) -> None:
    one, two = scene.keys(), scene.keys()
    made = await one.create(ORDER)
    assert await one.create(ORDER) == made
    assert await two.create(ORDER) == made
    assert await scene.keys().of(ORDER) == made
    assert made.secret not in scene.store.entries[ORDER]


async def test_two_processes_that_make_a_key_at_once_agree(scene: Scene) -> None:
    made = await asyncio.gather(*(scene.keys().create(ORDER) for _ in range(8)))
    assert len({key.secret for key in made}) == 1


async def test_an_order_without_a_key_has_none(scene: Scene) -> None:
    with pytest.raises(OrderKeyGone):
        await scene.keys().of(ORDER)


async def test_a_key_is_remembered_for_a_while(scene: Scene) -> None:
    made = await scene.keys().create(ORDER)
    keys, scene.store.reads = scene.keys(), 0
    for _ in range(3):
        assert await keys.of(ORDER) == made
    assert scene.store.reads == 1
    scene.now += REMEMBERED_SECONDS
    await keys.of(ORDER)
    assert scene.store.reads == 2


async def test_what_another_process_destroyed_is_gone_within_a_minute(scene: Scene) -> None:
    assert REMEMBERED_SECONDS <= 60
    keys, other = scene.keys(), scene.keys()
    await keys.create(ORDER)
    await other.destroy(ORDER)
    scene.now += REMEMBERED_SECONDS
    with pytest.raises(OrderKeyGone):
        await keys.of(ORDER)


async def test_nothing_is_made_with_a_key_that_another_process_has_destroyed(scene: Scene) -> None:
    keys, other = scene.keys(), scene.keys()
    former = await keys.create(ORDER)
    await other.destroy(ORDER)
    made = await keys.create(ORDER)
    assert made != former
    assert await keys.of(ORDER) == made == await other.of(ORDER)


async def test_a_key_leaves_memory_when_its_time_is_over(scene: Scene) -> None:
    keys = StoredOrderKeys(scene.store, scene.service, seconds=0)
    await keys.create(ORDER)
    assert len(keys._known) == 1
    await asyncio.sleep(0.01)  # for the loop's timers; nobody asks
    assert not keys._known


async def test_only_so_many_are_remembered(scene: Scene) -> None:
    keys = scene.keys(most=2)
    orders = [OrderId.new() for _ in range(3)]
    for order in orders:
        await keys.create(order)
    scene.store.reads = 0
    await keys.of(orders[2])
    await keys.of(orders[1])
    assert scene.store.reads == 0
    await keys.of(orders[0])
    assert scene.store.reads == 1


async def test_many_who_ask_at_once_ask_the_store_once(scene: Scene) -> None:
    await scene.keys().create(ORDER)
    keys, scene.store.gate, scene.store.reads = scene.keys(), asyncio.Event(), 0
    asking = [asyncio.create_task(keys.of(ORDER)) for _ in range(20)]
    await asyncio.sleep(0)
    asking[0].cancel()  # one who gives up does not take the answer from the others
    scene.store.gate.set()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert scene.store.reads == 1
    assert isinstance(answers[0], asyncio.CancelledError)
    assert len(set(map(repr, answers[1:]))) == 1
    assert not any(isinstance(answer, BaseException) for answer in answers[1:])


async def test_destroyed_means_destroyed_for_this_process_at_once(scene: Scene) -> None:
    keys = scene.keys()
    await keys.create(ORDER)
    await keys.destroy(ORDER)
    await keys.destroy(ORDER)
    assert scene.store.entries == {}
    with pytest.raises(OrderKeyGone):
        await keys.of(ORDER)


async def test_a_key_that_was_on_its_way_when_it_was_destroyed_is_not_remembered(scene: Scene) -> None:
    await scene.keys().create(ORDER)
    scene.store.asked.clear()
    keys, scene.store.gate = scene.keys(), asyncio.Event()
    asking = asyncio.create_task(keys.of(ORDER))
    await scene.store.asked.wait()
    await keys.destroy(ORDER)
    scene.store.gate.set()
    await asking
    with pytest.raises(OrderKeyGone):
        await keys.of(ORDER)


class SilentService(FileKeyService):
    """Takes a question and never answers; counts who still waits."""

    waiting = 0

    async def wrap(self, order_id: OrderId, secret: bytes) -> bytes:
        return await self._wait()

    async def unwrap(self, order_id: OrderId, wrapped: bytes) -> bytes:
        return await self._wait()

    async def _wait(self) -> bytes:
        self.waiting += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.waiting -= 1
        return b""


async def test_a_service_that_does_not_answer_is_waited_for_once_and_not_for_long(scene: Scene) -> None:
    await scene.keys().create(ORDER)
    silent = SilentService(os.urandom(32))
    keys = StoredOrderKeys(scene.store, silent, deadline=0.05)
    calls = [*(keys.of(ORDER) for _ in range(20)), keys.create(ORDER), keys.create(OrderId.new())]
    async with asyncio.timeout(5):
        answers = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(answer, OrderKeysFault) for answer in answers)
    assert silent.waiting == 0
    assert DEADLINE_SECONDS <= 10


async def test_a_silent_store_is_a_fault_that_passes(scene: Scene) -> None:
    await scene.keys().create(ORDER)
    keys, scene.store.away = scene.keys(), True
    for call in (keys.of, keys.destroy):
        with pytest.raises(OrderKeysFault):
            await call(ORDER)
    scene.store.away = False
    await keys.of(ORDER)


async def test_an_entry_under_another_order_is_unreadable(scene: Scene) -> None:
    thief = OrderId.new()
    await scene.keys().create(ORDER)
    scene.store.entries[thief] = scene.store.entries[ORDER]
    with pytest.raises(Unreadable):
        await scene.keys().of(thief)


def test_it_is_what_the_rooms_ask_for(scene: Scene) -> None:
    keys: OrderKeys = scene.keys()
    assert "secret" not in repr(keys)

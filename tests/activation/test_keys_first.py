"""Nobody waits for an order's key with a transaction open."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import Mock

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.ids import OrderId
from activation.order_keys import OrderKey, OrderKeysFault, use_order_keys
from activation.ports import MessageKind
from tests.activation.stand_ins import PromptWork, make_bench
from tests.order_keys import DerivedOrderKeys


class Away(DerivedOrderKeys):
    async def of(self, order_id: OrderId) -> OrderKey:
        raise OrderKeysFault("down")


async def test_while_keys_are_away_no_transaction_is_begun(
    sessions: async_sessionmaker[AsyncSession],
) -> None:
    use_order_keys(Away())
    begun = Mock()
    steps = replace(make_bench(sessions, PromptWork(sessions)).flow.steps, sessions=begun)
    for call in (steps.send(OrderId.new(), MessageKind.SHIPPED, ""), steps.compare(OrderId.new())):
        with pytest.raises(OrderKeysFault):
            await call
    begun.begin.assert_not_called()

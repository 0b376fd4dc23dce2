from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.logistics.depot import Depot, open_depot


@pytest.fixture
async def depot(engine: AsyncEngine) -> Depot:
    return await open_depot(engine)

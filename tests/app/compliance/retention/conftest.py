"""A town for each test, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.app.compliance.retention.town import Town, open_town


@pytest.fixture
async def town(engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[Town]:
    async with open_town(engine, tmp_path) as opened:
        yield opened

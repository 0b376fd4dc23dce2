from __future__ import annotations

from collections.abc import Iterator

import pytest

from media.faces import FaceFinder, open_finder


@pytest.fixture(scope="session")
def finder() -> Iterator[FaceFinder]:
    opened = open_finder()
    yield opened
    opened.close()

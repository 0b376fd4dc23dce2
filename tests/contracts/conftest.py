"""The vault's adapters, one after the other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from activation.ids import OrderId
from tests.contracts.vaults import LocalUnderTest, S3UnderTest, VaultUnderTest
from tests.order_keys import DerivedOrderKeys
from tests.servers.radosgw import RadosGateway


@pytest.fixture(params=["local", pytest.param("radosgw", marks=pytest.mark.radosgw)])
def under(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VaultUnderTest]:
    """An empty storage of one adapter."""
    made: VaultUnderTest
    if request.param == "local":
        made = LocalUnderTest(tmp_path / "vault")
    else:
        gateway: RadosGateway = request.getfixturevalue("radosgw")
        made = S3UnderTest(gateway.new_bucket(), gateway.new_bucket(), gateway.access)
    yield made
    made.close()


@pytest.fixture
def keys() -> DerivedOrderKeys:
    return DerivedOrderKeys(os.urandom(32))


@pytest.fixture
def order() -> OrderId:
    return OrderId.new()

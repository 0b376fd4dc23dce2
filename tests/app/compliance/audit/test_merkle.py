"""Trees against the vectors of the Certificate Transparency project, and paths against whole trees."""

from __future__ import annotations

import pytest

from app.compliance.audit.merkle import Path, Tree, leaf_hash, root_of_path

LEAVES = [bytes.fromhex(each) for each in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
LEAVES.append(bytes(range(0x60, 0x70)))
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def _root(leaves: list[bytes]) -> bytes:
    tree = Tree()
    for leaf in leaves:
        tree.add(leaf_hash(leaf))
    assert tree.size == len(leaves)
    return tree.root()


@pytest.mark.parametrize("size", ROOTS)
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert _root(LEAVES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize("size", range(1, 34))
def test_every_path_leads_to_the_root_and_from_nowhere_else(size: int) -> None:
    data = [number.to_bytes(2, "big") for number in range(size)]
    hashed, root = [leaf_hash(each) for each in data], _root(data)
    for index in range(size):
        path = Path(index, size)
        path.add_all(hashed[: size // 2])
        path.add_all(hashed[size // 2 :])
        told = path.hashes()
        assert root_of_path(hashed[index], index, size, told) == root
        assert root_of_path(leaf_hash(b"other"), index, size, told) != root
        assert size == 1 or root_of_path(hashed[index], (index + 1) % size, size, told) != root
        assert root_of_path(hashed[index], index, size, [*told, root]) is None
        assert not told or root_of_path(hashed[index], index, size, told[:-1]) is None


def test_no_path_for_a_leaf_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        Path(3, 3)
    assert root_of_path(leaf_hash(b""), 1, 1, []) is None
